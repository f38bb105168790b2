// SPDX-License-Identifier: Apache-2.0
// The tables in the schema `dayfly`; docs/storage.md tells what they are for. A migration that was
// released is never changed: a change is another one at the end of the list.
#pragma once

#include <array>

namespace store::postgres {

struct Migration {
  int version;
  const char* name;
  const char* sql;  ///< runs in the transaction of all that are applied together
};

// Text of people and steps is `bytea`: it may hold NUL and what is no UTF-8. Times are microseconds
// since 1970, as facts have them. Members with their default are NULL: most are, and cost nothing.
inline constexpr const char* kFirstTables = R"sql(
CREATE TABLE dayfly.shard (
  id          bigint PRIMARY KEY,
  epoch       bigint NOT NULL,               -- grows with each owner
  seq         bigint NOT NULL,               -- facts in the log
  reconnects  bigint NOT NULL DEFAULT 0,     -- of the owner's connection; part of the fence
  owner       text   NOT NULL DEFAULT '',    -- '': nobody
  address     text   NOT NULL DEFAULT '',    -- where clients find the owner
  lease_until timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 10);                    -- changed by each commit: room for it on the same page

CREATE TABLE dayfly.log (
  shard bigint NOT NULL,
  seq   bigint NOT NULL,                     -- of the row's last fact
  epoch bigint NOT NULL,
  run   bigint NOT NULL,                     -- 0: facts about workers
  day   int    NOT NULL,                     -- since 1970, on which the run was accepted
  bytes bytea  NOT NULL,                     -- store/codec/facts.proto
  PRIMARY KEY (shard, seq, day)
) PARTITION BY RANGE (day);
CREATE INDEX ON dayfly.log (run);            -- who takes over reads open runs, and nothing of others

CREATE TABLE dayfly.plan (
  digest bytea PRIMARY KEY,
  name   bytea NOT NULL,                     -- of the pipeline
  bytes  bytea NOT NULL                      -- store/codec/plan.proto
);

CREATE TABLE dayfly.snapshot (
  shard bigint NOT NULL,
  seq   bigint NOT NULL,
  bytes bytea  NOT NULL,
  PRIMARY KEY (shard, seq)
);

CREATE TABLE dayfly.run_history (
  run    bigint   NOT NULL,
  shard  bigint   NOT NULL,
  at     bigint   NOT NULL,
  day    int      NOT NULL,
  status smallint NOT NULL,
  reason smallint,
  ended  boolean  NOT NULL,                  -- false: the row of its acceptance
  detail bigint, until bigint, subject bytea, counts bigint[],
  plan bytea, pipeline_file bytea, source bytea, "commit" bytea, branch bytea, event bytea,
  "by" bytea
) PARTITION BY RANGE (day);
CREATE INDEX ON dayfly.run_history (day, run);

CREATE TABLE dayfly.job_history (
  run     bigint   NOT NULL,
  shard   bigint   NOT NULL,
  at      bigint   NOT NULL,
  took    bigint   NOT NULL,                 -- microseconds
  day     int      NOT NULL,
  job     int      NOT NULL,
  attempt int      NOT NULL,
  status  smallint NOT NULL,
  reason  smallint,
  detail bigint, until bigint, subject bytea
) PARTITION BY RANGE (day);
CREATE INDEX ON dayfly.job_history (day, run);

-- Not partitioned: a key must be unique over all days.
CREATE TABLE dayfly.idempotency_key (
  shard bigint NOT NULL,
  key   bytea  NOT NULL,
  day   int    NOT NULL,
  seq   bigint NOT NULL,                     -- the row of the log in which the run was accepted
  run   bigint NOT NULL,
  PRIMARY KEY (shard, key)
);

-- Makes the partitions of the days from `first` to `last` where they are missing. Attaching a table
-- that stands already, unlike creating a partition, lets commits go on meanwhile. The lock keeps
-- two creators apart; the second look is for the one who waited, and it looks into the catalogue
-- itself, because `to_regclass` may answer from what was known before the wait.
CREATE FUNCTION dayfly.ensure_days(first int, last int) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
  d int;
  parent text;
  child text;
BEGIN
  FOR d IN SELECT generate_series(first, last) LOOP
    FOREACH parent IN ARRAY ARRAY['log', 'run_history', 'job_history'] LOOP
      child := format('%s_%s', parent, to_char(date '1970-01-01' + d, 'YYYYMMDD'));
      IF to_regclass(format('dayfly.%I', child)) IS NULL THEN
        PERFORM pg_advisory_xact_lock(7169104321786802025);
        IF NOT EXISTS (SELECT FROM pg_class WHERE relname = child
                       AND relnamespace = 'dayfly'::regnamespace) THEN
          EXECUTE format('CREATE TABLE dayfly.%I (LIKE dayfly.%I INCLUDING DEFAULTS)', child, parent);
          EXECUTE format('ALTER TABLE dayfly.%I ATTACH PARTITION dayfly.%I FOR VALUES FROM (%s) TO (%s)',
                         parent, child, d, d + 1);
        END IF;
      END IF;
    END LOOP;
  END LOOP;
END $body$;
)sql";

// Who may join, and who has joined; few rows, which no run refers to.
inline constexpr const char* kWorkers = R"sql(
CREATE TABLE dayfly.join_grant (
  token  bytea PRIMARY KEY,                  -- SHA-256 of its secret part
  launch bytea NOT NULL,
  pool   bytea NOT NULL,
  expires_at bigint NOT NULL
);

CREATE TABLE dayfly.worker (
  worker bigint PRIMARY KEY,
  launch bytea NOT NULL,
  pool   bytea NOT NULL,
  host   bytea NOT NULL,
  joined_at bigint NOT NULL,
  retired boolean NOT NULL DEFAULT false
);
)sql";

// What goes by age. A day's partitions are only dropped when nobody has the tables just then: who
// waits for a lock on them makes all others wait.
inline constexpr const char* kRetention = R"sql(
CREATE FUNCTION dayfly.days() RETURNS SETOF int LANGUAGE sql STABLE AS $body$
  SELECT to_date(right(c.relname, 8), 'YYYYMMDD') - date '1970-01-01'
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  WHERE i.inhparent = 'dayfly.log'::regclass
$body$;

-- False, and nothing was done: a run of the day has not ended, or its log has rows behind the older
-- snapshot, which whoever recovers may read.
CREATE FUNCTION dayfly.drop_day(gone int) RETURNS boolean LANGUAGE plpgsql
SET lock_timeout = '200ms' AS $body$
DECLARE
  suffix text := to_char(date '1970-01-01' + gone, '_YYYYMMDD');
BEGIN
  IF EXISTS (SELECT FROM dayfly.run_history WHERE day = gone
             GROUP BY run HAVING NOT bool_or(ended))
     OR EXISTS (SELECT FROM dayfly.log l WHERE l.day = gone AND l.seq > coalesce(
                (SELECT min(s.seq) FROM dayfly.snapshot s WHERE s.shard = l.shard), 0)) THEN
    RETURN false;
  END IF;
  DELETE FROM dayfly.idempotency_key WHERE day = gone;
  EXECUTE format('DROP TABLE IF EXISTS dayfly.%I, dayfly.%I, dayfly.%I',
                 'run_history' || suffix, 'job_history' || suffix, 'log' || suffix);
  RETURN true;
END $body$;

-- Commits wait meanwhile, so that none names a plan that is just going.
CREATE FUNCTION dayfly.drop_plans() RETURNS void LANGUAGE plpgsql
SET lock_timeout = '200ms' AS $body$
BEGIN
  LOCK TABLE dayfly.plan IN SHARE ROW EXCLUSIVE MODE;
  DELETE FROM dayfly.plan p WHERE NOT EXISTS (
    SELECT FROM dayfly.run_history r WHERE r.plan = p.digest);
END $body$;
)sql";

// What was brought to environments: few rows, so not partitioned. Names are as long as authors
// like, which no index takes: their digests stand in.
inline constexpr const char* kDeployments = R"sql(
CREATE TABLE dayfly.deployment (             -- with run_history and job_history the whole story
  run   bigint NOT NULL,
  shard bigint NOT NULL,
  at    bigint NOT NULL,                     -- when the job claimed it
  day   int    NOT NULL,
  job   int    NOT NULL,
  environment bytea NOT NULL,
  url   bytea,
  PRIMARY KEY (run, job)
);

-- Of days that are gone: the newest success of each environment of each source.
CREATE TABLE dayfly.kept_deployment (
  run      bigint NOT NULL,
  queued_at bigint NOT NULL, started_at bigint, ended_at bigint NOT NULL,
  job      int    NOT NULL,
  environment bytea NOT NULL,
  source   bytea  NOT NULL,
  job_name bytea, url bytea, pipeline bytea, "commit" bytea, branch bytea, event bytea, "by" bytea
);
CREATE UNIQUE INDEX ON dayfly.kept_deployment (sha256(environment), sha256(source));

CREATE OR REPLACE FUNCTION dayfly.drop_day(gone int) RETURNS boolean LANGUAGE plpgsql
SET lock_timeout = '200ms' AS $body$
DECLARE
  suffix text := to_char(date '1970-01-01' + gone, '_YYYYMMDD');
BEGIN
  IF EXISTS (SELECT FROM dayfly.run_history WHERE day = gone
             GROUP BY run HAVING NOT bool_or(ended))
     OR EXISTS (SELECT FROM dayfly.log l WHERE l.day = gone AND l.seq > coalesce(
                (SELECT min(s.seq) FROM dayfly.snapshot s WHERE s.shard = l.shard), 0)) THEN
    RETURN false;
  END IF;
  DELETE FROM dayfly.idempotency_key WHERE day = gone;
  DELETE FROM dayfly.deployment WHERE day = gone;
  EXECUTE format('DROP TABLE IF EXISTS dayfly.%I, dayfly.%I, dayfly.%I',
                 'run_history' || suffix, 'job_history' || suffix, 'log' || suffix);
  RETURN true;
END $body$;
)sql";

inline constexpr std::array kMigrations = {
    Migration{1, "the first tables", kFirstTables},
    Migration{2, "workers", kWorkers},
    Migration{3, "retention", kRetention},
    Migration{4, "deployments", kDeployments},
};

/// The version of the tables that this build writes.
inline constexpr int kSchemaVersion = kMigrations.back().version;

}  // namespace store::postgres

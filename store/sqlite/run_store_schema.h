// SPDX-License-Identifier: Apache-2.0
// The tables of `facts.db`; docs/storage.md tells what they are for. A change here raises
// `kRunStoreVersion` and brings a migration.
#pragma once

namespace store::sqlite {

inline constexpr const char* kRunStoreSchema = R"sql(
CREATE TABLE shard (
  id    INTEGER PRIMARY KEY,
  epoch INTEGER NOT NULL,
  seq   INTEGER NOT NULL       -- facts in the log
) STRICT;
CREATE TABLE log (
  seq   INTEGER PRIMARY KEY,   -- of the row's last fact
  shard INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  run   INTEGER NOT NULL,      -- 0: facts about workers
  day   INTEGER NOT NULL,      -- since 1970, on which the run was accepted
  bytes BLOB NOT NULL          -- store/codec/facts.proto
) STRICT;
CREATE TABLE plan (
  digest BLOB PRIMARY KEY,
  bytes  BLOB NOT NULL         -- store/codec/plan.proto
) STRICT;
CREATE TABLE snapshot (
  seq   INTEGER PRIMARY KEY,
  shard INTEGER NOT NULL,
  bytes BLOB NOT NULL
) STRICT;
CREATE TABLE run_history (
  run INTEGER NOT NULL,
  ended INTEGER NOT NULL,      -- 0: the row of its acceptance, 1: that of its end
  at INTEGER NOT NULL,
  plan BLOB,
  pipeline_file BLOB, source BLOB, "commit" BLOB, branch BLOB, event BLOB, "by" BLOB,
  status INTEGER NOT NULL,
  reason INTEGER NOT NULL, detail INTEGER NOT NULL, until INTEGER NOT NULL, subject BLOB,
  counts BLOB
) STRICT;
CREATE TABLE job_history (
  run INTEGER NOT NULL,
  job INTEGER NOT NULL,
  at INTEGER NOT NULL,
  status INTEGER NOT NULL,
  reason INTEGER NOT NULL, detail INTEGER NOT NULL, until INTEGER NOT NULL, subject BLOB,
  attempt INTEGER NOT NULL,
  took INTEGER NOT NULL        -- microseconds
) STRICT;
)sql";

}  // namespace store::sqlite

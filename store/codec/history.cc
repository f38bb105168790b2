// SPDX-License-Identifier: Apache-2.0
#include "store/codec/history.h"

#include <algorithm>
#include <charconv>

#include <fmt/ranges.h>

#include "engine/model/fact.h"

namespace store::codec {
namespace {

namespace base = engine::base;
namespace model = engine::model;

RunHistoryRow Accepted(const model::RunAccepted& fact, base::Instant at) {
  RunHistoryRow row;
  row.run = fact.run;
  row.at = at;
  row.plan = fact.plan;
  row.idempotency_key = fact.idempotency_key;
  if (fact.context != nullptr) {
    row.pipeline_file = fact.context->pipeline_file;
    row.source = fact.context->source;
    row.commit = fact.context->commit;
    row.branch = fact.context->branch;
    row.event = fact.context->event;
    row.by = fact.context->by;
  }
  return row;
}

RunHistoryRow Ended(const model::RunEnded& fact, base::Instant at) {
  RunHistoryRow row;
  row.run = fact.run;
  row.ended = true;
  row.at = at;
  row.status = fact.status;
  row.reason = fact.reason;
  row.counts = fact.counts;
  return row;
}

JobHistoryRow Ended(const model::JobEnded& fact, base::Instant at,
                    const model::AttemptEnded* attempt) {
  JobHistoryRow row;
  row.run = fact.run;
  row.job = fact.job;
  row.at = at;
  if (fact.result != nullptr) {
    row.status = fact.result->status;
    row.reason = fact.result->reason;
  }
  if (attempt != nullptr && attempt->key.run == fact.run && attempt->key.job == fact.job) {
    row.attempt = attempt->key.attempt;
    row.took = attempt->took;
  }
  return row;
}

}  // namespace

std::string TextOf(const JobCounts& counts) {
  return fmt::format("{}", fmt::join(counts, ","));
}

JobCounts CountsFrom(std::string_view text) {
  JobCounts counts{};
  for (std::uint32_t& count : counts) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || end == text.data() + text.size()) {
      break;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  }
  return counts;
}

void ProjectHistory(const engine::ports::FactRow& row, HistoryRows& out) {
  // A job that an attempt ended is ended right behind it, by the same step of the core.
  const model::AttemptEnded* attempt = nullptr;
  for (const model::Fact& fact : row.facts) {
    if (const auto* ended = std::get_if<model::AttemptEnded>(&fact.body)) {
      attempt = ended;
    } else if (const auto* job = std::get_if<model::JobEnded>(&fact.body)) {
      out.jobs.push_back(Ended(*job, fact.at, attempt));
    } else if (const auto* accepted = std::get_if<model::RunAccepted>(&fact.body)) {
      out.runs.push_back(Accepted(*accepted, fact.at));
    } else if (const auto* run = std::get_if<model::RunEnded>(&fact.body)) {
      out.runs.push_back(Ended(*run, fact.at));
    } else if (const auto* queued = std::get_if<model::JobQueued>(&fact.body);
               queued != nullptr && !queued->environment.empty()) {
      out.deployments.push_back({.run = queued->run,
                                 .job = queued->job,
                                 .at = fact.at,
                                 .environment = queued->environment,
                                 .url = queued->environment_url});
    }
  }
}

std::int64_t DayOf(const engine::ports::FactRow& row) {
  constexpr std::int64_t kMillisPerDay = 86'400'000;
  if (row.run != model::RunId()) {
    constexpr int kRandomBits = 20;  // see `model::RunId`
    return static_cast<std::int64_t>(row.run.value() >> kRandomBits) / kMillisPerDay;
  }
  // What claims to be older than 1970 belongs to its first day: no database knows every year.
  return row.facts.empty() ? 0
                           : std::max<std::int64_t>(
                                 0, base::ToMicros(row.facts.front().at) / 1000 / kMillisPerDay);
}

}  // namespace store::codec

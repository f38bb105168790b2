// SPDX-License-Identifier: Apache-2.0
#include "apps/run_stats.h"

#include <cstdio>
#include <filesystem>
#include <sys/resource.h>
#include <variant>

#include "apps/view/json_text.h"

namespace apps {
namespace {

namespace fs = std::filesystem;
namespace model = engine::model;

std::chrono::steady_clock::time_point program_start;

std::uint64_t BytesBelow(const fs::path& folder, std::string_view beginning) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().filename().string().starts_with(beginning) && entry.is_regular_file(error)) {
      bytes += entry.file_size(error);
    }
  }
  return bytes;
}

}  // namespace

void MarkProgramStart() {
  program_start = std::chrono::steady_clock::now();
}

std::chrono::microseconds SinceProgramStart() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() -
                                                               program_start);
}

void RunStats::OnDurable(std::uint64_t, std::span<const model::Fact> facts) {
  for (const model::Fact& fact : facts) {
    if (std::holds_alternative<model::RunAccepted>(fact.body)) {
      accepted_ = SinceProgramStart();
    } else if (!first_attempt_ && std::holds_alternative<model::AttemptAssigned>(fact.body)) {
      first_attempt_ = SinceProgramStart();
    } else if (std::holds_alternative<model::RunEnded>(fact.body)) {
      ended_ = SinceProgramStart();
    }
  }
}

void RunStats::Print(const engine::loop::LoopCounters& counters,
                     const std::string& run_folder) const {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto micros = [](const std::optional<std::chrono::microseconds>& at) {
    return at ? at->count() : -1;
  };
  std::string json;
  view::JsonObject object(json);
  object.Number("inputs", counters.inputs);
  object.Number("refusals", counters.refusals);
  object.Number("facts", counters.facts);
  object.Number("effects", counters.effects);
  object.Number("commits", counters.commits);
  object.Number("commits_failed", counters.commits_failed);
  object.Number("snapshots", counters.snapshots);
  object.Number("recoveries", counters.recoveries);
  object.Number("store_bytes", BytesBelow(run_folder, "facts.db"));
  object.Number("log_bytes", BytesBelow(run_folder + "/logs", ""));
  object.Number("accepted_us", micros(accepted_));
  object.Number("first_attempt_us", micros(first_attempt_));
  object.Number("ended_us", micros(ended_));
  object.Number("wall_us", SinceProgramStart().count());
  object.Number("max_rss_kib", usage.ru_maxrss);
  object.End();
  fmt::print(stderr, "{}\n", json);
}

}  // namespace apps

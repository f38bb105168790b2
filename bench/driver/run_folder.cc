// SPDX-License-Identifier: Apache-2.0
#include "bench/driver/run_folder.h"

#include <filesystem>

#include <nlohmann/json.hpp>

#include "bench/driver/files.h"

namespace bench::driver {
namespace fs = std::filesystem;

std::string NewestRunFolder(const std::string& home) {
  std::string newest;
  fs::file_time_type when{};
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(home + "/runs", error)) {
    std::error_code ignored;
    const auto time = fs::last_write_time(entry.path() / "facts.db", ignored);
    if (!ignored && (newest.empty() || time > when)) {
      newest = entry.path().string();
      when = time;
    }
  }
  return newest;
}

std::optional<std::uint64_t> CountFlushes(const Command& command, const std::string& scratch) {
  Command traced = command;
  const std::string trace = scratch + "/strace";
  traced.argv = {"strace",      "-f", "-qq", "--seccomp-bpf", "-e", "trace=fsync,fdatasync", "-e",
                 "signal=none", "-o", trace};
  traced.argv.insert(traced.argv.end(), command.argv.begin(), command.argv.end());
  traced.errors = scratch + "/strace.errors";
  if (Measure(traced).exit_code != 0) {
    return std::nullopt;
  }
  const std::string text = ReadFile(trace);
  std::uint64_t calls = 0;
  for (std::size_t at = text.find("sync("); at != std::string::npos;
       at = text.find("sync(", at + 1)) {
    ++calls;
  }
  return calls;
}

std::optional<RunCost> MeasureRunCost(const Command& command, const std::string& scratch) {
  Command with_stats = command;
  with_stats.argv.emplace_back("--stats");
  with_stats.errors = scratch + "/stats";
  if (Measure(with_stats).exit_code != 0) {
    return std::nullopt;
  }
  // The statistics are the last line; notices may stand in front of it.
  std::string text = ReadFile(with_stats.errors);
  text.resize(text.find_last_not_of('\n') + 1);
  const auto line = nlohmann::json::parse(text.substr(text.rfind('\n') + 1), nullptr, false);
  if (!line.is_object()) {
    return std::nullopt;
  }
  return RunCost{.facts = line.value("facts", std::uint64_t{0}),
                 .commits = line.value("commits", std::uint64_t{0}),
                 .store_bytes = line.value("store_bytes", std::uint64_t{0}),
                 .log_bytes = line.value("log_bytes", std::uint64_t{0}),
                 .first_attempt_us = line.value("first_attempt_us", std::uint64_t{0})};
}

}  // namespace bench::driver

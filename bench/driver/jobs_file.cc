// SPDX-License-Identifier: Apache-2.0
#include "bench/driver/jobs_file.h"

#include <charconv>
#include <map>

#include <fmt/format.h>

namespace bench::driver {
namespace {

constexpr std::string_view kSleep = "sleep ";

std::string_view TakeLine(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

std::vector<std::string> Names(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const std::size_t end = list.find(',');
    std::string_view name = list.substr(0, end);
    name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
    if (!name.empty()) {
      names.emplace_back(name);
    }
    list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
  }
  return names;
}

/// The number after `sleep `; its length is put into `length`.
double SleepAt(std::string_view text, std::size_t at, std::size_t* length) {
  double seconds = 0;
  const char* from = text.data() + at + kSleep.size();
  const auto result = std::from_chars(from, text.data() + text.size(), seconds);
  *length = static_cast<std::size_t>(result.ptr - from);
  return seconds;
}

struct Draft {
  SleepJob job;
  std::vector<std::string> needs;
};

std::optional<std::vector<SleepJob>> Resolve(std::vector<Draft> drafts) {
  std::map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    index[drafts[i].job.name] = i;
  }
  std::vector<SleepJob> jobs;
  for (Draft& draft : drafts) {
    for (const std::string& need : draft.needs) {
      const auto at = index.find(need);
      if (at == index.end()) {
        return std::nullopt;
      }
      draft.job.needs.push_back(at->second);
    }
    jobs.push_back(std::move(draft.job));
  }
  return jobs;
}

}  // namespace

std::optional<std::vector<SleepJob>> ReadSleepJobs(std::string_view text) {
  std::vector<Draft> drafts;
  bool in_jobs = false;
  while (!text.empty()) {
    const std::string_view line = TakeLine(text);
    if (!in_jobs) {
      in_jobs = line == "jobs:";
      continue;
    }
    constexpr std::string_view kNeeds = "    needs: [";
    const std::size_t sleep = line.find(kSleep);
    if (line.starts_with("  ") && line.size() > 3 && line[2] != ' ' && line.ends_with(':')) {
      drafts.push_back({.job = {.name = std::string(line.substr(2, line.size() - 3))}});
    } else if (line.starts_with(kNeeds) && line.ends_with(']') && !drafts.empty()) {
      drafts.back().needs = Names(line.substr(kNeeds.size(), line.size() - kNeeds.size() - 1));
    } else if (line.starts_with("    steps:") && sleep != std::string_view::npos &&
               !drafts.empty()) {
      std::size_t length = 0;
      drafts.back().job.seconds = SleepAt(line, sleep, &length);
    } else if (!line.empty()) {
      return std::nullopt;
    }
  }
  return Resolve(std::move(drafts));
}

std::string ScaleSleeps(std::string_view text, double factor) {
  std::string scaled;
  std::size_t done = 0;
  for (std::size_t at = text.find(kSleep); at != std::string_view::npos;
       at = text.find(kSleep, done)) {
    std::size_t length = 0;
    const double seconds = SleepAt(text, at, &length);
    scaled += text.substr(done, at - done);
    scaled += fmt::format("{}{:.4f}", kSleep, seconds * factor);
    done = at + kSleep.size() + length;
  }
  scaled += text.substr(done);
  return scaled;
}

}  // namespace bench::driver

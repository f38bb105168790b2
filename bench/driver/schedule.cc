// SPDX-License-Identifier: Apache-2.0
#include "bench/driver/schedule.h"

#include <algorithm>
#include <queue>
#include <set>
#include <utility>

namespace bench::driver {
namespace {

std::vector<std::vector<std::size_t>> Dependants(const std::vector<SleepJob>& jobs) {
  std::vector<std::vector<std::size_t>> dependants(jobs.size());
  for (std::size_t job = 0; job < jobs.size(); ++job) {
    for (const std::size_t need : jobs[job].needs) {
      dependants[need].push_back(job);
    }
  }
  return dependants;
}

/// For each job the length of the longest path that begins with it.
std::vector<double> RemainingPaths(const std::vector<SleepJob>& jobs) {
  const auto dependants = Dependants(jobs);
  std::vector<std::size_t> waiting(jobs.size());
  std::vector<std::size_t> done;
  for (std::size_t job = 0; job < jobs.size(); ++job) {
    waiting[job] = dependants[job].size();
    if (waiting[job] == 0) {
      done.push_back(job);
    }
  }
  std::vector<double> remaining(jobs.size(), 0);
  for (std::size_t i = 0; i < done.size(); ++i) {
    const std::size_t job = done[i];
    for (const std::size_t next : dependants[job]) {
      remaining[job] = std::max(remaining[job], remaining[next]);
    }
    remaining[job] += jobs[job].seconds;
    for (const std::size_t need : jobs[job].needs) {
      if (--waiting[need] == 0) {
        done.push_back(need);
      }
    }
  }
  return remaining;
}

}  // namespace

double Makespan(const std::vector<SleepJob>& jobs, std::size_t workers, Order order) {
  const auto dependants = Dependants(jobs);
  const std::vector<double> remaining = RemainingPaths(jobs);
  std::vector<std::size_t> missing(jobs.size());
  double now = 0;
  // Smallest key first; the position breaks ties.
  std::set<std::pair<double, std::size_t>> ready;
  const auto make_ready = [&](std::size_t job) {
    ready.emplace(order == Order::kLongestPathFirst ? -remaining[job] : now, job);
  };
  for (std::size_t job = 0; job < jobs.size(); ++job) {
    missing[job] = jobs[job].needs.size();
    if (missing[job] == 0) {
      make_ready(job);
    }
  }
  using Ending = std::pair<double, std::size_t>;
  std::priority_queue<Ending, std::vector<Ending>, std::greater<>> running;
  while (!ready.empty() || !running.empty()) {
    while (!ready.empty() && running.size() < workers) {
      const std::size_t job = ready.begin()->second;
      ready.erase(ready.begin());
      running.emplace(now + jobs[job].seconds, job);
    }
    // All that end at one instant free their workers before the next choice.
    now = running.top().first;
    while (!running.empty() && running.top().first <= now) {
      const std::size_t job = running.top().second;
      running.pop();
      for (const std::size_t next : dependants[job]) {
        if (--missing[next] == 0) {
          make_ready(next);
        }
      }
    }
  }
  return now;
}

double LowerBound(const std::vector<SleepJob>& jobs, std::size_t workers) {
  double work = 0;
  for (const SleepJob& job : jobs) {
    work += job.seconds;
  }
  const std::vector<double> remaining = RemainingPaths(jobs);
  const double path = remaining.empty() ? 0 : *std::max_element(remaining.begin(), remaining.end());
  return std::max(path, work / static_cast<double>(workers));
}

}  // namespace bench::driver

// SPDX-License-Identifier: Apache-2.0
// What the machine takes for the smallest thing of a kind, measured beside what we do with it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/server/site.h"
#include "store/postgres/connection.h"

namespace bench::server {

/// Commits of one row, in the server's PostgreSQL by a connection of its own. With SQLite nothing
/// is measured.
class CommitFloor {
 public:
  explicit CommitFloor(const Site& site);
  void Measure();
  const std::vector<double>& seconds() const { return seconds_; }

 private:
  std::unique_ptr<store::postgres::Connection> side_;
  std::vector<double> seconds_;
};

/// Flushes of a file that has grown a little, on the disk that the server and the agent use.
class FlushFloor {
 public:
  explicit FlushFloor(const Site& site);
  ~FlushFloor();
  FlushFloor(const FlushFloor&) = delete;
  FlushFloor& operator=(const FlushFloor&) = delete;
  void Measure();
  const std::vector<double>& seconds() const { return seconds_; }

 private:
  int file_;
  std::vector<double> seconds_;
};

/// Starts of a shell, until the first byte of what it prints has been read.
class StartFloor {
 public:
  void Measure();
  const std::vector<double>& seconds() const { return seconds_; }

 private:
  std::vector<double> seconds_;
};

}  // namespace bench::server

// SPDX-License-Identifier: Apache-2.0
#include "bench/driver/run_folder.h"

#include <algorithm>
#include <filesystem>
#include <memory>

#include <sqlite3.h>

#include "bench/driver/files.h"

namespace bench::driver {
namespace fs = std::filesystem;

namespace {

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};

std::uint64_t Number(sqlite3* database, const char* query) {
  sqlite3_stmt* statement = nullptr;
  std::uint64_t number = 0;
  if (sqlite3_prepare_v2(database, query, -1, &statement, nullptr) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW) {
    number = static_cast<std::uint64_t>(sqlite3_column_int64(statement, 0));
  }
  sqlite3_finalize(statement);
  return number;
}

}  // namespace

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

DiskCost ReadDiskCost(const std::string& run_folder) {
  DiskCost cost{.bytes = BytesBelow(run_folder)};
  sqlite3* opened = nullptr;
  const std::string path = run_folder + "/facts.db";
  const bool good =
      sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK;
  const std::unique_ptr<sqlite3, CloseDatabase> database(opened);
  if (good) {
    cost.commits = Number(opened, "SELECT count(*) FROM commits");
  }
  return cost;
}

}  // namespace bench::driver

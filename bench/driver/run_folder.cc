// SPDX-License-Identifier: Apache-2.0
#include "bench/driver/run_folder.h"

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "bench/driver/files.h"

namespace bench::driver {
namespace fs = std::filesystem;

namespace {

std::uint32_t BigEndian(std::string_view bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    number = number << 8U | static_cast<unsigned char>(bytes[i]);
  }
  return number;
}

/// Transactions in a write-ahead log of SQLite: a frame whose second word is not 0 ends one
/// (https://www.sqlite.org/fileformat2.html#walformat). Frames of another salt are left over from
/// before the log began anew.
std::uint64_t CommitsInWal(std::string_view wal) {
  constexpr std::size_t kHeader = 32;
  constexpr std::size_t kFrameHeader = 24;
  if (wal.size() < kHeader) {
    return 0;
  }
  const std::size_t frame = kFrameHeader + BigEndian(wal, 8);
  const std::string_view salt = wal.substr(16, 8);
  std::uint64_t commits = 0;
  for (std::size_t at = kHeader; at + frame <= wal.size() && wal.substr(at + 8, 8) == salt;
       at += frame) {
    commits += BigEndian(wal, at + 4) != 0 ? 1 : 0;
  }
  return commits;
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
  return {.commits = CommitsInWal(ReadFile(run_folder + "/facts.db-wal")),
          .bytes = BytesBelow(run_folder)};
}

}  // namespace bench::driver

// SPDX-License-Identifier: Apache-2.0
#include "store/git/repository_shelf.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

#include "engine/base/log.h"

namespace store::git {
namespace {

namespace fs = std::filesystem;

/// Its time is that of the last use.
constexpr const char* kUsed = "/dayfly-used";

struct Shelved {
  std::string path;
  fs::file_time_type used;
  std::uint64_t bytes = 0;
};

// What vanishes meanwhile does not count.
std::uint64_t BytesIn(const std::string& folder) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code ignored;
    if (it->is_regular_file(ignored)) {
      const std::uintmax_t size = it->file_size(ignored);
      bytes += ignored ? 0 : size;
    }
  }
  return bytes;
}

// One that was fetched and never marked counts from then.
fs::file_time_type UsedAt(const std::string& path) {
  std::error_code error;
  const fs::file_time_type used = fs::last_write_time(path + kUsed, error);
  return error ? fs::last_write_time(path, error) : used;
}

void Remove(const Shelved& repository, const char* why) {
  std::error_code error;
  // First out of the way: half of a repository must not be taken for one.
  const std::string aside = repository.path + ".removed";
  fs::rename(repository.path, aside, error);
  if (!error) {
    fs::remove_all(aside, error);
  }
  if (error) {
    spdlog::warn("repository {} cannot be removed: {}", repository.path, error.message());
  } else {
    spdlog::info("removed repository {}: {}", repository.path, why);
  }
}

}  // namespace

void RepositoryShelf::Hold(const std::string& path) {
  const std::lock_guard lock(mutex_);
  ++held_[path];
  std::error_code error;
  if (fs::exists(path, error)) {
    std::ofstream(path + kUsed) << '\n';
  }
}

void RepositoryShelf::LetGo(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto held = held_.find(path);
  if (held != held_.end() && --held->second == 0) {
    held_.erase(held);
  }
}

// Under the lock: nobody takes one up while it goes.
void RepositoryShelf::MakeRoom() {
  const std::lock_guard lock(mutex_);
  std::vector<Shelved> all;
  std::uint64_t bytes = 0;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_, error)) {
    const std::string path = entry.path().string();
    if (path.ends_with(".removed")) {
      fs::remove_all(path, error);
    } else if (path.ends_with(".git")) {
      all.push_back({.path = path, .used = UsedAt(path), .bytes = BytesIn(path)});
      bytes += all.back().bytes;
    }
  }
  std::ranges::sort(all, {}, [](const Shelved& each) { return std::pair(each.used, each.path); });
  const fs::file_time_type oldest = fs::file_time_type::clock::now() - limits_.unused_max;
  for (const Shelved& repository : all) {
    const bool unused = repository.used < oldest;
    if (!held_.contains(repository.path) && (unused || bytes > limits_.bytes_max)) {
      Remove(repository, unused ? "it was not used for long" : "there was no room for all");
      bytes -= repository.bytes;
    }
  }
}

}  // namespace store::git

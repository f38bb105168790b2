// SPDX-License-Identifier: Apache-2.0
#include "bench/driver/process_tree.h"

#include <cstdio>
#include <cstdlib>
#include <dirent.h>
#include <memory>
#include <unistd.h>

#include <fmt/format.h>

namespace bench::driver {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

/// Children are listed by the thread that made them.
void AppendChildren(pid_t parent, std::vector<pid_t>& pids) {
  const std::string threads = fmt::format("/proc/{}/task", parent);
  const Folder folder(::opendir(threads.c_str()));
  while (const dirent* entry = folder ? ::readdir(folder.get()) : nullptr) {
    if (entry->d_name[0] == '.') {
      continue;
    }
    const std::string list = fmt::format("{}/{}/children", threads, entry->d_name);
    const File file(std::fopen(list.c_str(), "re"));
    int child = 0;
    while (file && std::fscanf(file.get(), "%d", &child) == 1) {
      pids.push_back(child);
    }
  }
}

}  // namespace

std::vector<pid_t> Descendants(pid_t root) {
  std::vector<pid_t> pids{root};
  for (std::size_t i = 0; i < pids.size(); ++i) {
    AppendChildren(pids[i], pids);
  }
  return pids;
}

std::uint64_t ResidentBytes(pid_t pid) {
  const File file(std::fopen(fmt::format("/proc/{}/statm", pid).c_str(), "re"));
  unsigned long long size = 0;
  unsigned long long resident = 0;
  if (!file || std::fscanf(file.get(), "%llu %llu", &size, &resident) != 2) {
    return 0;
  }
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t TreeResidentBytes(pid_t root) {
  std::uint64_t sum = 0;
  for (const pid_t pid : Descendants(root)) {
    sum += ResidentBytes(pid);
  }
  return sum;
}

}  // namespace bench::driver

// SPDX-License-Identifier: Apache-2.0
#include "executors/sandboxes/machine.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <functional>
#include <sched.h>
#include <sstream>
#include <string_view>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <utility>

namespace executors::sandboxes {
namespace {

namespace model = engine::model;

constexpr std::string_view kGroups = "/sys/fs/cgroup";

struct KnownArch {
  std::string_view machine;
  std::string_view name;
};
constexpr std::array<KnownArch, 4> kArchs = {
    {{"x86_64", "amd64"}, {"aarch64", "arm64"}, {"armv7l", "arm"}, {"i686", "386"}}};

/// Of this process, below the root of all; nothing when control groups are not of version 2.
std::string OwnGroup() {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("0::")) {
      return line.substr(3);
    }
  }
  return "";
}

/// Asks `group` and each above it up to `root` for the file of that name, the first line of it.
void ForEachGroup(const std::string& root, std::string group, const char* name,
                  const std::function<void(const std::string&)>& take) {
  while (true) {
    std::ifstream file(root + group + "/" + name);
    std::string line;
    if (std::getline(file, line)) {
      take(line);
    }
    if (group.empty() || group == "/") {
      return;
    }
    group.erase(group.rfind('/'));
  }
}

std::uint64_t OnlineMillis() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  const bool known = sched_getaffinity(0, sizeof mask, &mask) == 0;
  const long online = known ? CPU_COUNT(&mask) : sysconf(_SC_NPROCESSORS_ONLN);
  return static_cast<std::uint64_t>(std::max(1L, online)) * 1000;
}

std::uint64_t MemoryBytes() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long size = sysconf(_SC_PAGESIZE);
  return pages > 0 && size > 0
             ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(size)
             : 0;
}

std::uint64_t FreeBytes(const std::string& folder) {
  struct statvfs free = {};
  return statvfs(folder.c_str(), &free) == 0
             ? static_cast<std::uint64_t>(free.f_bavail) * static_cast<std::uint64_t>(free.f_frsize)
             : 0;
}

}  // namespace

std::string ArchName(const std::string& machine) {
  const auto* known = std::ranges::find(kArchs, std::string_view(machine), &KnownArch::machine);
  return known == kArchs.end() ? machine : std::string(known->name);
}

// `max 100000`, or `50000 100000`: so many microseconds of each so many.
std::uint64_t CpuMillisIn(const std::string& root, const std::string& group, std::uint64_t most) {
  ForEachGroup(root, group, "cpu.max", [&most](const std::string& line) {
    std::istringstream in(line);
    std::uint64_t quota = 0;
    std::uint64_t period = 0;
    if (in >> quota >> period && period > 0) {
      most = std::min(most, quota * 1000 / period);
    }
  });
  return most;
}

std::uint64_t MemoryIn(const std::string& root, const std::string& group, std::uint64_t most) {
  ForEachGroup(root, group, "memory.max", [&most](const std::string& line) {
    std::istringstream in(line);
    std::uint64_t bytes = 0;
    if (in >> bytes) {
      most = std::min(most, bytes);
    }
  });
  return most;
}

model::WorkerOffer OfferOfMachine(const std::string& folder,
                                  const std::vector<model::Label>& labels) {
  model::WorkerOffer offer;
  utsname system = {};
  if (uname(&system) == 0) {
    offer.labels = {{.name = "arch", .value = ArchName(system.machine)},
                    {.name = "os", .value = "linux"}};
  }
  offer.labels = model::MergeLabels(std::move(offer.labels), labels);
  const std::string root(kGroups);
  const std::string group = OwnGroup();
  offer.resources.cpu_millis = CpuMillisIn(root, group, OnlineMillis());
  offer.resources.memory = MemoryIn(root, group, MemoryBytes());
  offer.resources.disk = FreeBytes(folder);
  return offer;
}

}  // namespace executors::sandboxes

// SPDX-License-Identifier: Apache-2.0
#include "executors/sandboxes/leftovers.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <dirent.h>
#include <fstream>
#include <optional>
#include <poll.h>
#include <set>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

#include "executors/sandboxes/cgroup.h"
#include "executors/sandboxes/file_descriptor.h"
#include "executors/sandboxes/keeper_marks.h"
#include "executors/sandboxes/process_tree.h"
#include "executors/sandboxes/tree_files.h"
#include "executors/sandboxes/workspace.h"

namespace executors::sandboxes {
namespace {

using engine::base::StatusOr;
using Clock = std::chrono::steady_clock;

constexpr auto kPatience = std::chrono::seconds(10);

std::vector<std::string> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  DIR* listing = opendir(folder.c_str());
  if (listing == nullptr) {
    return names;
  }
  while (const dirent* entry = readdir(listing)) {
    if (entry->d_name[0] != '.') {
      names.emplace_back(entry->d_name);
    }
  }
  closedir(listing);
  return names;
}

std::optional<std::uint32_t> SlotFromText(std::string_view text) {
  std::uint32_t slot = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), slot);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return slot;
}

/// What the keeper of `slot` noted, if it names a cgroup of ours: a damaged note must not make us
/// kill a stranger's.
std::optional<std::string> NotedCgroup(const std::string& run_folder, std::uint32_t slot) {
  std::ifstream note(NotePath(run_folder, slot));
  std::string folder;
  if (!std::getline(note, folder, '\0') || !folder.ends_with("/" + CgroupName(run_folder, slot))) {
    return std::nullopt;
  }
  return folder;
}

/// Waits a moment for one of `pids` to end.
void AwaitOne(const std::set<pid_t>& pids) {
  std::vector<FileDescriptor> held;
  std::vector<pollfd> polled;
  for (const auto pid : pids) {
    held.emplace_back(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    polled.push_back({.fd = held.back().get(), .events = POLLIN});
  }
  poll(polled.data(), polled.size(), 20);
}

/// Kills until neither the cgroups nor the mark show anybody.
StatusOr<std::uint32_t> KillUntilNone(const std::vector<std::string>& cgroups,
                                      const std::string& mark) {
  std::set<pid_t> seen;
  const auto deadline = Clock::now() + kPatience;
  for (;;) {
    std::set<pid_t> alive;
    for (const auto& folder : cgroups) {
      const auto inside = CgroupProcesses(folder);
      alive.insert(inside.begin(), inside.end());
      if (!inside.empty()) {
        KillCgroup(folder);
      }
    }
    for (const auto pid : ProcessesMarked(mark)) {
      if (pid != getpid()) {
        alive.insert(pid);
        SignalIf(pid, SIGKILL, [&] { return IsMarked(pid, mark); });
      }
    }
    seen.insert(alive.begin(), alive.end());
    if (alive.empty()) {
      return static_cast<std::uint32_t>(seen.size());
    }
    if (Clock::now() > deadline) {
      return engine::base::MakeStatus(
          absl::StatusCode::kDeadlineExceeded,
          fmt::format("process {} of the dead run does not end", *alive.begin()));
    }
    AwaitOne(alive);
  }
}

StatusOr<Leftovers> Reap(const std::string& run_folder, const std::vector<std::uint32_t>& slots,
                         const std::string& mark) {
  std::vector<std::string> cgroups;
  for (const auto slot : slots) {
    if (auto folder = NotedCgroup(run_folder, slot)) {
      cgroups.push_back(*std::move(folder));
    }
  }
  Leftovers leftovers;
  ASSIGN_OR_RETURN(leftovers.processes, KillUntilNone(cgroups, mark));
  for (const auto& folder : cgroups) {
    if (access(folder.c_str(), F_OK) == 0 && RemoveCgroup(folder)) {
      ++leftovers.cgroups;
    }
  }
  for (const auto slot : slots) {
    unlink(NotePath(run_folder, slot).c_str());
  }
  return leftovers;
}

}  // namespace

StatusOr<Leftovers> ReapLeftovers(const std::string& run_folder) {
  std::vector<std::uint32_t> slots;
  for (const auto& name : NamesIn(NotesFolder(run_folder))) {
    if (const auto slot = SlotFromText(name)) {
      slots.push_back(*slot);
    }
  }
  ASSIGN_OR_RETURN(const Leftovers leftovers, Reap(run_folder, slots, RunMarkPattern(run_folder)));
  RemoveTree(LayersFolder(run_folder));
  return leftovers;
}

StatusOr<Leftovers> ReapSlotLeftovers(const std::string& run_folder, std::uint32_t slot) {
  ASSIGN_OR_RETURN(const Leftovers leftovers,
                   Reap(run_folder, {slot}, KeeperMark(run_folder, slot)));
  const auto layers = LayersFolder(run_folder);
  for (const auto& name : NamesIn(layers)) {
    if (name.starts_with(fmt::format("{}-", slot))) {
      RemoveTree(layers + "/" + name);
    }
  }
  return leftovers;
}

}  // namespace executors::sandboxes

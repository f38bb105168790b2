// SPDX-License-Identifier: Apache-2.0
#include "executors/sandboxes/leftovers.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <dirent.h>
#include <fstream>
#include <map>
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

std::vector<std::uint32_t> NotedSlots(const std::string& run_folder) {
  std::vector<std::uint32_t> slots;
  for (const auto& name : NamesIn(NotesFolder(run_folder))) {
    if (const auto slot = SlotFromText(name)) {
      slots.push_back(*slot);
    }
  }
  return slots;
}

/// Slots of which a process is alive.
std::vector<std::uint32_t> MarkedSlots(const std::string& run_folder) {
  const std::string pattern = RunMarkPattern(run_folder);  // ends in `*`
  std::vector<std::uint32_t> slots;
  for (const pid_t pid : ProcessesMarked(pattern)) {
    const std::string mark = MarkOf(pid, pattern);
    if (mark.empty()) {
      continue;  // it has ended meanwhile
    }
    if (const auto slot = SlotFromText(std::string_view(mark).substr(pattern.size() - 1))) {
      slots.push_back(*slot);
    }
  }
  return slots;
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

/// Processes that were killed. A process shows no mark any more before it has quite ended, so they
/// are held by descriptors that tell.
class Dying {
 public:
  void Add(const std::set<pid_t>& pids) {
    for (const auto pid : pids) {
      auto& held = held_[pid];
      if (!held.valid()) {
        held = FileDescriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
      }
    }
  }
  /// Waits a moment for one to end; forgets those that have.
  void Await() {
    std::vector<pollfd> polled;
    for (const auto& [pid, held] : held_) {
      polled.push_back({.fd = held.get(), .events = POLLIN});
    }
    poll(polled.data(), polled.size(), 20);
    std::size_t next = 0;
    std::erase_if(held_, [&](const auto& entry) {
      return polled[next++].revents != 0 || !entry.second.valid();
    });
  }
  [[nodiscard]] bool empty() const { return held_.empty(); }
  [[nodiscard]] pid_t first() const { return held_.begin()->first; }

 private:
  std::map<pid_t, FileDescriptor> held_;
};

/// Kills until neither the cgroups nor the mark show anybody.
StatusOr<std::uint32_t> KillUntilNone(const std::vector<std::string>& cgroups,
                                      const std::string& mark) {
  std::set<pid_t> seen;
  Dying dying;
  const auto deadline = Clock::now() + kPatience;
  for (;;) {
    std::set<pid_t> alive;
    for (const auto& folder : cgroups) {
      const auto inside = CgroupProcesses(folder);
      alive.insert(inside.begin(), inside.end());
      if (!inside.empty()) {
        dying.Add({inside.begin(), inside.end()});
        KillCgroup(folder);
      }
    }
    for (const auto pid : ProcessesMarked(mark)) {
      if (pid != getpid()) {
        alive.insert(pid);
        dying.Add({pid});
        SignalIf(pid, SIGKILL, [&] { return IsMarked(pid, mark); });
      }
    }
    seen.insert(alive.begin(), alive.end());
    if (alive.empty() && dying.empty()) {
      return static_cast<std::uint32_t>(seen.size());
    }
    if (Clock::now() > deadline) {
      return engine::base::MakeStatus(absl::StatusCode::kDeadlineExceeded,
                                      fmt::format("process {} of the dead run does not end",
                                                  alive.empty() ? dying.first() : *alive.begin()));
    }
    dying.Await();
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
  const std::vector<std::uint32_t> slots = NotedSlots(run_folder);
  ASSIGN_OR_RETURN(const Leftovers leftovers, Reap(run_folder, slots, RunMarkPattern(run_folder)));
  RemoveTree(LayersFolder(run_folder));
  return leftovers;
}

StatusOr<Leftovers> ReapLeftoversBut(const std::string& run_folder,
                                     const std::set<std::uint32_t>& spared) {
  if (spared.empty()) {
    return ReapLeftovers(run_folder);
  }
  // The notes may be gone with everything else in the folder; the marks are not.
  const std::vector<std::uint32_t> noted = NotedSlots(run_folder);
  std::set<std::uint32_t> slots(noted.begin(), noted.end());
  const std::vector<std::uint32_t> marked = MarkedSlots(run_folder);
  slots.insert(marked.begin(), marked.end());
  Leftovers all;
  for (const std::uint32_t slot : slots) {
    if (!spared.contains(slot)) {
      ASSIGN_OR_RETURN(const Leftovers leftovers, ReapSlotLeftovers(run_folder, slot));
      all.processes += leftovers.processes;
      all.cgroups += leftovers.cgroups;
    }
  }
  return all;
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

// SPDX-License-Identifier: Apache-2.0
// Processes as `/proc` shows them: who descends from whom, who carries a mark. Everything here is a
// look at something that moves; callers repeat until nothing is left.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace executors::sandboxes {

struct Process {
  pid_t pid = 0;
  pid_t parent = 0;
  pid_t group = 0;
  char state = '?';                ///< as in `/proc/<pid>/stat`: `R S D T t Z X`
  unsigned long long started = 0;  ///< with `pid`, names a process that cannot be another
};

/// Everything that descends from `root`, whatever group or session it is in; without `root`.
/// Parents stand before their children. Zombies are included, threads are not.
std::vector<Process> DescendantsOf(pid_t root);

/// Those of `processes`, in the order of `DescendantsOf`, that are none of `roots` and descend from
/// none of them.
std::vector<Process> WithoutTrees(std::vector<Process> processes, const std::set<pid_t>& roots);

/// The parent of `pid`; 0 when there is no such process.
pid_t ParentOf(pid_t pid);

/// Processes whose environment, as they were started with it, holds exactly the entry `mark` or one
/// that begins with it when it ends in `*`. Only those this user may look into.
std::vector<pid_t> ProcessesMarked(std::string_view mark);

/// The entry of `pid` that `mark` matches as above; empty: it is none of those.
std::string MarkOf(pid_t pid, std::string_view mark);

/// Whether `pid` is one of those.
bool IsMarked(pid_t pid, std::string_view mark);

/// Sends `signal` to exactly this process, not to another that got its number.
bool SignalSame(const Process& process, int signal);

/// Sends `signal` to `pid` if, once it is held and cannot be replaced by another, `still` is true.
bool SignalIf(pid_t pid, int signal, const std::function<bool()>& still);

}  // namespace executors::sandboxes

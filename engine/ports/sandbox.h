// SPDX-License-Identifier: Apache-2.0
// How a step is isolated and started. One `Sandbox` is one slot: it runs one command at a time in
// each of its lanes (plus what that command left in the background) and owns the pipes, the spool
// and the processes. Called on one thread; callbacks come on the same thread, never from inside the
// call.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/model/annotation.h"
#include "engine/model/log_range.h"
#include "engine/model/log_segment.h"

namespace engine::ports {

/// Where a command runs. `kOwnLane` is the slot's own. Any other is a number above all slots of the
/// run that nobody else uses: what runs there runs beside, and its log lies in segments of that
/// number.
using Lane = std::uint32_t;
inline constexpr Lane kOwnLane = 0;

/// `LogTag::step` of a command that is no step: nobody is told of it when the sandbox is adopted.
inline constexpr std::uint32_t kNoStep = 0xffffffff;

struct Command {
  Lane lane = kOwnLane;
  std::vector<std::string>
      argv;  ///< `argv[0]` with a slash is a path; otherwise it is searched in the PATH of `env`
  std::vector<std::string> env;  ///< complete: `NAME=value`; nothing is inherited
  std::string workdir;           ///< absolute
  std::uint64_t log_limit = 0;   ///< bytes kept; 0: no limit
  model::LogTag log_tag;         ///< whose output it is, for those who follow it while it runs
  /// Values that must not stand in the log: replaced by `***` before a byte of it is kept, in
  /// whatever form they are printed (docs/logs.md). They are never written anywhere.
  std::vector<std::string> masks;
  /// Stands in the log before what the command prints: what was done for the step. May be empty.
  std::string preface;
};

struct CommandExit {
  /// Not OK: it could not be started (`NotFound`: no such program; `PermissionDenied`; …) or the
  /// sandbox itself died
  /// (`Unavailable`).
  base::Status started;
  int exit_code = 0;       ///< exact
  int signal = 0;          ///< not 0: ended by this signal
  bool signalled = false;  ///< it still ran when a signal was sent to it (`Sandbox::Signal`)
  bool core_dumped = false;
  bool oom_killed = false;
  std::uint32_t leftover = 0;  ///< processes it left behind, killed with the attempt
  base::Duration took{0};
  model::StepLog log;  ///< durable before this is reported, when not empty
  /// Not OK: bytes of the log were lost (`log.lost_bytes`) and why: `ResourceExhausted` when the
  /// disk was full. The command itself went on to its end.
  base::Status log_status;
  /// What it said by log commands; masked, bounded. `Annotation::step` is not set.
  model::Annotations annotations;
};

/// Where a slot's workspace comes from.
struct WorkspaceMount {
  std::string lower;  ///< read-only folder with the tree; empty: an empty workspace
  std::string path;   ///< where the job sees it; the same in all jobs of a run
};

/// What the machine allowed (complete once the first `PrepareWorkspace` is done), for `dayfly run`
/// to tell once: "workspace: overlay (mount namespace)", "processes: cgroup".
struct SandboxFacts {
  std::string workspace_kind;  ///< `overlay`, `reflink`, `copy`
  std::string kill_kind;       ///< `cgroup`, `subreaper`
  /// Where commands find the workspace: `WorkspaceMount::path`, or a folder of this slot's own
  /// (the same in all its jobs) where mounting was refused.
  std::string workspace_path;
  /// Where the calling process finds the same folder: it may not see the sandbox's mounts.
  std::string workspace_view;
  std::vector<std::string>
      fallbacks;  ///< what was refused, and what is used instead; one sentence each
};

class Sandbox {
 public:
  using ExitHandler = std::function<void(CommandExit)>;
  virtual ~Sandbox() = default;

  virtual SandboxFacts facts() const = 0;

  /// Makes the workspace as it was in the beginning. Keeps what an earlier job left untouched.
  /// `done` once.
  virtual void PrepareWorkspace(const WorkspaceMount& mount,
                                std::function<void(base::Status)> done) = 0;

  /// Starts `command`; `done` once, when its main process has ended and its pipe was read to what
  /// was there.
  virtual void Start(const Command& command, ExitHandler done) = 0;

  /// Sends `signal` to everything that the command running in the lane started, whatever group it
  /// is in. Nothing runs there: no effect.
  virtual void Signal(Lane lane, int signal) = 0;

  /// Kills everything that is left of the attempt in all lanes and reaps it. `done` once, when
  /// nothing is left. The lanes are free then.
  virtual void KillAll(std::function<void()> done) = 0;

  // The following is for a sandbox that goes on when its owner has died; one that dies with its
  // owner needs none of it.

  /// Holds `record` in memory, behind those that are held already, for whoever adopts the sandbox.
  /// While any is held the sandbox outlives its owner, for `offline` at most. In order with
  /// `Start`.
  virtual void Keep(std::string /*record*/, base::Duration /*offline*/) {}
  /// Drops the records: the attempt is over.
  virtual void ForgetKept() {}
  /// Of an adopted sandbox: as if this owner had started the command that was started last in that
  /// lane.
  virtual void Await(Lane /*lane*/, ExitHandler /*done*/) {}
};

/// A sandbox whose owner died, with its next owner.
struct AdoptedSandbox {
  std::unique_ptr<Sandbox> sandbox;
  std::vector<std::string> kept;  ///< what the dead owner gave to `Keep`, in order
  std::uint64_t starts = 0;       ///< steps it was told to start since it held no record
};

}  // namespace engine::ports

// SPDX-License-Identifier: Apache-2.0
// How the workers of a pool come and go: processes on this machine, containers, pods, virtual
// machines. Everything is named by its *launch id*, which the caller chose before the first call
// and which stands in the name or label of what is created: so a repeated order does nothing new,
// and after a crash `List` is how we learn what exists.
//
// Called on the engine's thread and never blocks; callbacks come on the same thread, never from
// inside the call. A provider keeps nothing that `List` could not rebuild.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/place.h"

namespace engine::ports {

/// `<pool>-<epoch>-<number>`: letters, digits and `-`. The epoch keeps what a deposed owner still
/// launches apart from ours.
using LaunchId = std::string;

struct LaunchOrder {
  LaunchId launch;
  std::string pool;
  std::uint32_t slots = 1;
  std::vector<model::Label> labels;  ///< besides those that a worker knows by itself
  /// Single use, bound to `launch`; must reach the agent unseen by others (environment or stdin,
  /// never an argument), and must not be logged.
  std::string join_token;
  std::vector<std::string> servers;  ///< addresses the agent may dial
};

enum class LaunchPhase : std::uint8_t {
  kComing,   ///< ordered; nothing runs yet
  kRunning,  ///< as far as the provider can see; the agent may not have joined
  kGone,     ///< ended or destroyed; never comes back
};

/// What the provider knows of one launch.
struct LaunchState {
  LaunchId launch;
  std::string pool;
  LaunchPhase phase = LaunchPhase::kComing;
  /// Of `kGone`, for people: "exit code 1", "killed by signal 9", "out of memory", "preempted".
  std::string cause;
};

class WorkerProvider {
 public:
  using Done = std::function<void(base::Status)>;
  using Listed = std::function<void(base::StatusOr<std::vector<LaunchState>>)>;
  using Changed = std::function<void(const LaunchState&)>;

  virtual ~WorkerProvider() = default;

  /// Creates the worker unless that launch exists (or existed: then it is not created again).
  /// `ResourceExhausted`: quota or room; `InvalidArgument`: can never work (image, settings);
  /// `Unavailable`: the outcome is unknown, repeat the same order or ask `List`.
  virtual void Launch(const LaunchOrder& order, Done done) = 0;

  /// Ends the worker and all it runs. OK when it is gone or never was. Same errors.
  virtual void Terminate(const LaunchId& launch, Done done) = 0;

  /// What became of a launch that is gone is noted for good: it is not listed any more, and
  /// whatever is left of it may be removed. Nothing happens to one that is not gone. What an owner
  /// has forgotten nobody launches again.
  virtual void Forget(const LaunchId& launch) = 0;

  /// Everything of ours that exists, and what is gone and not forgotten. In the order of launch
  /// ids.
  virtual void List(Listed listed) = 0;

  /// `changed` hears of each change of phase from now on, soon after it happened, possibly twice;
  /// where a provider cannot tell by itself, `List` must be asked. One watcher; replaces the last.
  virtual void Watch(Changed changed) = 0;
};

}  // namespace engine::ports

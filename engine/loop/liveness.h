// SPDX-License-Identifier: Apache-2.0
// Who has been heard of when. Any byte from a worker renews its lease; only what is rare
// (suspected, silent, returned) becomes an input of the core. Pure: time is passed in; a silent
// system costs nothing here.
#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "engine/base/time.h"
#include "engine/model/ids.h"
#include "engine/model/input.h"

namespace engine::loop {

struct LivenessOptions {
  base::Duration suspect_after = std::chrono::seconds(6);
  base::Duration silent_after = std::chrono::seconds(12);
  /// After recovery nobody could have been heard: silence counts only from here on.
  base::Duration unconfirmed_for = std::chrono::seconds(30);
};

class Liveness {
 public:
  explicit Liveness(const LivenessOptions& options = {}) : options_(options) {}

  /// Something came from this session; sessions that are not known yet are added. An older session
  /// of the same worker is ignored. Returns true when the worker had been (or, after
  /// recovery, may have been) suspected: it is back.
  bool Touch(model::WorkerId worker, model::SessionId session, base::Instant now);
  /// Known from the log, not heard of yet.
  void AddUnconfirmed(model::WorkerId worker, model::SessionId session, base::Instant now);
  /// Its stream ended: suspected at once. False when it is not known or suspected already.
  bool Suspect(model::WorkerId worker, model::SessionId session);
  /// It needs no watching: it lives and dies with this process.
  void Exempt(model::WorkerId worker);
  void Forget(model::WorkerId worker);
  void Clear();

  /// What has become true by `now`: at most one `WorkerSuspected` and one `WorkerSilent` per
  /// silence.
  std::vector<model::Input> Check(base::Instant now);
  /// When `Check` has something to say next, if nothing is heard.
  std::optional<base::Instant> NextCheck() const;

 private:
  enum class Phase : std::uint8_t { kAlive, kUnconfirmed, kSuspected, kSilent };
  struct Watch {
    model::SessionId session;
    Phase phase = Phase::kAlive;
    base::Instant heard;
    bool exempt = false;
  };
  std::optional<base::Instant> DueAt(const Watch& watch) const;

  LivenessOptions options_;
  std::map<model::WorkerId, Watch> watches_;
};

}  // namespace engine::loop

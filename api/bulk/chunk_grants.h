// SPDX-License-Identifier: Apache-2.0
// What a worker may move, attempt by attempt: it may get chunks that its assignment gave it, put
// chunks that it declared, and send logs of steps that there are. Fed when an attempt is assigned,
// when it has ended, when its run is forgotten. Logs may come long after that, so of a run that is
// not known here nothing is refused before somebody has looked it up. Threads: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/status.h"
#include "engine/model/ids.h"
#include "engine/model/log_state.h"
#include "engine/ports/cache_index.h"

namespace api::bulk {

/// What an assignment allows.
struct Allowance {
  std::vector<engine::base::Digest> artifacts;  ///< their manifests
  std::vector<engine::base::Digest> documents;  ///< a chunk each
  std::uint32_t steps = 0;                      ///< with those of `finally`
  /// Those its run may see; null: none.
  std::shared_ptr<engine::ports::CacheIndex> caches;
};

class ChunkGrants {
 public:
  /// Of one attempt, so that no worker fills the server's memory: 1 TiB in chunks of 4 MiB.
  static constexpr std::size_t kDeclaredMax = std::size_t{1} << 18;

  /// The lease holds. That of another worker on the same attempt ends with it.
  void Open(const engine::model::Lease& lease, const Allowance& allowance);
  /// The attempt has ended: no more chunks. Its logs may still be on their way.
  void Close(const engine::model::AttemptKey& attempt);
  /// All attempts that there are of the run were opened: one that is not here does not exist.
  void KnowRun(engine::model::RunId run);
  void ForgetRun(engine::model::RunId run);
  void ForgetEverything();
  /// The manifests that the attempt was given and whose chunks it was not given yet, each once;
  /// none when it is not leased to `worker`.
  std::set<engine::base::Digest> TakeArtifacts(engine::model::WorkerId worker,
                                               const engine::model::AttemptKey& attempt);
  /// One that could not be read just now.
  void ReturnArtifact(const engine::model::AttemptKey& attempt,
                      const engine::base::Digest& manifest);
  void Give(const engine::model::AttemptKey& attempt,
            const std::vector<engine::base::Digest>& digests);

  /// It was shown the artifact, a cache: it may get it.
  void GiveArtifact(const engine::model::AttemptKey& attempt, const engine::base::Digest& manifest);
  /// `PermissionDenied` when the attempt is not leased to `worker`, or has ended;
  /// `FailedPrecondition`: there are no caches here.
  engine::base::StatusOr<std::shared_ptr<engine::ports::CacheIndex>> CachesOf(
      engine::model::WorkerId worker, const engine::model::AttemptKey& attempt) const;

  /// All: `PermissionDenied` when the attempt is not leased to `worker`.
  /// `Declare`: also `ResourceExhausted` above `kDeclaredMax`; then nothing is declared.
  engine::base::Status Declare(engine::model::WorkerId worker,
                               const engine::model::AttemptKey& attempt,
                               const std::vector<engine::base::Digest>& digests);
  engine::base::Status MayPut(engine::model::WorkerId worker,
                              const engine::model::AttemptKey& attempt,
                              const engine::base::Digest& digest) const;
  engine::base::Status MayGet(engine::model::WorkerId worker,
                              const engine::model::AttemptKey& attempt,
                              const engine::base::Digest& digest) const;
  /// Also `InvalidArgument`: there is no such step; `Unavailable`: the run is not known (yet).
  engine::base::Status MayLog(engine::model::WorkerId worker,
                              const engine::model::LogKey& log) const;

 private:
  struct Grant {
    engine::model::WorkerId worker;
    std::uint32_t steps = 0;
    bool has_ended = false;
    std::shared_ptr<engine::ports::CacheIndex> caches;
    std::set<engine::base::Digest> artifacts;  ///< whose chunks were not given yet
    std::set<engine::base::Digest> given;
    std::set<engine::base::Digest> declared;
  };
  /// Under the lock.
  engine::base::StatusOr<const Grant*> Find(engine::model::WorkerId worker,
                                            const engine::model::AttemptKey& attempt) const;

  mutable std::mutex mutex_;
  std::map<engine::model::AttemptKey, Grant> grants_;
  std::set<engine::model::RunId> known_runs_;
};

}  // namespace api::bulk

// SPDX-License-Identifier: Apache-2.0
#include "api/bulk/chunk_grants.h"

#include <utility>

namespace api::bulk {

namespace base = engine::base;
namespace model = engine::model;

void ChunkGrants::Open(const model::Lease& lease, const Allowance& allowance) {
  const std::lock_guard lock(mutex_);
  Grant& grant = grants_[lease.key];
  grant.worker = lease.worker;
  grant.steps = allowance.steps;
  grant.caches = allowance.caches;
  grant.given.insert(allowance.artifacts.begin(), allowance.artifacts.end());
  grant.given.insert(allowance.documents.begin(), allowance.documents.end());
  grant.artifacts.insert(allowance.artifacts.begin(), allowance.artifacts.end());
}

std::set<base::Digest> ChunkGrants::TakeArtifacts(model::WorkerId worker,
                                                  const model::AttemptKey& attempt) {
  const std::lock_guard lock(mutex_);
  return Find(worker, attempt).ok() ? std::exchange(grants_.at(attempt).artifacts, {})
                                    : std::set<base::Digest>();
}

void ChunkGrants::ReturnArtifact(const model::AttemptKey& attempt, const base::Digest& manifest) {
  const std::lock_guard lock(mutex_);
  if (const auto found = grants_.find(attempt);
      found != grants_.end() && !found->second.has_ended) {
    found->second.artifacts.insert(manifest);
  }
}

void ChunkGrants::Close(const model::AttemptKey& attempt) {
  const std::lock_guard lock(mutex_);
  if (const auto found = grants_.find(attempt); found != grants_.end()) {
    Grant& grant = found->second;
    grant = {.worker = grant.worker, .steps = grant.steps, .has_ended = true};
  }
}

void ChunkGrants::KnowRun(model::RunId run) {
  const std::lock_guard lock(mutex_);
  known_runs_.insert(run);
}

void ChunkGrants::ForgetEverything() {
  const std::lock_guard lock(mutex_);
  grants_.clear();
  known_runs_.clear();
}

void ChunkGrants::ForgetRun(model::RunId run) {
  const std::lock_guard lock(mutex_);
  known_runs_.erase(run);
  std::erase_if(grants_, [run](const auto& entry) { return entry.first.run == run; });
}

void ChunkGrants::Give(const model::AttemptKey& attempt, const std::vector<base::Digest>& digests) {
  const std::lock_guard lock(mutex_);
  // It may have ended meanwhile.
  if (const auto found = grants_.find(attempt);
      found != grants_.end() && !found->second.has_ended) {
    found->second.given.insert(digests.begin(), digests.end());
  }
}

void ChunkGrants::GiveArtifact(const model::AttemptKey& attempt, const base::Digest& manifest) {
  const std::lock_guard lock(mutex_);
  if (const auto found = grants_.find(attempt);
      found != grants_.end() && !found->second.has_ended) {
    found->second.given.insert(manifest);
    found->second.artifacts.insert(manifest);
  }
}

base::StatusOr<std::shared_ptr<engine::ports::CacheIndex>> ChunkGrants::CachesOf(
    model::WorkerId worker, const model::AttemptKey& attempt) const {
  const std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(const Grant* const grant, Find(worker, attempt));
  if (grant->has_ended) {
    return base::PermissionDenied("the attempt has ended");
  }
  if (grant->caches == nullptr) {
    return base::FailedPrecondition("there are no caches here");
  }
  return grant->caches;
}

base::StatusOr<const ChunkGrants::Grant*> ChunkGrants::Find(
    model::WorkerId worker, const model::AttemptKey& attempt) const {
  const auto found = grants_.find(attempt);
  if (found == grants_.end() || found->second.worker != worker) {
    return base::PermissionDenied("attempt {} of job {} of run {} is not this worker's",
                                  attempt.attempt, attempt.job.value(), ToText(attempt.run));
  }
  return &found->second;
}

base::Status ChunkGrants::Declare(model::WorkerId worker, const model::AttemptKey& attempt,
                                  const std::vector<base::Digest>& digests) {
  const std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(const Grant* const grant, Find(worker, attempt));
  if (grant->has_ended) {
    return base::PermissionDenied("the attempt has ended");
  }
  std::set<base::Digest>& declared = grants_.at(attempt).declared;
  if (declared.size() + digests.size() > kDeclaredMax) {
    return base::ResourceExhausted("more than {} chunks of one attempt", kDeclaredMax);
  }
  declared.insert(digests.begin(), digests.end());
  return base::OkStatus();
}

base::Status ChunkGrants::MayPut(model::WorkerId worker, const model::AttemptKey& attempt,
                                 const base::Digest& digest) const {
  const std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(const Grant* const grant, Find(worker, attempt));
  return grant->declared.contains(digest)
             ? base::OkStatus()
             : base::PermissionDenied("chunk {} was not declared", base::ToHex(digest));
}

base::Status ChunkGrants::MayGet(model::WorkerId worker, const model::AttemptKey& attempt,
                                 const base::Digest& digest) const {
  const std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(const Grant* const grant, Find(worker, attempt));
  return grant->given.contains(digest)
             ? base::OkStatus()
             : base::PermissionDenied("chunk {} was not given to the attempt", base::ToHex(digest));
}

base::Status ChunkGrants::MayLog(model::WorkerId worker, const model::LogKey& log) const {
  const std::lock_guard lock(mutex_);
  if (!grants_.contains(log.attempt) && !known_runs_.contains(log.attempt.run)) {
    return base::Unavailable("run {} is not known yet", ToText(log.attempt.run));
  }
  ASSIGN_OR_RETURN(const Grant* const grant, Find(worker, log.attempt));
  return log.step.value() < grant->steps
             ? base::OkStatus()
             : base::InvalidArgument("step: {} of an attempt of {} steps", log.step.value(),
                                     grant->steps);
}

}  // namespace api::bulk

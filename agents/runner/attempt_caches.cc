// SPDX-License-Identifier: Apache-2.0
// What an attempt knows of its caches: their keys before the first step, and what became of them.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/runner/attempt.h"

namespace agents::runner {
namespace {

namespace base = engine::base;
namespace model = engine::model;

constexpr std::size_t kCacheKeyBytesMax = 512;

}  // namespace

CachePlan Attempt::PlanCaches() {
  std::vector<CacheRequest> requests;
  if (steps_over_ || reuse_.result.has_value()) {
    return requests;  // it could not be set up, or no step will run
  }
  for (std::size_t i = 0; i < spec_->caches.size(); ++i) {
    base::StatusOr<CacheRequest> request = PlanCache(i);
    if (std::optional<std::vector<std::string>> wanted = scope_.TakeWantedHash()) {
      return WantHash{*std::move(wanted)};
    }
    requests.push_back(request.ok()
                           ? *std::move(request)
                           : CacheRequest{.error = std::string(base::Message(request.status()))});
  }
  return requests;
}

base::StatusOr<CacheRequest> Attempt::PlanCache(std::size_t index) {
  const model::CacheSpec& spec = spec_->rare->caches[index];
  const CompiledCache& compiled = spec_->caches[index];
  if (!cache_fault_.empty() || !compiled.error.empty()) {
    return base::InvalidArgument("{}", cache_fault_.empty() ? compiled.error : cache_fault_);
  }
  const auto render = [&](const MaybeTemplate& text,
                          const std::string& plain) -> base::StatusOr<std::string> {
    ASSIGN_OR_RETURN(std::string key, Render(text, plain));
    RETURN_IF_ERROR(CheckExposure("the key", key));
    if (key.empty() || key.size() > kCacheKeyBytesMax) {
      return base::InvalidArgument("a key has 1 to {} bytes, not {}", kCacheKeyBytesMax,
                                   key.size());
    }
    if (std::ranges::any_of(key, [](unsigned char c) { return c < ' '; })) {
      return base::InvalidArgument("a key has no control characters");  // `reuse` has some
    }
    return key;
  };
  CacheRequest request;
  ASSIGN_OR_RETURN(request.key, render(compiled.key, spec.key.text));
  for (std::size_t i = 0; i < spec.restore_keys.size(); ++i) {
    ASSIGN_OR_RETURN(std::string key, render(compiled.restore_keys[i], spec.restore_keys[i].text));
    request.restore_keys.push_back(std::move(key));
  }
  return request;
}

void Attempt::GiveCacheHash(const std::vector<std::string>& patterns,
                            const base::StatusOr<std::string>& hash) {
  if (hash.ok()) {
    scope_.SetHash(patterns, *hash);
  } else {
    cache_fault_ = fmt::format("hashFiles: {}", fmt::string_view(base::Message(hash.status())));
  }
}

void Attempt::CachesRestored(const std::vector<CacheRestored>& caches) {
  scope_.ForgetHashes();
  caches_ = caches;
  for (const CacheRestored& cache : caches) {
    Note(cache.note);
  }
}

void Attempt::Note(const std::string& note) {
  if (note.empty()) {
    return;
  }
  remarks_.notes.push_back(note);
  preface_ += fmt::format("[dayfly: {}]\n", note);
}

}  // namespace agents::runner

// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/job_caches.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

namespace agents::runner {
namespace {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

std::string Why(const CacheTools& tools, const base::Status& status) {
  return tools.watch->stalled ? "too few bytes moved for too long, so it was given up"
                              : std::string(base::Message(status));
}

std::string SizeOf(const model::Artifact& content) {
  return fmt::format("{} file{}, {} bytes", content.files, content.files == 1 ? "" : "s",
                     content.bytes);
}

ports::Transfer TransferOf(const CacheTools& tools) {
  return {tools.watch->stop.get_token(), &tools.watch->moved};
}

/// Its chunks are lost or broken: it would be found again and again.
bool IsOfNoUse(const base::Status& status) {
  return status.code() == absl::StatusCode::kDataLoss ||
         status.code() == absl::StatusCode::kNotFound;
}

CacheRestored Restore(const CacheTools& tools, const CacheRequest& request) {
  CacheRestored done{.key = request.key, .hit = false, .note = ""};
  const base::StatusOr<std::optional<model::Artifact>> found =
      tools.index->Find(request.key, request.restore_keys);
  if (!found.ok()) {
    done.note = fmt::format("cache '{}' not restored: {}", request.key, Why(tools, found.status()));
    return done;
  }
  if (!found->has_value()) {
    done.note = fmt::format("cache '{}' not found", request.key);
    return done;
  }
  const model::Artifact& content = **found;
  const base::Status unpacked = tools.archive->UnpackWhole(content, tools.root, TransferOf(tools));
  if (!unpacked.ok()) {
    if (IsOfNoUse(unpacked)) {
      static_cast<void>(tools.index->Drop(content));  // else the next one tries in vain, too
    }
    done.note = fmt::format("cache '{}' not restored: {}", content.name, Why(tools, unpacked));
    return done;
  }
  done.hit = content.name == request.key;
  done.note = done.hit ? fmt::format("cache '{}' restored: {}", content.name, SizeOf(content))
                       : fmt::format("cache '{}' not found, '{}' restored in its place: {}",
                                     request.key, content.name, SizeOf(content));
  return done;
}

}  // namespace

std::vector<CacheRestored> RestoreCaches(const CacheTools& tools,
                                         const std::vector<CacheRequest>& requests) {
  std::vector<CacheRestored> restored;
  for (const CacheRequest& request : requests) {
    if (!request.error.empty()) {
      restored.push_back({.note = fmt::format("a cache is left out: {}", request.error)});
    } else if (tools.index == nullptr || tools.archive == nullptr) {
      restored.push_back(
          {.note = fmt::format("cache '{}' is left out: nothing here keeps caches", request.key)});
    } else {
      restored.push_back(Restore(tools, request));
    }
  }
  return restored;
}

std::string SaveCache(const CacheTools& tools, const CacheSave& save) {
  const base::StatusOr<model::Artifact> content = tools.archive->Pack(
      {.root = tools.root, .name = save.key, .paths = save.paths}, TransferOf(tools));
  const base::Status added = content.ok() ? tools.index->Add(*content) : content.status();
  if (added.code() == absl::StatusCode::kAlreadyExists) {
    return fmt::format("cache '{}' not saved: another job did so first", save.key);
  }
  return added.ok() ? fmt::format("cache '{}' saved: {}", save.key, SizeOf(*content))
                    : fmt::format("cache '{}' not saved: {}", save.key, Why(tools, added));
}

}  // namespace agents::runner

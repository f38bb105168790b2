// SPDX-License-Identifier: Apache-2.0
#include "apps/local_caches.h"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "apps/terminal.h"
#include "engine/base/log.h"

namespace apps {

namespace base = engine::base;
namespace ports = engine::ports;

base::StatusOr<std::unique_ptr<store::caches::FolderCaches>> OpenCaches(
    const std::string& folder, std::function<base::Instant()> now) {
  store::caches::FolderCachesOptions options;
  options.now = std::move(now);
  if (const char* const text = std::getenv("DAYFLY_CACHES_BYTES_MAX")) {
    const char* const end = text + std::strlen(text);
    const auto [stop, error] = std::from_chars(text, end, options.bytes_max);
    if (error != std::errc() || stop != end) {
      return base::InvalidArgument("DAYFLY_CACHES_BYTES_MAX: '{}' is no number of bytes", text);
    }
  }
  return store::caches::FolderCaches::Open(folder, std::move(options));
}

std::shared_ptr<ports::CacheIndex> LocalCaches::Of(const engine::model::RunContext& context) {
  const std::lock_guard lock(mutex_);
  if (caches_ == nullptr) {
    auto opened = OpenCaches(folder_, WallClock);
    if (!opened.ok()) {
      spdlog::warn("caches: {}", base::Message(opened.status()));
      return nullptr;
    }
    caches_ = *std::move(opened);
  }
  return std::make_shared<store::caches::ScopedCaches>(*caches_, store::caches::ScopesOf(context));
}

}  // namespace apps

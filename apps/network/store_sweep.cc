// SPDX-License-Identifier: Apache-2.0
#include "apps/network/store_sweep.h"

#include <set>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>

#include "api/services/archive.h"
#include "apps/terminal.h"
#include "engine/base/log.h"

namespace apps::network {

namespace base = engine::base;
namespace ports = engine::ports;
namespace services = api::services;

base::StatusOr<store::artifacts::SweptChunks> SweepStore(StoreLedger& ledger,
                                                         store::caches::FolderCaches& caches,
                                                         store::artifacts::LocalStore& chunks,
                                                         base::Instant now, base::Duration grace) {
  caches.Sweep();
  std::vector<WantedChunk> wanted = ledger.Take(now);
  for (const store::caches::SavedCache& cache : caches.List()) {
    wanted.push_back({.root = cache.content.manifest, .is_document = false, .until = {}});
  }
  std::set<base::Digest> keep;
  for (const WantedChunk& each : wanted) {
    RETURN_IF_ERROR(MarkWanted(chunks, each, keep));
  }
  return chunks.Sweep(keep, now - grace);
}

StoreSweep::StoreSweep(boost::asio::io_context& io, services::Seat& seat,
                       store::artifacts::LocalStore& chunks, store::caches::FolderCaches& caches,
                       std::string ledger, StoreSweepOptions options)
    : seat_(seat),
      chunks_(chunks),
      caches_(caches),
      path_(std::move(ledger)),
      options_(options),
      timer_(io) {}

StoreSweep::~StoreSweep() {
  End();
  pool_.join();
}

void StoreSweep::Begin() {
  tenure_ = std::make_shared<Tenure>();
  Arm(options_.first);
}

void StoreSweep::End() {
  timer_.cancel();
  if (tenure_ != nullptr) {
    tenure_->has_ended = true;
    tenure_.reset();
  }
}

void StoreSweep::Arm(base::Duration time) {
  timer_.expires_after(time);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && tenure_ != nullptr) {
      Look();
    }
  });
}

// The next one is armed first: whatever becomes of this one, there is another.
void StoreSweep::Look() {
  Arm(options_.every);
  const services::Shard* const shard = seat_.shard();
  if (shard == nullptr || tenure_->is_busy.exchange(true)) {
    return;
  }
  const base::Status asked =
      shard->archive->Do([this, tenure = tenure_](ports::RunHistory&, ports::RunStore& store) {
        if (tenure->has_ended) {
          return;
        }
        if (!std::exchange(tenure->is_loaded, true)) {
          tenure->ledger.Load(path_);
        }
        const base::Status read = tenure->ledger.CatchUp(store);
        if (read.ok()) {
          boost::asio::post(pool_, [this, tenure] { Sweep(tenure); });
        } else {
          spdlog::warn("artifacts are not swept: {}", base::Message(read));
          tenure->is_busy = false;
        }
      });
  if (!asked.ok()) {
    tenure_->is_busy = false;
    spdlog::warn("artifacts are not swept: {}", base::Message(asked));
  }
}

void StoreSweep::Sweep(const std::shared_ptr<Tenure>& tenure) {
  if (!tenure->has_ended) {
    const auto swept = SweepStore(tenure->ledger, caches_, chunks_, WallClock(), options_.grace);
    if (!swept.ok()) {
      spdlog::warn("artifacts are not swept: {}", base::Message(swept.status()));
    } else if (swept->removed > 0) {
      spdlog::info("artifacts: {} chunks ({} bytes) removed, {} kept", swept->removed,
                   swept->removed_bytes, swept->kept);
    }
    if (const base::Status saved = tenure->ledger.Save(path_); !saved.ok()) {
      spdlog::warn("{}", base::Message(saved));
    }
  }
  tenure->is_busy = false;
}

}  // namespace apps::network

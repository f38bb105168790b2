// SPDX-License-Identifier: Apache-2.0
#include "api/services/archive.h"

#include <map>
#include <utility>
#include <variant>

namespace api::services {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

namespace {

constexpr std::size_t kWaitingMax = 1024;

/// Makes feeds of the log's rows.
class FeedBuilder {
 public:
  using Feeds = std::map<model::RunId, std::shared_ptr<RunFeed>>;
  explicit FeedBuilder(ports::RunStore& store) : store_(store) {}

  /// False when it cannot go on.
  bool Take(const ports::FactRow& row) {
    for (const model::Fact& fact : row.facts) {
      const auto* accepted = std::get_if<model::RunAccepted>(&fact.body);
      if (accepted != nullptr && !Begin(*accepted)) {
        return false;
      }
      const auto feed = feeds_.find(model::RunOf(fact));
      if (feed != feeds_.end()) {
        feed->second->Add(fact);
      }
    }
    return true;
  }

  void DropComplete(model::RunId run) {
    const auto feed = feeds_.find(run);
    if (feed != feeds_.end() && feed->second->complete()) {
      feeds_.erase(feed);
    }
  }

  base::StatusOr<Feeds> Finish() {
    RETURN_IF_ERROR(failed_);
    return std::move(feeds_);
  }

 private:
  bool Begin(const model::RunAccepted& accepted) {
    model::PlanRef& plan = plans_[accepted.plan];
    if (plan == nullptr) {
      auto loaded = store_.LoadPlan(accepted.plan);
      if (!loaded.ok()) {
        failed_ = loaded.status();
        return false;
      }
      plan = *std::move(loaded);
    }
    feeds_[accepted.run] = std::make_shared<RunFeed>(accepted, plan);
    return true;
  }

  ports::RunStore& store_;
  std::map<model::PlanDigest, model::PlanRef> plans_;  ///< many runs share few
  Feeds feeds_;
  base::Status failed_;
};

}  // namespace

Archive::Archive(std::unique_ptr<ports::RunHistory> history, std::unique_ptr<ports::RunStore> store)
    : history_(std::move(history)),
      store_(std::move(store)),
      queue_("dayfly-archive", kWaitingMax) {}

base::Status Archive::Do(Read read) {
  return queue_.Do([this, read = std::move(read)] { read(*history_, *store_); });
}

base::StatusOr<std::shared_ptr<RunFeed>> ReadFeed(ports::RunStore& store, model::RunId run) {
  FeedBuilder builder(store);
  RETURN_IF_ERROR(store.ReadRuns(std::span(&run, 1),
                                 [&](const ports::FactRow& row) { return builder.Take(row); }));
  ASSIGN_OR_RETURN(auto feeds, builder.Finish());
  if (feeds.empty()) {
    return base::NotFound("no run {}", model::ToText(run));
  }
  return std::move(feeds.begin()->second);
}

base::StatusOr<std::vector<std::shared_ptr<RunFeed>>> ReadOpenFeeds(
    ports::RunStore& store, std::span<const model::RunId> runs) {
  FeedBuilder builder(store);
  RETURN_IF_ERROR(store.ReadRuns(runs, [&](const ports::FactRow& row) {
    const bool taken = builder.Take(row);
    builder.DropComplete(row.run);
    return taken;
  }));
  ASSIGN_OR_RETURN(auto feeds, builder.Finish());
  std::vector<std::shared_ptr<RunFeed>> open;
  for (auto& [run, feed] : feeds) {
    open.push_back(std::move(feed));
  }
  return open;
}

}  // namespace api::services

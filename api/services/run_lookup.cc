// SPDX-License-Identifier: Apache-2.0
#include "api/services/run_lookup.h"

#include <memory>
#include <utility>

#include "api/services/archive.h"

namespace api::services {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

namespace {

base::StatusOr<model::RunId> IdOf(ports::RunHistory& history, const std::string& name) {
  if (name != "latest") {
    ASSIGN_OR_RETURN(const ports::RunRow row, history.FindRun(name));
    return row.run;
  }
  ports::RunFilter newest;
  newest.limit = 1;
  ASSIGN_OR_RETURN(const std::vector<ports::RunRow> rows, history.ListRuns(newest));
  return rows.empty() ? base::StatusOr<model::RunId>(base::NotFound("there is no run yet"))
                      : rows.front().run;
}

/// What the archive found: the id, and the feed if the run is over.
struct Found {
  base::Status status;
  model::RunId run;
  std::shared_ptr<RunFeed> feed;
};

Found Look(ports::RunHistory& history, ports::RunStore& store, const std::string& name) {
  Found found;
  auto run = IdOf(history, name);
  if (!run.ok()) {
    found.status = run.status();
    return found;
  }
  found.run = *run;
  auto feed = ReadFeed(store, *run);
  if (feed.ok()) {
    found.feed = *std::move(feed);
  } else {
    found.status = feed.status();
  }
  return found;
}

// On the engine's thread. An open run has its feed in memory. When it is not there yet, its
// acceptance is durable and about to be told to us.
void Answer(Seat& seat, Shard* shard, const std::shared_ptr<Found>& found,
            const std::shared_ptr<FoundRun>& done) {
  if (shard == nullptr) {
    return (*done)(base::Unavailable("this server does not own the runs any more"));
  }
  if (found->run.value() != 0) {
    if (FeedRef feed = shard->feeds->Find(found->run)) {
      return (*done)(std::move(feed));
    }
  }
  if (!found->status.ok()) {
    return (*done)(found->status);
  }
  if (!found->feed->complete()) {
    return seat.OnEngine([&seat, found, done](Shard* then) { Answer(seat, then, found, done); });
  }
  shard->feeds->Put(found->feed);
  (*done)(FeedRef(found->feed));
}

}  // namespace

void FindRun(Seat& seat, Shard& shard, const std::string& name, FoundRun done) {
  if (const auto run = model::RunIdFromText(name)) {
    if (FeedRef feed = shard.feeds->Find(*run)) {
      return done(std::move(feed));
    }
  }
  auto shared = std::make_shared<FoundRun>(std::move(done));
  const base::Status asked =
      shard.archive->Do([&seat, name, shared](ports::RunHistory& history, ports::RunStore& store) {
        auto found = std::make_shared<Found>(Look(history, store, name));
        seat.OnEngine([&seat, found, shared](Shard* then) { Answer(seat, then, found, shared); });
      });
  if (!asked.ok()) {
    (*shared)(asked);
  }
}

}  // namespace api::services

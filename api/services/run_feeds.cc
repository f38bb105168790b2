// SPDX-License-Identifier: Apache-2.0
#include "api/services/run_feeds.h"

#include <set>
#include <utility>
#include <variant>

#include "engine/base/check.h"

namespace api::services {

namespace model = engine::model;

RunFeeds::~RunFeeds() {
  for (auto& [ticket, waiter] : std::exchange(waiters_, {})) {
    waiter.ready(nullptr);
  }
}

void RunFeeds::Expect(model::RunId run, model::PlanRef plan) {
  expected_[run] = std::move(plan);
}

void RunFeeds::Forget(model::RunId run) {
  expected_.erase(run);
}

void RunFeeds::Put(std::shared_ptr<RunFeed> feed) {
  const model::RunId run = feed->run();
  Kept& kept = feeds_[run];
  if (kept.feed != nullptr) {
    return;
  }
  kept.feed = std::move(feed);
  kept.place = ended_.end();
  if (const std::string& key = kept.feed->accepted().idempotency_key; !key.empty()) {
    by_key_[key] = run;
  }
  if (kept.feed->complete()) {
    Keep(kept);
    Evict();
  }
}

RunFeed* RunFeeds::Of(const model::Fact& fact) {
  if (const auto* accepted = std::get_if<model::RunAccepted>(&fact.body)) {
    const auto plan = expected_.find(accepted->run);
    CHECK(plan != expected_.end());
    Put(std::make_shared<RunFeed>(*accepted, std::move(plan->second)));
    expected_.erase(plan);
  }
  const auto found = feeds_.find(model::RunOf(fact));
  return found == feeds_.end() ? nullptr : found->second.feed.get();
}

void RunFeeds::OnDurable(std::uint64_t, std::span<const model::Fact> facts) {
  std::set<model::RunId> changed;
  for (const model::Fact& fact : facts) {
    RunFeed* feed = Of(fact);
    if (feed == nullptr) {
      continue;
    }
    feed->Add(fact);
    changed.insert(feed->run());
    if (std::holds_alternative<model::RunEnded>(fact.body) && options_.on_ended) {
      options_.on_ended(feed->run());
    } else if (std::holds_alternative<model::RunClosed>(fact.body)) {
      Keep(feeds_.at(feed->run()));
    }
  }
  for (const model::RunId run : changed) {
    Wake(run);
  }
  Evict();
}

void RunFeeds::Keep(Kept& kept) {
  kept.place = ended_.insert(ended_.end(), kept.feed->run());
  ended_bytes_ += kept.feed->bytes();
}

// Readers of an evicted feed hold on to it.
void RunFeeds::Evict() {
  while (!ended_.empty() &&
         (ended_.size() > options_.ended_max || ended_bytes_ > options_.ended_bytes_max)) {
    const auto found = feeds_.find(ended_.front());
    ended_.pop_front();
    ended_bytes_ -= found->second.feed->bytes();
    by_key_.erase(found->second.feed->accepted().idempotency_key);
    feeds_.erase(found);
  }
}

FeedRef RunFeeds::Find(model::RunId run) {
  const auto found = feeds_.find(run);
  if (found == feeds_.end()) {
    return nullptr;
  }
  if (found->second.place != ended_.end()) {
    ended_.splice(ended_.end(), ended_, found->second.place);
  }
  return found->second.feed;
}

FeedRef RunFeeds::FindKey(std::string_view idempotency_key) const {
  const auto found = by_key_.find(idempotency_key);
  return found == by_key_.end() ? nullptr : feeds_.at(found->second).feed;
}

std::vector<model::RunId> RunFeeds::Open() const {
  std::vector<model::RunId> open;
  for (const auto& [run, kept] : feeds_) {
    if (!model::IsFinal(kept.feed->status())) {
      open.push_back(run);
    }
  }
  return open;
}

RunFeeds::Ticket RunFeeds::Wait(model::RunId run, std::uint64_t position, Ready ready) {
  const auto found = feeds_.find(run);
  CHECK(found != feeds_.end() && found->second.feed->events() <= position);
  const Ticket ticket = next_ticket_++;
  waiters_.emplace(ticket, Waiter{run, std::move(ready)});
  waiting_.emplace(run, ticket);
  return ticket;
}

void RunFeeds::Cancel(Ticket ticket) {
  const auto waiter = waiters_.find(ticket);
  if (waiter == waiters_.end()) {
    return;
  }
  const auto [first, last] = waiting_.equal_range(waiter->second.run);
  for (auto each = first; each != last; ++each) {
    if (each->second == ticket) {
      waiting_.erase(each);
      break;
    }
  }
  waiters_.erase(waiter);
}

// Told, they may wait again: all are taken out first.
void RunFeeds::Wake(model::RunId run) {
  const auto [first, last] = waiting_.equal_range(run);
  std::vector<Ready> woken;
  for (auto each = first; each != last; ++each) {
    const auto waiter = waiters_.find(each->second);
    woken.push_back(std::move(waiter->second.ready));
    waiters_.erase(waiter);
  }
  waiting_.erase(first, last);
  const FeedRef feed = feeds_.at(run).feed;
  for (const Ready& ready : woken) {
    ready(feed);
  }
}

}  // namespace api::services

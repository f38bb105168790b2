// SPDX-License-Identifier: Apache-2.0
#include "agents/logs/shipping_policy.h"

#include <algorithm>
#include <limits>

namespace agents::logs {

namespace base = engine::base;
namespace model = engine::model;

void ShippingPolicy::Grown(const model::LogKey& key, std::uint64_t length, base::Instant now) {
  const auto [found, is_new] = logs_.try_emplace(key);
  Log& log = found->second;
  log.is_asking = log.is_asking || is_new;
  if (length > log.length) {
    log.length = length;
    log.gathering_since = log.gathering_since.value_or(now);
  }
}

void ShippingPolicy::Known(const model::LogKey& key, std::uint64_t archived) {
  const auto [found, is_new] = logs_.try_emplace(key);
  Log& log = found->second;
  log.is_asking = log.is_asking || is_new;
  log.archived = std::max(log.archived, archived);
  log.received = std::max(log.received, archived);
  log.sent = std::max(log.sent, archived);
}

void ShippingPolicy::Ended(const model::LogKey& key, const model::LogEnd& end) {
  const auto [found, is_new] = logs_.try_emplace(key);
  Log& log = found->second;
  log.is_asking = log.is_asking || is_new;
  log.end = end;
  log.length = std::max(log.length, model::KeptLength(end));
}

void ShippingPolicy::Lost(const model::LogKey& key, std::uint64_t offset) {
  const auto found = logs_.find(key);
  if (found == logs_.end()) {
    return;
  }
  Log& log = found->second;
  const std::uint64_t length = log.end ? log.end->length : log.length;
  log.length = std::min(log.length, offset);
  log.sent = std::min(log.sent, offset);
  if (log.end && offset < length) {
    log.end->lost = {{offset, length}};
  }
}

void ShippingPolicy::Connected() {
  connected_ = true;
  for (auto& [key, log] : logs_) {
    log.sent = log.received;
    log.is_asking = true;
    log.end_sent = false;
    log.quiet_since.reset();
  }
}

void ShippingPolicy::Disconnected() {
  connected_ = false;
}

void ShippingPolicy::Answered(const model::LogKey& key, const LogAnswer& answer) {
  const auto found = logs_.find(key);
  if (found == logs_.end()) {
    return;
  }
  Log& log = found->second;
  if (answer.unwanted || answer.complete) {
    logs_.erase(found);
    return;
  }
  // A server that has less than its predecessor had wants the rest again; none wants what it has.
  if (log.is_asking || answer.received < log.received) {
    log.sent = answer.received;
    log.end_sent = log.end_sent && log.end && answer.received == model::KeptLength(*log.end);
  }
  log.is_asking = false;
  log.quiet_since.reset();
  log.received = answer.received;
  log.sent = std::max(log.sent, log.received);
  log.archived = std::max(log.archived, answer.archived);
}

std::uint64_t ShippingPolicy::unacknowledged() const {
  std::uint64_t bytes = 0;
  for (const auto& [key, log] : logs_) {
    bytes += log.sent - log.received;
  }
  return bytes;
}

void ShippingPolicy::SendAgain(Log& log, base::Instant now) {
  if (log.sent <= log.received && !log.end_sent) {
    log.quiet_since.reset();
  } else if (!log.quiet_since) {
    log.quiet_since = now;
  } else if (now >= *log.quiet_since + options_.again) {
    log.quiet_since.reset();
    log.sent = log.received;
    log.end_sent = false;
    log.is_asking = true;
  }
}

bool ShippingPolicy::IsDue(const Log& log, base::Instant now) const {
  const std::uint64_t waiting = log.length - std::min(log.length, log.sent);
  if (waiting == 0) {
    return log.end && !log.end_sent && !(log.is_asking && log.sent > log.received);
  }
  const bool is_under_way = log.sent > log.received;
  if (log.is_asking && is_under_way) {
    return false;
  }
  return !is_under_way || waiting >= options_.full_bytes || log.end ||
         (log.gathering_since && now >= *log.gathering_since + options_.gather);
}

std::optional<Shipment> ShippingPolicy::Send(const model::LogKey& key, Log& log,
                                             base::Instant now) {
  if (log.sent >= log.length) {
    log.end_sent = true;
    return SendEnd{.log = key, .end = *log.end};
  }
  const std::uint64_t room =
      options_.window_bytes - std::min(options_.window_bytes, unacknowledged());
  const std::uint64_t length = std::min({log.length - log.sent, options_.batch_bytes_max, room});
  if (length == 0) {
    return std::nullopt;
  }
  const SendBytes batch{.log = key, .offset = log.sent, .length = length};
  log.sent += length;
  log.gathering_since = log.sent < log.length ? std::optional(now) : std::nullopt;
  return batch;
}

std::optional<Shipment> ShippingPolicy::Next(base::Instant now) {
  if (!connected_ || logs_.empty()) {
    return std::nullopt;
  }
  // Round from behind the one that was last.
  auto at = logs_.upper_bound(last_);
  for (std::size_t i = 0; i < logs_.size(); ++i, ++at) {
    at = at == logs_.end() ? logs_.begin() : at;
    SendAgain(at->second, now);
    if (!IsDue(at->second, now)) {
      continue;
    }
    if (auto shipment = Send(at->first, at->second, now)) {
      SendAgain(at->second, now);
      last_ = at->first;
      return shipment;
    }
  }
  return std::nullopt;
}

std::optional<base::Instant> ShippingPolicy::NextDeadline() const {
  std::optional<base::Instant> next;
  const auto consider = [&next](base::Instant due) { next = next ? std::min(*next, due) : due; };
  for (const auto& [key, log] : logs_) {
    if (connected_ && log.quiet_since) {
      consider(*log.quiet_since + options_.again);
    }
    // With a full window only an answer helps.
    if (connected_ && !log.is_asking && log.gathering_since && log.sent < log.length &&
        unacknowledged() < options_.window_bytes) {
      consider(*log.gathering_since + options_.gather);
    }
  }
  return next;
}

std::uint64_t ShippingPolicy::Archived(const model::LogKey& log) const {
  const auto found = logs_.find(log);
  return found == logs_.end() ? std::numeric_limits<std::uint64_t>::max() : found->second.archived;
}

}  // namespace agents::logs

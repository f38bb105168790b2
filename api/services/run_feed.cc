// SPDX-License-Identifier: Apache-2.0
#include "api/services/run_feed.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "api/wire/run_events.h"
#include "engine/base/overloaded.h"
#include "engine/model/expand.h"

namespace api::services {

namespace base = engine::base;
namespace model = engine::model;
namespace pb = dayfly::v1;

namespace {

constexpr std::size_t kBlockBytes = 64 << 10;

std::size_t At(model::Status status) {
  return static_cast<std::size_t>(status);
}

}  // namespace

RunFeed::RunFeed(model::RunAccepted accepted, model::PlanRef plan)
    : accepted_(std::move(accepted)), written_plan_(std::move(plan)), plan_(written_plan_) {
  jobs_.resize(plan_->jobs.size(), model::Status::kWaiting);
  counts_[At(model::Status::kWaiting)] = static_cast<std::uint32_t>(jobs_.size());
}

void RunFeed::Add(const model::Fact& fact) {
  Append(fact);
  Count(fact);
}

// A `RunEvents` message is its events one behind the other, each with its tag and length; so blocks
// can be cut and sent as they are.
void RunFeed::Append(const model::Fact& fact) {
  if (blocks_.empty() || blocks_.back().encoded.size() >= kBlockBytes) {
    blocks_.push_back({.first = events_, .encoded = {}, .begins = {}});
  }
  pb::RunEvents one;
  *one.add_events() = wire::EventOf(fact);
  Block& block = blocks_.back();
  block.begins.push_back(static_cast<std::uint32_t>(block.encoded.size()));
  const std::size_t before = block.encoded.size();
  one.AppendToString(&block.encoded);
  bytes_ += block.encoded.size() - before + sizeof(std::uint32_t);
  ++events_;
}

void RunFeed::Count(const model::Fact& fact) {
  deployments_.Apply(fact);
  std::visit(
      base::Overloaded{
          [&](const model::RunAccepted&) { accepted_at_ = fact.at; },
          [&](const model::RunEnded& ended) {
            status_ = ended.status;
            ended_at_ = fact.at;
          },
          [&](const model::RunClosed&) { complete_ = true; },
          [&](const model::RunQueued&) { status_ = model::Status::kWaiting; },
          [&](const model::RunAdmitted&) { status_ = model::Status::kRunning; },
          [&](const model::ApprovalRequested& body) {
            SetStatus(body.job, model::Status::kWaiting);
          },
          [&](const model::JobQueued& body) {
            deployments_.Claim(body, fact.at, *accepted_.context, *plan_);
          },
          [&](const model::JobReadied& body) { SetStatus(body.job, model::Status::kReady); },
          [&](const model::JobBackedOff& body) { SetStatus(body.job, model::Status::kWaiting); },
          [&](const model::AttemptStarted& body) {
            SetStatus(body.key.job, model::Status::kRunning);
          },
          [&](const model::StepEnded& body) {
            if (!body.log.ranges.empty()) {
              logs_.push_back({.attempt = body.key, .step = body.step});
            }
          },
          [&](const model::JobsExpanded& body) { Grow(body.expansion); },
          [&](const model::JobEnded& body) {
            SetStatus(body.job, body.result->status);
            results_.push_back({.job = body.job, .result = *body.result});
          },
          [](const auto&) {}},
      fact.body);
}

void RunFeed::Grow(const model::Expansion& expansion) {
  plan_ = model::Expand(*plan_, expansion);
  counts_[At(model::Status::kWaiting)] +=
      static_cast<std::uint32_t>(plan_->jobs.size() - jobs_.size());
  jobs_.resize(plan_->jobs.size(), model::Status::kWaiting);
}

void RunFeed::SetStatus(model::JobIndex job, model::Status status) {
  model::Status& now = jobs_[base::AsIndex(job)];
  --counts_[At(now)];
  ++counts_[At(status)];
  now = status;
}

RunFeed::Piece RunFeed::Read(std::uint64_t position) const {
  const auto behind = std::ranges::upper_bound(blocks_, position, {}, &Block::first);
  if (behind == blocks_.begin() || position >= events_) {
    return {.encoded = {}, .next = position};
  }
  const Block& block = *std::prev(behind);
  const std::uint32_t begin = block.begins[position - block.first];
  return {.encoded = block.encoded.substr(begin), .next = block.first + block.begins.size()};
}

pb::RunOutline RunFeed::Outline() const {
  return wire::OutlineOf(accepted_.run, *written_plan_, *accepted_.context);
}

pb::RunSummary RunFeed::Summary() const {
  pb::RunSummary out;
  const model::RunContext& context = *accepted_.context;
  out.set_run(model::ToText(accepted_.run));
  out.set_pipeline(plan_->name);
  out.set_pipeline_file(context.pipeline_file);
  out.set_source(context.source);
  out.set_commit(context.commit);
  out.set_branch(context.branch);
  out.set_event(context.event);
  out.set_by(context.by);
  out.set_status(wire::ToWire(status_));
  out.set_accepted_at_us(base::ToMicros(accepted_at_));
  out.set_ended_at_us(base::ToMicros(ended_at_));
  wire::ToWire(counts_, out.mutable_counts());
  return out;
}

}  // namespace api::services

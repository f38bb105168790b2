// SPDX-License-Identifier: Apache-2.0
#include "apps/crash_point.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <variant>

namespace apps {
namespace {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

constexpr std::array<std::pair<std::string_view, CrashPointName>, 4> kNames = {{
    {"before_first_commit", CrashPointName::kBeforeFirstCommit},
    {"commit_done_effect_not", CrashPointName::kCommitDoneEffectNot},
    {"step_ended_not_committed", CrashPointName::kStepEndedNotCommitted},
    {"while_resuming", CrashPointName::kWhileResuming},
}};

bool HoldsStepEnd(const ports::CommitBatch& batch) {
  return std::ranges::any_of(batch.rows, [](const ports::FactRow& row) {
    return std::ranges::any_of(row.facts, [](const model::Fact& fact) {
      return std::holds_alternative<model::StepEnded>(fact.body);
    });
  });
}

class CrashingStore final : public ports::RunStore {
 public:
  CrashingStore(std::unique_ptr<ports::RunStore> store, CrashPoint point, bool resuming)
      : store_(std::move(store)), point_(point), resuming_(resuming) {}

  base::StatusOr<model::PlanRef> LoadPlan(const model::PlanDigest& digest) override {
    return store_->LoadPlan(digest);
  }
  base::StatusOr<model::Epoch> AcquireShard() override {
    auto epoch = store_->AcquireShard();
    ReachResuming();
    return epoch;
  }
  base::StatusOr<ports::Recovered> Recover() override {
    auto recovered = store_->Recover();
    ReachResuming();
    return recovered;
  }
  base::Status Commit(const ports::CommitBatch& batch) override {
    ++commits_;
    if (commits_ == 1) {
      Reach(CrashPointName::kBeforeFirstCommit);
      ReachResuming();
    }
    if (HoldsStepEnd(batch)) {
      Reach(CrashPointName::kStepEndedNotCommitted);
    }
    base::Status status = store_->Commit(batch);
    if (status.ok()) {
      Reach(CrashPointName::kCommitDoneEffectNot);
      if (commits_ == 1) {
        ReachResuming();
      }
    }
    return status;
  }
  base::Status ReadAfter(std::uint64_t after, const VisitRow& visit) override {
    return store_->ReadAfter(after, visit);
  }

 private:
  void ReachResuming() {
    if (resuming_) {
      Reach(CrashPointName::kWhileResuming);
    }
  }
  void Reach(CrashPointName name) {
    if (name != point_.name || ++reached_ != point_.count) {
      return;
    }
    const auto* known =
        std::ranges::find(kNames, name, [](const auto& pair) { return pair.second; });
    const std::string line = fmt::format("crash point {} hit\n", known->first);
    std::fwrite(line.data(), 1, line.size(), stderr);
    std::fflush(stderr);
    std::raise(SIGKILL);
  }

  std::unique_ptr<ports::RunStore> store_;
  CrashPoint point_;
  bool resuming_;
  int commits_ = 0;
  int reached_ = 0;
};

}  // namespace

base::StatusOr<std::optional<CrashPoint>> ParseCrashPoint(std::string_view text) {
  if (text.empty()) {
    return std::optional<CrashPoint>();
  }
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const auto* known = std::ranges::find(kNames, name, [](const auto& pair) { return pair.first; });
  CrashPoint point{.name = CrashPointName::kBeforeFirstCommit, .count = 1};
  bool count_ok = true;
  if (colon != std::string_view::npos) {
    const std::string_view count = text.substr(colon + 1);
    const auto [end, error] =
        std::from_chars(count.data(), count.data() + count.size(), point.count);
    count_ok = error == std::errc() && end == count.data() + count.size() && point.count >= 1;
  }
  if (known == kNames.end() || !count_ok) {
    return base::InvalidArgument(
        "DAYFLY_CRASH_POINT={}: expected before_first_commit, commit_done_effect_not, "
        "step_ended_not_committed or while_resuming, and :k with k from 1",
        text);
  }
  point.name = known->second;
  return std::optional<CrashPoint>(point);
}

base::StatusOr<std::unique_ptr<ports::RunStore>> WithCrashPoint(
    std::unique_ptr<ports::RunStore> store, bool resuming) {
  const char* variable = std::getenv("DAYFLY_CRASH_POINT");
  ASSIGN_OR_RETURN(const std::optional<CrashPoint> point,
                   ParseCrashPoint(variable == nullptr ? "" : variable));
  if (!point) {
    return store;
  }
  return std::unique_ptr<ports::RunStore>(
      std::make_unique<CrashingStore>(std::move(store), *point, resuming));
}

}  // namespace apps

// SPDX-License-Identifier: Apache-2.0
// Runs put into a server's store as commits do it, for tests of what is known of them later.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/ports/run_history.h"
#include "engine/ports/run_store.h"
#include "store/codec/plan_codec.h"
#include "tests/support/sample_facts.h"

namespace tests::support {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

/// One empty place; both are opened on it.
class HistoryScene {
 public:
  virtual ~HistoryScene() = default;
  virtual std::unique_ptr<ports::RunStore> OpenStore() = 0;
  virtual std::unique_ptr<ports::RunHistory> OpenHistory() = 0;
};
using MakeHistoryScene = std::function<std::unique_ptr<HistoryScene>()>;

struct RunSpec {
  const char* id;
  const char* branch = "main";
  const char* source = "https://example.org/app";
  const char* key = "";
  std::shared_ptr<const model::Plan> plan;
};

class RunHistoryFixture : public testing::Test {
 protected:
  using milliseconds = std::chrono::milliseconds;

  /// Before anything else.
  void Open(std::unique_ptr<HistoryScene> scene) {
    scene_ = std::move(scene);
    store_ = scene_->OpenStore();
    epoch_ = *store_->AcquireShard();
    history_ = scene_->OpenHistory();
  }
  model::RunId Accept(const RunSpec& spec) {
    auto context = std::make_shared<model::RunContext>();
    context->branch = spec.branch;
    context->source = spec.source;
    context->pipeline_file = ".dayfly/ci.yml";
    context->commit = "abc";
    context->by = "anna";
    model::RunAccepted accepted;
    accepted.run = *model::RunIdFromText(spec.id);
    accepted.context = context;
    accepted.idempotency_key = spec.key;
    const auto plan = spec.plan != nullptr ? spec.plan : Plan("ci");
    accepted.plan = store::codec::DigestOf(*plan);
    Commit(accepted.run, {{kAt, accepted}}, {{accepted.plan, plan}});
    return accepted.run;
  }
  void EndRun(model::RunId run, model::Status status) {
    model::RunEnded ended;
    ended.run = run;
    ended.status = status;
    ended.counts[3] = 2;
    ended.counts[8] = 5;
    Commit(run, {{kAt + milliseconds(7), ended}, {kAt, model::RunClosed{run}}}, {});
  }
  void EndJob(model::RunId run, std::uint32_t job, base::Duration took,
              model::Status status = model::Status::kSucceeded) {
    auto result = std::make_shared<model::JobResult>();
    result->status = status;
    if (status != model::Status::kSucceeded) {
      result->reason = {model::ReasonCode::kExitCode, 3, {}, "why"};
    }
    const model::AttemptKey key{run, model::JobIndex(job), 2};
    model::AttemptEnded attempt;
    attempt.key = key;
    attempt.took = took;
    at_ += milliseconds(1);
    Commit(run, {{at_, attempt}, {at_, model::JobEnded{run, key.job, result}}}, {});
  }
  void Claim(model::RunId run, std::uint32_t job, const char* environment = "production") {
    model::JobQueued queued;
    queued.run = run;
    queued.job = model::JobIndex(job);
    queued.environment = environment;
    queued.environment_url = "https://example.org";
    at_ += milliseconds(1);
    Commit(run, {{at_, queued}}, {});
  }
  /// The environment's, newest first: run and job, status, `now` for what is there.
  std::vector<std::string> Deployed(const model::DeploymentFilter& filter) {
    const auto found = history_->ListDeployments(filter);
    EXPECT_TRUE(found.ok()) << found.status();
    std::vector<std::string> out;
    for (const model::Deployment& each : found.value_or(std::vector<model::Deployment>())) {
      out.push_back(fmt::format("{} {} {}{}", ToText(each.run), each.job_name, ToText(each.status),
                                each.is_current ? " now" : ""));
    }
    return out;
  }
  static std::shared_ptr<const model::Plan> Plan(const char* name) {
    auto plan = std::make_shared<model::Plan>(PlainPlan(3));
    plan->name = name;
    return plan;
  }
  void Commit(model::RunId run, std::vector<model::Fact> facts,
              std::vector<std::pair<model::PlanDigest, model::PlanRef>> plans) {
    ports::CommitBatch batch;
    batch.epoch = epoch_;
    batch.seq_before = seq_;
    batch.seq_after = seq_ += facts.size();
    batch.rows = {{run, std::move(facts)}};
    batch.plans = std::move(plans);
    const base::Status status = store_->Commit(batch);
    ASSERT_TRUE(status.ok()) << status;
  }
  std::vector<std::string> Listed(const ports::RunFilter& filter) {
    const auto rows = history_->ListRuns(filter);
    EXPECT_TRUE(rows.ok()) << rows.status();
    std::vector<std::string> ids;
    for (const ports::RunRow& row : *rows) {
      ids.push_back(ToText(row.run));
    }
    return ids;
  }

  static constexpr base::Instant kAt = base::InstantFromMicros(1'700'000'000'000'000);

  std::unique_ptr<HistoryScene> scene_;
  std::unique_ptr<ports::RunStore> store_;
  std::unique_ptr<ports::RunHistory> history_;
  model::Epoch epoch_;
  std::uint64_t seq_ = 0;
  base::Instant at_ = kAt;
};

}  // namespace tests::support

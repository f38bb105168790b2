// SPDX-License-Identifier: Apache-2.0
// Plans for tests, without YAML: set what matters, the rest is as the language's defaults.
//   PlanBuilder plan;
//   plan.Job("build").Run("make");
//   plan.Job("test").Needs({"build"}).Matrix("suite", {"core", "net"}).RetryMax(2);
//   model::PlanRef ref = plan.Build();
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/time.h"
#include "engine/model/plan.h"

namespace tests::support {

class PlanBuilder;

/// Sets one job of a `PlanBuilder`; valid as long as that is. Each method returns the same builder.
class JobBuilder {
 public:
  JobBuilder(PlanBuilder& plan, std::size_t spec) : plan_(&plan), spec_(spec) {}

  JobBuilder& Stage(std::string_view name);  ///< one of `PlanBuilder::Stages`
  /// Exactly these, `on: success`. An empty list: none, whatever the stage.
  JobBuilder& Needs(std::initializer_list<std::string_view> jobs);
  JobBuilder& Need(std::string_view job, engine::model::NeedOn on, bool optional = false);
  JobBuilder& If(std::string_view expression);
  JobBuilder& Env(std::string_view name, std::string_view text);
  JobBuilder& Output(std::string_view name, std::string_view text);
  JobBuilder& Run(std::string_view command);  ///< one more step
  JobBuilder& Finally(std::string_view command);
  JobBuilder& Timeout(engine::base::Duration timeout);
  JobBuilder& QueueTimeout(engine::base::Duration timeout);
  JobBuilder& Pool(std::string_view name);
  JobBuilder& Place(engine::model::PlaceNeed need);
  JobBuilder& RetryMax(std::uint32_t max);
  JobBuilder& Retry(engine::model::RetrySpec retry);
  JobBuilder& AllowFailure();
  JobBuilder& AllowExitCodes(std::vector<std::int32_t> codes);
  JobBuilder& Priority(std::int32_t priority);
  /// One more axis; the first varies slowest. Values are strings.
  JobBuilder& Matrix(std::string_view key, std::vector<std::string> values);
  JobBuilder& MaxParallel(std::uint32_t max);
  JobBuilder& FailFast(bool fail_fast);
  /// One more group.
  JobBuilder& Concurrency(std::string_view group, std::uint32_t max = 1,
                          engine::model::GroupPolicy policy = engine::model::GroupPolicy::kQueue);
  JobBuilder& Environment(std::string_view name, std::string_view url = "");
  JobBuilder& Approval(engine::model::ApprovalSpec approval = {});
  JobBuilder& Delay(engine::base::Duration delay);
  JobBuilder& OverlapNever();
  JobBuilder& Cache(std::string_view key, std::string_view path);  ///< one more
  JobBuilder& Reports(std::string_view junit);
  JobBuilder& Reuse(std::string_view inputs);
  JobBuilder& ForEach(std::string_view list);
  /// The last step that was added must not be done twice.
  JobBuilder& Once(std::string_view check = "");

 private:
  friend class PlanBuilder;
  engine::model::JobSpec& spec();
  engine::model::RareJobSettings& rare();
  engine::model::MatrixSpec& matrix();

  PlanBuilder* plan_;
  std::size_t spec_;
};

class PlanBuilder {
 public:
  explicit PlanBuilder(std::string name = "test") { plan_.name = std::move(name); }

  PlanBuilder& Stages(std::initializer_list<std::string_view> names);
  PlanBuilder& Env(std::string_view name, std::string_view text);
  PlanBuilder& Timeout(engine::base::Duration timeout);
  PlanBuilder& Concurrency(std::string_view group, std::uint32_t max = 1,
                           engine::model::GroupPolicy policy = engine::model::GroupPolicy::kQueue);
  /// A new job without steps (a step is optional in most tests of the core).
  JobBuilder Job(std::string_view name);
  /// Lays out the cells and gives the plan away; the builder is empty afterwards.
  engine::model::PlanRef Build();

 private:
  friend class JobBuilder;
  using Axis = std::pair<std::string, std::vector<std::string>>;

  engine::model::Plan plan_;
  std::vector<std::vector<Axis>> axes_;  ///< per spec
};

/// Text that may hold `${{ … }}`, as the compiler would store it.
engine::model::Template TemplateOf(std::string_view text);

}  // namespace tests::support

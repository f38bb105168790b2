// SPDX-License-Identifier: Apache-2.0
#include "tests/support/plan_builder.h"

#include <algorithm>
#include <memory>

#include "engine/base/check.h"

namespace tests::support {
namespace {

namespace model = engine::model;

model::SpecIndex FindSpec(const model::Plan& plan, std::string_view name) {
  for (std::uint32_t i = 0; i < plan.specs.size(); ++i) {
    if (plan.specs[i].name == name) {
      return model::SpecIndex(i);
    }
  }
  CHECK_MSG(false, "a test needs a job that it has not made yet");
  return model::SpecIndex();
}

bool CallsStatusFunction(std::string_view text) {
  return text.find("always()") != std::string_view::npos ||
         text.find("failure()") != std::string_view::npos ||
         text.find("cancelled()") != std::string_view::npos;
}

model::StepSpec StepOf(std::string_view command) {
  model::StepSpec step;
  step.run = TemplateOf(command);
  return step;
}

}  // namespace

model::Template TemplateOf(std::string_view text) {
  model::Template result;
  result.text = text;
  result.has_expression = text.find("${{") != std::string_view::npos;
  return result;
}

model::JobSpec& JobBuilder::spec() {
  return plan_->plan_.specs[spec_];
}

model::RareJobSettings& JobBuilder::rare() {
  if (spec().rare == nullptr) {
    spec().rare = std::make_unique<model::RareJobSettings>();
  }
  return *spec().rare;
}

model::MatrixSpec& JobBuilder::matrix() {
  if (spec().matrix == nullptr) {
    spec().matrix = std::make_unique<model::MatrixSpec>();
  }
  return *spec().matrix;
}

JobBuilder& JobBuilder::Stage(std::string_view name) {
  const std::vector<model::StageSpec>& stages = plan_->plan_.stages;
  const auto found = std::find_if(stages.begin(), stages.end(), [&](const model::StageSpec& stage) {
    return stage.name == name;
  });
  CHECK_MSG(found != stages.end(), "a test names a stage that it has not made");
  spec().stage = static_cast<std::uint32_t>(found - stages.begin());
  return *this;
}

JobBuilder& JobBuilder::Needs(std::initializer_list<std::string_view> jobs) {
  spec().has_needs = true;
  for (const std::string_view job : jobs) {
    Need(job, model::NeedOn::kSuccess);
  }
  return *this;
}

JobBuilder& JobBuilder::Need(std::string_view job, model::NeedOn on, bool optional) {
  spec().has_needs = true;
  spec().needs.push_back({.spec = FindSpec(plan_->plan_, job), .on = on, .optional = optional});
  return *this;
}

JobBuilder& JobBuilder::If(std::string_view expression) {
  spec().condition.text = expression;
  spec().condition.decides_alone = CallsStatusFunction(expression);
  return *this;
}

JobBuilder& JobBuilder::Env(std::string_view name, std::string_view text) {
  spec().env.push_back({.name = std::string(name), .value = TemplateOf(text)});
  return *this;
}

JobBuilder& JobBuilder::Output(std::string_view name, std::string_view text) {
  rare().outputs.push_back({.name = std::string(name), .value = TemplateOf(text)});
  return *this;
}

JobBuilder& JobBuilder::Run(std::string_view command) {
  spec().steps.push_back(StepOf(command));
  return *this;
}

JobBuilder& JobBuilder::Finally(std::string_view command) {
  rare().finally_steps.push_back(StepOf(command));
  return *this;
}

JobBuilder& JobBuilder::Timeout(engine::base::Duration timeout) {
  spec().timeout = timeout;
  return *this;
}

JobBuilder& JobBuilder::QueueTimeout(engine::base::Duration timeout) {
  rare().queue_timeout = timeout;
  return *this;
}

JobBuilder& JobBuilder::Place(model::PlaceNeed need) {
  rare().place.emplace().need = std::move(need);
  return *this;
}

JobBuilder& JobBuilder::Pool(std::string_view name) {
  rare().pool = name;
  return *this;
}

JobBuilder& JobBuilder::RetryMax(std::uint32_t max) {
  rare().retry.max = max;
  return *this;
}

JobBuilder& JobBuilder::Retry(model::RetrySpec retry) {
  rare().retry = std::move(retry);
  return *this;
}

JobBuilder& JobBuilder::AllowFailure() {
  rare().allow_failure.any = true;
  return *this;
}

JobBuilder& JobBuilder::AllowExitCodes(std::vector<std::int32_t> codes) {
  rare().allow_failure.exit_codes = std::move(codes);
  return *this;
}

JobBuilder& JobBuilder::Priority(std::int32_t priority) {
  spec().priority = priority;
  return *this;
}

JobBuilder& JobBuilder::Matrix(std::string_view key, std::vector<std::string> values) {
  matrix().keys.emplace_back(key);
  plan_->axes_[spec_].emplace_back(std::string(key), std::move(values));
  return *this;
}

JobBuilder& JobBuilder::MaxParallel(std::uint32_t max) {
  matrix().max_parallel = max;
  return *this;
}

JobBuilder& JobBuilder::FailFast(bool fail_fast) {
  matrix().fail_fast = fail_fast;
  return *this;
}

JobBuilder& JobBuilder::Concurrency(std::string_view group, std::uint32_t max,
                                    model::GroupPolicy policy) {
  rare().concurrency.push_back({.group = TemplateOf(group), .max = max, .policy = policy});
  return *this;
}

JobBuilder& JobBuilder::Environment(std::string_view name, std::string_view url) {
  rare().environment = {.name = TemplateOf(name), .url = TemplateOf(url)};
  return *this;
}

JobBuilder& JobBuilder::Approval(model::ApprovalSpec approval) {
  rare().approval = std::move(approval);
  return *this;
}

JobBuilder& JobBuilder::Delay(engine::base::Duration delay) {
  rare().delay = delay;
  return *this;
}

JobBuilder& JobBuilder::OverlapNever() {
  rare().overlap_never = true;
  return *this;
}

JobBuilder& JobBuilder::Cache(std::string_view key, std::string_view path) {
  rare().caches.push_back(
      {.key = TemplateOf(key), .restore_keys = {}, .paths = {std::string(path)}});
  return *this;
}

JobBuilder& JobBuilder::Reports(std::string_view junit) {
  rare().junit_reports.emplace_back(junit);
  return *this;
}

JobBuilder& JobBuilder::Reuse(std::string_view inputs) {
  rare().reuse_inputs.emplace_back(inputs);
  return *this;
}

JobBuilder& JobBuilder::Once(std::string_view check) {
  spec().steps.back().effects_once = true;
  spec().steps.back().effect_check = TemplateOf(check);
  return *this;
}

PlanBuilder& PlanBuilder::Concurrency(std::string_view group, std::uint32_t max,
                                      model::GroupPolicy policy) {
  plan_.concurrency = {.group = TemplateOf(group), .max = max, .policy = policy};
  return *this;
}

PlanBuilder& PlanBuilder::Stages(std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    plan_.stages.push_back({.name = std::string(name)});
  }
  return *this;
}

PlanBuilder& PlanBuilder::Env(std::string_view name, std::string_view text) {
  plan_.env.push_back({.name = std::string(name), .value = TemplateOf(text)});
  return *this;
}

PlanBuilder& PlanBuilder::Timeout(engine::base::Duration timeout) {
  plan_.timeout = timeout;
  return *this;
}

JobBuilder PlanBuilder::Job(std::string_view name) {
  plan_.specs.emplace_back();
  plan_.specs.back().name = name;
  axes_.emplace_back();
  return JobBuilder(*this, plan_.specs.size() - 1);
}

JobBuilder& JobBuilder::ForEach(std::string_view list) {
  matrix().keys = {"value", "index", "name"};
  matrix().each = {.list = std::string(list), .at = {}, .second_cell = {}};
  return *this;
}

model::PlanRef PlanBuilder::Build() {
  for (std::uint32_t i = 0; i < plan_.specs.size(); ++i) {
    std::vector<std::vector<model::JsonText>> cells(1);
    for (const Axis& axis : axes_[i]) {
      std::vector<std::vector<model::JsonText>> longer;
      for (const std::vector<model::JsonText>& cell : cells) {
        for (const std::string& value : axis.second) {
          longer.push_back(cell);
          longer.back().push_back('"' + value + '"');
        }
      }
      cells = std::move(longer);
    }
    if (model::MatrixSpec* matrix = plan_.specs[i].matrix.get(); matrix != nullptr) {
      matrix->first_cell = model::JobIndex(static_cast<std::uint32_t>(plan_.jobs.size()));
      matrix->cell_count = static_cast<std::uint32_t>(cells.size());
      if (matrix->each.has_value()) {
        cells.front().resize(matrix->keys.size());
      }
    }
    for (std::vector<model::JsonText>& cell : cells) {
      plan_.jobs.push_back({.spec = model::SpecIndex(i), .cell = std::move(cell)});
    }
  }
  axes_.clear();
  return std::make_shared<const model::Plan>(std::exchange(plan_, model::Plan()));
}

}  // namespace tests::support

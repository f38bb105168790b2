// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "tests/support/sample_facts.h"

namespace tests::support {
namespace {

namespace base = engine::base;
namespace model = engine::model;
using base::Random;

std::uint32_t Small(Random& random) {
  return static_cast<std::uint32_t>(random.Below(300));
}

bool Maybe(Random& random) {
  return random.OneIn(1, 2);
}

base::Duration AnyDuration(Random& random) {
  return base::Duration(Maybe(random) ? 0 : static_cast<std::int64_t>(random.Below(1ULL << 40)));
}

model::SourcePosition AnyPosition(Random& random) {
  return Maybe(random) ? model::SourcePosition{}
                       : model::SourcePosition{Small(random), Small(random), Small(random)};
}

std::vector<std::string> Texts(Random& random) {
  std::vector<std::string> out(random.Below(3));
  std::generate(out.begin(), out.end(), [&] { return AnyText(random); });
  return out;
}

std::vector<std::int32_t> ExitCodes(Random& random) {
  std::vector<std::int32_t> out(random.Below(3));
  std::generate(out.begin(), out.end(),
                [&] { return static_cast<std::int32_t>(random.Below(256)) - 3; });
  return out;
}

model::Template AnyTemplate(Random& random) {
  return {AnyText(random), AnyPosition(random), Maybe(random)};
}

model::Condition AnyCondition(Random& random) {
  return {AnyText(random), AnyPosition(random), Maybe(random)};
}

std::vector<model::EnvVar> AnyEnv(Random& random) {
  std::vector<model::EnvVar> out(random.Below(3));
  for (model::EnvVar& var : out) {
    var = {AnyText(random), AnyTemplate(random)};
  }
  return out;
}

std::vector<model::StepSpec> AnySteps(Random& random) {
  std::vector<model::StepSpec> out(random.Below(3));
  for (model::StepSpec& step : out) {
    step.id = AnyText(random);
    step.name = AnyText(random);
    step.run = AnyTemplate(random);
    step.shell = AnyText(random);
    step.workdir = AnyTemplate(random);
    step.env = AnyEnv(random);
    step.condition = AnyCondition(random);
    step.timeout = AnyDuration(random);
    step.continue_on_error = Maybe(random);
    step.argv = Texts(random);
    step.effects_once = Maybe(random);
    step.effect_check = AnyTemplate(random);
    step.background = Maybe(random);
  }
  return out;
}

model::ConcurrencySpec AnyConcurrency(Random& random) {
  return {AnyTemplate(random), 1 + Small(random), static_cast<model::GroupPolicy>(random.Below(4))};
}

model::PlaceSpec AnyPlace(Random& random) {
  model::PlaceSpec out;
  out.need.labels = {{AnyText(random), AnyText(random)}, {AnyText(random), ""}};
  out.need.resources = {Small(random), random.Below(1ULL << 50), random.Below(1ULL << 50),
                        Small(random)};
  out.need.sandbox = static_cast<model::SandboxKind>(random.Below(4));
  out.need.network = static_cast<model::NetworkKind>(random.Below(3));
  out.need.service_images = Maybe(random);
  out.image = AnyTemplate(random);
  out.at = AnyPosition(random);
  return out;
}

model::RareJobSettings AnyRare(Random& random) {
  model::RareJobSettings out;
  out.retry = {
      Small(random),       AnyDuration(random),       1.5,
      AnyDuration(random), Maybe(random) ? 0.1 : 0.0, static_cast<std::uint8_t>(random.Below(32)),
      ExitCodes(random)};
  out.allow_failure = {Maybe(random), ExitCodes(random)};
  out.outputs = AnyEnv(random);
  out.engine_outputs = Texts(random);
  out.uploads = {{AnyText(random), Texts(random), AnyPosition(random)}};
  out.artifacts_expire = AnyDuration(random);
  out.junit_reports = Texts(random);
  out.caches = {{AnyTemplate(random), {AnyTemplate(random), AnyTemplate(random)}, Texts(random)}};
  out.need_artifacts = {Texts(random), Texts(random)};
  out.finally_steps = AnySteps(random);
  out.checkout = {Maybe(random), Small(random), Maybe(random), Maybe(random)};
  out.queue_timeout = AnyDuration(random);
  out.log_limit = random.Below(1ULL << 50);
  out.pool = AnyText(random);
  out.delay = AnyDuration(random);
  out.uploads_when = static_cast<model::UploadWhen>(random.Below(3));
  out.concurrency = {AnyConcurrency(random), AnyConcurrency(random)};
  if (Maybe(random)) {
    out.approval = {Texts(random), AnyDuration(random), {{.name = AnyText(random)}}};
    out.environment = {AnyTemplate(random), AnyTemplate(random)};
  }
  out.overlap_never = Maybe(random);
  out.services = {{Small(random), AnyTemplate(random), AnyTemplate(random), AnyText(random),
                   AnyDuration(random), AnyTemplate(random)}};
  if (Maybe(random)) {
    out.place = AnyPlace(random);
  }
  return out;
}

model::EventFilter AnyFilter(Random& random) {
  return {Texts(random), Texts(random), Texts(random), Texts(random), Texts(random), Texts(random)};
}

void AddSpec(Random& random, model::Plan& plan) {
  const auto index = static_cast<std::uint32_t>(plan.specs.size());
  model::JobSpec spec;
  spec.name = "job" + std::to_string(index);
  spec.stage = Maybe(random) || plan.stages.empty()
                   ? model::kNoStage
                   : static_cast<std::uint32_t>(random.Below(plan.stages.size()));
  spec.has_needs = Maybe(random);
  spec.priority = static_cast<std::int32_t>(random.Below(20)) - 10;
  const bool plain = Maybe(random);
  for (std::uint32_t need = 0; need < index; ++need) {
    spec.needs.push_back(
        {model::SpecIndex(index - 1 - need),
         plain ? model::NeedOn::kSuccess : static_cast<model::NeedOn>(random.Below(3)),
         !plain && Maybe(random), plain ? std::uint16_t{0} : std::uint16_t{2}});
  }
  spec.condition = AnyCondition(random);
  spec.env = AnyEnv(random);
  spec.steps = AnySteps(random);
  spec.timeout = AnyDuration(random);
  spec.at = AnyPosition(random);
  if (Maybe(random)) {
    spec.rare = std::make_unique<model::RareJobSettings>(AnyRare(random));
  }
  std::uint32_t cells = 1;
  if (Maybe(random)) {
    cells = static_cast<std::uint32_t>(random.Below(4));
    spec.matrix = std::make_unique<model::MatrixSpec>();
    spec.matrix->keys = {"suite", "level"};
    spec.matrix->max_parallel = Small(random);
    spec.matrix->fail_fast = Maybe(random);
    spec.matrix->first_cell = model::JobIndex(static_cast<std::uint32_t>(plan.jobs.size()));
    spec.matrix->cell_count = cells;
    if (cells == 1 && Maybe(random)) {
      spec.matrix->each = {.list = AnyText(random), .at = AnyPosition(random), .second_cell = {}};
    }
  }
  for (std::uint32_t cell = 0; cell < cells; ++cell) {
    plan.jobs.push_back({model::SpecIndex(index), spec.matrix == nullptr
                                                      ? std::vector<std::string>{}
                                                      : std::vector<std::string>{"\"core\"", ""}});
  }
  plan.specs.push_back(std::move(spec));
}

template <typename T>
bool SamePointee(const std::shared_ptr<T>& a, const std::shared_ptr<T>& b) {
  if (a == nullptr || b == nullptr) {
    return a == b;
  }
  return *a == *b;
}

bool SameSpec(const model::JobSpec& a, const model::JobSpec& b) {
  return a.name == b.name && a.stage == b.stage && a.has_needs == b.has_needs &&
         a.priority == b.priority && a.needs == b.needs && a.condition == b.condition &&
         a.env == b.env && a.steps == b.steps && a.timeout == b.timeout && a.at == b.at &&
         SamePointee(a.matrix, b.matrix) && SamePointee(a.rare, b.rare);
}

}  // namespace

model::Plan AnyPlan(Random& random) {
  model::Plan plan;
  plan.name = AnyText(random);
  plan.files = Texts(random);
  plan.on.manual = Maybe(random);
  plan.on.webhook = Maybe(random);
  plan.on.run = Texts(random);
  if (Maybe(random)) {
    plan.on.push = AnyFilter(random);
    plan.on.pull_request = AnyFilter(random);
    plan.on.tag = AnyFilter(random);
    plan.on.schedule = {{"0 3 * * *", "Europe/Berlin"}};
  }
  plan.inputs.resize(random.Below(3));
  for (model::InputSpec& input : plan.inputs) {
    input = {AnyText(random), static_cast<model::InputType>(random.Below(4)),
             Maybe(random),   std::nullopt,
             Texts(random),   AnyText(random),
             AnyText(random), AnyPosition(random)};
    if (Maybe(random)) {
      input.default_value = AnyText(random);
    }
  }
  plan.env = AnyEnv(random);
  plan.timeout = AnyDuration(random);
  for (std::uint64_t stage = random.Below(4); stage > 0; --stage) {
    plan.stages.push_back({AnyText(random), AnyPosition(random)});
  }
  for (std::uint64_t spec = random.Below(6); spec > 0; --spec) {
    AddSpec(random, plan);
  }
  return plan;
}

model::Plan PlainPlan(std::size_t jobs) {
  model::Plan plan;
  plan.name = "plain";
  plan.files = {".dayfly/plain.yml"};
  for (std::uint32_t i = 0; i < jobs; ++i) {
    model::JobSpec& spec = plan.specs.emplace_back();
    spec.name = "j" + std::to_string(i);
    spec.at = {0, 3 + 3 * i, 3};
    model::StepSpec& step = spec.steps.emplace_back();
    step.run = {"true", {0, 5 + 3 * i, 14}, false};
    step.argv = {"true"};
    plan.jobs.push_back({model::SpecIndex(i), {}});
  }
  return plan;
}

bool SamePlan(const model::Plan& a, const model::Plan& b) {
  return a.name == b.name && a.files == b.files && a.on == b.on && a.inputs == b.inputs &&
         a.env == b.env && a.timeout == b.timeout && a.stages == b.stages && a.jobs == b.jobs &&
         std::equal(a.specs.begin(), a.specs.end(), b.specs.begin(), b.specs.end(), SameSpec);
}

}  // namespace tests::support

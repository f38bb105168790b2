// SPDX-License-Identifier: Apache-2.0
// Jobs: what happens when their needs have ended, and when they end.
#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/core/job_result.h"
#include "engine/core/job_scope.h"
#include "engine/core/stepper.h"
#include "engine/model/expand.h"
#include "engine/model/variable.h"

namespace engine::core {
namespace {

using base::AsIndex;
using expr::Value;
using model::JobIndex;
using model::ReasonCode;
using model::SpecIndex;
using model::Status;

const expr::Object& ContextsOf(RunState& run) {
  if (run.contexts == nullptr) {
    run.contexts = std::make_unique<expr::Object>(
        RunContexts(run.id(), run.plan(), *run.accepted.context, *run.env));
  }
  return *run.contexts;
}

}  // namespace

JobScope ScopeOf(RunState& run, JobIndex job, bool uses_needs, const expr::StatusView& view) {
  JobScope scope(ContextsOf(run), view);
  const bool is_each = IsEach(model::SpecOf(run.plan(), job));
  scope.Set(is_each ? "matrix" : "each", Value::MakeObject({}));
  scope.Set(is_each ? "each" : "matrix", CellContext(run.plan(), job));
  // `jobs` is another name for it: what a job may read is what it waits for.
  const Value needs = uses_needs ? NeedsContext(run.plan(), NeedResultsOf(run, run.spec_of(job)))
                                 : Value::MakeObject({});
  scope.Set("needs", needs);
  scope.Set("jobs", needs);
  const JobGates* gates = run.job(job).gates();
  if (gates != nullptr && gates->decided.has_value()) {
    scope.Set("approval", ApprovalContext(gates->decided->approval));
  }
  return scope;
}

namespace {

model::Reason SkipReason(const RunState& run, const NeedsOutcome& needs) {
  return {.code = needs.verdict == NeedsVerdict::kFilteredOut ? ReasonCode::kFilteredOut
                                                              : ReasonCode::kNeedNotMet,
          .detail = needs.any_failed ? 1 : 0,
          .subject = run.plan().specs[AsIndex(needs.subject)].name};
}

}  // namespace

ConditionResult EvaluateCondition(RunState& run, JobIndex job, const NeedsOutcome& needs) {
  const SpecProgram& program = run.program->Of(run.spec_of(job));
  if (!program.error.empty()) {
    return {.error = program.error};
  }
  const expr::StatusView view = ViewOf(run, needs);
  if (!program.condition.has_value()) {
    return {.holds = expr::Success(view), .error = {}};
  }
  const JobScope scope = ScopeOf(run, job, program.uses_needs, view);
  const expr::Result<Value> value = program.condition->Evaluate(scope);
  if (!value.ok()) {
    return {.error = fmt::format("if: {}", value.error().message)};
  }
  return {.holds = value.value().Truthy(), .error = {}};
}

base::StatusOr<std::vector<model::NamedValue>> EvaluateJobEnv(RunState& run, JobIndex job) {
  const SpecProgram& program = run.program->Of(run.spec_of(job));
  std::vector<model::NamedValue> env;
  if (!program.error.empty()) {
    return base::InvalidArgument("{}", program.error);
  }
  if (program.env.empty()) {
    return env;
  }
  const expr::StatusView view = ViewOf(run, JudgeNeeds(run, run.spec_of(job)));
  const JobScope scope = ScopeOf(run, job, program.uses_needs, view);
  const model::JobSpec& spec = model::SpecOf(run.plan(), job);
  env.reserve(program.env.size());
  for (const auto& [index, text] : program.env) {
    const expr::Result<std::string> value = text.Render(scope);
    if (!value.ok()) {
      return base::InvalidArgument("env.{}: {}", spec.env[index].name, value.error().message);
    }
    const std::string& name = spec.env[index].name;
    if (name.size() + value.value().size() + 2 > model::kVariableBytesMax) {
      return base::InvalidArgument(
          "env.{} has {} bytes, and no program takes more than {} of it: read the value in `run`",
          name, value.value().size(), model::kVariableBytesMax - name.size() - 2);
    }
    env.push_back({.name = spec.env[index].name, .value = Value::String(value.value()).ToJson()});
  }
  return env;
}

namespace {

/// Of a group or an environment.
constexpr std::size_t kNameBytesMax = 512;
constexpr std::size_t kUrlBytesMax = 4096;

base::Status TooLong(std::string_view key, const std::string& text, std::size_t bytes_max) {
  return base::InvalidArgument("{}: it has {} bytes, the limit is {}", key, text.size(), bytes_max);
}

/// Renders the texts that decide what a job claims.
class ClaimWriter {
 public:
  ClaimWriter(const JobScope& scope, Claims& claims) : scope_(scope), claims_(claims) {}

  base::Status AddGroup(const expr::TemplateText& text, const model::ConcurrencySpec& spec) {
    ASSIGN_OR_RETURN(std::string name, Render("concurrency.group", text));
    return Add({.group = {.kind = model::GroupKind::kJob, .name = std::move(name)},
                .max = spec.max,
                .policy = spec.policy},
               "concurrency.group");
  }
  base::Status AddEnvironment(const expr::TemplateText& name, const expr::TemplateText& url) {
    ASSIGN_OR_RETURN(claims_.environment, Render("environment.name", name));
    ASSIGN_OR_RETURN(claims_.environment_url, Render("environment.url", url));
    if (claims_.environment_url.size() > kUrlBytesMax) {
      return TooLong("environment.url", claims_.environment_url, kUrlBytesMax);
    }
    return Add({.group = {.kind = model::GroupKind::kEnvironment, .name = claims_.environment}},
               "environment.name");
  }

 private:
  base::StatusOr<std::string> Render(std::string_view key, const expr::TemplateText& text) const {
    expr::Result<std::string> value = text.Render(scope_);
    if (!value.ok()) {
      return base::InvalidArgument("{}: {}", key, value.error().message);
    }
    return std::move(value).value();
  }
  // Two of a job's groups that turn out to be the same are one.
  base::Status Add(model::GroupClaim claim, std::string_view key) {
    if (claim.group.name.empty()) {
      return base::InvalidArgument("{}: it is empty", key);
    }
    if (claim.group.name.size() > kNameBytesMax) {
      return TooLong(key, claim.group.name, kNameBytesMax);
    }
    for (model::GroupClaim& known : claims_.groups) {
      if (known.group == claim.group) {
        known.max = std::min(known.max, claim.max);
        return base::OkStatus();
      }
    }
    claims_.groups.push_back(std::move(claim));
    return base::OkStatus();
  }

  const JobScope& scope_;
  Claims& claims_;
};

}  // namespace

base::StatusOr<Claims> EvaluateClaims(RunState& run, JobIndex job) {
  const SpecProgram& program = run.program->Of(run.spec_of(job));
  Claims claims;
  if (!program.error.empty()) {
    return base::InvalidArgument("{}", program.error);
  }
  if (program.groups.empty() && !program.environment.has_value()) {
    return claims;
  }
  const expr::StatusView view = ViewOf(run, JudgeNeeds(run, run.spec_of(job)));
  const JobScope scope = ScopeOf(run, job, program.uses_needs, view);
  const model::RareJobSettings& rare = model::RareOf(model::SpecOf(run.plan(), job));
  ClaimWriter writer(scope, claims);
  for (std::size_t i = 0; i < program.groups.size(); ++i) {
    RETURN_IF_ERROR(writer.AddGroup(program.groups[i], rare.concurrency[i]));
  }
  if (program.environment.has_value()) {
    RETURN_IF_ERROR(writer.AddEnvironment(*program.environment, *program.environment_url));
  }
  return claims;
}

// All needs of `spec` have ended. A matrix goes on until `max_parallel` is reached and is taken up
// again whenever a cell ends.
void Stepper::Evaluate(RunState& run, SpecIndex spec) {
  if (run.phase == RunPhase::kQueued) {
    return;  // It is released again when the run is admitted.
  }
  const NeedsOutcome needs = JudgeNeeds(run, spec);
  if (model::AwaitsValues(run.plan(), run.plan().specs[AsIndex(spec)])) {
    ExpandJob(run, spec, needs);
  }
  const graph::Cells cells = run.graph().CellsOf(spec);
  const NodeState& node = run.node_of(spec);
  while (node.next_cell < cells.count && AdmitsCell(run, spec)) {
    EvaluateCell(run, cells.At(node.next_cell), needs);
  }
}

bool Stepper::AdmitsCell(const RunState& run, SpecIndex spec) const {
  const model::MatrixSpec* matrix = run.plan().specs[AsIndex(spec)].matrix.get();
  return matrix == nullptr || matrix->max_parallel == 0 ||
         run.node_of(spec).active < matrix->max_parallel;
}

void Stepper::EvaluateCell(RunState& run, JobIndex job, const NeedsOutcome& needs) {
  if (MayBegin(run, job, needs)) {
    Begin(run, job);
  }
}

// One that may not has ended.
bool Stepper::MayBegin(RunState& run, JobIndex job, const NeedsOutcome& needs) {
  const model::Condition& condition = model::SpecOf(run.plan(), job).condition;
  if (!MayStillRun(run, job)) {
    EndJob(run, job, Status::kCancelled, {.code = ReasonCode::kRunEnding});
    return false;
  }
  if (!condition.decides_alone && needs.verdict != NeedsVerdict::kMet) {
    EndJob(run, job, Status::kSkipped, SkipReason(run, needs));
    return false;
  }
  ConditionResult result = EvaluateCondition(run, job, needs);
  if (!result.error.empty()) {
    EndJob(run, job, Status::kFailed,
           {.code = ReasonCode::kBadExpression, .subject = std::move(result.error)});
    return false;
  }
  if (!result.holds) {
    EndJob(run, job, Status::kSkipped,
           {.code = ReasonCode::kConditionFalse, .subject = condition.text});
    return false;
  }
  return true;
}

base::Duration QueueTimeoutOf(const model::RareJobSettings& rare) {
  return rare.queue_timeout.count() > 0 ? rare.queue_timeout
                                        : model::DefaultSettings().queue_timeout;
}

void Stepper::ReadyJob(RunState& run, JobIndex job, model::AttemptNumber attempt,
                       bool effect_may_be_done) {
  const ReadyQueue& queue = run.queue_of(run.spec_of(job));
  if (queue.pool->alone > 0 && NothingFits(queue)) {
    return EndJob(run, job, Status::kFailed,
                  {.code = ReasonCode::kNothingFits, .subject = DescribeShortage(state_, queue)});
  }
  auto env = EvaluateJobEnv(run, job);
  if (!env.ok()) {
    return EndJob(
        run, job, Status::kFailed,
        {.code = ReasonCode::kBadExpression, .subject = std::string(base::Message(env.status()))});
  }
  const model::RareJobSettings& rare = model::RareOf(model::SpecOf(run.plan(), job));
  const JobState& state = run.job(job);
  // The wait for room in its groups counts, too.
  const base::Instant deadline = state.phase == JobPhase::kQueued ? state.gates()->queued->deadline
                                                                  : After(QueueTimeoutOf(rare));
  Emit(model::JobReadied{
      .run = run.id(),
      .job = job,
      .attempt = attempt,
      .queue_deadline = deadline,
      .env = *std::move(env),
      .effect_may_be_done =
          effect_may_be_done || (state.detail != nullptr && state.detail->effect_may_be_done)});
}

void Stepper::EndJob(RunState& run, JobIndex job, Status status, model::Reason reason) {
  auto result = std::make_shared<model::JobResult>();
  result->status = status;
  result->reason = std::move(reason);
  EndJob(run, job, std::move(result));
}

void Stepper::EndJob(RunState& run, JobIndex job, std::shared_ptr<const model::JobResult> result) {
  const SpecIndex spec = run.spec_of(job);
  const bool failed = Failed(result->status);
  const bool was_waiting = run.job(job).phase == JobPhase::kWaiting;
  Emit(model::JobEnded{.run = run.id(), .job = job, .result = std::move(result)});
  Touch(run);
  const model::MatrixSpec* matrix = run.plan().specs[AsIndex(spec)].matrix.get();
  if (matrix == nullptr) {
    return;
  }
  if (failed && matrix->fail_fast && run.node_of(spec).failed == 1) {
    FailFast(run, spec, job);
  } else if (matrix->max_parallel != 0 && !was_waiting) {
    consequences_.released.push_back({.run = &run, .spec = spec});
  }
}

// The first failed cell stops the others: those that have not begun are skipped, the rest end
// cancelled.
void Stepper::FailFast(RunState& run, SpecIndex spec, JobIndex failed) {
  const graph::Cells cells = run.graph().CellsOf(spec);
  const model::Reason reason{.code = ReasonCode::kFailFast,
                             .subject = model::JobName(run.plan(), failed)};
  for (std::uint32_t i = 0; i < cells.count; ++i) {
    const JobIndex job = cells.At(i);
    const JobState& state = run.job(job);
    const bool begun = HasBegun(state);
    switch (state.phase) {
      case JobPhase::kWaiting:
      case JobPhase::kDelayed:
      case JobPhase::kAsking:
      case JobPhase::kQueued:
      case JobPhase::kReady:
      case JobPhase::kBackedOff:
        EndJob(run, job, begun ? Status::kCancelled : Status::kSkipped, reason);
        break;
      case JobPhase::kPlaced:
      case JobPhase::kRunning:
        StopAttempt(run, job, false, reason);
        break;
      case JobPhase::kSettling:
      case JobPhase::kEnded:
        break;
    }
  }
}

}  // namespace engine::core

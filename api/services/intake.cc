// SPDX-License-Identifier: Apache-2.0
#include "api/services/intake.h"

#include <utility>
#include <variant>

#include "api/services/archive.h"
#include "dsl/compile.h"
#include "dsl/selection.h"
#include "dsl/values.h"
#include "engine/model/expand.h"
#include "engine/model/uploaded_tree.h"

namespace api::services {

namespace base = engine::base;
namespace loop = engine::loop;
namespace model = engine::model;
namespace ports = engine::ports;

namespace {

constexpr std::size_t kWaitingMax = 1024;

/// What compiling found; without a plan the diagnostics say why.
struct Prepared {
  model::PlanRef plan;
  std::vector<model::NamedValue> inputs;
  std::vector<model::SpecIndex> not_selected;
  std::vector<dsl::Diagnostic> diagnostics;
};

base::StatusOr<Prepared> Prepare(const wire::Submission& submission,
                                 const std::vector<std::string>& pools) {
  dsl::MemorySourceLoader loader;
  for (const auto& [name, text] : submission.included) {
    loader.Add(name, text);
  }
  loader.Add(submission.pipeline_file, submission.pipeline_text);
  dsl::CompileOptions options;
  options.pools = pools;
  dsl::Compiled compiled = dsl::Compile(submission.pipeline_file, loader, options);
  Prepared out;
  out.diagnostics = std::move(compiled.diagnostics);
  if (compiled.plan == nullptr) {
    return out;
  }
  dsl::ResolvedInputs inputs = dsl::ResolveInputs(*compiled.plan, submission.inputs);
  if (auto* problems = std::get_if<std::vector<dsl::Diagnostic>>(&inputs)) {
    std::move(problems->begin(), problems->end(), std::back_inserter(out.diagnostics));
    return out;
  }
  out.inputs = std::get<std::vector<model::NamedValue>>(std::move(inputs));
  ASSIGN_OR_RETURN(out.not_selected, dsl::NotSelected(*compiled.plan, submission.only_jobs));
  out.plan = std::move(compiled.plan);
  return out;
}

bool NeedsSource(const model::Plan& plan) {
  for (const model::JobSpec& spec : plan.specs) {
    if (model::RareOf(spec).checkout.enabled) {
      return true;
    }
  }
  return false;
}

model::RunContext ContextOf(const wire::Submission& submission) {
  model::RunContext context;
  context.event = submission.event;
  context.commit = submission.commit;
  context.branch = submission.branch;
  context.default_branch = submission.default_branch;
  context.tag = submission.tag;
  context.source = submission.repository;
  context.tree = submission.uploaded_tree;
  context.pipeline_file = submission.pipeline_file;
  for (const auto& [name, value] : submission.extra_env) {
    context.extra_env.push_back({.name = name, .value = dsl::JsonString(value)});
  }
  return context;
}

// Who asked, when, and what was drawn for it do not make another request of it.
bool SameContext(model::RunContext a, const model::RunContext& b) {
  a.by = b.by;
  a.seed = b.seed;
  a.workspace = b.workspace;
  return a == b;
}

}  // namespace

bool IsSameRequest(const model::SubmitRun& submit, const model::RunAccepted& first) {
  return submit.digest == first.plan && SameContext(*submit.context, *first.context) &&
         submit.not_selected == first.not_selected && submit.carried == first.carried;
}

Intake::Intake(Seat& seat, IntakeOptions options)
    : seat_(seat), options_(std::move(options)), compiler_("dayfly-compile", kWaitingMax) {}

void Intake::OnEngine(std::function<void(Shard*)> work) {
  seat_.OnEngine([alive = std::weak_ptr<char>(alive_), work = std::move(work)](Shard* shard) {
    if (!alive.expired()) {
      work(shard);
    }
  });
}

void Intake::Submit(wire::Submission submission, std::string by, Done done) {
  auto shared = std::make_shared<wire::Submission>(std::move(submission));
  const base::Status taken =
      compiler_.Do([this, shared, by = std::move(by), done] { Compile(*shared, by, done); });
  if (!taken.ok()) {
    done(taken, {});
  }
}

base::Status Intake::CheckSource(const wire::Submission& submission,
                                 const model::Plan& plan) const {
  if (const auto tree = model::UploadedTree(submission.uploaded_tree); tree.has_value()) {
    return options_.check_tree
               ? options_.check_tree(*tree)
               : base::Unimplemented("source.uploaded_tree: this server takes no uploaded trees");
  }
  return submission.repository.empty() && NeedsSource(plan)
             ? base::InvalidArgument(
                   "source: is missing; only a pipeline whose jobs all say "
                   "`checkout: false` needs none. `dayfly submit` takes it from the remote "
                   "`origin`, from --repo and --commit, or with --upload")
             : base::OkStatus();
}

// On the compiler's thread.
void Intake::Compile(const wire::Submission& submission, const std::string& by, const Done& done) {
  auto prepared = Prepare(submission, options_.pools);
  if (!prepared.ok()) {
    return done(prepared.status(), {});
  }
  if (prepared->plan == nullptr) {
    return done(
        Started{.run = {}, .existed = false, .diagnostics = std::move(prepared->diagnostics)}, {});
  }
  if (const base::Status source = CheckSource(submission, *prepared->plan); !source.ok()) {
    return done(source, {});
  }
  model::RunContext context = ContextOf(submission);
  context.by = by;
  context.inputs = std::move(prepared->inputs);
  context.workspace = options_.workspace;
  context.seed = options_.draw_seed();
  auto order = std::make_shared<Order>();
  order->input.run = options_.draw_run();
  order->input.plan = std::move(prepared->plan);
  order->input.digest = options_.digest_of(*order->input.plan);
  order->input.context = std::make_shared<model::RunContext>(std::move(context));
  order->input.not_selected = std::move(prepared->not_selected);
  order->input.idempotency_key = submission.request_key;
  order->diagnostics = std::move(prepared->diagnostics);
  order->done = done;
  OnEngine([this, order](Shard* shard) { Enter(shard, order); });
}

void Intake::Retry(const FeedRef& first, bool failed_only, std::string request_key, std::string by,
                   Done done) {
  auto order = std::make_shared<Order>();
  model::SubmitRun& input = order->input;
  model::RunContext context = *first->accepted().context;
  context.by = std::move(by);
  context.seed = options_.draw_seed();
  input.run = options_.draw_run();
  input.plan = first->written_plan();
  input.digest = first->accepted().plan;
  input.context = std::make_shared<model::RunContext>(std::move(context));
  input.known_durations = first->accepted().known_durations;
  input.not_selected = first->accepted().not_selected;
  input.idempotency_key = std::move(request_key);
  if (failed_only) {
    model::CarriedOver carried =
        model::CarryOver(*input.plan, *first->plan(), first->results(), first->run());
    input.expanded = std::move(carried.expanded);
    input.carried = std::move(carried.jobs);
    if (carried.all) {
      return done(base::FailedPrecondition("every job of run {} ended well; there is nothing to "
                                           "retry",
                                           model::ToText(first->run())),
                  {});
    }
  }
  order->done = std::move(done);
  OnEngine([this, order](Shard* shard) { Enter(shard, order); });
}

void Intake::Enter(Shard* shard, const OrderRef& order) {
  if (shard == nullptr) {
    return order->done(base::Unavailable("this server does not own the runs"), {});
  }
  const auto [busy, is_first] = busy_.try_emplace(order->input.idempotency_key);
  if (!is_first) {
    busy->second.push_back(order);
    return;
  }
  if (const FeedRef known = shard->feeds->FindKey(order->input.idempotency_key)) {
    return AnswerFirst(order, known->accepted());
  }
  AskArchive(*shard, order);
}

void Intake::AskArchive(Shard& shard, const OrderRef& order) {
  const base::Status asked =
      shard.archive->Do([this, order](ports::RunHistory& history, ports::RunStore&) {
        auto first = std::make_shared<base::StatusOr<std::optional<model::RunAccepted>>>(
            history.FindKey(order->input.idempotency_key));
        OnEngine([this, order, first](Shard* then) {
          if (!first->ok()) {
            Finish(order, first->status());
          } else if (first->value()) {
            AnswerFirst(order, *first->value());
          } else if (then == nullptr) {
            Finish(order, base::Unavailable("this server does not own the runs"));
          } else {
            Post(*then, order);
          }
        });
      });
  if (!asked.ok()) {
    Finish(order, asked);
  }
}

void Intake::Post(Shard& shard, const OrderRef& order) {
  shard.feeds->Expect(order->input.run, order->input.plan);
  const base::Status posted = shard.loop->Post(
      order->input, [this, alive = std::weak_ptr<char>(alive_), order](const loop::Answer& answer) {
        if (!alive.expired()) {
          Answered(order, answer);
        }
      });
  if (!posted.ok()) {
    shard.feeds->Forget(order->input.run);
    Finish(order, posted);
  }
}

void Intake::Answered(const OrderRef& order, const loop::Answer& answer) {
  if (!answer.status.ok()) {
    // The loop is going: whoever sends it again learns from the next owner what became of it.
    return Finish(order,
                  base::Unavailable("the outcome is unknown, ask again with the same key: {}",
                                    base::Message(answer.status)));
  }
  if (answer.refused.empty()) {
    return Finish(order, Started{.run = order->input.run,
                                 .existed = false,
                                 .diagnostics = std::move(order->diagnostics)});
  }
  if (Shard* shard = seat_.shard(); shard != nullptr) {
    shard->feeds->Forget(order->input.run);
  }
  Finish(order, base::InvalidArgument("{}", answer.refused.front().message));
}

void Intake::AnswerFirst(const OrderRef& order, const model::RunAccepted& first) {
  if (IsSameRequest(order->input, first)) {
    return Finish(
        order,
        Started{.run = first.run, .existed = true, .diagnostics = std::move(order->diagnostics)});
  }
  Finish(order,
         base::AlreadyExists("request_key: run {} was started with it, by another request",
                             model::ToText(first.run)),
         KeyTaken{first.run});
}

void Intake::Finish(const OrderRef& order, base::StatusOr<Started> result,
                    std::optional<KeyTaken> taken) {
  order->done(std::move(result), taken);
  auto waiting = busy_.extract(order->input.idempotency_key);
  for (const OrderRef& next : waiting.mapped()) {
    OnEngine([this, next](Shard* shard) { Enter(shard, next); });
  }
}

}  // namespace api::services

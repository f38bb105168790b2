// SPDX-License-Identifier: Apache-2.0
#include "dsl/activation.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "dsl/glob.h"
#include "engine/expr/expression.h"
#include "engine/expr/map_scope.h"
#include "engine/expr/text_case.h"
#include "engine/graph/job_graph.h"

namespace dsl {
namespace {

using engine::base::AsIndex;
using engine::expr::Expression;
using engine::expr::MapScope;
using engine::expr::Object;
using engine::expr::Reference;
using engine::expr::Value;
using engine::model::EventFilter;
using engine::model::JobIndex;
using engine::model::JobSpec;
using engine::model::Need;
using engine::model::NeedOn;
using engine::model::Plan;
using engine::model::SpecIndex;

// ---- on

/// `names` of one kind against a filter and its `_ignore` twin; the reason why not.
std::string Refusal(std::string_view what, const std::string& name,
                    const std::vector<std::string>& taken,
                    const std::vector<std::string>& ignored) {
  if (!taken.empty() && !GlobsMatch(taken, name)) {
    return fmt::format("the {} `{}` matches none of {}", what, name, fmt::join(taken, ", "));
  }
  if (GlobsMatch(ignored, name)) {
    return fmt::format("the {} `{}` is ignored by {}", what, name, fmt::join(ignored, ", "));
  }
  return "";
}

std::string PathRefusal(const EventFilter& filter, const std::vector<std::string>& changed) {
  const auto taken = [&](const std::string& path) { return GlobsMatch(filter.paths, path); };
  if (!filter.paths.empty() && std::none_of(changed.begin(), changed.end(), taken)) {
    return fmt::format("no changed file matches {}", fmt::join(filter.paths, ", "));
  }
  const auto ignored = [&](const std::string& path) {
    return GlobsMatch(filter.paths_ignore, path);
  };
  if (!filter.paths_ignore.empty() && std::all_of(changed.begin(), changed.end(), ignored)) {
    return fmt::format("every changed file is ignored by {}", fmt::join(filter.paths_ignore, ", "));
  }
  return "";
}

/// A push of a tag is no push to a branch: a filter that speaks of branches only leaves it out, and
/// the other way round.
std::string FilterRefusal(const EventFilter& filter, const Event& event) {
  const bool names_branches = !filter.branches.empty() || !filter.branches_ignore.empty();
  const bool names_tags = !filter.tags.empty() || !filter.tags_ignore.empty();
  if (!event.tag.empty()) {
    return names_branches && !names_tags
               ? "a tag was pushed, and only branches are named"
               : Refusal("tag", event.tag, filter.tags, filter.tags_ignore);
  }
  if (names_tags && !names_branches) {
    return "no tag was pushed, and only tags are named";
  }
  if (!event.branch.empty()) {
    std::string refusal = Refusal("branch", event.branch, filter.branches, filter.branches_ignore);
    if (!refusal.empty()) {
      return refusal;
    }
  }
  return event.changed ? PathRefusal(filter, *event.changed) : "";
}

Activity Filtered(std::string_view name, const std::optional<EventFilter>& filter,
                  const Event& event) {
  if (!filter) {
    return {false, fmt::format("`on` does not name `{}`", name)};
  }
  std::string refusal = FilterRefusal(*filter, event);
  const bool active = refusal.empty();
  return {active, active ? "" : fmt::format("on.{}: {}", name, refusal)};
}

Activity Named(std::string_view name, bool there) {
  return {there, there ? "" : fmt::format("`on` does not name `{}`", name)};
}

Activity PushActive(const Plan& plan, const Event& event) {
  // `tag` is the narrower word for a pushed tag, so it decides where it is written.
  if (!event.tag.empty() && plan.on.tag) {
    return Filtered("tag", plan.on.tag, event);
  }
  return Filtered("push", plan.on.push, event);
}

// ---- if

/// What is known before a run, as a scope, and which references it can answer.
class KnownNow {
 public:
  KnownNow(const Plan& plan, const Event& event,
           const std::vector<engine::model::NamedValue>& inputs)
      : event_known_(!event.name.empty()) {
    Object values;
    for (const engine::model::NamedValue& input : inputs) {
      const auto value = Value::FromJson(input.value);
      values.emplace_back(input.name, value.ok() ? *value : Value::String(input.value));
    }
    scope_.Set("inputs", Value::MakeObject(std::move(values)));
    // A branch rules a tag out, and the other way round.
    if (!event.branch.empty() || !event.tag.empty()) {
      scope_.Set("branch", Value::String(event.branch));
      scope_.Set("tag", Value::String(event.tag));
    }
    if (event_known_) {
      scope_.Set("event", Value::MakeObject({{"name", Value::String(event.name)}}));
    }
    AddEnv(plan);
  }

  /// The first context among `references` that only a run knows; empty when all is known.
  std::string FirstUnknown(const std::vector<Reference>& references, bool has_matrix) const {
    for (const Reference& reference : references) {
      if (!Knows(reference, has_matrix)) {
        return reference.path[0];
      }
    }
    return "";
  }
  const MapScope& scope() const { return scope_; }

 private:
  bool Knows(const Reference& reference, bool has_matrix) const {
    const auto is = [&](std::size_t part, std::string_view name) {
      return reference.path.size() > part &&
             engine::expr::EqualIgnoringCase(reference.path[part], name);
    };
    if (is(0, "matrix")) {
      return has_matrix;
    }
    if (is(0, "event")) {
      return event_known_ && is(1, "name");
    }
    if (is(0, "env")) {
      const Value* env = scope_.Context("env");
      return env != nullptr && reference.path.size() > 1 && env->Find(reference.path[1]) != nullptr;
    }
    return scope_.Context(reference.path[0]) != nullptr;
  }

  void AddEnv(const Plan& plan) {
    Object env;
    for (const engine::model::EnvVar& variable : plan.env) {
      if (!variable.value.has_expression) {
        env.emplace_back(variable.name, Value::String(variable.value.text));
        continue;
      }
      const auto text = engine::expr::TemplateText::Parse(variable.value.text);
      if (text.ok() && FirstUnknown(text.value().References(), false).empty()) {
        const auto value = text.value().Render(scope_);
        if (value.ok()) {
          env.emplace_back(variable.name, Value::String(value.value()));
        }
      }
    }
    scope_.Set("env", Value::MakeObject(std::move(env)));
  }

  MapScope scope_;
  bool event_known_;
};

/// How the needs of a job may have ended.
struct Outcome {
  bool success;
  bool failure;
  bool cancelled;
};
constexpr std::array<Outcome, 3> kOutcomes = {
    {{true, false, false}, {false, true, false}, {false, false, true}}};

void SetOutcome(const Outcome& outcome, MapScope& scope) {
  const auto constant = [&](std::string_view name, bool value) {
    scope.SetFunction(std::string(name), [value](std::span<const Value>) {
      return engine::expr::Result<Value>(Value::Boolean(value));
    });
  };
  constant("success", outcome.success);
  constant("failure", outcome.failure);
  constant("cancelled", outcome.cancelled);
  constant("always", true);
}

Value MatrixOf(const Plan& plan, JobIndex job) {
  const engine::model::PlannedJob& planned = plan.jobs[AsIndex(job)];
  const engine::model::MatrixSpec& matrix = *plan.specs[AsIndex(planned.spec)].matrix;
  Object values;
  for (std::size_t i = 0; i < matrix.keys.size(); ++i) {
    const auto value = Value::FromJson(planned.cell[i]);
    if (value.ok()) {
      values.emplace_back(matrix.keys[i], *value);
    }
  }
  return Value::MakeObject(std::move(values));
}

/// An `if` that is asked of one job, or of each cell of a matrix.
class ConditionCheck {
 public:
  ConditionCheck(const JobSpec& spec, const KnownNow& known) : spec_(spec), scope_(known.scope()) {
    auto parsed = Expression::Parse(spec.condition.text);
    if (!parsed.ok()) {
      undecided_ = "`if` cannot be read";
      return;
    }
    expression_ = std::move(parsed).value();
    const std::vector<Reference> references = expression_.References();
    const std::string unknown = known.FirstUnknown(references, spec.matrix != nullptr);
    if (!unknown.empty()) {
      undecided_ = fmt::format("decided in the run: `if` reads `{}`", unknown);
    }
    per_cell_ = std::any_of(references.begin(), references.end(), [](const Reference& reference) {
      return engine::expr::EqualIgnoringCase(reference.path[0], "matrix");
    });
  }

  Activity Of(const Plan& plan, JobIndex job) {
    if (!undecided_.empty()) {
      return {true, undecided_};
    }
    if (!per_cell_ && asked_) {
      return last_;
    }
    if (spec_.matrix != nullptr) {
      scope_.Set("matrix", MatrixOf(plan, job));
    }
    last_ = Ask();
    asked_ = true;
    return last_;
  }

 private:
  /// One that decides alone is asked for every way the needs may end; another only runs when they
  /// ended well.
  Activity Ask() {
    const std::size_t ways = spec_.condition.decides_alone ? kOutcomes.size() : 1;
    std::size_t yes = 0;
    for (std::size_t way = 0; way < ways; ++way) {
      SetOutcome(kOutcomes[way], scope_);
      const auto value = expression_.Evaluate(scope_);
      if (!value.ok()) {
        return {true, fmt::format("decided in the run: {}", value.error().message)};
      }
      yes += value.value().Truthy() ? 1 : 0;
    }
    if (yes == 0) {
      return {false, fmt::format("`if` is false: {}", spec_.condition.text)};
    }
    return {true, yes == ways ? "" : "decided in the run: `if` asks how the needs ended"};
  }

  const JobSpec& spec_;
  MapScope scope_;
  Expression expression_;
  std::string undecided_;
  bool per_cell_ = false;
  bool asked_ = false;
  Activity last_;
};

// ---- needs

/// A skipped job ended well, so only who waits for its failure waits in vain.
std::string VainNeed(const Plan& plan, const JobSpec& spec, const std::vector<bool>& all_skipped) {
  for (const Need& need : spec.needs) {
    if (need.on == NeedOn::kFailure && all_skipped[AsIndex(need.spec)]) {
      return fmt::format("needs the failure of `{}`, which does not run",
                         plan.specs[AsIndex(need.spec)].name);
    }
  }
  return "";
}

class ActivityFinder {
 public:
  ActivityFinder(const Plan& plan, const engine::graph::JobGraph& graph, const KnownNow& known)
      : plan_(plan),
        graph_(graph),
        known_(known),
        all_skipped_(plan.specs.size(), false),
        activities_(plan.jobs.size()) {}

  std::vector<Activity> Run() {
    for (const engine::graph::NodeIndex node : graph_.Order()) {
      if (graph_.IsSpec(node)) {
        Visit(graph_.SpecAt(node));
      }
    }
    return std::move(activities_);
  }

 private:
  void Visit(SpecIndex index) {
    const JobSpec& spec = plan_.specs[AsIndex(index)];
    const engine::graph::Cells cells = graph_.CellsOf(index);
    const std::string vain =
        spec.condition.decides_alone ? "" : VainNeed(plan_, spec, all_skipped_);
    std::optional<ConditionCheck> check;
    if (!spec.condition.text.empty()) {
      check.emplace(spec, known_);
    }
    bool all_skipped = true;
    for (std::uint32_t i = 0; i < cells.count; ++i) {
      const JobIndex job = cells.At(i);
      Activity& activity = activities_[AsIndex(job)];
      activity = !vain.empty() ? Activity{false, vain} : check ? check->Of(plan_, job) : Activity();
      if (activity.active && activity.reason.empty() && spec.matrix && spec.matrix->each) {
        activity.reason =
            fmt::format("one for each value of {}, known in the run", spec.matrix->each->list);
      }
      all_skipped = all_skipped && !activity.active;
    }
    all_skipped_[AsIndex(index)] = all_skipped;
  }

  const Plan& plan_;
  const engine::graph::JobGraph& graph_;
  const KnownNow& known_;
  std::vector<bool> all_skipped_;
  std::vector<Activity> activities_;
};

}  // namespace

Activity PipelineActive(const Plan& plan, const Event& event) {
  if (event.name.empty()) {
    return {};
  }
  if (event.name == "push") {
    return PushActive(plan, event);
  }
  if (event.name == "pull_request") {
    return Filtered("pull_request", plan.on.pull_request, event);
  }
  if (event.name == "tag") {
    return plan.on.tag ? Filtered("tag", plan.on.tag, event) : PushActive(plan, event);
  }
  if (event.name == "schedule") {
    return Named("schedule", !plan.on.schedule.empty());
  }
  if (event.name == "manual") {
    return Named("manual", plan.on.manual);
  }
  if (event.name == "webhook") {
    return Named("webhook", plan.on.webhook);
  }
  if (event.name == "run") {
    return Named("run", !plan.on.run.empty());
  }
  return {false, fmt::format("there is no event `{}`", event.name)};
}

std::vector<Activity> JobActivities(const Plan& plan, const Event& event,
                                    const std::vector<engine::model::NamedValue>& inputs) {
  const Activity pipeline = PipelineActive(plan, event);
  if (!pipeline.active) {
    return std::vector<Activity>(plan.jobs.size(), pipeline);
  }
  const auto graph = engine::graph::JobGraph::Build(plan);
  if (!graph.ok()) {
    return std::vector<Activity>(plan.jobs.size());
  }
  const KnownNow known(plan, event, inputs);
  return ActivityFinder(plan, **graph, known).Run();
}

}  // namespace dsl

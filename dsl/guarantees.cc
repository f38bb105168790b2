// SPDX-License-Identifier: Apache-2.0
// What can be promised before anything runs: needs that can never be met, outputs that never exist,
// attempts that do not fit into the time there is, secrets within reach of strangers.
#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "dsl/activation.h"
#include "dsl/compilation.h"
#include "engine/base/did_you_mean.h"
#include "engine/expr/expression.h"

namespace dsl {
namespace {

using engine::base::AsIndex;
using engine::base::Duration;
using engine::model::JobSpec;
using engine::model::Need;
using engine::model::NeedOn;
using engine::model::Plan;
using engine::model::RareOf;
using engine::model::RetrySpec;
using engine::model::SpecIndex;

// ---- needs

/// Finds jobs that never run, because a need of theirs can never be met; and what follows from it.
class NeverRuns {
 public:
  explicit NeverRuns(Compilation& compilation)
      : compilation_(compilation), never_(compilation.plan.specs.size(), false) {}

  void Find() {
    for (std::uint32_t i = 0; i < never_.size(); ++i) {
      if (IsBlocked(SpecIndex(i))) {
        never_[i] = true;
        open_.emplace_back(i);
      }
    }
    if (!open_.empty()) {
      Spread();
    }
  }
  /// Why the job never runs; empty when it may.
  std::string_view ReasonOf(SpecIndex spec) const {
    if (never_[AsIndex(spec)]) {
      return "a need of its own can never be met";
    }
    return SpecAt(spec).condition.text == "false" ? "its `if` is false" : "";
  }

 private:
  const JobSpec& SpecAt(SpecIndex spec) const { return compilation_.plan.specs[AsIndex(spec)]; }

  /// Why that end of the target never comes; empty when it may.
  std::string_view FaultOf(const Need& need) const {
    const JobSpec& target = SpecAt(need.spec);
    if (need.on == NeedOn::kEnd) {
      return "";
    }
    if (never_[AsIndex(need.spec)]) {
      return "never runs: a need of its own can never be met";
    }
    if (need.on == NeedOn::kSuccess) {
      return "";  // skipped by its own `if` counts as well
    }
    return RareOf(target).allow_failure.any   ? "never fails: `allow_failure` makes it a warning"
           : target.condition.text == "false" ? "never fails: its `if` is false"
                                              : "";
  }

  bool IsBlocked(SpecIndex index) {
    const JobSpec& spec = SpecAt(index);
    if (spec.condition.decides_alone) {
      return false;
    }
    bool blocked = false;
    for (const Need& need : spec.needs) {
      const std::string_view fault = FaultOf(need);
      if (!fault.empty()) {
        compilation_.reporter.Warning(
            "need-never-met", PlaceOfNeed(index, need.spec, compilation_),
            fmt::format("`{}` {}; so this job never runs", SpecAt(need.spec).name, fault));
        blocked = true;
      }
    }
    return blocked;
  }

  /// From each job that never runs to those that need it; each is looked at again once for every
  /// such need.
  void Spread() {
    std::vector<std::vector<SpecIndex>> users(never_.size());
    for (std::uint32_t i = 0; i < never_.size(); ++i) {
      for (const Need& need : SpecAt(SpecIndex(i)).needs) {
        users[AsIndex(need.spec)].emplace_back(i);
      }
    }
    while (!open_.empty()) {
      const SpecIndex blocked = open_.back();
      open_.pop_back();
      for (const SpecIndex user : users[AsIndex(blocked)]) {
        if (!never_[AsIndex(user)] && IsBlocked(user)) {
          never_[AsIndex(user)] = true;
          open_.push_back(user);
        }
      }
    }
  }

  Compilation& compilation_;
  std::vector<bool> never_;
  std::vector<SpecIndex> open_;
};

void CheckOutputsExist(const NeverRuns& never, Compilation& compilation) {
  for (const OutputUse& use : compilation.output_uses) {
    const std::string_view reason = never.ReasonOf(use.need);
    if (!reason.empty()) {
      compilation.reporter.Warning(
          "output-never-set", use.place,
          fmt::format("`{}` never runs ({}), so its output `{}` is always empty",
                      compilation.plan.specs[AsIndex(use.need)].name, reason, use.output));
    }
  }
}

// ---- time

/// All pauses before further attempts, without jitter.
Duration PausesOf(const RetrySpec& retry) {
  double pause = static_cast<double>(retry.initial.count());
  double sum = 0;
  for (std::uint32_t i = 0; i < retry.max; ++i) {
    sum += std::min(pause, static_cast<double>(retry.longest.count()));
    pause *= retry.factor;
  }
  return Duration(std::isfinite(sum) && sum < 1e18 ? static_cast<std::int64_t>(sum)
                                                   : std::int64_t{1} << 60);
}

void CheckRetries(SpecIndex index, Compilation& compilation) {
  const Plan& plan = compilation.plan;
  const JobSpec& spec = plan.specs[AsIndex(index)];
  const engine::model::Defaults& defaults = engine::model::DefaultSettings();
  const Duration run = plan.timeout.count() > 0 ? plan.timeout : defaults.run_timeout;
  const Duration job = spec.timeout.count() > 0 ? spec.timeout : defaults.job_timeout;
  const RetrySpec& retry = RareOf(spec).retry;
  const std::int64_t attempts = std::int64_t{retry.max} + 1;
  const Duration pauses = PausesOf(retry);
  if (attempts == 1 || (pauses < run && job.count() <= (run - pauses).count() / attempts)) {
    return;
  }
  compilation.reporter
      .Warning("retries-do-not-fit", compilation.jobs[AsIndex(index)].key.place(),
               fmt::format("{} attempts of {} each, with pauses of {} in all, do not fit into the "
                           "run's {}",
                           attempts, engine::base::FormatDuration(job),
                           engine::base::FormatDuration(pauses), engine::base::FormatDuration(run)))
      .hint = "set a shorter `timeout` for the job, or a longer one for the run";
}

// ---- secrets

/// Reads something of the event besides its name: who can tell whether that keeps strangers out.
bool AsksTheEvent(const engine::model::Condition& condition) {
  const auto parsed = engine::expr::Expression::Parse(condition.text);
  if (!parsed.ok()) {
    return false;
  }
  const std::vector<engine::expr::Reference> references = parsed.value().References();
  return std::any_of(references.begin(), references.end(), [](const auto& reference) {
    return reference.path[0] == "event" &&
           (reference.path.size() < 2 || reference.path[1] != "name");
  });
}

/// Which jobs a pull request may set in motion.
std::vector<bool> ReachedByPullRequest(const Plan& plan) {
  const ResolvedInputs resolved = ResolveInputs(plan, {});
  const auto* inputs = std::get_if<std::vector<engine::model::NamedValue>>(&resolved);
  Event event;
  event.name = "pull_request";
  const std::vector<Activity> activities = JobActivities(
      plan, event, inputs == nullptr ? std::vector<engine::model::NamedValue>() : *inputs);
  std::vector<bool> reached(plan.specs.size(), false);
  for (std::size_t i = 0; i < activities.size(); ++i) {
    const std::size_t spec = AsIndex(plan.jobs[i].spec);
    reached[spec] = reached[spec] || activities[i].active;
  }
  return reached;
}

/// Anybody can open a pull request, with steps of their own.
void CheckSecrets(Compilation& compilation) {
  const Plan& plan = compilation.plan;
  // With errors the plan is not whole; what is missing might decide.
  if (compilation.secret_uses.empty() || !plan.on.pull_request ||
      compilation.reporter.has_errors()) {
    return;
  }
  const std::vector<bool> reached = ReachedByPullRequest(plan);
  for (const SecretUse& use : compilation.secret_uses) {
    const JobSpec& job = plan.specs[AsIndex(use.user)];
    if (!reached[AsIndex(use.user)] || AsksTheEvent(job.condition)) {
      continue;
    }
    compilation.reporter
        .Warning("secret-in-pull-request", use.place,
                 fmt::format(
                     "a pull request of anybody starts `{}`, which reads {}", job.name,
                     use.secret.empty() ? "secrets" : fmt::format("the secret `{}`", use.secret)))
        .hint =
        "give the job `if: ${{ event.name != 'pull_request' }}`, or list the events in `on` "
        "without `pull_request`";
  }
}

/// A job that lists its secrets reads no others.
void CheckListedSecrets(Compilation& compilation) {
  for (const SecretUse& use : compilation.secret_uses) {
    const auto listed = compilation.secrets_listed.find(use.user);
    if (listed == compilation.secrets_listed.end() || use.secret.empty() ||
        std::find(listed->second.begin(), listed->second.end(), use.secret) !=
            listed->second.end()) {
      continue;
    }
    Diagnostic& diagnostic = compilation.reporter.Error(
        "secret-not-listed", use.place,
        fmt::format("the job's `secrets` does not list `{}`", use.secret));
    diagnostic.hint = engine::base::DidYouMean(use.secret, listed->second);
    if (diagnostic.hint.empty()) {
      diagnostic.hint = fmt::format("add it: `secrets: [{}]`", use.secret);
    }
  }
}

}  // namespace

void CheckGuarantees(Compilation& compilation) {
  NeverRuns never(compilation);
  never.Find();
  CheckOutputsExist(never, compilation);
  for (std::uint32_t i = 0; i < compilation.plan.specs.size(); ++i) {
    CheckRetries(SpecIndex(i), compilation);
  }
  CheckListedSecrets(compilation);
  CheckSecrets(compilation);
}

}  // namespace dsl

// SPDX-License-Identifier: Apache-2.0
// What can only be said once all jobs are there: order, cycles, outputs and artifacts of others.
#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "dsl/compilation.h"
#include "dsl/values.h"
#include "engine/base/did_you_mean.h"
#include "engine/expr/text_case.h"
#include "engine/graph/job_graph.h"

namespace dsl {
namespace {

using engine::base::AsIndex;
using engine::model::JobSpec;
using engine::model::kNoStage;
using engine::model::Need;
using engine::model::Plan;
using engine::model::RareJobSettings;
using engine::model::RareOf;
using engine::model::SpecIndex;

/// Independent cycles that are shown.
constexpr int kCyclesMax = 20;

std::string_view NameOf(const Compilation& compilation, SpecIndex spec) {
  return compilation.jobs[AsIndex(spec)].key.text();
}

void CheckCount(Compilation& compilation) {
  const std::uint64_t count = compilation.plan.jobs.size() + compilation.jobs_beyond;
  if (count > compilation.options.jobs_max) {
    const Entry& last = compilation.jobs[AsIndex(compilation.plan.jobs.back().spec)];
    compilation.reporter
        .Error("too-many-jobs", last.key.place(),
               fmt::format("the pipeline has {} jobs; a run holds at most {}", count,
                           compilation.options.jobs_max))
        .hint = "a matrix counts with all its cells";
  }
}

void CheckStages(Compilation& compilation) {
  std::vector<bool> used(compilation.plan.stages.size(), false);
  for (const JobSpec& spec : compilation.plan.specs) {
    if (spec.stage != kNoStage) {
      used[spec.stage] = true;
    }
  }
  // A job of which a part is not there may belong to any.
  const bool is_known = compilation.jobs_lacking.empty();
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!used[i] && is_known) {
      compilation.ReporterOfLack().Warning(
          "empty-stage", compilation.stage_nodes[i].place(),
          fmt::format("no job belongs to the stage `{}`", compilation.plan.stages[i].name));
    }
  }
}

void CheckNeedStage(SpecIndex index, const Need& need, Compilation& compilation) {
  const Plan& plan = compilation.plan;
  const JobSpec& spec = plan.specs[AsIndex(index)];
  const JobSpec& target = plan.specs[AsIndex(need.spec)];
  if (spec.stage == kNoStage || target.stage == kNoStage || target.stage <= spec.stage) {
    return;
  }
  compilation.reporter
      .Error("need-later-stage", PlaceOfNeed(index, need.spec, compilation),
             fmt::format("`{}` is in the stage `{}`, which comes after `{}`", target.name,
                         plan.stages[target.stage].name, plan.stages[spec.stage].name))
      .hint = "a job can need jobs of its own and of earlier stages";
}

bool MayUpload(const RareJobSettings& rare, const std::string& name) {
  return std::any_of(rare.uploads.begin(), rare.uploads.end(), [&](const auto& upload) {
    return upload.name == name || upload.name.find("${{") != std::string::npos;
  });
}

/// Adds `name` to what a need receives.
void Receive(JobSpec& spec, Need& need, const std::string& name) {
  if (need.artifacts == 1) {
    return;  // all of them
  }
  if (spec.rare == nullptr) {
    spec.rare = std::make_unique<RareJobSettings>();
  }
  std::vector<std::vector<std::string>>& lists = spec.rare->need_artifacts;
  if (need.artifacts == 0) {
    lists.emplace_back();
    need.artifacts = static_cast<std::uint16_t>(lists.size() + 1);
  }
  std::vector<std::string>& names = lists[need.artifacts - 2U];
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    names.push_back(name);
  }
}

/// Silent when it may be uploaded by what is not known: a need that is no job, or lacks a part.
Reporter& ReporterOfDownload(SpecIndex user, Compilation& compilation) {
  const std::vector<Need>& needs = compilation.plan.specs[AsIndex(user)].needs;
  const bool may_be_uploaded =
      compilation.MayHaveMore(user) || compilation.needs_unknown.contains(user) ||
      std::ranges::any_of(needs,
                          [&](const Need& need) { return compilation.MayHaveMore(need.spec); });
  return may_be_uploaded ? compilation.unheard : compilation.reporter;
}

/// A need that says for certain what it uploads goes before one whose names hold expressions.
void ResolveDownload(const DownloadUse& use, Compilation& compilation) {
  const std::optional<std::string> name = ReadText(use.name, "download", compilation.reporter);
  if (!name) {
    return;
  }
  JobSpec& spec = compilation.plan.specs[AsIndex(use.user)];
  std::vector<std::string> known;
  Need* perhaps = nullptr;
  bool received = false;
  for (Need& need : spec.needs) {
    const RareJobSettings& rare = RareOf(compilation.plan.specs[AsIndex(need.spec)]);
    for (const engine::model::ArtifactUpload& upload : rare.uploads) {
      known.push_back(upload.name);
      const bool is_template = upload.name.find("${{") != std::string::npos;
      perhaps = is_template && perhaps == nullptr ? &need : perhaps;
      if (upload.name == *name) {
        Receive(spec, need, *name);
        received = true;
      }
    }
  }
  if (!received && perhaps != nullptr) {
    Receive(spec, *perhaps, *name);
  } else if (!received) {
    Diagnostic& diagnostic =
        ReporterOfDownload(use.user, compilation)
            .Error("unknown-artifact", use.name.place(),
                   fmt::format("none of the jobs that `{}` needs uploads `{}`", spec.name, *name));
    diagnostic.hint = engine::base::DidYouMean(*name, known);
    if (diagnostic.hint.empty() && spec.needs.empty()) {
      diagnostic.hint = "name the job that uploads it under `needs`";
    }
  }
}

void CheckNeedArtifacts(SpecIndex index, const Need& need, Compilation& compilation) {
  if (need.artifacts == 0) {
    return;
  }
  const JobSpec& spec = compilation.plan.specs[AsIndex(index)];
  const JobSpec& target = compilation.plan.specs[AsIndex(need.spec)];
  const RareJobSettings& rare = RareOf(target);
  Reporter& lack_reporter = compilation.ReporterOfLack(need.spec);
  if (rare.uploads.empty()) {
    lack_reporter
        .Error("no-artifacts", PlaceOfNeed(index, need.spec, compilation),
               fmt::format("`{}` uploads no artifacts", target.name))
        .hint = fmt::format("add `artifacts: {{ upload: [...] }}` to `{}`", target.name);
    return;
  }
  if (need.artifacts < 2) {
    return;
  }
  for (const std::string& name : RareOf(spec).need_artifacts[need.artifacts - 2U]) {
    if (MayUpload(rare, name)) {
      continue;
    }
    std::vector<std::string> known;
    for (const engine::model::ArtifactUpload& upload : rare.uploads) {
      known.push_back(upload.name);
    }
    lack_reporter
        .Error("unknown-artifact", PlaceOfNeed(index, need.spec, compilation),
               fmt::format("`{}` uploads no artifact `{}`", target.name, name))
        .hint = engine::base::DidYouMean(name, known);
  }
}

constexpr std::size_t kCycleNamesMax = 12;

/// `a → b → a`; of a long one the beginning and the end.
std::string CycleText(std::vector<std::string> names) {
  if (names.size() > kCycleNamesMax) {
    const std::size_t kept = kCycleNamesMax / 2;
    const std::size_t left_out = names.size() - 2 * kept;
    names.erase(names.begin() + kept, names.end() - kept);
    names.insert(names.begin() + kept, fmt::format("({} more)", left_out));
  }
  return fmt::format("{}", fmt::join(names, " → "));
}

/// Shows each cycle that shares no need with one shown before.
void CheckCycles(Compilation& compilation) {
  Plan& plan = compilation.plan;
  for (int shown = 0; shown < kCyclesMax; ++shown) {
    const std::vector<SpecIndex> cycle = engine::graph::FindCycle(plan);
    if (cycle.size() < 2) {
      return;
    }
    std::vector<std::string> names;
    for (const SpecIndex spec : cycle) {
      names.emplace_back(NameOf(compilation, spec));
    }
    // Some edge of it was written; that one is shown and taken out, to see whether there are more.
    bool cut = false;
    for (std::size_t i = 0; i + 1 < cycle.size() && !cut; ++i) {
      std::vector<Need>& needs = plan.specs[AsIndex(cycle[i])].needs;
      const auto edge = std::find_if(needs.begin(), needs.end(),
                                     [&](const Need& need) { return need.spec == cycle[i + 1]; });
      if (edge == needs.end()) {
        continue;
      }
      compilation.reporter.Error(
          "cycle", PlaceOfNeed(cycle[i], cycle[i + 1], compilation),
          fmt::format("these jobs wait for each other: {}", CycleText(std::move(names))));
      needs.erase(edge);
      cut = true;
    }
    if (!cut) {
      return;
    }
  }
}

void CheckOutputs(Compilation& compilation) {
  for (const OutputUse& use : compilation.output_uses) {
    std::vector<std::string> known;
    const JobSpec& job = compilation.plan.specs[AsIndex(use.need)];
    for (const engine::model::EnvVar& output : RareOf(job).outputs) {
      known.push_back(output.name);
    }
    if (std::find(known.begin(), known.end(), use.output) != known.end()) {
      continue;
    }
    Diagnostic& diagnostic = compilation.ReporterOfLack(use.need).Error(
        "unknown-output", use.place,
        fmt::format("the job `{}` has no output `{}`", job.name, use.output));
    diagnostic.hint = engine::base::DidYouMean(use.output, known);
    if (diagnostic.hint.empty()) {
      diagnostic.hint = fmt::format("add it: `outputs: {{ {}: ${{{{ steps.ID.outputs.{} }}}} }}`",
                                    use.output, use.output);
    }
  }
}

// What the engine reads is named at the job that makes it, which need not know its readers.
void MarkEngineOutputs(Compilation& compilation) {
  for (const EngineUse& use : compilation.engine_uses) {
    JobSpec& job = compilation.plan.specs[AsIndex(use.need)];
    if (job.rare == nullptr) {
      continue;
    }
    for (const engine::model::EnvVar& output : job.rare->outputs) {
      if (use.output.empty() || engine::expr::EqualIgnoringCase(use.output, output.name)) {
        job.rare->engine_outputs.push_back(output.name);
      }
    }
  }
  for (JobSpec& job : compilation.plan.specs) {
    if (job.rare != nullptr) {
      std::vector<std::string>& names = job.rare->engine_outputs;
      std::ranges::sort(names);
      names.erase(std::unique(names.begin(), names.end()), names.end());
    }
  }
}

/// Everything that has ended for certain before `user` begins.
std::vector<bool> AncestorsOf(const Plan& plan, SpecIndex user) {
  std::vector<bool> seen(plan.specs.size(), false);
  std::vector<SpecIndex> open = {user};
  std::uint32_t stage_seen = 0;  // stages below this one are done
  const auto visit = [&](SpecIndex spec) {
    if (!seen[AsIndex(spec)]) {
      seen[AsIndex(spec)] = true;
      open.push_back(spec);
    }
  };
  while (!open.empty()) {
    const JobSpec& spec = plan.specs[AsIndex(open.back())];
    open.pop_back();
    for (const Need& need : spec.needs) {
      visit(need.spec);
    }
    if (spec.has_needs || spec.stage == kNoStage || spec.stage <= stage_seen) {
      continue;
    }
    stage_seen = spec.stage;
    for (std::uint32_t i = 0; i < plan.specs.size(); ++i) {
      if (plan.specs[i].stage < spec.stage) {
        visit(SpecIndex(i));
      }
    }
  }
  return seen;
}

void CheckJobUses(Compilation& compilation) {
  std::vector<bool> ended;
  SpecIndex user;
  for (const JobUse& use : compilation.job_uses) {
    if (ended.empty() || use.user != user) {
      ended = AncestorsOf(compilation.plan, use.user);
      user = use.user;
    }
    if (!ended[AsIndex(use.job)] || use.job == use.user) {
      compilation.ReporterOfLack(use.user)
          .Error("job-not-yet-ended", use.place,
                 fmt::format("`{}` need not have ended when this is read",
                             NameOf(compilation, use.job)))
          .hint = fmt::format("add `{}` to the `needs` of this job", NameOf(compilation, use.job));
    }
  }
}

}  // namespace

void CheckPlan(Compilation& compilation) {
  CheckCount(compilation);
  CheckStages(compilation);
  for (const DownloadUse& use : compilation.downloads) {
    ResolveDownload(use, compilation);
  }
  for (std::uint32_t i = 0; i < compilation.plan.specs.size(); ++i) {
    for (const Need& need : compilation.plan.specs[i].needs) {
      CheckNeedStage(SpecIndex(i), need, compilation);
      CheckNeedArtifacts(SpecIndex(i), need, compilation);
    }
  }
  ResolveNeedCells(compilation);
  CheckOutputs(compilation);
  MarkEngineOutputs(compilation);
  CheckJobUses(compilation);
  CheckCycles(compilation);
}

}  // namespace dsl

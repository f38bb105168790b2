// SPDX-License-Identifier: Apache-2.0
// `needs`: the jobs a job waits for.
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "dsl/compilation.h"
#include "dsl/values.h"
#include "engine/base/did_you_mean.h"

namespace dsl {
namespace {

using engine::base::AsIndex;
using engine::model::JobSpec;
using engine::model::Need;
using engine::model::NeedOn;
using engine::model::RareJobSettings;
using engine::model::SpecIndex;

constexpr std::array<std::string_view, 3> kOn = {"success", "failure", "end"};
constexpr std::size_t kArtifactListsMax = 60'000;

std::string NearestJob(std::string_view name, const Compilation& compilation) {
  std::vector<std::string_view> known;
  known.reserve(compilation.jobs.size());
  for (const Entry& job : compilation.jobs) {
    known.push_back(job.key.text());
  }
  return engine::base::DidYouMean(name, known);
}

/// `artifacts: true`, `false`, a name or a list of names.
std::uint16_t ReadArtifacts(NodeRef node, JobSpec& spec, Compilation& compilation) {
  if (!node) {
    return 0;
  }
  if (node.is_scalar() && node.plain() && (node.text() == "true" || node.text() == "false")) {
    return node.text() == "true" ? 1 : 0;
  }
  std::vector<std::string> names = ReadTexts(node, "artifacts", compilation.reporter);
  if (names.empty()) {
    return 0;
  }
  if (spec.rare == nullptr) {
    spec.rare = std::make_unique<RareJobSettings>();
  }
  std::vector<std::vector<std::string>>& lists = spec.rare->need_artifacts;
  if (lists.size() >= kArtifactListsMax) {
    compilation.reporter.Error(
        "out-of-range", node.place(),
        fmt::format("at most {} needs can name artifacts", kArtifactListsMax));
    return 0;
  }
  lists.push_back(std::move(names));
  return static_cast<std::uint16_t>(lists.size() + 1);
}

class NeedsReader {
 public:
  NeedsReader(SpecIndex self, JobSpec& spec, Compilation& compilation)
      : self_(self), spec_(spec), compilation_(compilation) {}

  void Read(NodeRef item) {
    if (item.is_scalar()) {
      Add(item, Need());
    } else if (item.is_map()) {
      ReadMap(item);
    } else {
      compilation_.reporter
          .Error("wrong-type", item.place(),
                 fmt::format("a need is a job's name or a map, not {}", Describe(item.kind())))
          .hint = "for example `- build` or `- { job: build, on: end }`";
    }
  }

 private:
  void ReadMap(NodeRef item) {
    const Fields fields = compilation_.Check(item, Level::kNeed);
    Need need;
    const auto on = ReadWord(fields.Get("on"), "on", kOn, compilation_.reporter);
    need.on = static_cast<NeedOn>(on.value_or(0));
    need.optional =
        ReadBoolean(fields.Get("optional"), "optional", compilation_.reporter).value_or(false);
    need.artifacts = ReadArtifacts(fields.Get("artifacts"), spec_, compilation_);
    if (const NodeRef job = fields.Get("job")) {
      Add(job, need, fields.Get("cell"));
    } else if (fields.Lacks("job")) {
      compilation_.reporter.Error("missing-key", item.place(), "a need does not say which `job`");
    }
  }

  void Add(NodeRef name, Need need, NodeRef cell = NodeRef()) {
    const auto found = compilation_.specs_by_name.find(name.text());
    if (found == compilation_.specs_by_name.end()) {
      ReportUnknown(name, need.optional);
      return;
    }
    need.spec = found->second;
    if (need.spec == self_) {
      compilation_.reporter.Error("cycle", name.place(),
                                  fmt::format("the job `{}` needs itself", name.text()));
      return;
    }
    if (IsRepeated(need.spec)) {
      compilation_.reporter.Error("duplicate-need", name.place(),
                                  fmt::format("the job `{}` is needed twice", name.text()));
      return;
    }
    if (cell) {
      compilation_.cell_uses.push_back({self_, spec_.needs.size(), cell});
    }
    spec_.needs.push_back(need);
  }

  /// Few needs are compared, many looked up.
  bool IsRepeated(SpecIndex target) {
    constexpr std::size_t kFew = 16;
    if (spec_.needs.size() < kFew) {
      return std::any_of(spec_.needs.begin(), spec_.needs.end(),
                         [&](const Need& need) { return need.spec == target; });
    }
    if (seen_.empty()) {
      seen_.resize(compilation_.jobs.size(), false);
      for (const Need& need : spec_.needs) {
        seen_[AsIndex(need.spec)] = true;
      }
    }
    const bool repeated = seen_[AsIndex(target)];
    seen_[AsIndex(target)] = true;
    return repeated;
  }

  /// An optional need may be absent; one that looks like a slip is told all the same.
  void ReportUnknown(NodeRef name, bool optional) {
    compilation_.needs_unknown[self_].emplace_back(name.text());
    std::string hint = NearestJob(name.text(), compilation_);
    std::string message = fmt::format("there is no job `{}`", name.text());
    if (optional && hint.empty()) {
      return;
    }
    Reporter& reporter = compilation_.ReporterOfLack();
    Diagnostic& diagnostic =
        optional ? reporter.Warning("unknown-need", name.place(), std::move(message))
                 : reporter.Error("unknown-need", name.place(), std::move(message));
    diagnostic.hint = std::move(hint);
  }

  SpecIndex self_;
  JobSpec& spec_;
  Compilation& compilation_;
  std::vector<bool> seen_;
};

// ---- cells

std::optional<double> NumberIn(const engine::model::JsonText& json) {
  double value = 0;
  const auto [stop, error] = std::from_chars(json.data(), json.data() + json.size(), value);
  return error == std::errc() && stop == json.data() + json.size() ? std::optional(value)
                                                                   : std::nullopt;
}

/// Numbers by value, everything else as it is written.
bool SameValue(const engine::model::JsonText& a, const engine::model::JsonText& b) {
  if (a == b) {
    return true;
  }
  const auto x = NumberIn(a);
  const auto y = NumberIn(b);
  return x && y && *x == *y;
}

/// Which key of the matrix each value is for; nothing when that was reported.
std::optional<std::vector<std::pair<std::size_t, engine::model::JsonText>>> ReadCell(
    const CellUse& use, const JobSpec& target, Reporter& lack_reporter, Compilation& compilation) {
  std::vector<std::pair<std::size_t, engine::model::JsonText>> wanted;
  for (const Entry& entry : EntriesOf(use.cell, compilation.reporter)) {
    const auto key =
        std::find(target.matrix->keys.begin(), target.matrix->keys.end(), entry.key.text());
    if (key == target.matrix->keys.end()) {
      lack_reporter
          .Error("unknown-matrix-key", entry.key.place(),
                 fmt::format("the matrix of `{}` has no key `{}`", target.name, entry.key.text()))
          .hint = engine::base::DidYouMean(entry.key.text(), target.matrix->keys);
      return std::nullopt;
    }
    wanted.emplace_back(key - target.matrix->keys.begin(), JsonOf(entry.value));
  }
  return wanted;
}

void ResolveCells(const CellUse& use, Compilation& compilation) {
  engine::model::Plan& plan = compilation.plan;
  JobSpec& spec = plan.specs[AsIndex(use.user)];
  Need& need = spec.needs[use.need];
  const JobSpec& target = plan.specs[AsIndex(need.spec)];
  Reporter& lack_reporter = compilation.ReporterOfLack(need.spec);
  if (target.matrix != nullptr && target.matrix->each.has_value()) {
    compilation.reporter
        .Error("no-matrix", use.cell.place(),
               fmt::format("`{}` has no matrix: the values of its `for_each` are known only in the "
                           "run",
                           target.name))
        .hint = "leave `cell` out: all of them are waited for";
    return;
  }
  if (target.matrix == nullptr) {
    lack_reporter.Error("no-matrix", use.cell.place(),
                        fmt::format("`{}` has no matrix", target.name));
    return;
  }
  const auto wanted = ReadCell(use, target, lack_reporter, compilation);
  if (!wanted) {
    return;
  }
  std::vector<engine::model::JobIndex> cells;
  for (std::uint32_t i = 0; i < target.matrix->cell_count; ++i) {
    const engine::model::JobIndex job(target.matrix->first_cell.value() + i);
    const auto& values = plan.jobs[AsIndex(job)].cell;
    if (std::all_of(wanted->begin(), wanted->end(), [&](const auto& want) {
          return want.first < values.size() && SameValue(values[want.first], want.second);
        })) {
      cells.push_back(job);
    }
  }
  if (cells.empty()) {
    lack_reporter.Error("no-such-cell", use.cell.place(),
                        fmt::format("no cell of `{}` has these values", target.name));
    return;
  }
  if (spec.rare == nullptr) {
    spec.rare = std::make_unique<RareJobSettings>();
  }
  spec.rare->need_cells.push_back(std::move(cells));
  need.cells = static_cast<std::uint16_t>(spec.rare->need_cells.size());
}

}  // namespace

void ResolveNeedCells(Compilation& compilation) {
  for (const CellUse& use : compilation.cell_uses) {
    ResolveCells(use, compilation);
  }
}

void CompileNeeds(NodeRef node, SpecIndex self, JobSpec& spec, Compilation& compilation) {
  if (!node) {
    return;
  }
  spec.has_needs = true;
  NeedsReader reader(self, spec, compilation);
  if (!node.is_sequence()) {
    reader.Read(node);
    return;
  }
  spec.needs.reserve(node.size());
  for (std::uint32_t i = 0; i < node.size(); ++i) {
    reader.Read(node[i]);
  }
}

void AddAllNeeds(JobSpec& spec, const Compilation& compilation) {
  std::vector<bool> seen(compilation.jobs.size(), false);
  for (const Need& need : spec.needs) {
    seen[AsIndex(need.spec)] = true;
  }
  spec.has_needs = true;
  for (std::uint32_t i = 0; i < compilation.ordinary_jobs; ++i) {
    if (!seen[i]) {
      spec.needs.push_back({.spec = SpecIndex(i), .on = NeedOn::kEnd});
    }
  }
}

Place PlaceOfNeed(SpecIndex spec, SpecIndex target, const Compilation& compilation) {
  const Entry& job = compilation.jobs[AsIndex(spec)];
  const std::string_view wanted = compilation.jobs[AsIndex(target)].key.text();
  const NodeRef needs = ValueOf(job.value, "needs");
  if (!needs) {
    return job.key.place();
  }
  const auto name_of = [](NodeRef item) {
    const NodeRef name = ValueOf(item, "job");
    return name ? name : item;
  };
  for (std::uint32_t i = 0; i < needs.size(); ++i) {
    if (name_of(needs[i]).text() == wanted) {
      return name_of(needs[i]).place();
    }
  }
  return name_of(needs).place();
}

}  // namespace dsl

// SPDX-License-Identifier: Apache-2.0
#include "engine/model/expand.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "engine/base/check.h"

namespace engine::model {
namespace {

using base::AsIndex;

constexpr std::size_t kNameBytesMax = 100;
/// Of the values of a cell; see `EachSpec`.
constexpr std::size_t kValue = 0;
constexpr std::size_t kName = 2;

std::vector<JsonText> CellOf(const Expansion& expansion, std::size_t i) {
  const NamedValue& value = expansion.values[i];
  return {value.value, fmt::format("{}", i + 1), fmt::format("\"{}\"", value.name)};
}

Expansion ExpansionOf(const Plan& grown, const MatrixSpec& matrix) {
  Expansion expansion{.job = matrix.first_cell, .values = {}};
  expansion.values.reserve(matrix.cell_count);
  for (std::uint32_t i = 0; i < matrix.cell_count; ++i) {
    const std::vector<JsonText>& cell = grown.jobs[AsIndex(CellAt(matrix, i))].cell;
    expansion.values.push_back(
        {.name = cell[kName].substr(1, cell[kName].size() - 2), .value = cell[kValue]});
  }
  return expansion;
}

bool EndedWell(const JobResult& result) {
  return result.status == Status::kSucceeded || result.status == Status::kWarned;
}

/// Which specs are taken over whole, so that what is made of their outputs stays as it was.
class Carrier {
 public:
  Carrier(const Plan& grown, std::span<const CarriedJob> results) : grown_(grown) {
    missing_.resize(grown.specs.size(), 0);
    for (const PlannedJob& job : grown.jobs) {
      ++missing_[AsIndex(job.spec)];
    }
    for (const CarriedJob& job : results) {
      if (EndedWell(job.result) && well_.emplace(job.job, &job.result).second) {
        --missing_[AsIndex(grown.jobs[AsIndex(job.job)].spec)];
      }
    }
  }

  /// Those of `expansions` before which all is taken over: what the list was worked out from is
  /// among that. One may stand before another.
  std::vector<Expansion> Keep(std::vector<Expansion> expansions) {
    const auto is_open = [&](const Expansion& expansion) {
      const SpecIndex spec = grown_.jobs[AsIndex(expansion.job)].spec;
      const bool open = LacksBefore(spec);
      // Who needs it in turn must see that.
      missing_[AsIndex(spec)] += open ? 1 : 0;
      dropped_[spec] = dropped_[spec] || open;
      return open;
    };
    while (std::erase_if(expansions, is_open) != 0) {
    }
    return expansions;
  }

  bool IsDropped(SpecIndex spec) const {
    const auto found = dropped_.find(spec);
    return found != dropped_.end() && found->second;
  }
  const std::map<JobIndex, const JobResult*>& well() const { return well_; }

 private:
  /// A job that had to end before `spec` could begin is not taken over.
  bool LacksBefore(SpecIndex spec) const {
    std::vector<bool> seen(grown_.specs.size());
    std::vector<SpecIndex> open = {spec};
    std::uint32_t stages_seen = 0;  // all jobs of the stages below were looked at
    const auto look = [&](SpecIndex before) {
      if (!seen[AsIndex(before)]) {
        seen[AsIndex(before)] = true;
        open.push_back(before);
      }
    };
    while (!open.empty()) {
      const SpecIndex index = open.back();
      open.pop_back();
      if (index != spec && missing_[AsIndex(index)] != 0) {
        return true;
      }
      const JobSpec& job = grown_.specs[AsIndex(index)];
      for (const Need& need : job.needs) {
        look(need.spec);
      }
      if (job.has_needs || job.stage == kNoStage || job.stage <= stages_seen) {
        continue;
      }
      stages_seen = job.stage;
      for (std::uint32_t i = 0; i < grown_.specs.size(); ++i) {
        if (grown_.specs[i].stage < job.stage) {
          look(SpecIndex(i));
        }
      }
    }
    return false;
  }

  const Plan& grown_;
  std::vector<std::uint32_t> missing_;  ///< per spec: cells without a result
  std::map<SpecIndex, bool> dropped_;
  std::map<JobIndex, const JobResult*> well_;
};

// The number in `next` of what is `job` in `grown`: only cells behind the first of a `for_each`
// move.
std::map<JobIndex, JobIndex> MovedCells(const Plan& grown, const Plan& next) {
  std::map<JobIndex, JobIndex> moved;
  for (std::size_t i = 0; i < grown.specs.size(); ++i) {
    const MatrixSpec* from = grown.specs[i].matrix.get();
    if (from == nullptr || !from->each.has_value()) {
      continue;
    }
    const MatrixSpec& to = *next.specs[i].matrix;
    for (std::uint32_t cell = 1; cell < to.cell_count; ++cell) {
      moved.emplace(CellAt(*from, cell), CellAt(to, cell));
    }
  }
  return moved;
}

/// Holds a control character of two bytes (U+0080 to U+009F), one that ends lines, or one that
/// turns the direction of text.
bool Misleads(std::string_view name) {
  const auto byte = [&](std::size_t at) {
    return at < name.size() ? static_cast<unsigned char>(name[at]) : 0U;
  };
  for (std::size_t i = 0; i < name.size(); ++i) {
    const unsigned second = byte(i + 1);
    const unsigned third = byte(i + 2);
    const bool is_control = byte(i) == 0xc2 && second >= 0x80 && second <= 0x9f;
    const bool is_mark = byte(i) == 0xe2 && second == 0x80 &&
                         (third == 0x8e || third == 0x8f || (third >= 0xa8 && third <= 0xae));
    const bool is_isolate = byte(i) == 0xe2 && second == 0x81 && third >= 0xa6 && third <= 0xa9;
    if (is_control || is_mark || is_isolate) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool AwaitsValues(const Plan& plan, const JobSpec& spec) {
  if (spec.matrix == nullptr || !spec.matrix->each.has_value() || spec.matrix->cell_count != 1) {
    return false;
  }
  const std::vector<JsonText>& cell = plan.jobs[AsIndex(spec.matrix->first_cell)].cell;
  return cell.empty() || cell[kValue].empty();
}

bool IsValueName(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax && !Misleads(name) &&
         std::none_of(name.begin(), name.end(), [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '"' || c == '\\';
         });
}

bool CanExpand(const Plan& plan, const Expansion& expansion) {
  return expansion.job.value() < plan.jobs.size() && !expansion.values.empty() &&
         AwaitsValues(plan, SpecOf(plan, expansion.job)) &&
         std::all_of(expansion.values.begin(), expansion.values.end(),
                     [](const NamedValue& value) { return IsValueName(value.name); });
}

PlanRef Expand(const Plan& plan, const Expansion& expansion) {
  CHECK(CanExpand(plan, expansion));
  auto grown = std::make_shared<Plan>(plan);
  const SpecIndex index = plan.jobs[AsIndex(expansion.job)].spec;
  JobSpec& spec = grown->specs[AsIndex(index)];
  spec.matrix = std::make_shared<MatrixSpec>(*spec.matrix);  // The other plan keeps its own.
  spec.matrix->cell_count = static_cast<std::uint32_t>(expansion.values.size());
  spec.matrix->each->second_cell = JobIndex(static_cast<std::uint32_t>(plan.jobs.size()));
  grown->jobs[AsIndex(expansion.job)].cell = CellOf(expansion, 0);
  for (std::size_t i = 1; i < expansion.values.size(); ++i) {
    grown->jobs.push_back({.spec = index, .cell = CellOf(expansion, i)});
  }
  return grown;
}

std::vector<Expansion> ExpansionsOf(const Plan& grown) {
  std::vector<const MatrixSpec*> expanded;
  for (const JobSpec& spec : grown.specs) {
    if (spec.matrix != nullptr && spec.matrix->each.has_value() && !AwaitsValues(grown, spec)) {
      expanded.push_back(spec.matrix.get());
    }
  }
  // One with a single value added no job, so it goes before the one that begins at the same place.
  std::stable_sort(expanded.begin(), expanded.end(), [](const MatrixSpec* a, const MatrixSpec* b) {
    return std::tuple(a->each->second_cell, a->cell_count > 1) <
           std::tuple(b->each->second_cell, b->cell_count > 1);
  });
  std::vector<Expansion> expansions;
  expansions.reserve(expanded.size());
  for (const MatrixSpec* matrix : expanded) {
    expansions.push_back(ExpansionOf(grown, *matrix));
  }
  return expansions;
}

CarriedOver CarryOver(const Plan& written, const Plan& grown, std::span<const CarriedJob> results,
                      RunId run) {
  Carrier carrier(grown, results);
  CarriedOver out;
  out.expanded = carrier.Keep(ExpansionsOf(grown));
  PlanRef next;
  for (const Expansion& expansion : out.expanded) {
    next = Expand(next == nullptr ? written : *next, expansion);
  }
  const Plan& plan = next == nullptr ? written : *next;
  const std::map<JobIndex, JobIndex> moved = MovedCells(grown, plan);
  for (const auto& [job, result] : carrier.well()) {
    if (carrier.IsDropped(grown.jobs[AsIndex(job)].spec)) {
      continue;
    }
    const auto place = moved.find(job);
    CarriedJob& carried = out.jobs.emplace_back();
    carried = {.job = place == moved.end() ? job : place->second, .result = *result};
    if (result->reason.code != ReasonCode::kReused) {
      carried.result.reason = {.code = ReasonCode::kReused, .subject = ToText(run)};
    }
  }
  out.all = out.jobs.size() == plan.jobs.size();
  return out;
}

}  // namespace engine::model

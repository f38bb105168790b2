// SPDX-License-Identifier: Apache-2.0
// `for_each`: the needs have ended and the job may begin, so its list is worked out, once. What
// came out stands in the fact: nobody evaluates it again.
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "engine/core/stepper.h"
#include "engine/model/expand.h"

namespace engine::core {
namespace {

using base::AsIndex;
using expr::Value;
using model::JobIndex;
using model::NamedValue;
using model::ReasonCode;
using model::SpecIndex;
using model::Status;

/// Longer ones are too long for a job's name; below `IsValueName`'s limit, for what is added.
constexpr std::size_t kNameBytesMax = 80;

/// What a value is called by: itself, else its first plain member, else its number from 1.
class ValueNames {
 public:
  std::string Next(const Value& value) {
    const std::string number = fmt::format("{}", ++count_);
    const Value* plain = PlainOf(value);
    std::string name = plain == nullptr ? number : plain->ToDisplay();
    if (name.size() > kNameBytesMax || !model::IsValueName(name)) {
      name = number;
    }
    // Ends when it is longer than any value's own name, at the latest.
    while (!taken_.insert(name).second) {
      name += "~" + number;  // which no shell takes for anything
    }
    return name;
  }

 private:
  static const Value* PlainOf(const Value& value) {
    if (value.kind() != expr::Kind::kObject) {
      return value.IsPrimitive() && !value.IsNull() ? &value : nullptr;
    }
    for (const auto& [name, member] : value.object()) {
      if (member.IsPrimitive() && !member.IsNull()) {
        return &member;
      }
    }
    return nullptr;
  }

  std::set<std::string> taken_;
  std::uint32_t count_ = 0;
};

/// The list, or what is wrong with it.
struct ListResult {
  std::vector<NamedValue> values;
  std::string error;
};

ListResult Wrong(std::string error) {
  ListResult result;
  result.error = std::move(error);
  return result;
}

ListResult ValuesOf(const Value& list, std::size_t other_jobs) {
  const model::Defaults& defaults = model::DefaultSettings();
  if (list.kind() != expr::Kind::kArray) {
    return Wrong(fmt::format("what it gives is no array ({}); `fromJSON` makes one of JSON text",
                             ToText(list.kind())));
  }
  if (other_jobs + list.array().size() > defaults.jobs_max) {
    return Wrong(
        fmt::format("{} values beside the {} other jobs are more than the {} jobs of a run",
                    list.array().size(), other_jobs, defaults.jobs_max));
  }
  ListResult result;
  result.values.reserve(list.array().size());
  ValueNames names;
  std::size_t bytes = 0;
  for (const Value& value : list.array()) {
    std::optional<std::string> json = value.ToJson(false, defaults.each_bytes_max);
    std::string name = names.Next(value);
    bytes += name.size() + (json.has_value() ? json->size() : defaults.each_bytes_max);
    if (!json.has_value() || bytes > defaults.each_bytes_max) {
      return Wrong(
          fmt::format("its values are longer than {} KiB as JSON; give names, and let the "
                      "steps look up the rest",
                      defaults.each_bytes_max >> 10));
    }
    result.values.push_back({.name = std::move(name), .value = *std::move(json)});
  }
  return result;
}

ListResult EvaluateList(RunState& run, JobIndex job, const NeedsOutcome& needs) {
  const SpecProgram& program = run.program->Of(run.spec_of(job));
  if (!program.list.has_value()) {
    return Wrong(program.error.empty() ? "it is missing" : program.error);
  }
  const JobScope scope = ScopeOf(run, job, program.list_uses_needs, ViewOf(run, needs));
  const expr::Result<Value> value = program.list->Evaluate(scope);
  if (!value.ok()) {
    return Wrong(value.error().message);
  }
  return ValuesOf(value.value(), run.jobs.size() - 1);
}

std::string PlaceOf(const model::Plan& plan, const model::SourcePosition& at) {
  return at.file < plan.files.size() ? fmt::format("{}:{}", plan.files[at.file], at.line)
                                     : fmt::format("line {}", at.line);
}

}  // namespace

void Stepper::ExpandJob(RunState& run, SpecIndex spec, const NeedsOutcome& needs) {
  const JobIndex job = run.graph().CellsOf(spec).first;
  if (run.job(job).phase != JobPhase::kWaiting || !MayBegin(run, job, needs)) {
    return;
  }
  const model::EachSpec each = *run.plan().specs[AsIndex(spec)].matrix->each;
  ListResult list = EvaluateList(run, job, needs);
  if (!list.error.empty()) {
    return EndJob(
        run, job, Status::kFailed,
        {.code = ReasonCode::kBadExpression,
         .subject = fmt::format("for_each in {}: {}", PlaceOf(run.plan(), each.at), list.error)});
  }
  if (list.values.empty()) {
    return EndJob(run, job, Status::kSkipped,
                  {.code = ReasonCode::kListEmpty, .subject = each.list});
  }
  Emit(model::JobsExpanded{.run = run.id(),
                           .expansion = {.job = job, .values = std::move(list.values)}});
}

}  // namespace engine::core

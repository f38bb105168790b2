// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/read_outputs.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agents/runner/references.h"
#include "engine/expr/text_case.h"

namespace agents::runner {
namespace {

namespace base = engine::base;
namespace expr = engine::expr;
namespace model = engine::model;

/// The `needs` that a job's expressions name, or may by a part that is computed.
class NeedsRead {
 public:
  explicit NeedsRead(const CompiledSpec& spec) {
    References references;
    for (const CompiledStep& step : spec.steps) {
      references.Of(step);
    }
    references.Of(spec.env);
    references.Of(spec.outputs);
    references.Of(spec.upload_names);
    for (const CompiledReady& ready : spec.services) {
      references.Of(ready);
    }
    for (const CompiledCache& cache : spec.caches) {
      references.Of(cache);
    }
    for (const std::vector<std::string>& path : references.paths()) {
      if (Is(path, 0, "needs") || Is(path, 0, "jobs")) {
        paths_.push_back(path);
      }
    }
  }

  bool MayRead(std::string_view job, std::string_view output) const {
    return std::ranges::any_of(paths_, [&](const std::vector<std::string>& path) {
      const auto meets = [&](std::size_t at, std::string_view name) {
        return path.size() <= at || Is(path, at, name);
      };
      return meets(1, job) && meets(2, "outputs") && meets(3, output);
    });
  }

 private:
  static bool Is(const std::vector<std::string>& path, std::size_t at, std::string_view name) {
    return path.size() > at && expr::EqualIgnoringCase(path[at], name);
  }

  std::vector<std::vector<std::string>> paths_;
};

using Result = std::shared_ptr<const model::JobResult>;

bool HasOutputs(const model::JobResult& result) {
  return !result.outputs.empty() || !result.spilled.empty();
}

/// By output, which of a need's results has it last.
std::map<std::string_view, const model::JobResult*> LastWith(const std::vector<Result>& results) {
  std::map<std::string_view, const model::JobResult*> last;
  for (const Result& result : results) {
    for (const model::NamedValue& output : result->outputs) {
      last[output.name] = result.get();
    }
    for (const model::SpilledOutput& output : result->spilled) {
      last[output.name] = result.get();
    }
  }
  return last;
}

/// The same results with the outputs that `keep` says, a function of a result and a name.
template <typename Keep>
std::vector<Result> Filtered(const std::vector<Result>& results, const Keep& keep) {
  std::vector<Result> filtered;
  filtered.reserve(results.size());
  for (const Result& result : results) {
    if (!HasOutputs(*result)) {
      filtered.push_back(result);
      continue;
    }
    auto kept = std::make_shared<model::JobResult>(*result);
    const auto goes = [&](const auto& output) { return !keep(*result, output.name); };
    std::erase_if(kept->outputs, goes);
    std::erase_if(kept->spilled, goes);
    filtered.push_back(std::move(kept));
  }
  return filtered;
}

std::uint64_t BytesOf(const model::Assignment& assignment) {
  std::uint64_t bytes = 0;
  for (const model::NeedResult& need : assignment.needs) {
    for (const Result& result : need.results) {
      for (const model::NamedValue& output : result->outputs) {
        bytes += output.value.size();
      }
      for (const model::SpilledOutput& output : result->spilled) {
        bytes += output.bytes;
      }
    }
  }
  return bytes;
}

void LeaveOnlySizes(model::Assignment& assignment) {
  for (model::NeedResult& need : assignment.needs) {
    for (Result& result : need.results) {
      auto sizes = std::make_shared<model::JobResult>(*result);
      for (const model::NamedValue& output : sizes->outputs) {
        sizes->spilled.push_back({.name = output.name,
                                  .document = base::Sha256(output.value),
                                  .bytes = output.value.size()});
      }
      sizes->outputs.clear();
      result = std::move(sizes);
    }
  }
}

}  // namespace

bool HasOutputs(const model::Assignment& assignment) {
  return std::ranges::any_of(assignment.needs, [](const model::NeedResult& need) {
    return std::ranges::any_of(need.results,
                               [](const Result& result) { return HasOutputs(*result); });
  });
}

void KeepReadOutputs(const CompiledSpec& spec, model::Assignment& assignment) {
  if (!HasOutputs(assignment)) {
    return;
  }
  const NeedsRead read(spec);
  for (model::NeedResult& need : assignment.needs) {
    const std::string& job = assignment.plan->specs[base::AsIndex(need.spec)].name;
    const auto last = LastWith(need.results);
    need.results =
        Filtered(need.results, [&](const model::JobResult& result, const std::string& output) {
          return last.at(output) == &result && read.MayRead(job, output);
        });
  }
  if (BytesOf(assignment) > kReadBytesMax) {
    LeaveOnlySizes(assignment);
  }
}

base::Status CheckReadBytes(const model::Assignment& assignment) {
  const std::uint64_t bytes = BytesOf(assignment);
  return bytes <= kReadBytesMax ? base::OkStatus()
                                : base::InvalidArgument(
                                      "the outputs of other jobs that this one reads have {} bytes "
                                      "together, the limit "
                                      "is {}: hand them on as artifacts",
                                      bytes, kReadBytesMax);
}

}  // namespace agents::runner

// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/spilled_outputs.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "agents/runner/references.h"
#include "engine/expr/text_case.h"
#include "engine/ports/artifact_store.h"

namespace agents::runner {
namespace {

namespace base = engine::base;
namespace expr = engine::expr;
namespace model = engine::model;
namespace ports = engine::ports;

/// They wait in this worker's memory until the job is over, and its sandbox keeps them for an agent
/// that begins again.
constexpr std::uint64_t kFetchedBytesMax = 12ULL << 20;

std::uint64_t BytesOf(const std::vector<model::NamedValue>& outputs) {
  std::uint64_t bytes = 0;
  for (const model::NamedValue& output : outputs) {
    bytes += output.value.size();
  }
  return bytes;
}

class Sorter {
 public:
  Sorter(std::vector<model::NamedValue> outputs, const std::vector<std::string>& engine_outputs)
      : engine_outputs_(engine_outputs) {
    sorted_.kept = std::move(outputs);
  }

  base::StatusOr<SortedOutputs> Sort() && {
    const model::Defaults& defaults = model::DefaultSettings();
    const auto largest = [this] { return LargestToSpill(); };
    for (auto next = largest(); next != sorted_.kept.end(); next = largest()) {
      const bool fits = next->value.size() <= defaults.inline_output_bytes &&
                        BytesOf(sorted_.kept) <= defaults.inline_outputs_bytes;
      if (fits) {
        break;
      }
      RETURN_IF_ERROR(Spill(next));
    }
    if (const std::uint64_t bytes = BytesOf(sorted_.kept); bytes > defaults.inline_outputs_bytes) {
      return base::InvalidArgument(
          "the outputs that `for_each`, `if`, `env` and the like of other jobs read have {} bytes "
          "together, the limit is {}: read them in steps, or hand them on as an artifact",
          bytes, defaults.inline_outputs_bytes);
    }
    return std::move(sorted_);
  }

 private:
  using Output = std::vector<model::NamedValue>::iterator;

  /// The end: none may be.
  Output LargestToSpill() {
    Output largest = sorted_.kept.end();
    for (Output each = sorted_.kept.begin(); each != sorted_.kept.end(); ++each) {
      const bool larger =
          largest == sorted_.kept.end() || each->value.size() > largest->value.size();
      if (larger && !std::ranges::binary_search(engine_outputs_, each->name)) {
        largest = each;
      }
    }
    return largest;
  }

  base::Status Spill(Output output) {
    const std::uint64_t bytes = output->value.size();
    if (bytes > ports::kChunkBytesMax) {
      return base::InvalidArgument(
          "output '{}' has {} bytes, the limit is {}: hand it on as an artifact", output->name,
          bytes, ports::kChunkBytesMax);
    }
    const base::Digest document = base::Sha256(output->value);
    sorted_.spilled.push_back(
        {.name = std::move(output->name), .document = document, .bytes = bytes});
    sorted_.texts.emplace(document, std::move(output->value));
    sorted_.kept.erase(output);
    return base::OkStatus();
  }

  const std::vector<std::string>& engine_outputs_;
  SortedOutputs sorted_;
};

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

bool AnySpilled(const model::Assignment& assignment) {
  return std::ranges::any_of(assignment.needs, [](const model::NeedResult& need) {
    return std::ranges::any_of(need.results,
                               [](const auto& result) { return !result->spilled.empty(); });
  });
}

}  // namespace

base::StatusOr<SortedOutputs> SortOutputs(std::vector<model::NamedValue> outputs,
                                          const std::vector<std::string>& engine_outputs) {
  return Sorter(std::move(outputs), engine_outputs).Sort();
}

std::vector<WantedOutput> WantedOutputs(const CompiledSpec& spec,
                                        const model::Assignment& assignment) {
  std::vector<WantedOutput> wanted;
  if (!AnySpilled(assignment)) {
    return wanted;
  }
  const NeedsRead read(spec);
  std::set<base::Digest> known;
  for (const model::NeedResult& need : assignment.needs) {
    const std::string& job = assignment.plan->specs[base::AsIndex(need.spec)].name;
    for (const std::shared_ptr<const model::JobResult>& result : need.results) {
      for (const model::SpilledOutput& output : result->spilled) {
        if (read.MayRead(job, output.name) && known.insert(output.document).second) {
          wanted.push_back({.output = output, .job = job});
        }
      }
    }
  }
  return wanted;
}

base::Status CheckSize(const std::vector<WantedOutput>& wanted) {
  std::uint64_t bytes = 0;
  for (const WantedOutput& each : wanted) {
    bytes += each.output.bytes;
  }
  return bytes <= kFetchedBytesMax ? base::OkStatus()
                                   : base::InvalidArgument(
                                         "the outputs of other jobs that this one reads have {} "
                                         "bytes together, the limit "
                                         "is {}: hand them on as artifacts",
                                         bytes, kFetchedBytesMax);
}

base::StatusOr<SpilledTexts> FetchOutputs(ports::ArtifactArchive& archive,
                                          const std::vector<WantedOutput>& wanted,
                                          const std::stop_token& stop) {
  SpilledTexts texts;
  for (const auto& [output, job] : wanted) {
    if (stop.stop_requested()) {
      return base::Cancelled("ended before all outputs were fetched");
    }
    base::StatusOr<std::string> text = archive.GetDocument(output.document);
    if (!text.ok()) {
      return base::Annotate(text.status(), "output '" + output.name + "' of job " + job);
    }
    texts.emplace(output.document, *std::move(text));
  }
  return texts;
}

}  // namespace agents::runner

// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/spilled_outputs.h"

#include <algorithm>
#include <set>
#include <utility>

#include "engine/ports/artifact_store.h"

namespace agents::runner {
namespace {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

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

}  // namespace

base::StatusOr<SortedOutputs> SortOutputs(std::vector<model::NamedValue> outputs,
                                          const std::vector<std::string>& engine_outputs) {
  return Sorter(std::move(outputs), engine_outputs).Sort();
}

std::vector<WantedOutput> WantedOutputs(const model::Assignment& assignment) {
  std::vector<WantedOutput> wanted;
  std::set<base::Digest> known;
  for (const model::NeedResult& need : assignment.needs) {
    for (const std::shared_ptr<const model::JobResult>& result : need.results) {
      for (const model::SpilledOutput& output : result->spilled) {
        if (known.insert(output.document).second) {
          wanted.push_back(
              {.output = output, .job = assignment.plan->specs[base::AsIndex(need.spec)].name});
        }
      }
    }
  }
  return wanted;
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
    if (text.status().code() == absl::StatusCode::kNotFound) {
      return base::FailedPrecondition(
          "output '{}' of job {} is no longer in the artifact store: it expired or was removed; "
          "let "
          "that job run again (`dayfly retry` without `--failed`)",
          output.name, job);
    }
    if (!text.ok()) {
      return base::Annotate(text.status(), "output '" + output.name + "' of job " + job);
    }
    texts.emplace(output.document, *std::move(text));
  }
  return texts;
}

}  // namespace agents::runner

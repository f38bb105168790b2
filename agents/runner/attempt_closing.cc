// SPDX-License-Identifier: Apache-2.0
// The end of an attempt: outputs worked out, artifacts named and kept, and what is reported of it
// all.
#include <algorithm>
#include <utility>

#include "agents/runner/attempt.h"
#include "agents/runner/attempt_reasons.h"
#include "engine/base/check.h"

namespace agents::runner {

namespace base = engine::base;
namespace expr = engine::expr;
namespace model = engine::model;
using model::ReasonCode;
using model::Status;

constexpr std::uint32_t kOfSeverityMax = 1000;
constexpr std::size_t kNameBytesMax = 512;

base::Status Attempt::EvaluateOutputs() {
  const std::vector<model::EnvVar>& wanted = spec_->rare->outputs;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const std::string& name = wanted[i].name;
    expr::Value value = expr::Value::String(wanted[i].value.text);
    if (const MaybeTemplate& text = spec_->outputs[i]; text.has_value()) {
      RETURN_IF_ERROR(scope_.ReadSecrets(text->References()));
      expr::Result<expr::Value> evaluated = text->Evaluate(scope_);
      if (!evaluated.ok()) {
        scope_.TakeWantedHash();
        return base::Annotate(AsStatus(evaluated.error()), "output '" + name + "'");
      }
      value = std::move(evaluated).value();
    }
    std::string json = value.ToJson();
    RETURN_IF_ERROR(CheckExposure("output '" + name + "'", value.ToDisplay()));
    RETURN_IF_ERROR(CheckExposure("output '" + name + "'", json));
    outputs_.push_back({.name = name, .value = std::move(json)});
  }
  return base::OkStatus();
}

base::Status Attempt::SpillOutputs() {
  ASSIGN_OR_RETURN(SortedOutputs sorted,
                   SortOutputs(std::move(outputs_), spec_->rare->engine_outputs));
  outputs_ = std::move(sorted.kept);
  spilled_ = std::move(sorted.spilled);
  spilled_texts_ = std::move(sorted.texts);
  return base::OkStatus();
}

std::vector<model::NamedValue> Attempt::AllOutputs() const {
  std::vector<model::NamedValue> all = outputs_;
  for (const model::SpilledOutput& output : spilled_) {
    all.push_back({.name = output.name, .value = spilled_texts_.at(output.document)});
  }
  return all;
}

Closing Attempt::EndSteps() {
  CHECK(background_.empty());
  steps_over_ = true;
  scope_.SetStatus(View());
  Closing closing;
  if (nothing_more_ || stop_.has_value()) {
    return closing;
  }
  const bool reused = reuse_.result.has_value();
  if (reused) {
    outputs_ = reuse_.result->outputs;
    artifacts_ = reuse_.result->artifacts;
    remarks_.tests = reuse_.result->tests;
  } else if (const base::Status status = EvaluateOutputs(); !status.ok()) {
    // Those of a failed job are kept as far as they can be worked out.
    Fail({.status = Status::kFailed, .reason = BadStep(status)});
  }
  if (const base::Status status = SpillOutputs(); !status.ok()) {
    Fail({.status = Status::kFailed, .reason = ReasonOf(ReasonCode::kBadStepFile, status)});
  }
  closing.spilled = spilled_texts_;
  if (!reused) {
    PlanFiles(closing);
  }
  return closing;
}

void Attempt::PlanFiles(Closing& closing) {
  closing.uploads = PlanUploads();
  closing.junit_reports = spec_->rare->junit_reports;
  if (!closing.junit_reports.empty()) {
    closing.masks = secrets_.All();
  }
  for (std::size_t i = 0; i < caches_.size() && !failure_.has_value(); ++i) {
    if (!caches_[i].hit && !caches_[i].key.empty()) {
      closing.saves.push_back({.key = caches_[i].key, .paths = spec_->rare->caches[i].paths});
    }
  }
}

// Names that hold expressions may turn out to be one.
base::Status Attempt::CheckUploadName(const std::string& name,
                                      const std::vector<UploadRequest>& uploads) const {
  const bool taken = std::ranges::any_of(
      uploads, [&](const UploadRequest& upload) { return upload.name == name; });
  if (name.size() > kNameBytesMax) {
    return base::InvalidArgument("an artifact's name has {} bytes, the limit is {}", name.size(),
                                 kNameBytesMax);
  }
  if (taken) {
    return base::InvalidArgument(
        "two uploads of this job are named '{}': give each a name of its own", name);
  }
  return CheckExposure("an artifact's name", name);
}

std::vector<UploadRequest> Attempt::PlanUploads() {
  std::vector<UploadRequest> uploads;
  const std::vector<model::ArtifactUpload>& wanted = spec_->rare->uploads;
  for (std::size_t i = 0; i < wanted.size() && UploadsNow(); ++i) {
    base::StatusOr<std::string> name = Render(spec_->upload_names[i], wanted[i].name);
    const base::Status status = name.ok() ? CheckUploadName(*name, uploads) : name.status();
    if (!status.ok()) {
      scope_.TakeWantedHash();
      Fail({.status = Status::kFailed, .reason = BadStep(status)});
      break;
    }
    uploads.push_back({.name = *std::move(name), .paths = wanted[i].paths});
  }
  return UploadsNow() ? uploads : std::vector<UploadRequest>();
}

bool Attempt::UploadsNow() const {
  switch (spec_->rare->uploads_when) {
    case model::UploadWhen::kSuccess:
      return !failure_.has_value();
    case model::UploadWhen::kFailure:
      return failure_.has_value();
    case model::UploadWhen::kAlways:
      return true;
  }
  return false;
}

void Attempt::TakeClosed(Closed closed) {
  OutputsKept(closed.spilled);
  if (reuse_.result.has_value()) {
    return;
  }
  Uploaded(std::move(closed.artifacts));
  remarks_.tests = std::move(closed.remarks.tests);
  test_document_ = std::move(closed.test_document);
  for (const std::string& note : closed.remarks.notes) {
    Note(note);
  }
}

void Attempt::OutputsKept(const base::Status& status) {
  if (status.ok()) {
    return;
  }
  spilled_.clear();
  spilled_texts_.clear();
  if (status.code() != absl::StatusCode::kCancelled && !failure_.has_value()) {
    infra_ = status.code() != absl::StatusCode::kFailedPrecondition;
    Fail({.status = Status::kFailed, .reason = ReasonOf(ReasonCode::kOutputsLost, status)});
  }
}

void Attempt::Uploaded(base::StatusOr<std::vector<model::Artifact>> artifacts) {
  if (artifacts.ok()) {
    artifacts_ = *std::move(artifacts);
    return;
  }
  const absl::StatusCode code = artifacts.status().code();
  if (code == absl::StatusCode::kCancelled || failure_.has_value()) {
    return;  // What failed before is what counts.
  }
  // The three are the author's; see `ArtifactArchive::Pack`.
  const bool authors = code == absl::StatusCode::kNotFound ||
                       code == absl::StatusCode::kInvalidArgument ||
                       code == absl::StatusCode::kAborted;
  // Without a store no worker could keep it.
  infra_ = !authors && code != absl::StatusCode::kFailedPrecondition;
  Fail({.status = Status::kFailed,
        .reason = ReasonOf(ReasonCode::kArtifactMissing, artifacts.status())});
}

// Each step's are bounded; those of a job with very many steps as well.
void Attempt::TakeAnnotations(std::size_t index, const model::Annotations& annotations) {
  annotations_.counts.Add(annotations.counts);
  for (const model::Annotation& annotation : annotations.list) {
    if (++annotations_kept_.Of(annotation.severity) <= kOfSeverityMax) {
      annotations_.list.push_back(annotation);
      annotations_.list.back().step = model::StepIndex(static_cast<std::uint32_t>(index));
    }
  }
}

std::optional<AnnotationsRequest> Attempt::PlanAnnotations() {
  if (annotations_.counts.total() == 0) {
    return std::nullopt;
  }
  return AnnotationsRequest{.annotations = std::exchange(annotations_, {}),
                            .workspace = place_.workspace,
                            .masks = secrets_.All()};
}

void Attempt::AnnotationsKept(model::JobRemarks remarks) {
  remarks_.annotations = std::move(remarks.annotations);
  for (const std::string& note : remarks.notes) {
    Note(note);
  }
}

model::ReportEnded Attempt::Result(base::Duration took) {
  model::ReportEnded ended;
  ended.took = took;
  ended.outputs = std::move(outputs_);
  ended.spilled = std::move(spilled_);
  ended.remarks = std::move(remarks_);
  if (spec_->rare->uploads_when != model::UploadWhen::kSuccess && !stop_.has_value()) {
    ended.artifacts = std::move(artifacts_);
  }
  if (stop_.has_value()) {
    ended.status = IsTimeout(*stop_) ? Status::kTimedOut : Status::kCancelled;
    ended.reason = *stop_;
  } else if (failure_.has_value()) {
    ended.status = failure_->status;
    ended.reason = failure_->reason;
    ended.infra = infra_;
  } else if (finally_failure_.has_value()) {
    ended.status = Status::kFailed;
    ended.reason = *finally_failure_;
  } else {
    if (ended.artifacts.empty()) {
      ended.artifacts = std::move(artifacts_);
    }
    if (reuse_.result.has_value()) {
      ended.reason = ReasonOf(ReasonCode::kReused, reuse_.result->run);
    }
  }
  return ended;
}

}  // namespace agents::runner

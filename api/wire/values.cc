// SPDX-License-Identifier: Apache-2.0
#include "api/wire/values.h"

#include <algorithm>

#include <fmt/format.h>

namespace api::wire {

namespace base = engine::base;
namespace model = engine::model;

namespace {

constexpr std::int64_t kLongest = 10LL * 366 * 24 * 3600 * 1'000'000;

}  // namespace

base::Status BadField(std::string_view field, std::string_view what) {
  return base::InvalidArgument("{}: {}", field, what);
}

base::Status Inside(std::string_view field, const base::Status& status) {
  return status.ok() ? status : base::InvalidArgument("{}.{}", field, base::Message(status));
}

base::Status Inside(std::string_view field, int index, const base::Status& status) {
  return status.ok() ? status
                     : base::InvalidArgument("{}[{}].{}", field, index, base::Message(status));
}

base::StatusOr<base::Duration> DurationFrom(std::int64_t micros, std::string_view field) {
  if (micros < 0 || micros > kLongest) {
    return BadField(field, "must lie between 0 and ten years");
  }
  return base::Duration(micros);
}

// The numbers are the model's, plus one: 0 stays "not set".
pb::Status ToWire(model::Status status) {
  return static_cast<pb::Status>(static_cast<int>(status) + 1);
}

base::StatusOr<model::Status> StatusFrom(pb::Status status, std::string_view field) {
  if (status <= pb::STATUS_UNSPECIFIED || status > pb::STATUS_TIMED_OUT) {
    return BadField(field, "is no status");
  }
  return static_cast<model::Status>(static_cast<int>(status) - 1);
}

void ToWire(const model::Reason& reason, pb::Reason* out) {
  if (reason.code != model::ReasonCode::kNone) {
    out->set_code(std::string(model::ToText(reason.code)));
  }
  out->set_detail(reason.detail);
  out->set_until_at_us(base::ToMicros(reason.until));
  out->set_subject(reason.subject);
}

base::StatusOr<model::Reason> ReasonFrom(const pb::Reason& reason) {
  model::Reason out;
  if (!reason.code().empty()) {
    const auto code = model::ReasonCodeFromText(reason.code());
    if (!code) {
      return BadField("code", "is no reason");
    }
    out.code = *code;
  }
  out.detail = reason.detail();
  out.until = base::InstantFromMicros(reason.until_at_us());
  out.subject = reason.subject();
  return out;
}

void ToWire(const model::AttemptKey& key, pb::AttemptKey* out) {
  out->set_run_id(key.run.value());
  out->set_job(key.job.value());
  out->set_attempt(key.attempt);
}

base::StatusOr<model::AttemptKey> AttemptKeyFrom(const pb::AttemptKey& key) {
  if (key.run_id() == 0) {
    return BadField("run_id", "is missing");
  }
  if (key.attempt() == 0) {
    return BadField("attempt", "counts from 1");
  }
  return model::AttemptKey{.run = model::RunId(key.run_id()),
                           .job = model::JobIndex(key.job()),
                           .attempt = key.attempt()};
}

std::string ToWire(const base::Digest& digest) {
  return {digest.bytes.begin(), digest.bytes.end()};
}

base::StatusOr<base::Digest> DigestFrom(const std::string& bytes) {
  base::Digest digest;
  if (bytes.size() != digest.bytes.size()) {
    return BadField("digest",
                    fmt::format("has {} bytes, not {}", bytes.size(), digest.bytes.size()));
  }
  std::ranges::copy(bytes, digest.bytes.begin());
  return digest;
}

void ToWire(const model::NamedValue& value, pb::NamedValue* out) {
  out->set_name(value.name);
  out->set_json(value.value);
}

void ToWire(const model::SpilledOutput& output, pb::SpilledOutput* out) {
  out->set_name(output.name);
  out->set_document(ToWire(output.document));
  out->set_size(output.bytes);
}

void ToWire(const std::vector<model::SpilledOutput>& outputs, SpilledOutputs* out) {
  for (const model::SpilledOutput& output : outputs) {
    ToWire(output, out->Add());
  }
}

base::StatusOr<std::vector<model::SpilledOutput>> SpilledFrom(const SpilledOutputs& outputs) {
  std::vector<model::SpilledOutput> list;
  for (int i = 0; i < outputs.size(); ++i) {
    const auto document = DigestFrom(outputs[i].document());
    RETURN_IF_ERROR(Inside("spilled", i, document.status()));
    list.push_back({.name = outputs[i].name(), .document = *document, .bytes = outputs[i].size()});
  }
  return list;
}

void ToWire(const model::Artifact& artifact, pb::Artifact* out) {
  out->set_name(artifact.name);
  const auto& bytes = artifact.manifest.bytes;
  out->set_manifest(bytes.data(), bytes.size());
  out->set_size(artifact.bytes);
  out->set_files(artifact.files);
}

base::StatusOr<model::Artifact> ArtifactFrom(const pb::Artifact& artifact) {
  model::Artifact out{
      .name = artifact.name(), .manifest = {}, .bytes = artifact.size(), .files = artifact.files()};
  if (artifact.manifest().size() != out.manifest.bytes.size()) {
    return BadField("manifest", "must be 32 bytes");
  }
  std::ranges::copy(artifact.manifest(), out.manifest.bytes.begin());
  return out;
}

namespace {

constexpr int kFailuresMax = 64;
constexpr int kNotesMax = 64;

void ToWire(const model::TestTotals& tests, pb::TestTotals* out) {
  out->set_document(api::wire::ToWire(tests.document));
  out->set_tests(tests.tests);
  out->set_failed(tests.failed);
  out->set_skipped(tests.skipped);
  out->set_problems(tests.problems);
  out->set_took_us(tests.took.count());
  out->mutable_failures()->Assign(tests.failures.begin(), tests.failures.end());
}

base::StatusOr<model::TestTotals> TestsFrom(const pb::TestTotals& tests) {
  model::TestTotals out;
  ASSIGN_OR_RETURN(out.document, DigestFrom(tests.document()));
  out.tests = tests.tests();
  out.failed = tests.failed();
  out.skipped = tests.skipped();
  out.problems = tests.problems();
  ASSIGN_OR_RETURN(out.took, DurationFrom(tests.took_us(), "took_us"));
  if (tests.failures_size() > kFailuresMax) {
    return BadField("failures",
                    fmt::format("has {} names, at most {}", tests.failures_size(), kFailuresMax));
  }
  out.failures.assign(tests.failures().begin(), tests.failures().end());
  return out;
}

void ToWire(const model::AnnotationTotals& annotations, pb::AnnotationTotals* out) {
  out->set_document(api::wire::ToWire(annotations.document));
  out->set_errors(annotations.counts.errors);
  out->set_warnings(annotations.counts.warnings);
  out->set_notices(annotations.counts.notices);
  out->mutable_first_errors()->Assign(annotations.errors.begin(), annotations.errors.end());
}

base::StatusOr<model::AnnotationTotals> AnnotationsFrom(const pb::AnnotationTotals& annotations) {
  model::AnnotationTotals out;
  ASSIGN_OR_RETURN(out.document, DigestFrom(annotations.document()));
  out.counts = {annotations.errors(), annotations.warnings(), annotations.notices()};
  if (annotations.first_errors_size() > kFailuresMax) {
    return BadField("first_errors", fmt::format("has {} texts, at most {}",
                                                annotations.first_errors_size(), kFailuresMax));
  }
  out.errors.assign(annotations.first_errors().begin(), annotations.first_errors().end());
  return out;
}

}  // namespace

void ToWire(const model::JobRemarks& remarks, pb::JobRemarks* out) {
  if (remarks.tests) {
    ToWire(*remarks.tests, out->mutable_tests());
  }
  out->mutable_notes()->Assign(remarks.notes.begin(), remarks.notes.end());
  if (remarks.annotations) {
    ToWire(*remarks.annotations, out->mutable_annotations());
  }
}

base::StatusOr<model::JobRemarks> RemarksFrom(const pb::JobRemarks& remarks) {
  model::JobRemarks out;
  if (remarks.has_tests()) {
    auto tests = TestsFrom(remarks.tests());
    RETURN_IF_ERROR(Inside("tests", tests.status()));
    out.tests = *std::move(tests);
  }
  if (remarks.notes_size() > kNotesMax) {
    return BadField("notes",
                    fmt::format("has {} sentences, at most {}", remarks.notes_size(), kNotesMax));
  }
  out.notes.assign(remarks.notes().begin(), remarks.notes().end());
  if (remarks.has_annotations()) {
    auto annotations = AnnotationsFrom(remarks.annotations());
    RETURN_IF_ERROR(Inside("annotations", annotations.status()));
    out.annotations = *std::move(annotations);
  }
  return out;
}

}  // namespace api::wire

// SPDX-License-Identifier: Apache-2.0
#include "store/codec/values.h"

#include <algorithm>

namespace store::codec {
namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;

}  // namespace

void PutWhen(base::Instant when, base::Instant at, pb::When* out) {
  const std::int64_t since = WrappingSubtract(base::ToMicros(when), base::ToMicros(at));
  if (since % kMicrosPerSecond == 0) {
    out->set_seconds(since / kMicrosPerSecond);
  } else {
    out->set_micros(since);
  }
}

base::Instant GetWhen(const pb::When& when, base::Instant at) {
  switch (when.since_case()) {
    case pb::When::kSeconds: {
      const auto micros =
          static_cast<std::uint64_t>(when.seconds()) * static_cast<std::uint64_t>(kMicrosPerSecond);
      return base::InstantFromMicros(
          WrappingAdd(base::ToMicros(at), static_cast<std::int64_t>(micros)));
    }
    case pb::When::kMicros:
      return base::InstantFromMicros(WrappingAdd(base::ToMicros(at), when.micros()));
    case pb::When::SINCE_NOT_SET:
      break;
  }
  return base::Instant{};
}

void PutReason(const model::Reason& reason, base::Instant at, pb::Reason* out) {
  out->set_code(static_cast<std::uint32_t>(reason.code));
  out->set_detail(reason.detail);
  if (HasWhen(reason.until)) {
    PutWhen(reason.until, at, out->mutable_until());
  }
  out->set_subject(reason.subject);
}

model::Reason GetReason(const pb::Reason& reason, base::Instant at) {
  model::Reason out;
  out.code = static_cast<model::ReasonCode>(reason.code());
  out.detail = reason.detail();
  if (reason.has_until()) {
    out.until = GetWhen(reason.until(), at);
  }
  out.subject = reason.subject();
  return out;
}

base::StatusOr<model::Status> GetStatus(std::uint32_t number) {
  if (number >= static_cast<std::uint32_t>(model::kStatusCount)) {
    return base::DataLoss("facts damaged: {} is no status", number);
  }
  return static_cast<model::Status>(number);
}

void PutValues(const std::vector<model::NamedValue>& values,
               google::protobuf::RepeatedPtrField<pb::NamedValue>* out) {
  out->Reserve(static_cast<int>(values.size()));
  for (const model::NamedValue& value : values) {
    pb::NamedValue* entry = out->Add();
    entry->set_name(value.name);
    entry->set_value(value.value);
  }
}

std::vector<model::NamedValue> GetValues(
    const google::protobuf::RepeatedPtrField<pb::NamedValue>& values) {
  std::vector<model::NamedValue> out;
  out.reserve(static_cast<std::size_t>(values.size()));
  for (const pb::NamedValue& value : values) {
    out.push_back({value.name(), value.value()});
  }
  return out;
}

void PutDurations(const std::vector<base::Duration>& durations,
                  google::protobuf::RepeatedField<std::int64_t>* out) {
  out->Reserve(static_cast<int>(durations.size()));
  for (const base::Duration duration : durations) {
    out->Add(duration.count());
  }
}

std::vector<base::Duration> GetDurations(
    const google::protobuf::RepeatedField<std::int64_t>& durations) {
  std::vector<base::Duration> out;
  out.reserve(static_cast<std::size_t>(durations.size()));
  for (const std::int64_t micros : durations) {
    out.push_back(base::Duration(micros));
  }
  return out;
}

void PutLog(const model::StepLog& log, pb::StepEnded* out) {
  for (const model::LogRange& range : log.ranges) {
    pb::LogRange* entry = out->add_log();
    entry->set_segment(range.segment);
    entry->set_offset(range.offset);
    entry->set_length(range.length);
  }
  out->set_log_checksum(log.checksum);
  out->set_log_truncated(log.truncated);
  out->set_log_lost_bytes(log.lost_bytes);
}

model::StepLog GetLog(const pb::StepEnded& step) {
  model::StepLog log;
  for (const pb::LogRange& range : step.log()) {
    log.ranges.push_back({range.segment(), range.offset(), range.length()});
  }
  log.checksum = step.log_checksum();
  log.truncated = step.log_truncated();
  log.lost_bytes = step.log_lost_bytes();
  return log;
}

namespace {

void PutTests(const model::TestTotals& tests, pb::TestTotals* out) {
  out->set_document(DigestBytes(tests.document));
  out->set_tests(tests.tests);
  out->set_failed(tests.failed);
  out->set_skipped(tests.skipped);
  out->set_problems(tests.problems);
  out->set_took(tests.took.count());
  out->mutable_failures()->Assign(tests.failures.begin(), tests.failures.end());
}

base::StatusOr<model::TestTotals> GetTests(const pb::TestTotals& tests) {
  model::TestTotals out;
  ASSIGN_OR_RETURN(out.document, GetDigest(tests.document()));
  out.tests = tests.tests();
  out.failed = tests.failed();
  out.skipped = tests.skipped();
  out.problems = tests.problems();
  out.took = base::Duration(tests.took());
  out.failures.assign(tests.failures().begin(), tests.failures().end());
  return out;
}

void PutAnnotations(const model::AnnotationTotals& annotations, pb::AnnotationTotals* out) {
  out->set_document(DigestBytes(annotations.document));
  out->set_errors(annotations.counts.errors);
  out->set_warnings(annotations.counts.warnings);
  out->set_notices(annotations.counts.notices);
  out->mutable_first_errors()->Assign(annotations.errors.begin(), annotations.errors.end());
}

base::StatusOr<model::AnnotationTotals> GetAnnotations(const pb::AnnotationTotals& annotations) {
  model::AnnotationTotals out;
  ASSIGN_OR_RETURN(out.document, GetDigest(annotations.document()));
  out.counts = {annotations.errors(), annotations.warnings(), annotations.notices()};
  out.errors.assign(annotations.first_errors().begin(), annotations.first_errors().end());
  return out;
}

}  // namespace

void PutResult(const model::JobResult& result, base::Instant at, pb::JobResult* out) {
  out->set_status(static_cast<std::uint32_t>(result.status));
  if (HasReason(result.reason)) {
    PutReason(result.reason, at, out->mutable_reason());
  }
  PutValues(result.outputs, out->mutable_outputs());
  for (const model::SpilledOutput& output : result.spilled) {
    pb::SpilledOutput* entry = out->add_spilled();
    entry->set_name(output.name);
    entry->set_document(DigestBytes(output.document));
    entry->set_bytes(output.bytes);
  }
  for (const model::Artifact& artifact : result.artifacts) {
    pb::Artifact* entry = out->add_artifacts();
    entry->set_name(artifact.name);
    entry->set_manifest(DigestBytes(artifact.manifest));
    entry->set_bytes(artifact.bytes);
    entry->set_files(artifact.files);
  }
  if (result.remarks.tests) {
    PutTests(*result.remarks.tests, out->mutable_tests());
  }
  out->mutable_notes()->Assign(result.remarks.notes.begin(), result.remarks.notes.end());
  if (result.remarks.annotations) {
    PutAnnotations(*result.remarks.annotations, out->mutable_annotations());
  }
}

base::StatusOr<model::JobResult> GetResult(const pb::JobResult& result, base::Instant at) {
  model::JobResult out;
  ASSIGN_OR_RETURN(out.status, GetStatus(result.status()));
  if (result.has_reason()) {
    out.reason = GetReason(result.reason(), at);
  }
  out.outputs = GetValues(result.outputs());
  for (const pb::SpilledOutput& output : result.spilled()) {
    ASSIGN_OR_RETURN(const base::Digest document, GetDigest(output.document()));
    out.spilled.push_back({output.name(), document, output.bytes()});
  }
  for (const pb::Artifact& artifact : result.artifacts()) {
    ASSIGN_OR_RETURN(const base::Digest manifest, GetDigest(artifact.manifest()));
    out.artifacts.push_back({artifact.name(), manifest, artifact.bytes(), artifact.files()});
  }
  if (result.has_tests()) {
    ASSIGN_OR_RETURN(out.remarks.tests, GetTests(result.tests()));
  }
  out.remarks.notes.assign(result.notes().begin(), result.notes().end());
  if (result.has_annotations()) {
    ASSIGN_OR_RETURN(out.remarks.annotations, GetAnnotations(result.annotations()));
  }
  return out;
}

void PutClaims(const std::vector<model::GroupClaim>& claims,
               google::protobuf::RepeatedPtrField<pb::GroupClaim>* out) {
  for (const model::GroupClaim& claim : claims) {
    pb::GroupClaim* entry = out->Add();
    entry->set_kind(static_cast<std::uint32_t>(claim.group.kind));
    entry->set_name(claim.group.name);
    entry->set_max(claim.max);
    entry->set_policy(static_cast<std::uint32_t>(claim.policy));
  }
}

base::StatusOr<std::vector<model::GroupClaim>> GetClaims(
    const google::protobuf::RepeatedPtrField<pb::GroupClaim>& claims) {
  constexpr auto kKindMax = static_cast<std::uint32_t>(model::GroupKind::kEnvironment);
  constexpr auto kPolicyMax = static_cast<std::uint32_t>(model::GroupPolicy::kReject);
  std::vector<model::GroupClaim> out;
  for (const pb::GroupClaim& claim : claims) {
    if (claim.kind() > kKindMax || claim.policy() > kPolicyMax) {
      return base::DataLoss("facts damaged: a group of kind {} and policy {}", claim.kind(),
                            claim.policy());
    }
    out.push_back(
        {.group = {.kind = static_cast<model::GroupKind>(claim.kind()), .name = claim.name()},
         .max = claim.max(),
         .policy = static_cast<model::GroupPolicy>(claim.policy())});
  }
  return out;
}

void PutApproval(const model::Approval& approval, pb::Approval* out) {
  out->set_by(approval.by);
  PutValues(approval.inputs, out->mutable_inputs());
}

model::Approval GetApproval(const pb::Approval& approval) {
  return {.by = approval.by(), .inputs = GetValues(approval.inputs())};
}

void PutContext(const model::RunContext& context, pb::RunContext* out) {
  out->set_event(context.event);
  out->set_commit(context.commit);
  out->set_branch(context.branch);
  out->set_tag(context.tag);
  out->set_by(context.by);
  out->set_source(context.source);
  out->set_pipeline_file(context.pipeline_file);
  out->set_tree(context.tree);
  out->set_workspace(context.workspace);
  PutValues(context.inputs, out->mutable_inputs());
  PutValues(context.event_data, out->mutable_event_data());
  PutValues(context.extra_env, out->mutable_extra_env());
  out->set_seed(context.seed);
  out->set_default_branch(context.default_branch);
}

model::RunContext GetContext(const pb::RunContext& context) {
  model::RunContext out;
  out.event = context.event();
  out.commit = context.commit();
  out.branch = context.branch();
  out.tag = context.tag();
  out.by = context.by();
  out.source = context.source();
  out.pipeline_file = context.pipeline_file();
  out.tree = context.tree();
  out.workspace = context.workspace();
  out.inputs = GetValues(context.inputs());
  out.event_data = GetValues(context.event_data());
  out.extra_env = GetValues(context.extra_env());
  out.seed = context.seed();
  out.default_branch = context.default_branch();
  return out;
}

base::StatusOr<base::Digest> GetDigest(const std::string& bytes) {
  base::Digest out;
  if (bytes.size() != out.bytes.size()) {
    return base::DataLoss("facts damaged: a digest of {} bytes", bytes.size());
  }
  std::copy(bytes.begin(), bytes.end(), out.bytes.begin());
  return out;
}

std::string DigestBytes(const base::Digest& digest) {
  return std::string(digest.bytes.begin(), digest.bytes.end());
}

}  // namespace store::codec

// SPDX-License-Identifier: Apache-2.0
// Values that several facts hold, to protobuf and back. Inside the codec only: protobuf's types
// stop at this folder.
#pragma once

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/model/log_range.h"
#include "engine/model/run_context.h"
#include "engine/model/status.h"
#include "store/codec/facts.pb.h"

namespace store::codec {

namespace base = engine::base;
namespace model = engine::model;

/// Adds up without overflow being undefined: damaged bytes may hold any number.
inline std::int64_t WrappingAdd(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
inline std::int64_t WrappingSubtract(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

/// True when `when` is to be written at all: 1970 stands for "none".
inline bool HasWhen(base::Instant when) {
  return when != base::Instant{};
}
void PutWhen(base::Instant when, base::Instant at, pb::When* out);
base::Instant GetWhen(const pb::When& when, base::Instant at);

inline bool HasReason(const model::Reason& reason) {
  return reason != model::Reason{};
}
void PutReason(const model::Reason& reason, base::Instant at, pb::Reason* out);
model::Reason GetReason(const pb::Reason& reason, base::Instant at);

/// `DataLoss` for a number that is no status.
base::StatusOr<model::Status> GetStatus(std::uint32_t number);

void PutValues(const std::vector<model::NamedValue>& values,
               google::protobuf::RepeatedPtrField<pb::NamedValue>* out);
std::vector<model::NamedValue> GetValues(
    const google::protobuf::RepeatedPtrField<pb::NamedValue>& values);

/// In microseconds.
void PutDurations(const std::vector<base::Duration>& durations,
                  google::protobuf::RepeatedField<std::int64_t>* out);
std::vector<base::Duration> GetDurations(
    const google::protobuf::RepeatedField<std::int64_t>& durations);

void PutLog(const model::StepLog& log, pb::StepEnded* out);
model::StepLog GetLog(const pb::StepEnded& step);

void PutResult(const model::JobResult& result, base::Instant at, pb::JobResult* out);
base::StatusOr<model::JobResult> GetResult(const pb::JobResult& result, base::Instant at);

void PutClaims(const std::vector<model::GroupClaim>& claims,
               google::protobuf::RepeatedPtrField<pb::GroupClaim>* out);
/// `DataLoss` for a number that is no kind or policy.
base::StatusOr<std::vector<model::GroupClaim>> GetClaims(
    const google::protobuf::RepeatedPtrField<pb::GroupClaim>& claims);

void PutApproval(const model::Approval& approval, pb::Approval* out);
model::Approval GetApproval(const pb::Approval& approval);

void PutContext(const model::RunContext& context, pb::RunContext* out);
model::RunContext GetContext(const pb::RunContext& context);

base::StatusOr<base::Digest> GetDigest(const std::string& bytes);
std::string DigestBytes(const base::Digest& digest);

}  // namespace store::codec

// SPDX-License-Identifier: Apache-2.0
#include "api/bulk/wire_chunks.h"

#include <algorithm>

namespace api::bulk {

namespace base = engine::base;
namespace model = engine::model;

base::StatusOr<model::AttemptKey> AttemptFrom(const dayfly::v1::AttemptKey& key) {
  if (key.run_id() == 0 || key.attempt() == 0) {
    return base::InvalidArgument("attempt: names no attempt");
  }
  return model::AttemptKey{.run = model::RunId(key.run_id()),
                           .job = model::JobIndex(key.job()),
                           .attempt = key.attempt()};
}

void ToWire(const model::AttemptKey& key, dayfly::v1::AttemptKey* out) {
  out->set_run_id(key.run.value());
  out->set_job(key.job.value());
  out->set_attempt(key.attempt);
}

base::StatusOr<base::Digest> DigestFrom(const std::string& bytes) {
  base::Digest digest;
  if (bytes.size() != digest.bytes.size()) {
    return base::InvalidArgument("digest: {} bytes, not {}", bytes.size(), digest.bytes.size());
  }
  std::ranges::copy(bytes, digest.bytes.begin());
  return digest;
}

std::string ToWire(const base::Digest& digest) {
  return {digest.bytes.begin(), digest.bytes.end()};
}

grpc::Status ToGrpcStatus(const base::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), std::string(base::Message(status))};
}

base::Status FromGrpcStatus(const grpc::Status& status) {
  return status.ok() ? base::OkStatus()
                     : base::MakeStatus(static_cast<absl::StatusCode>(status.error_code()),
                                        status.error_message());
}

}  // namespace api::bulk

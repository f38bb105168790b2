// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/plan_reader.h"

#include "store/codec/plan_codec.h"

namespace store::postgres {
namespace {

namespace model = engine::model;
using base::StatusOr;

constexpr Statement kPlan = {"plan", "SELECT bytes FROM dayfly.plan WHERE digest = $1::bytea"};

}  // namespace

StatusOr<model::PlanRef> ReadPlan(Connection& connection, const model::PlanDigest& digest) {
  ASSIGN_OR_RETURN(const Rows rows,
                   connection.Run(kPlan, Parameters().Bytes(codec::BytesOf(digest))));
  if (rows.empty()) {
    return base::NotFound("{}: no plan {}", connection.name(), ToHex(digest));
  }
  const std::string bytes = rows.Bytes(0, 0);
  if (codec::DigestOfBytes(bytes) != digest) {
    return base::DataLoss("{}: plan {} is damaged: its digest does not fit", connection.name(),
                          ToHex(digest));
  }
  StatusOr<model::PlanRef> plan = codec::DecodePlan(bytes);
  return plan.ok() ? plan : base::Annotate(plan.status(), connection.name());
}

}  // namespace store::postgres

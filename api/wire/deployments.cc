// SPDX-License-Identifier: Apache-2.0
#include "api/wire/deployments.h"

#include <algorithm>
#include <optional>

#include "api/wire/request_fields.h"

namespace api::wire {

namespace base = engine::base;
namespace model = engine::model;

namespace {

constexpr std::uint32_t kListedMax = 1000;
constexpr std::size_t kNameBytesMax = 4096;

std::int64_t Micros(const std::optional<base::Instant>& at) {
  return at ? base::ToMicros(*at) : 0;
}

std::optional<base::Instant> InstantFrom(std::int64_t micros) {
  return micros == 0 ? std::optional<base::Instant>()
                     : std::optional(base::InstantFromMicros(micros));
}

}  // namespace

void ToWire(const model::Deployment& deployment, pb::Deployment* out) {
  out->set_environment(deployment.environment);
  out->set_url(deployment.url);
  out->set_run(model::ToText(deployment.run));
  out->set_job(deployment.job.value());
  out->set_job_name(deployment.job_name);
  out->set_pipeline(deployment.pipeline);
  out->set_source(deployment.source);
  out->set_commit(deployment.commit);
  out->set_branch(deployment.branch);
  out->set_event(deployment.event);
  out->set_by(deployment.by);
  out->set_status(ToWire(deployment.status));
  if (deployment.reason.code != model::ReasonCode::kNone) {
    ToWire(deployment.reason, out->mutable_reason());
  }
  out->set_queued_at_us(base::ToMicros(deployment.queued_at));
  out->set_started_at_us(Micros(deployment.started_at));
  out->set_ended_at_us(Micros(deployment.ended_at));
  out->set_current(deployment.is_current);
}

base::StatusOr<model::Deployment> DeploymentFrom(const pb::Deployment& deployment) {
  model::Deployment out;
  out.environment = deployment.environment();
  out.url = deployment.url();
  ASSIGN_OR_RETURN(out.run, RunIdFrom(deployment.run(), "run"));
  out.job = model::JobIndex(deployment.job());
  out.job_name = deployment.job_name();
  out.pipeline = deployment.pipeline();
  out.source = deployment.source();
  out.commit = deployment.commit();
  out.branch = deployment.branch();
  out.event = deployment.event();
  out.by = deployment.by();
  ASSIGN_OR_RETURN(out.status, StatusFrom(deployment.status(), "status"));
  if (deployment.has_reason()) {
    out.reason = ReasonFrom(deployment.reason()).value_or(model::Reason());
  }
  out.queued_at = base::InstantFromMicros(deployment.queued_at_us());
  out.started_at = InstantFrom(deployment.started_at_us());
  out.ended_at = InstantFrom(deployment.ended_at_us());
  out.is_current = deployment.current();
  return out;
}

pb::ListDeploymentsRequest ToWire(const model::DeploymentFilter& filter) {
  pb::ListDeploymentsRequest request;
  request.set_limit(static_cast<std::uint32_t>(std::min<std::size_t>(filter.limit, kListedMax)));
  request.set_environment(filter.environment);
  request.set_overview(filter.is_overview);
  return request;
}

base::StatusOr<model::DeploymentFilter> DeploymentFilterFrom(
    const pb::ListDeploymentsRequest& request) {
  RETURN_IF_ERROR(CheckLength(request.environment(), kNameBytesMax, "environment"));
  if (request.limit() > kListedMax) {
    return BadField("limit", fmt::format("{}, at most {}", request.limit(), kListedMax));
  }
  model::DeploymentFilter filter;
  filter.limit = request.limit() == 0 ? filter.limit : request.limit();
  filter.environment = request.environment();
  filter.is_overview = request.overview();
  return filter;
}

}  // namespace api::wire

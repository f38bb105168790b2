// SPDX-License-Identifier: Apache-2.0
#include "api/agents/enrolment.h"

#include <utility>

#include "engine/base/random.h"

namespace api::agents {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

namespace {

constexpr std::size_t kHostBytesMax = 253;
constexpr int kDrawsMax = 8;

base::Status TokenRefused() {
  return base::PermissionDenied("join_token: it is not known, was used, or has expired");
}

base::Status WorkerRefused(model::WorkerId worker) {
  return base::PermissionDenied("worker {} was retired or never joined", worker.value());
}

wire::CertificateOrder OrderFor(model::WorkerId worker) {
  return {.identity = {.kind = wire::Identity::Kind::kWorker, .worker = worker, .name = ""},
          .hosts = {},
          .life = wire::kWorkerLife};
}

}  // namespace

model::WorkerId WorkerIdFrom(base::Instant now, std::uint64_t draw) {
  constexpr int kRandomBits = 20;
  const auto millis = static_cast<std::uint64_t>(base::ToMicros(now) / 1000);
  return model::WorkerId((millis << kRandomBits) | (draw & ((1U << kRandomBits) - 1)));
}

base::StatusOr<std::string> Enrolment::MakeToken(const std::string& pool, const std::string& launch,
                                                 base::Instant now) {
  ASSIGN_OR_RETURN(const base::Digest fingerprint, wire::FingerprintOf(authority_.certificate));
  ASSIGN_OR_RETURN(const wire::JoinToken token, wire::DrawJoinToken(fingerprint));
  RETURN_IF_ERROR(registry_.AddGrant({.token = wire::HashOf(token),
                                      .launch = launch,
                                      .pool = pool,
                                      .expires_at = now + wire::kJoinTokenLife}));
  return wire::ToText(token);
}

base::StatusOr<Enrolled> Enrolment::Register(const Application& application, base::Instant now,
                                             std::uint64_t draw) {
  ASSIGN_OR_RETURN(const wire::JoinToken token, wire::JoinTokenFromText(application.join_token));
  if (application.host.size() > kHostBytesMax) {
    return base::InvalidArgument("host: must be at most 253 bytes");
  }
  // A request that cannot be signed must not use the token up.
  RETURN_IF_ERROR(wire::SignRequest(authority_, application.certificate_request,
                                    OrderFor(model::WorkerId(1)), now)
                      .status());
  for (int i = 0; i < kDrawsMax; ++i) {
    const model::WorkerId worker = WorkerIdFrom(now, draw);
    auto redeemed = registry_.Redeem(wire::HashOf(token), now, worker, application.host);
    if (redeemed.ok()) {
      return Sign(*redeemed, application.certificate_request, now);
    }
    if (redeemed.status().code() == absl::StatusCode::kNotFound) {
      return TokenRefused();
    }
    if (redeemed.status().code() != absl::StatusCode::kAlreadyExists) {
      return redeemed.status();
    }
    draw = base::Mix64(draw);
  }
  return base::Unavailable("no number is free for a new worker; try again");
}

base::StatusOr<Enrolled> Enrolment::Renew(model::WorkerId worker, const std::string& request,
                                          base::Instant now) {
  ASSIGN_OR_RETURN(const ports::RegisteredWorker known, Admit(worker));
  return Sign(known, request, now);
}

base::StatusOr<ports::RegisteredWorker> Enrolment::Admit(model::WorkerId worker) {
  auto known = registry_.Find(worker);
  if (known.status().code() == absl::StatusCode::kNotFound || (known.ok() && known->retired)) {
    return WorkerRefused(worker);
  }
  return known;
}

base::StatusOr<Enrolled> Enrolment::Sign(const ports::RegisteredWorker& worker,
                                         const std::string& request, base::Instant now) {
  ASSIGN_OR_RETURN(std::string certificate,
                   wire::SignRequest(authority_, request, OrderFor(worker.worker), now));
  return Enrolled{.worker = worker.worker,
                  .pool = worker.pool,
                  .certificate = std::move(certificate),
                  .authority = authority_.certificate};
}

}  // namespace api::agents

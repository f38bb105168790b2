// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstddef>

#include <google/protobuf/arena.h>
#include <google/protobuf/io/coded_stream.h>

#include "engine/base/overloaded.h"
#include "store/codec/envelope.h"
#include "store/codec/fact_codec.h"
#include "store/codec/place.h"
#include "store/codec/values.h"

namespace store::codec {
namespace {

using google::protobuf::io::CodedOutputStream;

// Field 1 of `FactList`, length-delimited. Facts are written one by one, so that a batch of any
// size needs memory for one.
constexpr std::uint8_t kFactTag = (1 << 3) | 2;

void AppendVarint(std::uint32_t value, std::string& out) {
  std::array<std::uint8_t, 5> bytes;
  const std::uint8_t* end = CodedOutputStream::WriteVarint32ToArray(value, bytes.data());
  out.append(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::size_t>(end - bytes.data()));
}

class FactEncoder {
 public:
  explicit FactEncoder(std::string& out) : out_(out) {}

  void Add(const model::Fact& fact) {
    // The arena's first block is part of this object: an ordinary fact costs no allocation.
    google::protobuf::ArenaOptions options;
    options.initial_block = block_.data();
    options.initial_block_size = block_.size();
    google::protobuf::Arena arena(options);
    fact_ = google::protobuf::Arena::CreateMessage<pb::Fact>(&arena);
    at_ = fact.at;
    fact_->set_after(WrappingSubtract(base::ToMicros(fact.at), last_at_));
    last_at_ = base::ToMicros(fact.at);
    std::visit([this](const auto& body) { Put(body); }, fact.body);
    Append();
  }

 private:
  void Append() {
    const std::size_t size = fact_->ByteSizeLong();
    out_.push_back(static_cast<char>(kFactTag));
    AppendVarint(static_cast<std::uint32_t>(size), out_);
    const std::size_t start = out_.size();
    out_.resize(start + size);
    fact_->SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(out_.data() + start));
  }

  void PutRun(model::RunId run) {
    if (!run_known_ || run != run_) {
      fact_->set_run(run.value());
      run_ = run;
      run_known_ = true;
    }
  }
  void PutJob(model::RunId run, model::JobIndex job) {
    PutRun(run);
    const auto number = static_cast<std::int64_t>(job.value());
    fact_->set_job(number - last_job_);
    last_job_ = number;
  }
  // Attempts count from 1; the number 0, which only a test makes up, wraps around and comes back.
  void PutAttempt(model::AttemptNumber attempt) { fact_->set_retry(attempt - 1); }
  void PutKey(const model::AttemptKey& key) {
    PutJob(key.run, key.job);
    PutAttempt(key.attempt);
  }
  template <typename Message>
  void PutWhy(const model::Reason& reason, Message* out) {
    if (HasReason(reason)) {
      PutReason(reason, at_, out->mutable_reason());
    }
  }

  void Put(const model::RunAccepted& body);
  void Put(const model::RunCancelRequested& body) {
    PutRun(body.run);
    pb::RunCancelRequested* out = fact_->mutable_run_cancel_requested();
    out->set_kill(body.kill);
    PutWhy(body.reason, out);
  }
  void Put(const model::RunEnded& body) {
    PutRun(body.run);
    pb::RunEnded* out = fact_->mutable_run_ended();
    out->set_status(static_cast<std::uint32_t>(body.status));
    PutWhy(body.reason, out);
    out->mutable_counts()->Add(body.counts.begin(), body.counts.end());
  }
  void Put(const model::RunClosed& body) {
    PutRun(body.run);
    fact_->mutable_run_closed();
  }
  void Put(const model::JobReadied& body) {
    PutJob(body.run, body.job);
    PutAttempt(body.attempt);
    pb::JobReadied* out = fact_->mutable_job_readied();
    if (HasWhen(body.queue_deadline)) {
      PutWhen(body.queue_deadline, at_, out->mutable_queue_deadline());
    }
    PutValues(body.env, out->mutable_env());
    out->set_effect_may_be_done(body.effect_may_be_done);
  }
  void Put(const model::JobWaitNoted& body) {
    PutJob(body.run, body.job);
    PutReason(body.reason, at_, fact_->mutable_job_wait_noted());
  }
  void Put(const model::JobBackedOff& body) {
    PutJob(body.run, body.job);
    PutAttempt(body.attempt);
    pb::JobBackedOff* out = fact_->mutable_job_backed_off();
    out->set_infra(body.infra);
    PutWhy(body.reason, out);
    out->set_author_retries(body.author_retries);
    out->set_infra_retries(body.infra_retries);
    out->set_effect_may_be_done(body.effect_may_be_done);
  }
  void Put(const model::JobEnded& body) {
    PutJob(body.run, body.job);
    if (body.result == nullptr) {
      fact_->mutable_job_ended_without_result();
    } else {
      PutResult(*body.result, at_, fact_->mutable_job_ended());
    }
  }
  void Put(const model::AttemptAssigned& body) {
    PutKey(body.lease.key);
    pb::AttemptAssigned* out = fact_->mutable_attempt_assigned();
    out->set_worker(body.lease.worker.value());
    out->set_session(body.lease.session.value());
  }
  void Put(const model::AttemptStarted& body) {
    PutKey(body.key);
    pb::AttemptStarted* out = fact_->mutable_attempt_started();
    out->set_slot(body.slot);
    if (HasWhen(body.deadline)) {
      PutWhen(body.deadline, at_, out->mutable_deadline());
    }
  }
  void Put(const model::StepStarted& body) {
    PutKey(body.key);
    fact_->mutable_step_started()->set_step(body.step.value());
  }
  void Put(const model::StepEnded& body);
  void Put(const model::AttemptStopRequested& body) {
    PutKey(body.key);
    pb::AttemptStopRequested* out = fact_->mutable_attempt_stop_requested();
    out->set_kill(body.kill);
    PutWhy(body.reason, out);
    if (HasWhen(body.deadline)) {
      PutWhen(body.deadline, at_, out->mutable_deadline());
    }
  }
  void Put(const model::AttemptEnded& body) {
    PutKey(body.key);
    pb::AttemptEnded* out = fact_->mutable_attempt_ended();
    out->set_status(static_cast<std::uint32_t>(body.status));
    out->set_infra(body.infra);
    PutWhy(body.reason, out);
    out->set_took(body.took.count());
  }
  void Put(const model::WorkerJoined& body) {
    pb::WorkerJoined* out = fact_->mutable_worker_joined();
    out->set_worker(body.worker.value());
    out->set_session(body.session.value());
    out->set_pool(body.pool);
    out->set_slots(body.slots);
    out->set_ahead_max(body.ahead_max);
    PutDurations(body.recent, out->mutable_recent());
    if (body.offer != model::WorkerOffer()) {
      PutOffer(body.offer, out->mutable_offer());
    }
    out->set_alone(body.alone);
  }
  void Put(const model::WorkerMarkedSuspect& body) {
    pb::WorkerMarkedSuspect* out = fact_->mutable_worker_marked_suspect();
    out->set_worker(body.worker.value());
    if (HasWhen(body.lease_ends)) {
      PutWhen(body.lease_ends, at_, out->mutable_lease_ends());
    }
  }
  void Put(const model::WorkerRecovered& body) { fact_->set_worker_recovered(body.worker.value()); }
  void Put(const model::WorkerMarkedDraining& body) {
    pb::WorkerMarkedDraining* out = fact_->mutable_worker_marked_draining();
    out->set_worker(body.worker.value());
    out->set_stop_attempts(body.stop_attempts);
    PutWhy(body.reason, out);
  }
  void Put(const model::WorkerLost& body) {
    pb::WorkerLost* out = fact_->mutable_worker_lost();
    out->set_worker(body.worker.value());
    PutWhy(body.reason, out);
  }
  void Put(const model::RunQueued& body) {
    PutRun(body.run);
    pb::Queued* out = fact_->mutable_run_queued();
    out->set_ticket(body.ticket);
    PutClaims(body.claims, out->mutable_claims());
    PutWhy(body.reason, out);
  }
  void Put(const model::RunAdmitted& body) {
    PutRun(body.run);
    fact_->mutable_run_admitted();
  }
  void Put(const model::JobDelayed& body) {
    PutJob(body.run, body.job);
    PutWhen(body.until, at_, fact_->mutable_job_delayed());
  }
  void Put(const model::ApprovalRequested& body) {
    PutJob(body.run, body.job);
    PutAttempt(body.attempt);
    pb::ApprovalRequested* out = fact_->mutable_approval_requested();
    PutWhy(body.reason, out);
    if (HasWhen(body.deadline)) {
      PutWhen(body.deadline, at_, out->mutable_deadline());
    }
  }
  void Put(const model::ApprovalDecided& body) {
    PutJob(body.run, body.job);
    pb::ApprovalDecided* out = fact_->mutable_approval_decided();
    out->set_approved(body.approved);
    PutApproval(body.approval, out->mutable_approval());
  }
  void Put(const model::JobQueued& body) {
    PutJob(body.run, body.job);
    pb::Queued* out = fact_->mutable_job_queued();
    out->set_ticket(body.ticket);
    PutClaims(body.claims, out->mutable_claims());
    if (HasWhen(body.deadline)) {
      PutWhen(body.deadline, at_, out->mutable_deadline());
    }
    out->set_environment(body.environment);
    out->set_environment_url(body.environment_url);
    PutWhy(body.reason, out);
  }
  void Put(const model::AttemptUnheard& body) {
    PutKey(body.key);
    PutWhen(body.deadline, at_, fact_->mutable_attempt_unheard());
  }
  void Put(const model::JobsExpanded& body) {
    PutJob(body.run, body.expansion.job);
    PutValues(body.expansion.values, fact_->mutable_jobs_expanded()->mutable_values());
  }

  std::string& out_;
  pb::Fact* fact_ = nullptr;
  base::Instant at_{};
  std::int64_t last_at_ = 0;
  std::int64_t last_job_ = 0;
  model::RunId run_;
  bool run_known_ = false;
  alignas(std::max_align_t) std::array<char, 2048> block_;
};

void FactEncoder::Put(const model::RunAccepted& body) {
  PutRun(body.run);
  pb::RunAccepted* out = fact_->mutable_run_accepted();
  out->set_plan(DigestBytes(body.plan));
  if (body.context != nullptr) {
    PutContext(*body.context, out->mutable_context());
  }
  PutValues(body.env, out->mutable_env());
  out->mutable_ranks()->Add(body.ranks.begin(), body.ranks.end());
  PutDurations(body.known_durations, out->mutable_known_durations());
  for (const model::SpecIndex spec : body.not_selected) {
    out->add_not_selected(spec.value());
  }
  for (const model::CarriedJob& carried : body.carried) {
    pb::CarriedJob* entry = out->add_carried();
    entry->set_job(carried.job.value());
    PutResult(carried.result, at_, entry->mutable_result());
  }
  if (HasWhen(body.deadline)) {
    PutWhen(body.deadline, at_, out->mutable_deadline());
  }
  out->set_idempotency_key(body.idempotency_key);
}

void FactEncoder::Put(const model::StepEnded& body) {
  PutKey(body.key);
  pb::StepEnded* out = fact_->mutable_step_ended();
  out->set_step(body.step.value());
  out->set_status(static_cast<std::uint32_t>(body.status));
  PutWhy(body.reason, out);
  out->set_took(body.took.count());
  PutLog(body.log, out);
}

void AppendPayload(std::span<const model::Fact> facts, std::string& out) {
  FactEncoder encoder(out);
  for (const model::Fact& fact : facts) {
    encoder.Add(fact);
  }
}

}  // namespace

void EncodeFactsTo(std::span<const model::Fact> facts, std::string& out) {
  const std::size_t start = out.size();
  out.resize(start + kEnvelopeBytes);
  AppendPayload(facts, out);
  Seal(kFactsVersion, start, out);
}

std::string EncodeFacts(std::span<const model::Fact> facts) {
  std::string out;
  EncodeFactsTo(facts, out);
  return out;
}

std::string EncodeSnapshot(const model::Snapshot& snapshot) {
  std::string out(kEnvelopeBytes, '\0');
  std::array<std::uint8_t, 10> bytes;
  const std::uint8_t* end = CodedOutputStream::WriteVarint64ToArray(snapshot.seq, bytes.data());
  out.append(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::size_t>(end - bytes.data()));
  AppendPayload(snapshot.facts, out);
  Seal(kSnapshotVersion, 0, out);
  return out;
}

}  // namespace store::codec

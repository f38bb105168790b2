// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstddef>

#include <google/protobuf/arena.h>
#include <google/protobuf/io/coded_stream.h>

#include "store/codec/envelope.h"
#include "store/codec/fact_codec.h"
#include "store/codec/place.h"
#include "store/codec/values.h"

namespace store::codec {
namespace {

using base::DataLoss;
using base::StatusOr;

class FactDecoder {
 public:
  StatusOr<model::Fact> Next(const pb::Fact& in) {
    last_at_ = WrappingAdd(last_at_, in.after());
    at_ = base::InstantFromMicros(last_at_);
    if (in.has_run()) {
      run_ = model::RunId(in.run());
    }
    last_job_ = static_cast<std::uint32_t>(static_cast<std::uint64_t>(last_job_) +
                                           static_cast<std::uint64_t>(in.job()));
    job_ = model::JobIndex(last_job_);
    attempt_ = in.retry() + 1;
    ASSIGN_OR_RETURN(model::FactBody body, Body(in));
    return model::Fact{at_, std::move(body)};
  }

 private:
  StatusOr<model::FactBody> Body(const pb::Fact& in);
  StatusOr<model::FactBody> RunBody(const pb::Fact& in);
  StatusOr<model::FactBody> Get(const pb::RunAccepted& in);
  StatusOr<model::FactBody> Get(const pb::RunEnded& in);
  StatusOr<model::FactBody> Get(const pb::StepEnded& in);
  StatusOr<model::FactBody> Get(const pb::AttemptEnded& in) {
    model::AttemptEnded out;
    out.key = Key();
    ASSIGN_OR_RETURN(out.status, GetStatus(in.status()));
    out.infra = in.infra();
    out.reason = Why(in);
    out.took = base::Duration(in.took());
    return model::FactBody(std::move(out));
  }
  StatusOr<model::FactBody> Get(const pb::JobResult& in) {
    ASSIGN_OR_RETURN(model::JobResult result, GetResult(in, at_));
    return model::FactBody(
        model::JobEnded{run_, job_, std::make_shared<const model::JobResult>(std::move(result))});
  }
  model::FactBody Get(const pb::JobReadied& in) {
    model::JobReadied out;
    out.run = run_;
    out.job = job_;
    out.attempt = attempt_;
    if (in.has_queue_deadline()) {
      out.queue_deadline = GetWhen(in.queue_deadline(), at_);
    }
    out.env = GetValues(in.env());
    out.effect_may_be_done = in.effect_may_be_done();
    return out;
  }
  model::FactBody Get(const pb::JobBackedOff& in) {
    model::JobBackedOff out;
    out.run = run_;
    out.job = job_;
    out.attempt = attempt_;
    out.infra = in.infra();
    out.reason = Why(in);
    out.author_retries = in.author_retries();
    out.infra_retries = in.infra_retries();
    out.effect_may_be_done = in.effect_may_be_done();
    return out;
  }
  model::FactBody Get(const pb::AttemptStarted& in) {
    model::AttemptStarted out;
    out.key = Key();
    out.slot = in.slot();
    if (in.has_deadline()) {
      out.deadline = GetWhen(in.deadline(), at_);
    }
    return out;
  }
  model::FactBody Get(const pb::AttemptStopRequested& in) {
    model::AttemptStopRequested out;
    out.key = Key();
    out.kill = in.kill();
    out.reason = Why(in);
    if (in.has_deadline()) {
      out.deadline = GetWhen(in.deadline(), at_);
    }
    return out;
  }
  model::FactBody Get(const pb::WorkerMarkedSuspect& in) {
    model::WorkerMarkedSuspect out;
    out.worker = model::WorkerId(in.worker());
    if (in.has_lease_ends()) {
      out.lease_ends = GetWhen(in.lease_ends(), at_);
    }
    return out;
  }
  model::FactBody Get(const pb::WorkerJoined& in) {
    model::WorkerJoined out;
    out.worker = model::WorkerId(in.worker());
    out.session = model::SessionId(in.session());
    out.pool = in.pool();
    out.slots = in.slots();
    out.ahead_max = in.ahead_max();
    out.recent = GetDurations(in.recent());
    if (in.has_offer()) {
      out.offer = GetOffer(in.offer());
    }
    out.alone = in.alone();
    return out;
  }

  StatusOr<model::FactBody> GetRunQueued(const pb::Queued& in) {
    model::RunQueued out;
    out.run = run_;
    out.ticket = in.ticket();
    ASSIGN_OR_RETURN(out.claims, GetClaims(in.claims()));
    out.reason = Why(in);
    return model::FactBody(std::move(out));
  }
  StatusOr<model::FactBody> GetJobQueued(const pb::Queued& in) {
    model::JobQueued out;
    out.run = run_;
    out.job = job_;
    out.ticket = in.ticket();
    ASSIGN_OR_RETURN(out.claims, GetClaims(in.claims()));
    out.reason = Why(in);
    if (in.has_deadline()) {
      out.deadline = GetWhen(in.deadline(), at_);
    }
    out.environment = in.environment();
    out.environment_url = in.environment_url();
    return model::FactBody(std::move(out));
  }
  model::FactBody Get(const pb::ApprovalRequested& in) {
    model::ApprovalRequested out;
    out.run = run_;
    out.job = job_;
    out.attempt = attempt_;
    out.reason = Why(in);
    if (in.has_deadline()) {
      out.deadline = GetWhen(in.deadline(), at_);
    }
    return out;
  }
  model::FactBody Get(const pb::ApprovalDecided& in) {
    model::ApprovalDecided out;
    out.run = run_;
    out.job = job_;
    out.approved = in.approved();
    out.approval = GetApproval(in.approval());
    return out;
  }

  model::AttemptKey Key() const { return {run_, job_, attempt_}; }
  template <typename Message>
  model::Reason Why(const Message& in) const {
    return in.has_reason() ? GetReason(in.reason(), at_) : model::Reason{};
  }

  base::Instant at_{};
  std::int64_t last_at_ = 0;
  std::uint32_t last_job_ = 0;
  model::RunId run_;
  model::JobIndex job_;
  model::AttemptNumber attempt_ = 1;
};

StatusOr<model::FactBody> FactDecoder::Body(const pb::Fact& in) {
  switch (in.body_case()) {
    case pb::Fact::kJobReadied:
      return Get(in.job_readied());
    case pb::Fact::kAttemptAssigned:
      return model::FactBody(
          model::AttemptAssigned{{Key(), model::WorkerId(in.attempt_assigned().worker()),
                                  model::SessionId(in.attempt_assigned().session())}});
    case pb::Fact::kAttemptStarted:
      return Get(in.attempt_started());
    case pb::Fact::kStepStarted:
      return model::FactBody(model::StepStarted{Key(), model::StepIndex(in.step_started().step())});
    case pb::Fact::kStepEnded:
      return Get(in.step_ended());
    case pb::Fact::kAttemptEnded:
      return Get(in.attempt_ended());
    case pb::Fact::kJobEnded:
      return Get(in.job_ended());
    case pb::Fact::kJobEndedWithoutResult:
      return model::FactBody(model::JobEnded{run_, job_, nullptr});
    case pb::Fact::kJobWaitNoted:
      return model::FactBody(model::JobWaitNoted{run_, job_, GetReason(in.job_wait_noted(), at_)});
    case pb::Fact::kJobBackedOff:
      return Get(in.job_backed_off());
    case pb::Fact::kAttemptStopRequested:
      return Get(in.attempt_stop_requested());
    case pb::Fact::kJobDelayed:
      return model::FactBody(model::JobDelayed{run_, job_, GetWhen(in.job_delayed(), at_)});
    case pb::Fact::kApprovalRequested:
      return Get(in.approval_requested());
    case pb::Fact::kApprovalDecided:
      return Get(in.approval_decided());
    case pb::Fact::kJobQueued:
      return GetJobQueued(in.job_queued());
    case pb::Fact::kAttemptUnheard:
      return model::FactBody(model::AttemptUnheard{Key(), GetWhen(in.attempt_unheard(), at_)});
    case pb::Fact::kJobsExpanded:
      return model::FactBody(
          model::JobsExpanded{run_, {job_, GetValues(in.jobs_expanded().values())}});
    case pb::Fact::kRunQueued:
    case pb::Fact::kRunAdmitted:
    case pb::Fact::kRunAccepted:
    case pb::Fact::kRunCancelRequested:
    case pb::Fact::kRunEnded:
    case pb::Fact::kRunClosed:
    case pb::Fact::kWorkerJoined:
    case pb::Fact::kWorkerMarkedSuspect:
    case pb::Fact::kWorkerRecovered:
    case pb::Fact::kWorkerLost:
    case pb::Fact::kWorkerMarkedDraining:
    case pb::Fact::BODY_NOT_SET:
      return RunBody(in);
  }
  return RunBody(in);
}

// The facts about runs and workers: rare ones.
StatusOr<model::FactBody> FactDecoder::RunBody(const pb::Fact& in) {
  if (in.has_run_accepted()) {
    return Get(in.run_accepted());
  }
  if (in.has_run_cancel_requested()) {
    return model::FactBody(model::RunCancelRequested{run_, in.run_cancel_requested().kill(),
                                                     Why(in.run_cancel_requested())});
  }
  if (in.has_run_ended()) {
    return Get(in.run_ended());
  }
  if (in.has_run_closed()) {
    return model::FactBody(model::RunClosed{run_});
  }
  if (in.has_worker_joined()) {
    return Get(in.worker_joined());
  }
  if (in.has_worker_marked_suspect()) {
    return Get(in.worker_marked_suspect());
  }
  if (in.body_case() == pb::Fact::kWorkerRecovered) {
    return model::FactBody(model::WorkerRecovered{model::WorkerId(in.worker_recovered())});
  }
  if (in.has_worker_lost()) {
    return model::FactBody(
        model::WorkerLost{model::WorkerId(in.worker_lost().worker()), Why(in.worker_lost())});
  }
  if (in.has_worker_marked_draining()) {
    const pb::WorkerMarkedDraining& body = in.worker_marked_draining();
    return model::FactBody(model::WorkerMarkedDraining{model::WorkerId(body.worker()),
                                                       body.stop_attempts(), Why(body)});
  }
  if (in.has_run_queued()) {
    return GetRunQueued(in.run_queued());
  }
  if (in.has_run_admitted()) {
    return model::FactBody(model::RunAdmitted{run_});
  }
  return DataLoss("facts damaged: a fact of no known kind");
}

StatusOr<model::FactBody> FactDecoder::Get(const pb::RunAccepted& in) {
  model::RunAccepted out;
  out.run = run_;
  ASSIGN_OR_RETURN(out.plan, GetDigest(in.plan()));
  if (in.has_context()) {
    out.context = std::make_shared<const model::RunContext>(GetContext(in.context()));
  }
  out.env = GetValues(in.env());
  out.ranks.assign(in.ranks().begin(), in.ranks().end());
  out.known_durations = GetDurations(in.known_durations());
  for (const std::uint32_t spec : in.not_selected()) {
    out.not_selected.push_back(model::SpecIndex(spec));
  }
  for (const pb::CarriedJob& carried : in.carried()) {
    ASSIGN_OR_RETURN(model::JobResult result, GetResult(carried.result(), at_));
    out.carried.push_back({model::JobIndex(carried.job()), std::move(result)});
  }
  if (in.has_deadline()) {
    out.deadline = GetWhen(in.deadline(), at_);
  }
  out.idempotency_key = in.idempotency_key();
  return model::FactBody(std::move(out));
}

StatusOr<model::FactBody> FactDecoder::Get(const pb::RunEnded& in) {
  model::RunEnded out;
  out.run = run_;
  ASSIGN_OR_RETURN(out.status, GetStatus(in.status()));
  out.reason = Why(in);
  const int count = std::min(in.counts_size(), model::kStatusCount);
  std::copy_n(in.counts().begin(), count, out.counts.begin());
  return model::FactBody(std::move(out));
}

StatusOr<model::FactBody> FactDecoder::Get(const pb::StepEnded& in) {
  model::StepEnded out;
  out.key = Key();
  out.step = model::StepIndex(in.step());
  ASSIGN_OR_RETURN(out.status, GetStatus(in.status()));
  out.reason = Why(in);
  out.took = base::Duration(in.took());
  out.log = GetLog(in);
  return model::FactBody(std::move(out));
}

StatusOr<std::vector<model::Fact>> ReadPayload(std::string_view payload) {
  std::vector<model::Fact> out;
  FactDecoder decoder;
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const std::uint8_t*>(payload.data()),
                                            static_cast<int>(payload.size()));
  constexpr std::uint32_t kFactTag = (1 << 3) | 2;
  alignas(std::max_align_t) std::array<char, 2048> block;
  while (const std::uint32_t tag = in.ReadTag()) {
    std::uint32_t size = 0;
    const void* bytes = nullptr;
    int available = 0;
    if (tag != kFactTag || !in.ReadVarint32(&size)) {
      return DataLoss("facts damaged: field {} in a list of facts", tag >> 3);
    }
    in.GetDirectBufferPointerInline(&bytes, &available);
    if (size > static_cast<std::uint32_t>(available)) {
      return DataLoss("facts damaged: a fact of {} bytes where {} are left", size, available);
    }
    google::protobuf::ArenaOptions options;
    options.initial_block = block.data();
    options.initial_block_size = block.size();
    google::protobuf::Arena arena(options);
    pb::Fact* fact = google::protobuf::Arena::CreateMessage<pb::Fact>(&arena);
    if (!fact->ParseFromArray(bytes, static_cast<int>(size))) {
      return DataLoss("facts damaged: fact {} cannot be read", out.size() + 1);
    }
    in.Skip(static_cast<int>(size));
    ASSIGN_OR_RETURN(model::Fact next, decoder.Next(*fact));
    out.push_back(std::move(next));
  }
  if (!in.ConsumedEntireMessage()) {
    return DataLoss("facts damaged: {} bytes are left over",
                    payload.size() - static_cast<std::size_t>(in.CurrentPosition()));
  }
  return out;
}

}  // namespace

StatusOr<std::vector<model::Fact>> DecodeFacts(std::string_view bytes) {
  ASSIGN_OR_RETURN(const std::string_view payload, Unseal(bytes, kFactsVersion, "facts"));
  return ReadPayload(payload);
}

StatusOr<model::Snapshot> DecodeSnapshot(std::string_view bytes) {
  ASSIGN_OR_RETURN(std::string_view payload, Unseal(bytes, kSnapshotVersion, "snapshot"));
  model::Snapshot out;
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const std::uint8_t*>(payload.data()),
                                            static_cast<int>(payload.size()));
  std::uint64_t seq = 0;
  if (!in.ReadVarint64(&seq)) {
    return DataLoss("snapshot damaged: no sequence number");
  }
  out.seq = seq;
  payload.remove_prefix(static_cast<std::size_t>(in.CurrentPosition()));
  ASSIGN_OR_RETURN(out.facts, ReadPayload(payload));
  return out;
}

}  // namespace store::codec

// SPDX-License-Identifier: Apache-2.0
#include "api/bulk/log_acceptor.h"

#include <utility>

#include "api/wire/values.h"
#include "engine/base/log.h"

namespace api::bulk {

namespace base = engine::base;
namespace model = engine::model;
namespace pb = dayfly::v1;
namespace wire = api::wire;

namespace {

template <typename Message>
base::StatusOr<model::LogKey> LogFrom(const Message& message) {
  ASSIGN_OR_RETURN(const model::AttemptKey attempt, wire::AttemptKeyFrom(message.attempt()));
  return model::LogKey{.attempt = attempt, .step = model::StepIndex(message.step())};
}

template <typename Message>
void Refuse(const Message& message, const base::Status& why, const LogAcceptor::Answer& answer) {
  spdlog::warn("a log of step {} is not taken: {}", message.step(), base::Message(why));
  pb::LogAcknowledged told;
  *told.mutable_attempt() = message.attempt();
  told.set_step(message.step());
  told.set_unwanted(true);
  answer(std::move(told));
}

model::LogEnd EndFrom(const pb::LogEnd& message) {
  model::LogEnd end{
      .length = message.length(), .checksum = message.checksum(), .truncated = message.truncated()};
  for (const pb::LogLost& lost : message.lost()) {
    end.lost.push_back({.begin = lost.offset(), .end = lost.offset() + lost.length()});
  }
  return end;
}

pb::LogAcknowledged About(const model::LogKey& log) {
  pb::LogAcknowledged told;
  wire::ToWire(log.attempt, told.mutable_attempt());
  told.set_step(log.step.value());
  return told;
}

}  // namespace

LogAcceptor::LogAcceptor(engine::ports::LogSink& sink, const ChunkGrants& grants, LookUp look_up)
    : sink_(sink), grants_(grants), look_up_(std::move(look_up)) {
  sink_.OnArchived(
      [this](const model::LogKey& log, const model::LogMarks& marks) { Archived(log, marks); });
}

template <typename Message>
std::optional<model::LogKey> LogAcceptor::Admit(model::WorkerId worker, const Message& message,
                                                const Answer& answer) {
  const auto log = LogFrom(message);
  const base::Status allowed = log.ok() ? grants_.MayLog(worker, *log) : log.status();
  if (allowed.ok()) {
    return *log;
  }
  if (allowed.code() == absl::StatusCode::kUnavailable) {
    look_up_(log->attempt.run);
  } else {
    Refuse(message, allowed, answer);
  }
  return std::nullopt;
}

void LogAcceptor::OnBatch(model::WorkerId worker, const pb::LogBatch& batch, const Answer& answer) {
  const std::optional<model::LogKey> log = Admit(worker, batch, answer);
  if (!log) {
    return;
  }
  sink_.Append(*log, batch.offset(), batch.data(),
               [this, log = *log, from = batch.offset(), answer](const Marks& marks) {
                 Told(log, from, marks, {.answer = answer});
               });
}

void LogAcceptor::OnEnd(model::WorkerId worker, const pb::LogEnd& message, const Answer& answer) {
  Finish(worker, message, {.answer = answer});
}

void LogAcceptor::OnCut(model::WorkerId worker, const pb::LogEnd& message, const Answer& answer) {
  Finish(worker, message, {.answer = answer, .has_all = true});
}

void LogAcceptor::Finish(model::WorkerId worker, const pb::LogEnd& message, const Sender& sender) {
  const std::optional<model::LogKey> log = Admit(worker, message, sender.answer);
  if (!log) {
    return;
  }
  model::LogEnd end = EndFrom(message);
  end.cut = sender.has_all;
  sink_.End(*log, end,
            [this, log = *log, from = model::KeptLength(end), sender](const Marks& marks) {
              Told(log, from, marks, sender);
            });
}

void LogAcceptor::Told(const model::LogKey& log, std::uint64_t sent_from, const Marks& marks,
                       const Sender& sender) {
  if (marks.ok()) {
    return Acknowledge(log, *marks, sender);
  }
  const absl::StatusCode code = marks.status().code();
  if (code == absl::StatusCode::kResourceExhausted || code == absl::StatusCode::kUnavailable) {
    spdlog::warn("a log waits: {}", base::Message(marks.status()));
    return;
  }
  // It has ended as damaged, or the sender must go back to where this is. A sink's own thread does
  // not wait for the disk here: it has just looked at the log.
  const Marks known = sink_.Marks(log);
  if (known.ok() && (code == absl::StatusCode::kDataLoss || known->received < sent_from)) {
    return Acknowledge(log, *known, sender);
  }
  if (sender.has_all) {
    sink_.Abandon(log, 0);  // more is here than is left there
  }
  pb::LogAcknowledged told = About(log);
  told.set_unwanted(true);
  spdlog::warn("a log is not taken: {}", base::Message(marks.status()));
  sender.answer(std::move(told));
}

void LogAcceptor::Acknowledge(const model::LogKey& log, const model::LogMarks& marks,
                              const Sender& sender) {
  // Of a log that was cut for want of its worker the worker may have more.
  const bool is_complete = marks.complete && (!marks.cut || sender.has_all);
  {
    const std::lock_guard lock(mutex_);
    if (is_complete) {
      streams_.erase(log);
    } else {
      streams_[log] = sender;
    }
  }
  pb::LogAcknowledged told = About(log);
  told.set_received(marks.received);
  told.set_archived(marks.archived);
  told.set_complete(is_complete);
  sender.answer(std::move(told));
}

void LogAcceptor::ForgetRun(model::RunId run) {
  const std::lock_guard lock(mutex_);
  std::erase_if(streams_, [run](const auto& entry) { return entry.first.attempt.run == run; });
}

void LogAcceptor::Archived(const model::LogKey& log, const model::LogMarks& marks) {
  Sender stream;
  {
    const std::lock_guard lock(mutex_);
    const auto found = streams_.find(log);
    if (found == streams_.end()) {
      return;
    }
    stream = found->second;
  }
  Acknowledge(log, marks, stream);
}

}  // namespace api::bulk

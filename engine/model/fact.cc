// SPDX-License-Identifier: Apache-2.0
#include "engine/model/fact.h"

#include <utility>

#include <fmt/format.h>

#include "engine/base/overloaded.h"

namespace engine::model {
namespace {

// `name key=value …`; empty and default values are left out, so that transcripts show what matters.
class Line {
 public:
  explicit Line(std::string_view name) : text_(name) {}

  Line& Put(std::string_view key, std::string_view value) {
    if (!value.empty()) {
      text_ += fmt::format(" {}={}", key, value);
    }
    return *this;
  }
  Line& Put(std::string_view key, std::uint64_t value) {
    text_ += fmt::format(" {}={}", key, value);
    return *this;
  }
  Line& Flag(std::string_view key, bool value) {
    if (value) {
      text_ += fmt::format(" {}", key);
    }
    return *this;
  }
  Line& At(std::string_view key, base::Instant at) {
    if (base::ToMicros(at) != 0) {
      text_ += fmt::format(" {}={}", key, base::FormatInstant(at));
    }
    return *this;
  }
  Line& Took(base::Duration took) {
    if (took.count() != 0) {
      text_ += fmt::format(" took={}us", took.count());
    }
    return *this;
  }
  Line& Run(RunId run) { return Put("run", ToText(run)); }
  Line& Job(RunId run, JobIndex job) { return Run(run).Put("job", job.value()); }
  Line& Attempt(const AttemptKey& key) { return Job(key.run, key.job).Put("attempt", key.attempt); }
  Line& Why(const Reason& reason) {
    if (reason.code != ReasonCode::kNone) {
      text_ += fmt::format(" reason={} \"{}\"", ToText(reason.code), Describe(reason));
    }
    return *this;
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

void PutNamed(Line& line, std::string_view prefix, const std::vector<NamedValue>& values) {
  for (const NamedValue& value : values) {
    line.Put(fmt::format("{}.{}", prefix, value.name), value.value);
  }
}

std::string TextOf(const RunAccepted& fact) {
  Line line("run_accepted");
  line.Run(fact.run).At("deadline", fact.deadline).Put("carried", fact.carried.size());
  PutNamed(line, "env", fact.env);
  return line.Take();
}

std::string TextOf(const RunCancelRequested& fact) {
  return Line("run_cancel_requested").Run(fact.run).Flag("kill", fact.kill).Why(fact.reason).Take();
}

std::string TextOf(const RunEnded& fact) {
  Line line("run_ended");
  line.Run(fact.run).Put("status", ToText(fact.status));
  for (std::size_t i = 0; i < fact.counts.size(); ++i) {
    if (fact.counts[i] != 0) {
      line.Put(ToText(static_cast<Status>(i)), fact.counts[i]);
    }
  }
  return line.Why(fact.reason).Take();
}

std::string TextOf(const RunClosed& fact) {
  return Line("run_closed").Run(fact.run).Take();
}

std::string TextOf(const JobReadied& fact) {
  Line line("job_readied");
  line.Job(fact.run, fact.job)
      .Put("attempt", fact.attempt)
      .At("queue_deadline", fact.queue_deadline)
      .Flag("effect_may_be_done", fact.effect_may_be_done);
  PutNamed(line, "env", fact.env);
  return line.Take();
}

std::string TextOf(const JobWaitNoted& fact) {
  return Line("job_wait_noted").Job(fact.run, fact.job).Why(fact.reason).Take();
}

std::string TextOf(const JobBackedOff& fact) {
  return Line("job_backed_off")
      .Job(fact.run, fact.job)
      .Flag("infra", fact.infra)
      .Flag("effect_may_be_done", fact.effect_may_be_done)
      .At("until", fact.reason.until)
      .Why(fact.reason)
      .Take();
}

std::string TextOf(const JobEnded& fact) {
  Line line("job_ended");
  line.Job(fact.run, fact.job).Put("status", ToText(fact.result->status)).Why(fact.result->reason);
  PutNamed(line, "output", fact.result->outputs);
  for (const SpilledOutput& output : fact.result->spilled) {
    line.Put("spilled", output.name).Put("bytes", output.bytes);
  }
  for (const Artifact& artifact : fact.result->artifacts) {
    line.Put("artifact", artifact.name);
  }
  if (const auto& tests = fact.result->remarks.tests) {
    line.Put("tests", tests->tests).Put("tests_failed", tests->failed);
  }
  for (const std::string& note : fact.result->remarks.notes) {
    line.Put("note", note);
  }
  if (const auto& annotations = fact.result->remarks.annotations) {
    line.Put("errors", annotations->counts.errors)
        .Put("warnings", annotations->counts.warnings)
        .Put("notices", annotations->counts.notices);
  }
  return line.Take();
}

std::string TextOf(const AttemptAssigned& fact) {
  return Line("attempt_assigned")
      .Attempt(fact.lease.key)
      .Put("worker", fact.lease.worker.value())
      .Put("session", fact.lease.session.value())
      .Take();
}

std::string TextOf(const AttemptStarted& fact) {
  return Line("attempt_started")
      .Attempt(fact.key)
      .Put("slot", fact.slot)
      .At("deadline", fact.deadline)
      .Take();
}

std::string TextOf(const StepStarted& fact) {
  return Line("step_started").Attempt(fact.key).Put("step", fact.step.value()).Take();
}

std::string TextOf(const StepEnded& fact) {
  Line line("step_ended");
  line.Attempt(fact.key).Put("step", fact.step.value()).Put("status", ToText(fact.status));
  std::uint64_t log_bytes = 0;
  for (const LogRange& range : fact.log.ranges) {
    log_bytes += range.length;
  }
  if (log_bytes != 0) {
    line.Put("log_bytes", log_bytes);
  }
  return line.Took(fact.took).Why(fact.reason).Take();
}

std::string TextOf(const AttemptStopRequested& fact) {
  return Line("attempt_stop_requested")
      .Attempt(fact.key)
      .Flag("kill", fact.kill)
      .At("deadline", fact.deadline)
      .Why(fact.reason)
      .Take();
}

std::string TextOf(const AttemptEnded& fact) {
  return Line("attempt_ended")
      .Attempt(fact.key)
      .Put("status", ToText(fact.status))
      .Flag("infra", fact.infra)
      .Took(fact.took)
      .Why(fact.reason)
      .Take();
}

std::string TextOf(const WorkerJoined& fact) {
  return Line("worker_joined")
      .Put("worker", fact.worker.value())
      .Put("session", fact.session.value())
      .Put("pool", fact.pool)
      .Put("slots", fact.slots)
      .Put("ahead_max", fact.ahead_max)
      .Put("offer", fact.offer == WorkerOffer() ? std::string() : ToText(fact.offer))
      .Flag("alone", fact.alone)
      .Take();
}

std::string TextOf(const WorkerMarkedSuspect& fact) {
  return Line("worker_marked_suspect")
      .Put("worker", fact.worker.value())
      .At("lease_ends", fact.lease_ends)
      .Take();
}

std::string TextOf(const WorkerRecovered& fact) {
  return Line("worker_recovered").Put("worker", fact.worker.value()).Take();
}

std::string TextOf(const WorkerMarkedDraining& fact) {
  return Line("worker_marked_draining")
      .Put("worker", fact.worker.value())
      .Flag("stop_attempts", fact.stop_attempts)
      .Why(fact.reason)
      .Take();
}

std::string TextOf(const WorkerLost& fact) {
  return Line("worker_lost").Put("worker", fact.worker.value()).Why(fact.reason).Take();
}

void PutClaims(Line& line, const std::vector<GroupClaim>& claims) {
  for (const GroupClaim& claim : claims) {
    line.Put("group", fmt::format("\"{}\" max={}", ToText(claim.group), claim.max));
  }
}

std::string TextOf(const RunQueued& fact) {
  Line line("run_queued");
  line.Run(fact.run).Put("ticket", fact.ticket);
  PutClaims(line, fact.claims);
  return line.Why(fact.reason).Take();
}

std::string TextOf(const RunAdmitted& fact) {
  return Line("run_admitted").Run(fact.run).Take();
}

std::string TextOf(const JobDelayed& fact) {
  return Line("job_delayed").Job(fact.run, fact.job).At("until", fact.until).Take();
}

std::string TextOf(const ApprovalRequested& fact) {
  return Line("approval_requested")
      .Job(fact.run, fact.job)
      .Put("attempt", fact.attempt)
      .At("deadline", fact.deadline)
      .Why(fact.reason)
      .Take();
}

std::string TextOf(const ApprovalDecided& fact) {
  Line line(fact.approved ? "approval_given" : "approval_rejected");
  line.Job(fact.run, fact.job).Put("by", fact.approval.by);
  PutNamed(line, "input", fact.approval.inputs);
  return line.Take();
}

std::string TextOf(const JobQueued& fact) {
  Line line("job_queued");
  line.Job(fact.run, fact.job).Put("ticket", fact.ticket).At("deadline", fact.deadline);
  PutClaims(line, fact.claims);
  return line.Put("environment", fact.environment)
      .Put("url", fact.environment_url)
      .Why(fact.reason)
      .Take();
}

std::string TextOf(const AttemptUnheard& fact) {
  return Line("attempt_unheard").Attempt(fact.key).At("deadline", fact.deadline).Take();
}

std::string TextOf(const JobsExpanded& fact) {
  Line line("jobs_expanded");
  line.Job(fact.run, fact.expansion.job);
  PutNamed(line, "value", fact.expansion.values);
  return line.Take();
}

// Facts are equal when what they share is equal, be it the same object or not.
template <typename T>
bool SameValue(const std::shared_ptr<const T>& a, const std::shared_ptr<const T>& b) {
  return a == b || (a != nullptr && b != nullptr && *a == *b);
}

}  // namespace

bool operator==(const RunAccepted& a, const RunAccepted& b) {
  return a.run == b.run && a.plan == b.plan && SameValue(a.context, b.context) && a.env == b.env &&
         a.ranks == b.ranks && a.known_durations == b.known_durations &&
         a.not_selected == b.not_selected && a.carried == b.carried && a.deadline == b.deadline &&
         a.idempotency_key == b.idempotency_key;
}

bool operator==(const JobEnded& a, const JobEnded& b) {
  return a.run == b.run && a.job == b.job && SameValue(a.result, b.result);
}

std::string ToText(const GroupName& group) {
  return group.kind == GroupKind::kEnvironment ? "environment " + group.name : group.name;
}

RunId RunOf(const Fact& fact) {
  return std::visit(
      [](const auto& body) {
        if constexpr (requires { body.run; }) {
          return body.run;
        } else if constexpr (requires { body.key; }) {
          return body.key.run;
        } else if constexpr (requires { body.lease; }) {
          return body.lease.key.run;
        } else {
          return RunId();
        }
      },
      fact.body);
}

std::string ToText(const Fact& fact) {
  return std::visit([](const auto& body) { return TextOf(body); }, fact.body);
}

}  // namespace engine::model

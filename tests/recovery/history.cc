// SPDX-License-Identifier: Apache-2.0
#include "tests/recovery/history.h"

#include <map>
#include <set>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "engine/base/overloaded.h"

namespace tests::recovery {
namespace {

using Findings = std::vector<std::string>;

std::string NameOf(const model::AttemptKey& key) {
  return fmt::format("run {} job {} attempt {}", ToText(key.run), AsIndex(key.job), key.attempt);
}

struct JobSeen {
  model::AttemptNumber assigned = 0;  ///< the newest
  bool running = false;               ///< the newest has not ended
  std::optional<model::Status> ended;
};

struct RunSeen {
  std::string key;
  std::map<model::JobIndex, JobSeen> jobs;
  std::optional<model::Status> ended;
  std::uint64_t jobs_counted = 0;  ///< by its end
  bool closed = false;
};

/// Reads the log once, from its beginning.
class LogJudge {
 public:
  explicit LogJudge(Findings& findings) : findings_(findings) {}

  void Read(const std::vector<LogRow>& log) {
    std::uint64_t seq = 0;
    model::Epoch epoch;
    for (const LogRow& row : log) {
      seq += row.facts.size();
      if (row.seq != seq) {
        Find("the log has a gap: a row ends at fact {}, the facts before it make {}", row.seq, seq);
        seq = row.seq;
      }
      if (row.epoch < epoch) {
        Find("epoch {} wrote at fact {} after epoch {}", row.epoch.value(), seq, epoch.value());
      }
      epoch = std::max(epoch, row.epoch);
      for (const model::Fact& fact : row.facts) {
        Take(fact);
      }
    }
  }

  void AtTheEnd() {
    for (const auto& [run, seen] : runs_) {
      if (!seen.ended) {
        Find("run {} was accepted and never ended", ToText(run));
      }
    }
  }

  const std::map<model::RunId, RunSeen>& runs() const { return runs_; }
  const std::set<model::AttemptKey>& assigned() const { return assigned_; }
  const std::set<model::AttemptKey>& succeeded() const { return succeeded_; }

 private:
  template <typename... Args>
  void Find(fmt::format_string<Args...> text, Args&&... args) {
    findings_.push_back(fmt::format(text, std::forward<Args>(args)...));
  }

  void Take(const model::Fact& fact) {
    if (const auto* accepted = std::get_if<model::RunAccepted>(&fact.body)) {
      return Accept(*accepted);
    }
    const model::RunId id = model::RunOf(fact);
    if (id == model::RunId()) {
      return;  // about workers
    }
    const auto found = runs_.find(id);
    if (found == runs_.end()) {
      return Find("run {} was never accepted, and yet: {}", ToText(id), model::ToText(fact));
    }
    if (found->second.closed) {
      Find("run {} was closed, and yet: {}", ToText(id), model::ToText(fact));
    }
    RunSeen& run = found->second;
    std::visit(engine::base::Overloaded{
                   [&](const model::AttemptAssigned& it) { Assign(run, it.lease.key); },
                   [&](const model::AttemptStarted& it) { Expect(run, it.key, "started"); },
                   [&](const model::StepStarted& it) { Expect(run, it.key, "started a step"); },
                   [&](const model::StepEnded& it) { Expect(run, it.key, "ended a step"); },
                   [&](const model::AttemptEnded& it) { End(run, it); },
                   [&](const model::JobEnded& it) { EndJob(run, it); },
                   [&](const model::RunEnded& it) { EndRun(run, it); },
                   [&](const model::RunClosed&) { Close(id, run); }, [](const auto&) {}},
               fact.body);
  }

  void Accept(const model::RunAccepted& accepted) {
    const auto [run, is_new] = runs_.try_emplace(accepted.run);
    if (!is_new) {
      return Find("run {} was accepted twice", ToText(accepted.run));
    }
    run->second.key = accepted.idempotency_key;
    if (const auto [first, first_time] =
            by_key_.try_emplace(accepted.idempotency_key, accepted.run);
        !accepted.idempotency_key.empty() && !first_time) {
      Find("key {} started two runs: {} and {}", accepted.idempotency_key, ToText(first->second),
           ToText(accepted.run));
    }
  }

  void Assign(RunSeen& run, const model::AttemptKey& key) {
    JobSeen& job = run.jobs[key.job];
    if (job.running) {
      Find("{} was assigned while attempt {} had not ended", NameOf(key), job.assigned);
    }
    if (key.attempt != job.assigned + 1) {
      Find("{} was assigned after attempt {}", NameOf(key), job.assigned);
    }
    if (job.ended) {
      Find("{} was assigned after its job had ended", NameOf(key));
    }
    job.assigned = key.attempt;
    job.running = true;
    assigned_.insert(key);
  }

  void Expect(RunSeen& run, const model::AttemptKey& key, std::string_view what) {
    const JobSeen& job = run.jobs[key.job];
    if (!job.running || job.assigned != key.attempt) {
      Find("{} {}, but it is not under way", NameOf(key), what);
    }
  }

  void End(RunSeen& run, const model::AttemptEnded& ended) {
    if (!attempts_ended_.insert(ended.key).second) {
      return Find("{} ended twice", NameOf(ended.key));
    }
    Expect(run, ended.key, "ended");
    run.jobs[ended.key.job].running = false;
    if (ended.status == model::Status::kSucceeded) {
      succeeded_.insert(ended.key);
    }
  }

  void EndJob(RunSeen& run, const model::JobEnded& ended) {
    JobSeen& job = run.jobs[ended.job];
    if (job.ended) {
      Find("run {} job {} ended twice", ToText(ended.run), AsIndex(ended.job));
    }
    job.ended = ended.result->status;
  }

  void EndRun(RunSeen& run, const model::RunEnded& ended) {
    if (run.ended) {
      Find("run {} ended twice", ToText(ended.run));
    }
    run.ended = ended.status;
    for (const std::uint32_t count : ended.counts) {
      run.jobs_counted += count;
    }
  }

  // From here nothing of it is outstanding.
  void Close(model::RunId id, RunSeen& run) {
    run.closed = true;
    std::uint64_t jobs_ended = 0;
    for (const auto& [index, job] : run.jobs) {
      jobs_ended += job.ended ? 1 : 0;
      if (job.running) {
        Find("{} neither ended nor is outstanding", NameOf({id, index, job.assigned}));
      }
    }
    if (jobs_ended != run.jobs_counted) {
      Find("run {} counts {} jobs, {} ended", ToText(id), run.jobs_counted, jobs_ended);
    }
  }

  Findings& findings_;
  std::map<model::RunId, RunSeen> runs_;
  std::map<std::string, model::RunId> by_key_;
  std::set<model::AttemptKey> assigned_;
  std::set<model::AttemptKey> attempts_ended_;
  std::set<model::AttemptKey> succeeded_;
};

/// What clients were told is what is stored.
void JudgeClients(const History& history, const LogJudge& log, Findings& findings) {
  std::set<std::string> keys;
  for (const Submitted& each : history.submitted) {
    keys.insert(each.key);
    if (each.run == model::RunId()) {
      continue;
    }
    const auto run = log.runs().find(each.run);
    if (run == log.runs().end()) {
      findings.push_back(fmt::format("run {} was acknowledged and is lost", ToText(each.run)));
      continue;
    }
    if (run->second.key != each.key) {
      findings.push_back(fmt::format("key {} was acknowledged with run {}, which has key {}",
                                     each.key, ToText(each.run), run->second.key));
    }
    if (each.told && each.told != run->second.ended) {
      findings.push_back(
          fmt::format("the watcher of run {} was told `{}`, which is not what is stored",
                      ToText(each.run), model::ToText(*each.told)));
    }
  }
  for (const auto& [id, run] : log.runs()) {
    if (!keys.contains(run.key)) {
      findings.push_back(fmt::format("run {} was submitted by nobody", ToText(id)));
    }
  }
}

/// What steps did outside fits what is stored of their attempts.
void JudgeEffects(const History& history, const LogJudge& log, Findings& findings) {
  std::set<model::AttemptKey> executed;
  for (const Executed& each : history.executed) {
    if (!executed.insert(each).second) {
      findings.push_back(NameOf(each) + " took effect twice");
    }
    if (!log.assigned().contains(each)) {
      findings.push_back(NameOf(each) + " took effect and was assigned to nobody");
    }
  }
  for (const model::AttemptKey& each : log.succeeded()) {
    if (!executed.contains(each)) {
      findings.push_back(NameOf(each) + " succeeded without any effect");
    }
  }
}

void JudgeOwners(const History& history, Findings& findings) {
  std::map<model::Epoch, std::string> owners;
  for (const Claimed& each : history.claimed) {
    const auto [owner, is_new] = owners.try_emplace(each.epoch, each.process);
    if (!is_new && owner->second != each.process) {
      findings.push_back(fmt::format("{} and {} both owned the runs in epoch {}", owner->second,
                                     each.process, each.epoch.value()));
    }
  }
  for (const LogRow& row : history.log) {
    if (!owners.contains(row.epoch)) {
      findings.push_back(
          fmt::format("epoch {} wrote at fact {} without an owner", row.epoch.value(), row.seq));
    }
  }
}

}  // namespace

std::vector<std::string> Judge(const History& history) {
  Findings findings;
  LogJudge log(findings);
  log.Read(history.log);
  log.AtTheEnd();
  JudgeClients(history, log, findings);
  JudgeEffects(history, log, findings);
  JudgeOwners(history, findings);
  return findings;
}

}  // namespace tests::recovery

// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/invariants.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "engine/model/expand.h"
#include "engine/placement/fit.h"

namespace tests::sim {

using namespace engine::model;  // NOLINT(google-build-using-namespace)
using engine::base::AsIndex;

namespace {

constexpr std::uint32_t kFactsMax = 8;  // for a job with one step, one attempt and no stop

bool Satisfies(const JobResult& result, NeedOn on) {
  const bool own_skip = result.reason.code == ReasonCode::kConditionFalse ||
                        result.reason.code == ReasonCode::kFilteredOut ||
                        result.reason.code == ReasonCode::kNotSelected ||
                        result.reason.code == ReasonCode::kListEmpty;
  switch (on) {
    case NeedOn::kEnd:
      return true;
    case NeedOn::kFailure:
      return result.status == Status::kFailed || result.status == Status::kTimedOut;
    case NeedOn::kSuccess:
      return result.status == Status::kSucceeded || result.status == Status::kWarned ||
             (result.status == Status::kSkipped && own_skip);
  }
  return false;
}

}  // namespace

void Invariants::Expect(RunId run, PlanRef plan) {
  Run& expected = runs_[run];
  expected.jobs.resize(plan->jobs.size());
  expected.plan = std::move(plan);
}

void Invariants::Fail(std::string what) {
  if (!breach_) {
    breach_ = std::move(what);
  }
}

bool Invariants::RunEnded(RunId run) const {
  const auto found = runs_.find(run);
  return found != runs_.end() && found->second.ended.has_value();
}

bool Invariants::AllRunsEnded() const {
  return std::ranges::all_of(runs_,
                             [](const auto& entry) { return entry.second.ended.has_value(); });
}

bool Invariants::Lost(WorkerId worker, SessionId session) const {
  const auto found = workers_.find({worker, session});
  return found != workers_.end() && found->second.lost;
}

void Invariants::OnFact(const Fact& fact) {
  ++facts_;
  if (fact.at < last_at_) {
    Fail("time went back in the log");
  }
  last_at_ = fact.at;
  std::visit([this](const auto& body) { Check(body); }, fact.body);
}

Invariants::Run* Invariants::Find(RunId run) {
  const auto found = runs_.find(run);
  if (found == runs_.end()) {
    Fail(fmt::format("a fact names the unknown run {}", run.value()));
    return nullptr;
  }
  if (found->second.ended) {
    Fail(fmt::format("run {} changed after its end", run.value()));
  }
  return &found->second;
}

std::string Invariants::Where(const AttemptKey& key) const {
  const auto found = runs_.find(key.run);
  return fmt::format("{} attempt {} of run {}",
                     found == runs_.end() ? "?" : JobName(*found->second.plan, key.job),
                     key.attempt, key.run.value());
}

// The job of `key` when that attempt is the open one; anything else is a breach.
Invariants::Job* Invariants::FindOpen(const AttemptKey& key, const char* what) {
  Run* run = Find(key.run);
  if (run == nullptr) {
    return nullptr;
  }
  Job& job = run->jobs[AsIndex(key.job)];
  if (job.result != nullptr) {
    Fail(fmt::format("{}: {} after the job's end", Where(key), what));
  }
  if (!job.open || job.attempts != key.attempt) {
    Fail(fmt::format("{}: {} though it is not the open attempt", Where(key), what));
    return nullptr;
  }
  ++job.facts;
  return &job;
}

void Invariants::Check(const RunAccepted& fact) {
  Run* run = Find(fact.run);
  if (run != nullptr && std::exchange(run->accepted, true)) {
    Fail("a run was accepted twice");
  }
}

void Invariants::Check(const RunCancelRequested& fact) {
  if (Run* run = Find(fact.run)) {
    run->cancel_requested = true;
  }
}

void Invariants::Check(const engine::model::RunEnded& fact) {
  Run* run = Find(fact.run);
  if (run == nullptr) {
    return;
  }
  std::array<std::uint32_t, kStatusCount> counts{};
  for (const Job& job : run->jobs) {
    if (job.result == nullptr) {
      Fail("a run ended before all its jobs");
      return;
    }
    ++counts[static_cast<std::size_t>(job.result->status)];
  }
  if (counts != fact.counts) {
    Fail("the counts of a run's end do not match its jobs");
  }
  run->ended = fact.status;
}

void Invariants::Check(const JobReadied& fact) {
  Run* run = Find(fact.run);
  if (run == nullptr) {
    return;
  }
  Job& job = run->jobs[AsIndex(fact.job)];
  ++job.facts;
  if (job.result != nullptr || job.open || fact.attempt != job.attempts + 1) {
    Fail(fmt::format("{}: readied out of turn", Where({fact.run, fact.job, fact.attempt})));
  }
}

void Invariants::Check(const JobBackedOff& fact) {
  if (Run* run = Find(fact.run)) {
    Job& job = run->jobs[AsIndex(fact.job)];
    if (job.result != nullptr || job.open || job.attempts == 0) {
      Fail(fmt::format("{}: backed off out of turn", Where({fact.run, fact.job, job.attempts})));
    }
  }
}

void Invariants::Check(const JobEnded& fact) {
  Run* run = Find(fact.run);
  if (run == nullptr) {
    return;
  }
  Job& job = run->jobs[AsIndex(fact.job)];
  const AttemptKey key{fact.run, fact.job, job.attempts};
  if (job.result != nullptr) {
    Fail(fmt::format("{}: the job ended twice", Where(key)));
  }
  if (job.open) {
    Fail(fmt::format("{}: the job ended before its attempt", Where(key)));
  }
  const bool claims_success = fact.result->status == Status::kSucceeded;
  if (claims_success && job.last_attempt != Status::kSucceeded) {
    Fail(fmt::format("{}: succeeded without an attempt that did", Where(key)));
  }
  if (!IsFinal(fact.result->status)) {
    Fail(fmt::format("{}: ended in a status that is not final", Where(key)));
  }
  job.result = fact.result;
}

void Invariants::Check(const AttemptAssigned& fact) {
  const AttemptKey& key = fact.lease.key;
  Run* run = Find(key.run);
  if (run == nullptr) {
    return;
  }
  Job& job = run->jobs[AsIndex(key.job)];
  ++job.facts;
  if (job.open || job.result != nullptr || key.attempt != job.attempts + 1) {
    Fail(fmt::format("{}: assigned out of turn", Where(key)));
  }
  const JobSpec& spec = SpecOf(*run->plan, key.job);
  if (run->cancel_requested && !spec.condition.decides_alone) {
    Fail(fmt::format("{}: assigned after the cancel", Where(key)));
  }
  Worker& worker = workers_[{fact.lease.worker, fact.lease.session}];
  if (worker.lost || ++worker.held > worker.slots * (1 + worker.ahead_max)) {
    Fail(fmt::format("{}: assigned to a worker without room", Where(key)));
  }
  if (worker.pool != PoolOf(spec)) {
    Fail(fmt::format("{}: assigned to a worker of pool {}", Where(key), worker.pool));
  }
  if (worker.draining) {
    Fail(fmt::format("{}: assigned to a worker that is leaving", Where(key)));
  }
  const PlaceNeed& need = PlaceNeedOf(spec);
  if (!engine::placement::Fits(need, worker.offer)) {
    Fail(fmt::format("{}: assigned to a worker that does not fit", Where(key)));
  }
  engine::placement::Add(need.resources, worker.used);
  if (worker.used.cpu_millis > worker.offer.resources.cpu_millis) {
    Fail(fmt::format("{}: assigned to a worker that has too little left", Where(key)));
  }
  CheckGates(key, *run, job);
  job.attempts = key.attempt;
  job.open = true;
  job.started = false;
  job.lease = fact.lease;
  job.once_begun = false;
  CheckMatrixLimit(*run, key.job);
  for (const GroupClaim& claim : job.claims) {
    CheckRoom(claim);
  }
}

// Once, before anything was done about the job, and not before what it waits for has ended.
void Invariants::Check(const JobsExpanded& fact) {
  Run* run = Find(fact.run);
  if (run == nullptr) {
    return;
  }
  const JobIndex job = fact.expansion.job;
  if (!CanExpand(*run->plan, fact.expansion) || run->jobs[AsIndex(job)].facts != 0 ||
      run->jobs[AsIndex(job)].result != nullptr) {
    Fail(fmt::format("{}: expanded out of turn", Where({fact.run, job, 0})));
    return;
  }
  const std::string breach = NeedsBreach(*run, job);
  if (!breach.empty()) {
    Fail(fmt::format("{}: expanded though {}", Where({fact.run, job, 0}), breach));
  }
  run->plan = Expand(*run->plan, fact.expansion);
  run->jobs.resize(run->plan->jobs.size());
}

void Invariants::Check(const AttemptStarted& fact) {
  if (Job* job = FindOpen(fact.key, "started")) {
    if (std::exchange(job->started, true)) {
      Fail(fmt::format("{}: started twice", Where(fact.key)));
    }
  }
}

void Invariants::Check(const StepStarted& fact) {
  if (Job* job = FindOpen(fact.key, "a step started")) {
    if (!job->started || !job->steps_open.insert(fact.step.value()).second) {
      Fail(fmt::format("{}: a step started out of turn", Where(fact.key)));
    }
    const StepSpec* step = StepAt(SpecOf(*runs_.at(fact.key.run).plan, fact.key.job), fact.step);
    job->once_begun = job->once_begun || (step != nullptr && step->effects_once);
  }
}

void Invariants::Check(const StepEnded& fact) {
  if (Job* job = FindOpen(fact.key, "a step ended")) {
    if (fact.status != Status::kSkipped && job->steps_open.erase(fact.step.value()) == 0) {
      Fail(fmt::format("{}: a step ended that had not started", Where(fact.key)));
    }
  }
}

void Invariants::Check(const AttemptStopRequested& fact) {
  if (Job* job = FindOpen(fact.key, "a stop")) {
    ++job->stops;
  }
}

void Invariants::Check(const AttemptEnded& fact) {
  Job* job = FindOpen(fact.key, "an end");
  if (job == nullptr) {
    return;
  }
  const Run& run = runs_.at(fact.key.run);
  const JobSpec& spec = SpecOf(*run.plan, fact.key.job);
  job->open = false;
  job->steps_open.clear();
  const auto asks = [](const StepSpec& each) {
    return each.effects_once && each.effect_check.text.empty();
  };
  job->must_ask = job->must_ask || (job->once_begun && std::ranges::any_of(spec.steps, asks));
  job->last_attempt = fact.status;
  Worker& worker = workers_[{job->lease.worker, job->lease.session}];
  --worker.held;
  engine::placement::Subtract(PlaceNeedOf(spec).resources, worker.used);
  const bool failed = fact.status == Status::kFailed || fact.status == Status::kTimedOut;
  if (failed && !fact.infra && ++job->author_failures > RareOf(spec).retry.max + 1) {
    Fail(fmt::format("{}: more tries than the author allowed", Where(fact.key)));
  }
  if (fact.infra && fact.status == Status::kSucceeded) {
    Fail(fmt::format("{}: an infrastructure failure that succeeded", Where(fact.key)));
  }
}

void Invariants::Check(const WorkerJoined& fact) {
  Worker& worker = workers_[{fact.worker, fact.session}];
  if (worker.slots != 0) {
    Fail(fmt::format("worker {} joined twice in one session", fact.worker.value()));
  }
  worker.slots = fact.slots;
  worker.pool = fact.pool;
  worker.offer = fact.offer;
  worker.ahead_max = fact.ahead_max;
  newest_session_[fact.worker] = fact.session;
}

void Invariants::Check(const WorkerLost& fact) {
  workers_[{fact.worker, newest_session_[fact.worker]}].lost = true;
}

void Invariants::Check(const WorkerMarkedDraining& fact) {
  workers_[{fact.worker, newest_session_[fact.worker]}].draining = true;
}

void Invariants::OnLeft(WorkerId worker, SessionId session) {
  const Worker& left = workers_[{worker, session}];
  if (!left.draining || left.held > 0) {
    Fail(fmt::format("worker {} left with {} attempts in its hands", worker.value(), left.held));
  }
}

void Invariants::OnDispatched(const Lease& lease) {
  const auto found = runs_.find(lease.key.run);
  if (found == runs_.end()) {
    Fail("a dispatch for an unknown run");
    return;
  }
  const Job& job = found->second.jobs[AsIndex(lease.key.job)];
  if (job.lease < lease) {
    Fail(fmt::format("{}: dispatched before its record was durable", Where(lease.key)));
  }
}

void Invariants::OnExecuted(const Lease& lease, const std::vector<AttemptKey>& under_way) {
  if (!executed_.insert(lease.key).second) {
    Fail(fmt::format("{}: executed twice", Where(lease.key)));
  }
  const Run& run = runs_.at(lease.key.run);
  for (const AttemptKey& other : under_way) {
    const bool same_job = other.run == lease.key.run && other.job == lease.key.job;
    if (same_job && other != lease.key && IsExclusive(SpecOf(*run.plan, other.job))) {
      Fail(fmt::format("{}: executed while {} is", Where(lease.key), Where(other)));
    }
  }
  const std::string breach = NeedsBreach(run, lease.key.job);
  if (!breach.empty()) {
    Fail(fmt::format("{}: executed though {}", Where(lease.key), breach));
  }
}

std::vector<std::size_t> Invariants::NeededJobs(const Run& run, const JobSpec& spec,
                                                const Need& need) const {
  std::vector<std::size_t> jobs;
  if (need.cells != 0) {
    for (const JobIndex cell : RareOf(spec).need_cells[need.cells - 1U]) {
      jobs.push_back(AsIndex(cell));
    }
    return jobs;
  }
  for (std::size_t i = 0; i < run.jobs.size(); ++i) {
    if (run.plan->jobs[i].spec == need.spec) {
      jobs.push_back(i);
    }
  }
  return jobs;
}

// Empty when the job may run; else what stands against it.
std::string Invariants::NeedsBreach(const Run& run, JobIndex job) const {
  const JobSpec& spec = SpecOf(*run.plan, job);
  std::vector<Need> needs = spec.needs;
  if (!spec.has_needs && spec.stage != kNoStage) {
    for (std::uint32_t i = 0; i < run.plan->specs.size(); ++i) {
      if (run.plan->specs[i].stage < spec.stage) {
        needs.push_back({SpecIndex(i)});
      }
    }
  }
  for (const Need& need : needs) {
    const std::string& name = run.plan->specs[AsIndex(need.spec)].name;
    const std::vector<std::size_t> jobs = NeededJobs(run, spec, need);
    if (std::ranges::any_of(jobs, [&](std::size_t i) { return run.jobs[i].result == nullptr; })) {
      return name + " has not ended";
    }
    const auto satisfies = [&](std::size_t i) { return Satisfies(*run.jobs[i].result, need.on); };
    const bool met = need.on == NeedOn::kFailure ? std::ranges::any_of(jobs, satisfies)
                                                 : std::ranges::all_of(jobs, satisfies);
    if (!spec.condition.decides_alone && !met) {
      return name + " did not end as needed";
    }
  }
  return {};
}

void Invariants::AtTheEnd() {
  for (const auto& [id, run] : runs_) {
    CheckAtTheEnd(id, run);
  }
}

void Invariants::CheckAtTheEnd(RunId id, const Run& run) {
  if (!run.ended) {
    Fail(fmt::format("run {} never ended", id.value()));
    return;
  }
  bool any_failed = false;
  for (std::uint32_t i = 0; i < run.jobs.size(); ++i) {
    const Job& job = run.jobs[i];
    const JobSpec& spec = SpecOf(*run.plan, JobIndex(i));
    any_failed = any_failed || job.result->status == Status::kFailed ||
                 job.result->status == Status::kTimedOut;
    const bool simple = job.attempts == 1 && job.stops == 0 && spec.steps.size() == 1 &&
                        RareOf(spec).finally_steps.empty();
    if (simple && job.facts + 1 > kFactsMax) {
      Fail(fmt::format("{}: {} facts for a simple job", spec.name, job.facts + 1));
    }
  }
  if (*run.ended == Status::kSucceeded && (any_failed || run.cancel_requested)) {
    Fail(fmt::format("run {} succeeded although it should not", id.value()));
  }
}

}  // namespace tests::sim

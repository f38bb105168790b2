// SPDX-License-Identifier: Apache-2.0
#include "engine/core/state_text.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <vector>

#include <fmt/format.h>

#include "engine/model/expand.h"

namespace engine::core {
namespace {

using model::JobIndex;

template <typename E>
int Number(E value) {
  return static_cast<int>(value);
}

class StateWriter {
 public:
  explicit StateWriter(const State& state) : state_(state) {}

  std::string Write() {
    for (const auto& [id, worker] : state_.workers) {
      Put(*worker);
    }
    for (const auto& [id, run] : state_.runs) {
      Put(*run);
    }
    for (const auto& [key, run] : state_.by_key) {
      Line("key {} run={}", key, ToText(run));
    }
    PutGroups();
    PutDeadlines();
    PutRoom();
    return std::move(text_);
  }

 private:
  template <typename... Args>
  void Line(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    text_ += '\n';
  }
  void PutFact(model::FactBody body) {
    Line("  {}", ToText(model::Fact{.at = {}, .body = std::move(body)}));
  }

  void Put(const WorkerState& worker);
  void Put(const RunState& run);
  void PutJob(const RunState& run, JobIndex index);
  void PutResult(const model::JobResult& result);
  void PutGates(const JobDetail& detail);
  void PutGroups();
  void PutDeadlines();
  void PutRoom();
  void PutPlace(const PlaceState& place);

  const State& state_;
  std::string text_;
};

void StateWriter::Put(const WorkerState& worker) {
  Line("worker {} phase={} lease_ends={}", worker.id().value(), Number(worker.phase),
       base::ToMicros(worker.lease_ends));
  PutFact(worker.joined);
  if (worker.draining.has_value()) {
    PutFact(*worker.draining);
  }
  for (const base::Duration took : worker.recent) {
    Line("  recent {}", took.count());
  }
  std::vector<std::pair<std::uint64_t, std::uint32_t>> attempts;
  for (const AttemptRef& attempt : worker.attempts) {
    attempts.emplace_back(attempt.run->id().value(), attempt.job.value());
  }
  std::sort(attempts.begin(), attempts.end());
  for (const auto& [run, job] : attempts) {
    Line("  attempt run={} job={}", run, job);
  }
}

void StateWriter::Put(const RunState& run) {
  Line("run {} phase={} open_jobs={} counts={}", ToText(run.id()), Number(run.phase), run.open_jobs,
       fmt::join(run.counts, ","));
  PutFact(run.accepted);
  Line("  ranks={} env={} known={}", fmt::join(run.accepted.ranks, ","), run.env->size(),
       run.accepted.known_durations.size());
  if (run.queued.has_value()) {
    PutFact(*run.queued);
    Line("  admitted={}", run.admitted);
  }
  if (run.cancelled.has_value()) {
    PutFact(*run.cancelled);
  }
  if (run.killed.has_value()) {
    PutFact(*run.killed);
  }
  if (run.ended.has_value()) {
    PutFact(*run.ended);
  }
  for (std::size_t i = 0; i < run.nodes.size(); ++i) {
    const NodeState& node = run.nodes[i];
    Line(
        "  node {} open_needs={} open={} unwell={} failed={} after_failure={} first_unwell={} "
        "active={} next_cell={}",
        i, node.open_needs, node.open, node.unwell, node.failed, node.after_failure,
        node.first_unwell, node.active, node.next_cell);
  }
  for (model::Expansion& expansion : model::ExpansionsOf(run.plan())) {
    PutFact(model::JobsExpanded{.run = run.id(), .expansion = std::move(expansion)});
  }
  for (std::uint32_t i = 0; i < run.jobs.size(); ++i) {
    PutJob(run, JobIndex(i));
  }
}

void StateWriter::PutJob(const RunState& run, JobIndex index) {
  const JobState& job = run.job(index);
  Line("  job {} phase={} attempt={}/{} slot={} next_step={} in_step={} worker={}", index.value(),
       Number(job.phase), job.attempt, Number(job.attempt_phase), job.slot, job.next_step,
       job.in_step, job.worker == nullptr ? 0 : job.worker->id().value());
  if (job.result != nullptr) {
    PutResult(*job.result);
  }
  if (job.once_begun) {
    Line("    once begun");
  }
  if (job.detail == nullptr) {
    return;
  }
  if (!job.detail->background.empty()) {
    Line("    beside steps {}", fmt::join(job.detail->background, ","));
  }
  PutGates(*job.detail);
  for (const model::NamedValue& var : job.detail->env) {
    Line("    env {}={}", var.name, var.value);
  }
  if (job.detail->backed_off.has_value()) {
    PutFact(*job.detail->backed_off);
    Line("    retries {} {}", job.detail->backed_off->author_retries,
         job.detail->backed_off->infra_retries);
  }
  if (job.detail->stop.has_value()) {
    PutFact(*job.detail->stop);
  }
  for (const model::JobWaitNoted& noted : job.detail->noted) {
    PutFact(noted);
  }
}

void StateWriter::PutGates(const JobDetail& detail) {
  if (detail.effect_may_be_done) {
    Line("    effect may be done");
  }
  if (detail.gates == nullptr) {
    return;
  }
  const auto put = [this](const auto& fact) {
    if (fact.has_value()) {
      PutFact(*fact);
    }
  };
  put(detail.gates->asked);
  put(detail.gates->decided);
  put(detail.gates->queued);
  put(detail.gates->asked_again);
  put(detail.gates->decided_again);
}

void StateWriter::PutGroups() {
  for (const auto& [ticket, claimant] : state_.groups.claimants()) {
    Line("ticket {} run={} job={} {}", ticket, ToText(claimant.run),
         claimant.job ? fmt::format("{}", claimant.job->value()) : "-",
         claimant.holds ? "holds" : "waits");
    for (const model::GroupClaim& claim : claimant.claims) {
      Line("  {} {} max={} policy={}", Number(claim.group.kind), claim.group.name, claim.max,
           Number(claim.policy));
    }
  }
}

void StateWriter::PutResult(const model::JobResult& result) {
  Line("    result {} reason={} {} {} \"{}\"", ToText(result.status), ToText(result.reason.code),
       result.reason.detail, base::ToMicros(result.reason.until), result.reason.subject);
  for (const model::NamedValue& output : result.outputs) {
    Line("    output {}={}", output.name, output.value);
  }
  for (const model::SpilledOutput& output : result.spilled) {
    Line("    spilled {} {} {}", output.name, ToHex(output.document), output.bytes);
  }
  for (const model::Artifact& artifact : result.artifacts) {
    Line("    artifact {} {} {}", artifact.name, ToHex(artifact.manifest), artifact.bytes);
  }
  if (const auto& tests = result.remarks.tests) {
    Line("    tests {} {} of {}", ToHex(tests->document), tests->failed, tests->tests);
  }
  for (const std::string& note : result.remarks.notes) {
    Line("    note {}", note);
  }
  if (const auto& annotations = result.remarks.annotations) {
    Line("    annotations {} {} {} {}", ToHex(annotations->document), annotations->counts.errors,
         annotations->counts.warnings, annotations->counts.notices);
    for (const std::string& error : annotations->errors) {
      Line("    error {}", error);
    }
  }
}

void StateWriter::PutDeadlines() {
  std::vector<DeadlineEntry> entries = state_.deadlines.entries();
  std::sort(entries.begin(), entries.end(), DeadlineLess());
  for (const DeadlineEntry& entry : entries) {
    Line("deadline {} run={} job={}", base::ToMicros(entry.at), ToText(entry.run->id()),
         entry.job.value());
  }
}

void StateWriter::PutRoom() {
  std::vector<RoomEntry> entries;
  for (const auto& [name, pool] : state_.pools) {
    const std::vector<RoomEntry>& some = pool.places.front()->with_room.entries();
    entries.insert(entries.end(), some.begin(), some.end());
  }
  std::sort(entries.begin(), entries.end(), RoomLess());
  for (const RoomEntry& entry : entries) {
    const WorkerState& worker = *entry.worker;
    Line("room {} {}/{}", worker.id().value(), worker.attempts.size(), worker.joined.slots);
  }
  for (const auto& [name, pool] : state_.pools) {
    for (const auto& [need, number] : pool.place_of) {
      PutPlace(*pool.places[number]);
    }
  }
}

// By their needs: their numbers come from what was there before.
void StateWriter::PutPlace(const PlaceState& place) {
  Line("place fitting={}", place.fitting);
  std::vector<RoomEntry> entries = place.with_room.entries();
  std::sort(entries.begin(), entries.end(), RoomLess());
  for (const RoomEntry& entry : entries) {
    Line("  room {}", entry.worker->id().value());
  }
}

}  // namespace

std::string StateText(const State& state) {
  return StateWriter(state).Write();
}

}  // namespace engine::core

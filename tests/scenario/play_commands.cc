// SPDX-License-Identifier: Apache-2.0
// The commands of a transcript; README.md lists them for people.
#include <array>
#include <optional>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "dsl/values.h"
#include "engine/model/expand.h"
#include "tests/scenario/play.h"

namespace tests::scenario {

namespace base = engine::base;
namespace model = engine::model;

/// The words of a command, taken one after the other.
class Stage::Words {
 public:
  explicit Words(const std::string& line) {
    std::istringstream in(line);
    for (std::string word; in >> word;) {
      words_.push_back(word);
    }
  }
  bool empty() const { return next_ == words_.size(); }
  /// Empty at the end.
  std::string Next() { return empty() ? std::string() : words_[next_++]; }
  std::uint64_t Number() {
    const std::string word = Next();
    const bool digits = !word.empty() && word.find_first_not_of("0123456789") == std::string::npos;
    return digits ? std::stoull(word) : 0;
  }
  bool Take(std::string_view word) {
    const bool there = !empty() && words_[next_] == word;
    next_ += there ? 1 : 0;
    return there;
  }
  /// A name, which may hold spaces when it is a matrix cell: `test[a, b]`.
  std::string Job() {
    std::string name = Next();
    while (name.find('[') != std::string::npos && !name.ends_with(']') && !empty()) {
      name += " " + Next();
    }
    return name;
  }
  /// Of a `for_each`, with `,` between them.
  model::Expansion Values(model::JobIndex job) {
    model::Expansion expansion{.job = job, .values = {}};
    std::istringstream in(Next());
    for (std::string name; std::getline(in, name, ',');) {
      expansion.values.push_back({.name = name, .value = dsl::JsonString(name)});
    }
    return expansion;
  }
  /// `arch=arm64 cpu 2 memory 4096 container`, to the end.
  model::WorkerOffer Offer() {
    model::WorkerOffer offer;
    while (!empty()) {
      const std::string word = Next();
      const std::size_t equals = word.find('=');
      if (equals != std::string::npos) {
        offer.labels = model::MergeLabels(
            std::move(offer.labels),
            {{.name = word.substr(0, equals), .value = word.substr(equals + 1)}});
      } else if (word == "cpu") {
        offer.resources.cpu_millis = Number() * 1000;
      } else if (word == "memory") {
        offer.resources.memory = Number();
      } else if (word == "container") {
        offer.sandboxes.push_back(
            {.kind = model::SandboxKind::kContainer, .cuts_network = Take("without_network")});
      }
    }
    return offer;
  }
  std::string Rest() {
    std::string rest;
    while (!empty()) {
      rest += (rest.empty() ? "" : " ") + Next();
    }
    return rest;
  }

 private:
  std::vector<std::string> words_;
  std::size_t next_ = 0;
};

void Stage::Interpret(const std::string& command) {
  using Handler = void (Stage::*)(Words);
  constexpr std::array<std::pair<std::string_view, Handler>, 11> kHandlers = {{
      {"worker", &Stage::Worker},
      {"submit", &Stage::Submit},
      {"start", &Stage::ReportStarted},
      {"step", &Stage::ReportStep},
      {"end", &Stage::ReportEnded},
      {"cancel", &Stage::Cancel},
      {"at", &Stage::At},
      {"explain", &Stage::Explain},
      {"outstanding", &Stage::Outstanding},
      {"close", &Stage::Close},
      {"approve", &Stage::Approve},
  }};
  Words words(command);
  const std::string name = words.Next();
  for (const auto& [known, handler] : kHandlers) {
    if (known == name) {
      return (this->*handler)(words);
    }
  }
  Fail("no such command");
}

void Stage::Worker(Words words) {
  const model::WorkerId worker(words.Number());
  const std::string verb = words.Next();
  model::SessionId session(1);
  for (const auto& [id, present] : driver_.core().Workers()) {
    session = id == worker ? present : session;
  }
  if (verb == "joins") {
    model::WorkerConnected joins{
        .worker = worker, .session = session, .pool = std::string(model::kDefaultPool)};
    joins.slots = static_cast<std::uint32_t>(words.Number());
    joins.ahead_max = words.Take("ahead") ? static_cast<std::uint32_t>(words.Number()) : 0;
    joins.session = words.Take("session") ? model::SessionId(words.Number()) : session;
    joins.owner_restarted = words.Take("restarted");
    joins.pool = words.Take("pool") ? words.Next() : joins.pool;
    joins.alone = words.Take("alone");
    if (words.Take("offers")) {
      joins.offer = words.Offer();
    }
    return Step(joins);
  }
  if (verb == "suspected") {
    return Step(model::WorkerSuspected{.worker = worker, .session = session});
  }
  if (verb == "returned") {
    return Step(model::WorkerReturned{.worker = worker, .session = session});
  }
  if (verb == "silent") {
    return Step(model::WorkerSilent{.worker = worker, .session = session});
  }
  if (verb == "gone") {
    return Step(model::WorkerGone{.worker = worker, .session = session, .cause = words.Rest()});
  }
  if (verb == "drains") {
    const bool stop = words.Take("stopping");
    return Step(model::DrainRequested{
        .worker = worker, .session = session, .stop_attempts = stop, .by = words.Rest()});
  }
  Fail("a worker joins, is suspected, returned, silent or gone, or drains");
}

void Stage::Submit(Words words) {
  model::SubmitRun submit{.run = support::CoreDriver::kRun, .plan = driver_.plan_ref()};
  model::PlanRef grown = submit.plan;
  auto context = std::make_shared<model::RunContext>();
  context->branch = "main";
  while (!words.empty()) {
    if (words.Take("without")) {
      const model::JobIndex job = JobNamed(words.Job()).job;
      submit.not_selected.push_back(driver_.plan().jobs[base::AsIndex(job)].spec);
    } else if (words.Take("expand")) {
      submit.expanded.push_back(words.Values(JobNamed(words.Job()).job));
      grown = model::Expand(*grown, submit.expanded.back());
    } else if (words.Take("carry")) {
      const auto found = model::FindJob(*grown, words.Job());
      const model::JobIndex job = found.value_or(model::JobIndex(0));
      const auto status = model::StatusFromText(words.Next());
      submit.carried.push_back(
          {.job = job, .result = {.status = status.value_or(model::Status::kSucceeded)}});
    } else if (words.Take("run")) {
      submit.run = model::RunId(words.Number());
    } else if (words.Take("branch")) {
      context->branch = words.Next();
    } else if (words.Take("known")) {
      submit.known_durations.resize(driver_.plan().specs.size());
      const model::JobIndex job = JobNamed(words.Job()).job;
      const std::size_t spec = base::AsIndex(driver_.plan().jobs[base::AsIndex(job)].spec);
      submit.known_durations[spec] = base::ParseDuration(words.Next()).value_or(base::Duration(0));
    } else {
      return Fail(
          "submit [run N] [without JOB] [expand JOB VALUE,VALUE] [carry JOB STATUS] [branch NAME] "
          "[known JOB DURATION]");
    }
  }
  submit.context = std::move(context);
  Step(submit);
}

void Stage::ReportStarted(Words words) {
  const std::string job = words.Job();
  Report(job, words, model::ReportStarted());
}

void Stage::ReportStep(Words words) {
  const std::string job = words.Job();
  const model::StepIndex step(static_cast<std::uint32_t>(words.Number()) - 1);
  if (words.Take("starts")) {
    return Report(job, words, model::ReportStepStarted{.step = step});
  }
  words.Take("ends");
  const auto status = model::StatusFromText(words.Next());
  Report(
      job, words,
      model::ReportStepEnded{.step = step, .status = status.value_or(model::Status::kSucceeded)});
}

void Stage::ReportEnded(Words words) {
  const std::string job = words.Job();
  model::ReportEnded ended;
  ended.status = model::StatusFromText(words.Next()).value_or(model::Status::kWaiting);
  while (!words.empty()) {
    if (words.Take("exit")) {
      ended.reason = {.code = model::ReasonCode::kExitCode,
                      .detail = static_cast<std::int64_t>(words.Number())};
    } else if (words.Take("infra")) {
      ended.infra = true;
      ended.reason = {.code = model::ReasonCode::kSetupFailed, .subject = "no disk"};
    } else if (words.Take("because")) {
      ended.reason.code = model::ReasonCodeFromText(words.Next()).value_or(ended.reason.code);
    } else if (words.Take("output")) {
      const std::string name = words.Next();
      ended.outputs.push_back({.name = name, .value = dsl::JsonString(words.Next())});
    } else if (words.Take("took")) {
      ended.took = base::ParseDuration(words.Next()).value_or(base::Duration(0));
    } else {
      break;
    }
  }
  Report(job, words, std::move(ended));
}

void Stage::Report(const std::string& job, Words words, model::Report report) {
  const JobOfRun named = JobNamed(job);
  model::Lease lease = driver_.LeaseOf(named.run, named.job).value_or(model::Lease());
  lease.key.run = named.run;
  lease.key.job = named.job;
  if (words.Take("as")) {
    while (!words.empty()) {
      if (words.Take("attempt")) {
        lease.key.attempt = static_cast<model::AttemptNumber>(words.Number());
      } else if (words.Take("worker")) {
        lease.worker = model::WorkerId(words.Number());
      } else if (words.Take("session")) {
        lease.session = model::SessionId(words.Number());
      } else {
        break;
      }
    }
  }
  if (!words.empty()) {
    return Fail("not understood: " + words.Rest());
  }
  Step(model::AttemptReported{.lease = lease, .reports = {std::move(report)}});
}

void Stage::Cancel(Words words) {
  const bool kill = words.Take("kill");
  const model::RunId run =
      words.Take("run") ? model::RunId(words.Number()) : support::CoreDriver::kRun;
  Step(model::CancelRun{.run = run, .kill = kill, .by = "somebody"});
}

// Deadlines on the way fire at their instants.
void Stage::At(Words words) {
  const auto time = base::ParseDuration(words.Next());
  if (!time.has_value() || began_ + *time < driver_.now()) {
    return Fail("at a time, and time does not go back");
  }
  const base::Instant end = began_ + *time;
  while (true) {
    const auto next = driver_.core().NextDeadline(driver_.now());
    if (!next.has_value() || *next > end) {
      break;
    }
    driver_.Advance(*next - driver_.now());
    ShowLast();
  }
  driver_.Advance(end - driver_.now());
}

void Stage::Explain(Words words) {
  const JobOfRun named = JobNamed(words.Job());
  const auto explained = driver_.core().Explain(named.run, named.job, driver_.now());
  if (!explained.has_value()) {
    return Line("not known");
  }
  Line(std::string(ToText(explained->status)));
  for (const model::Reason& reason : explained->reasons) {
    Line("  " + Describe(reason));
  }
}

void Stage::Outstanding(Words /*words*/) {
  for (const model::Effect& effect : driver_.core().Outstanding()) {
    ShowEffect(effect);
  }
}

void Stage::Close(Words words) {
  Step(model::CloseRun{.run = words.Take("run") ? model::RunId(words.Number())
                                                : support::CoreDriver::kRun});
}

void Stage::Approve(Words words) {
  const JobOfRun named = JobNamed(words.Job());
  model::DecideApproval decision{
      .run = named.run, .job = named.job, .approve = true, .by = "somebody", .inputs = {}};
  while (!words.empty()) {
    if (words.Take("by")) {
      decision.by = words.Next();
    } else if (words.Take("no")) {
      decision.approve = false;
    } else if (words.Take("input")) {
      const std::string name = words.Next();
      decision.inputs.push_back({.name = name, .value = '"' + words.Next() + '"'});
    } else {
      return Fail("approve JOB [no] [by NAME] [input NAME VALUE]");
    }
  }
  Step(decision);
}

Stage::JobOfRun Stage::JobNamed(const std::string& name) {
  const bool numbered = name.size() > 2 && name[1] == ':';
  const model::RunId run = numbered ? model::RunId(static_cast<std::uint64_t>(name[0] - '0'))
                                    : support::CoreDriver::kRun;
  const auto job = model::FindJob(driver_.plan(run), numbered ? name.substr(2) : name);
  if (!job.has_value()) {
    Fail(fmt::format("there is no job {}", name));
  }
  return {.run = run, .job = job.value_or(model::JobIndex(0))};
}

// Stands in the transcript, so a scenario with a slip can not pass unseen.
void Stage::Fail(std::string what) {
  Line("error: " + what);
}

}  // namespace tests::scenario

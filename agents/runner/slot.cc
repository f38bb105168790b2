// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/slot.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include <boost/asio/post.hpp>

#include "agents/runner/attempt_reasons.h"
#include "agents/runner/read_outputs.h"
#include "agents/runner/slot_handlers.h"
#include "engine/base/check.h"
#include "engine/base/log.h"
#include "engine/base/overloaded.h"

namespace agents::runner {
namespace {

namespace asio = boost::asio;
namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

// A summary that cannot be kept costs the step nothing.
void WriteSummary(const std::string& folder, const std::string& file, const std::string& text) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::ofstream out(folder + "/" + file, std::ios::binary | std::ios::app);
  out << text;
  out.close();
  if (!out.good()) {
    spdlog::warn("summary {} could not be kept in {}", file, folder);
  }
}

base::Duration Since(SteadyTime start) {
  return std::chrono::duration_cast<base::Duration>(Now() - start);
}

}  // namespace

Slot::Slot(Workshop& shop, std::uint32_t number, std::unique_ptr<ports::Sandbox> sandbox)
    : shop_(shop), number_(number), sandbox_(std::move(sandbox)) {}

Slot::~Slot() {
  pool_stop_.request_stop();
  EndCaches();
}

base::Status Slot::Open(const std::string& folder, bool adopt) {
  if (!adopt) {
    RemoveTree(folder);  // of a process that died
  }
  RETURN_IF_ERROR(scratch_.Open(folder));
  RETURN_IF_ERROR(files_.Open(folder, adopt));
  const RunnerOptions& options = *shop_.options;
  environment_.Set("PATH", options.path);
  environment_.Set("HOME", options.home.empty() ? scratch_.home_folder() : options.home);
  environment_.Set("USER", options.user);
  environment_.Set("LOGNAME", options.user);
  environment_.Set("LANG", "C.UTF-8");
  environment_.Set("TERM", "dumb");
  environment_.Set("TMPDIR", scratch_.tmp_folder());
  environment_.Set("CI", "true");
  SetStepFiles(folder, environment_);
  return base::OkStatus();
}

void Slot::Begin(model::Assignment assignment) {
  Take(std::move(assignment), Now());
  Keep(AttemptBegun{lease_.key, MicrosOf(started_)});
  phase_ = Phase::kPreparing;
  PrepareWorkspace(true);
}

void Slot::Take(model::Assignment assignment, SteadyTime started) {
  CHECK(phase_ == Phase::kIdle);
  ++generation_;
  started_ = started;
  const model::SpecIndex spec = assignment.plan->jobs[base::AsIndex(assignment.job)].spec;
  CompiledSpecRef compiled = shop_.specs.Get(assignment.plan, spec);
  KeepReadOutputs(*compiled, assignment);
  lease_ = assignment.lease;
  std::unique_ptr<SecretValues>& secrets = shop_.secrets[lease_.key.run];
  if (secrets == nullptr) {
    secrets = std::make_unique<SecretValues>(shop_.options->secrets);
  }
  attempt_ = std::make_unique<Attempt>(std::move(assignment), std::move(compiled), *secrets);
  cut_ = Cut::kNone;
  command_runs_ = left_over_ = steps_over_ = asks_by_command_ = false;
  grace_ = attempt_->assignment().grace;
  pool_stop_ = std::stop_source();
  archive_.reset();
  flush_at_ = step_deadline_ = kill_at_ = budget_deadline_ = backstop_at_ = stall_at_ = kNever;
  caches_.reset();
  if (const base::Duration timeout = attempt_->assignment().timeout; timeout.count() > 0) {
    Wake(backstop_at_, started_ + timeout + shop_.options->backstop);
  }
  attempt_->reports().emplace_back(model::ReportStarted{.slot = number_});
  HoldReports();
}

void Slot::Keep(const AttemptRecord& record) {
  if (keeps() && sandbox_ != nullptr) {
    sandbox_->Keep(EncodeRecord(record), shop_.offline);
  }
}

void Slot::BeginSteps() {
  attempt_->SetUp(place_);
  if (std::optional<ReuseRequest> request = attempt_->PlanReuse()) {
    return LookForEarlier(*std::move(request));
  }
  PlanCaches();
}

// ---- steps

void Slot::Advance() {
  NextAction action = attempt_->Next();
  HoldReports();
  Perform(std::move(action));
}

void Slot::Perform(NextAction action) {
  std::visit(engine::base::Overloaded{
                 [&](StartCommand& start) { StartStep(std::move(start)); },
                 [&](const WantHash& want) { Hash(want.patterns); },
                 [&](AwaitServices& await) { Await(std::move(await.services)); },
                 [&](const StepsOver&) { EndBackground(); }, [&](const AllOver&) { Finish(); }},
             action);
}

void Slot::StartStep(StartCommand start, bool is_kept) {
  phase_ = Phase::kStepping;
  if (start.background) {
    return StartBackground(std::move(start));
  }
  const bool direct = start.direct;
  step_ = start.step;
  if (!is_kept) {
    Keep(StepStarting{start.step, MicrosOf(Now()), ports::kOwnLane});
  }
  if (start.script.has_value()) {
    if (const base::Status status = scratch_.WriteScript(*start.script); !status.ok()) {
      ports::CommandExit exit;
      exit.started = status;
      return CommandEnded(exit, false);
    }
  }
  cut_ = Cut::kNone;
  command_runs_ = true;
  if (start.timeout.count() > 0) {
    Wake(step_deadline_, Now() + start.timeout);
  }
  TellStarted(number_, step_);
  sandbox_->Start(start.command, Guarded([this, direct](const ports::CommandExit& exit) {
                    CommandEnded(exit, direct);
                  }));
}

void Slot::TellStarted(std::uint32_t segments, model::StepIndex step) {
  if (shop_.options->on_step_started) {
    shop_.options->on_step_started(segments, LogOf(step));
  }
}

void Slot::CommandEnded(const ports::CommandExit& exit, bool direct) {
  command_runs_ = false;
  step_deadline_ = kill_at_ = kNever;
  left_over_ = left_over_ || exit.leftover > 0;
  const absl::StatusCode code = exit.started.code();
  if (direct && cut_ == Cut::kNone &&
      (code == absl::StatusCode::kNotFound || code == absl::StatusCode::kPermissionDenied)) {
    // The shell says the same in its own words, in the log, and gives its own exit code.
    return StartStep(attempt_->ThroughShell());
  }
  if (code == absl::StatusCode::kUnavailable) {
    // Whatever it had started died with it.
    cut_ = Cut::kSandboxDied;
    sandbox_broken_ = true;
  }
  if (shop_.options->on_step_ended) {
    shop_.options->on_step_ended(number_, LogOf(step_), sandbox_broken_ ? nullptr : &exit.log);
  }
  // Kept before the files are emptied: whoever is killed in between loses nothing.
  StepNotes notes = files_.Read();
  Keep(StepDone{step_, exit, notes, cut_});
  files_.Empty();
  attempt_->StepEnded(exit, std::move(notes), cut_);
  KeepSummary(step_, attempt_->summary_of_last_step());
  if (attempt_->is_stopped() && budget_deadline_ == kNever) {
    // What follows a stop has the budget of `finally`, all together.
    SetBudget(Now() + attempt_->assignment().finally_budget);
  }
  Advance();
}

void Slot::SetBudget(SteadyTime ends_at) {
  Keep(BudgetSet{MicrosOf(ends_at)});
  Wake(budget_deadline_, ends_at);
}

void Slot::Hash(const std::vector<std::string>& patterns) {
  const std::shared_ptr<ports::ArtifactArchive> archive = Archive();
  if (archive == nullptr) {
    attempt_->GiveHash(patterns, base::Unimplemented("not available here"));
    return Advance();
  }
  phase_ = Phase::kHashing;
  OnPool([archive, root = workspace_view_, patterns] { return archive->HashFiles(root, patterns); },
         [this, patterns](base::StatusOr<std::string> hash) {
           phase_ = Phase::kStepping;
           Keep(HashMade{patterns, hash.status(), hash.value_or("")});
           attempt_->GiveHash(patterns, std::move(hash));
           Advance();
         });
}

// ---- the end

void Slot::Fail(model::ReasonCode code, const base::Status& status, bool infra) {
  attempt_->SetUpFailed(ReasonOf(code, status), infra);
  End();
}

// What is left of the attempt must be gone before its end is reported: another attempt may rely on
// that.
void Slot::End() {
  phase_ = Phase::kClearing;
  background_.clear();
  EndWatch();
  backstop_at_ = budget_deadline_ = kNever;
  if (left_over_ && !sandbox_broken_) {
    sandbox_->KillAll(Guarded([this] { Clear(); }));
    return;
  }
  Clear();
}

void Slot::Clear() {
  attempt_->reports().emplace_back(attempt_->Result(Since(started_)));
  Flush(true);
  if (keeps() && sandbox_ != nullptr) {
    sandbox_->ForgetKept();
  }
  Sweep();
  ReturnLanes();
  attempt_.reset();
  phase_ = Phase::kIdle;
  shop_.freed(number_);
}

/// Nothing of the attempt stays for the next one.
void Slot::Sweep() {
  files_.Collect();  // a process that was left over may have written again
  base::StatusOr<std::optional<std::string>> aside = scratch_.Clear();
  if (!aside.ok()) {
    spdlog::warn("{}", base::Message(aside.status()));
  } else if (aside->has_value()) {
    asio::post(*shop_.pool, [path = **std::move(aside)] { RemoveTree(path); });
  }
}

void Slot::HoldReports() {
  if (!attempt_->reports().empty() && flush_at_ == kNever) {
    Wake(flush_at_, Now() + shop_.options->hold);
  }
}

void Slot::Flush(bool ended) {
  flush_at_ = kNever;
  std::vector<model::Report> reports = std::exchange(attempt_->reports(), {});
  if (!reports.empty()) {
    shop_.send(lease_, std::move(reports), ended);
  }
}

void Slot::KeepSummary(model::StepIndex step, std::string text) {
  if (text.empty() || shop_.options->summary_folder.empty()) {
    return;
  }
  const model::AttemptKey& key = attempt_->assignment().lease.key;
  std::string file = fmt::format("{}.{}.{}.md", key.job.value() + 1, key.attempt, step.value() + 1);
  std::string folder = shop_.options->summary_folder;
  if (shop_.options->summaries_by_run) {
    folder += "/" + model::ToText(key.run);
  }
  asio::post(*shop_.pool, [folder = std::move(folder), file = std::move(file),
                           text = std::move(text)] { WriteSummary(folder, file, text); });
}

void Slot::ReplaceSandbox() {
  sandbox_.reset();
  if (!shop_.options->replace_sandbox) {
    return;
  }
  base::StatusOr<std::unique_ptr<ports::Sandbox>> made = shop_.options->replace_sandbox(number_);
  if (made.ok()) {
    sandbox_ = *std::move(made);
    sandbox_broken_ = false;
  } else {
    spdlog::warn("slot {}: {}", number_, base::Message(made.status()));
  }
}

// ---- stops and deadlines

void Slot::Stop(const model::StopAttempt& stop) {
  if (phase_ == Phase::kIdle || phase_ == Phase::kClearing) {
    return;
  }
  if (stop.kill) {
    attempt_->Kill(stop.reason);
  } else if (attempt_->in_finally()) {
    return;  // its result stands already; `finally` has its own budget
  } else {
    attempt_->Stop(stop.reason);
  }
  Keep(StopCame{stop.reason, stop.kill});
  pool_stop_.request_stop();
  if (caches_ != nullptr) {
    caches_->stop.request_stop();
  }
  // What works for the attempt without a command sees the stop when it is done.
  const base::Duration grace = stop.kill                ? base::Duration(0)
                               : stop.grace.count() > 0 ? stop.grace
                                                        : grace_;
  EndCommand(Cut::kStopped, grace);
  StopBackground(Cut::kStopped, grace);
  if (watch_ != nullptr) {
    EndWatch();
    Advance();
  }
}

void Slot::EndCommand(Cut cut, base::Duration grace) {
  if (!command_runs_) {
    return;
  }
  cut_ = cut_ == Cut::kNone || cut == Cut::kStopped ? cut : cut_;
  step_deadline_ = kNever;
  if (grace.count() == 0) {
    kill_at_ = kNever;
    sandbox_->Signal(ports::kOwnLane, SIGKILL);
  } else if (kill_at_ == kNever) {
    sandbox_->Signal(ports::kOwnLane, SIGTERM);
    Wake(kill_at_, Now() + grace);
  }
}

void Slot::Wake(SteadyTime& deadline, SteadyTime at) {
  deadline = at;
  shop_.wake_at(at);
}

SteadyTime Slot::NextDeadline() const {
  return std::min({flush_at_, step_deadline_, kill_at_, budget_deadline_, backstop_at_, stall_at_,
                   runner::NextDeadline(background_)});
}

void Slot::OnDeadline(SteadyTime now) {
  if (flush_at_ <= now) {
    Flush(false);
  }
  if (kill_at_ <= now) {
    kill_at_ = kNever;
    sandbox_->Signal(ports::kOwnLane, SIGKILL);
  }
  if (step_deadline_ <= now) {
    step_deadline_ = kNever;
    EndCommand(Cut::kStepTimeout, grace_);
  }
  if (budget_deadline_ <= now) {
    budget_deadline_ = kNever;
    Keep(BudgetEnded{});
    attempt_->EndBudget();
    EndCommand(Cut::kBudget, base::Duration(0));
    StopBackground(Cut::kBudget, base::Duration(0));
  }
  OnBackgroundDeadline(now);
  if (stall_at_ <= now) {
    WatchCaches();
  }
  if (backstop_at_ <= now) {
    backstop_at_ = kNever;
    Stop({.lease = lease(),
          .kill = false,
          .reason = {.code = model::ReasonCode::kJobTimeout},
          .grace = grace_});
  }
}

}  // namespace agents::runner

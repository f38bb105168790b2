// SPDX-License-Identifier: Apache-2.0
// One attempt's logic: which step comes next and with which command, what its end means, what the
// attempt's result is. It does no waiting, starts nothing and reads no clock; the slot does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "agents/runner/attempt_scope.h"
#include "agents/runner/compiled_spec.h"
#include "agents/runner/environment.h"
#include "agents/runner/job_annotations.h"
#include "agents/runner/secret_values.h"
#include "agents/runner/step_files.h"
#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/model/effect.h"
#include "engine/model/input.h"
#include "engine/ports/sandbox.h"

namespace agents::runner {

/// What the slot gives every attempt it runs.
struct SlotPlace {
  std::string workspace;    ///< where commands find it
  std::string script_path;  ///< where a script may be put
  /// Each background step has files and a script of its own, in a folder below this one.
  std::string background_folder;
  const Environment* environment = nullptr;  ///< PATH, HOME, … ; complete but for the attempt's own
};

struct StartCommand {
  engine::model::StepIndex step;
  engine::ports::Command command;
  std::optional<std::string> script;  ///< must stand in `SlotPlace::script_path` first
  std::string script_path;
  bool direct = false;      ///< started without a shell; see `Attempt::ThroughShell`
  bool background = false;  ///< goes on beside what `Next` gives next; see `BackgroundEnded`
  engine::base::Duration timeout{0};
};
/// The step's expressions need this hash; see `Attempt::GiveHash`.
struct WantHash {
  std::vector<std::string> patterns;
};
/// The job's own steps have ended, but for those in the background; once they have ended as well,
/// call `EndSteps`, upload, and ask again.
struct StepsOver {};
struct AllOver {};
/// What shows that a service is ready, expressions worked out.
struct ReadyConditions {
  std::uint32_t tcp = 0;  ///< 0: none
  std::string http;       ///< empty: none
  std::string command;    ///< empty: none
  std::string log;        ///< empty: none
  engine::base::Duration timeout{0};
};
/// A service that was started, and how it is asked whether it is ready.
struct ServiceToAwait {
  engine::model::StepIndex step;
  std::string name;
  ReadyConditions ready;
  /// A command of the service, but for its script: that is to be appended.
  engine::ports::Command command;
};
/// All were started; when they are ready, call `ServicesReady`, or `ServiceLate`, and ask again.
struct AwaitServices {
  std::vector<ServiceToAwait> services;
};
using NextAction = std::variant<StartCommand, WantHash, AwaitServices, StepsOver, AllOver>;

/// Why a step's command was ended from outside.
enum class Cut {
  kNone,
  kStepTimeout,
  kStopped,  ///< the attempt's stop; see `Attempt::Stop`
  kBudget,   ///< time for what follows a stop, and for `finally`, is up
  kSandboxDied,
  kStepsEnded,  ///< of a background step, when the other steps have ended
};

struct UploadRequest {
  std::string name;
  std::vector<std::string> paths;
};

/// Before the first step: what is restored. `error` not empty: it cannot be told; says why.
struct CacheRequest {
  std::string key;
  std::vector<std::string> restore_keys;
  std::string error;
};
/// What became of one, in the order of the requests.
struct CacheRestored {
  std::string key;   ///< as requested
  bool hit = false;  ///< this very key: there is nothing to save
  std::string note;  ///< a sentence for people
};
using CachePlan = std::variant<WantHash, std::vector<CacheRequest>>;

/// After a success.
struct CacheSave {
  std::string key;
  std::vector<std::string> paths;
};

/// Before anything is restored: is there a result that still stands?
struct ReuseRequest {
  std::string basis;                ///< what decides besides files; see `ReuseBasis`
  std::vector<std::string> inputs;  ///< the files that decide, as the job lists them
};
/// What a job came to.
struct EarlierResult {
  std::string run;                                 ///< whose job it was
  std::vector<engine::model::NamedValue> outputs;  ///< the large ones among them
  std::vector<engine::model::Artifact> artifacts;
  std::optional<engine::model::TestTotals> tests;
};
struct ReuseAnswer {
  std::string key;                      ///< to keep this job's result under; empty: not to be kept
  std::optional<EarlierResult> result;  ///< it stands, and all of it is in the store
  std::string note;                     ///< a sentence for people; may be empty
};
struct ReuseSave {
  std::string key;
  EarlierResult result;
  std::string test_document;  ///< the chunk that `result.tests` names
};

/// What is left to do when the steps have ended.
struct Closing {
  SpilledTexts spilled;  ///< outputs for the store
  std::vector<UploadRequest> uploads;
  std::vector<std::string> junit_reports;
  std::vector<std::string> masks;  ///< values that must not stand in what is made of reports
  std::vector<CacheSave> saves;    ///< unless an upload fails
  bool empty() const {
    return spilled.empty() && uploads.empty() && junit_reports.empty() && saves.empty();
  }
};
struct Closed {
  engine::base::Status spilled;
  engine::base::StatusOr<std::vector<engine::model::Artifact>> artifacts;
  engine::model::JobRemarks remarks;
  std::string test_document;  ///< see `ReportsRead`
};

class Attempt {
 public:
  Attempt(engine::model::Assignment assignment, CompiledSpecRef spec, SecretValues& secrets);
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  const engine::model::Assignment& assignment() const { return assignment_; }
  const CompiledSpec& spec() const { return *spec_; }

  /// Reports made since the last call, in order; the slot sends them.
  std::vector<engine::model::Report>& reports() { return reports_; }

  /// The workspace is there.
  void SetUp(const SlotPlace& place);
  void SetUpFailed(engine::model::Reason reason, bool infra);

  /// After `SetUp`: what `WantedOutputs` named.
  void OutputsFetched(SpilledTexts texts) { scope_.SetSpilled(std::move(texts)); }
  const SpilledTexts& fetched_outputs() const { return scope_.spilled(); }

  /// After `SetUp`. Nothing: begin with the caches; else `ReuseLookedUp` comes first.
  std::optional<ReuseRequest> PlanReuse() const;
  /// Once; with a result no cache is restored and no step runs.
  void ReuseLookedUp(ReuseAnswer answer);
  const ReuseAnswer& reuse() const { return reuse_; }
  /// When all is over: what later runs may take over, if it ended well; then `ResultSaved`.
  std::optional<ReuseSave> PlanReuseSave() const;
  void ResultSaved(const std::string& note) { Note(note); }

  /// After `SetUp`, until it gives requests; then `CachesRestored`.
  CachePlan PlanCaches();
  void GiveCacheHash(const std::vector<std::string>& patterns,
                     const engine::base::StatusOr<std::string>& hash);
  void CachesRestored(const std::vector<CacheRestored>& caches);

  NextAction Next();
  void GiveHash(const std::vector<std::string>& patterns, engine::base::StatusOr<std::string> hash);
  /// The command that `Next` gave cannot be started directly: the same step through the shell, so
  /// that log and exit code are what the shell makes of it.
  StartCommand ThroughShell();

  /// The command that was started has ended.
  void StepEnded(const engine::ports::CommandExit& exit, StepNotes notes, Cut cut);
  /// That of a background step, at any time before `EndSteps`.
  void BackgroundEnded(engine::model::StepIndex step, const engine::ports::CommandExit& exit,
                       StepNotes notes, Cut cut);
  void ServicesReady() { services_ready_ = true; }
  /// `why`: "db was not ready after 1m00s: …".
  void ServiceLate(engine::model::StepIndex step, const std::string& why);
  /// Background steps that have not ended.
  const std::set<engine::model::StepIndex>& background() const { return background_; }

  /// Evaluates outputs; what is to be done now.
  Closing EndSteps();
  void TakeClosed(Closed closed);

  void Stop(const engine::model::Reason& reason);
  /// A kill: nothing more is started.
  void Kill(const engine::model::Reason& reason);
  /// The time for what follows a stop, or for `finally`, is up: nothing more is started.
  void EndBudget();

  /// When all is over: what the steps said by log commands; taken. Then `AnnotationsKept`.
  std::optional<AnnotationsRequest> PlanAnnotations();
  void AnnotationsKept(engine::model::JobRemarks remarks);

  bool is_stopped() const { return stop_.has_value(); }
  bool in_finally() const { return next_ >= spec_->spec->steps.size() && steps_over_; }
  bool has_failed() const { return failure_.has_value(); }
  std::string summary_of_last_step() { return std::move(summary_); }

  engine::model::ReportEnded Result(engine::base::Duration took);

 private:
  struct Outcome {
    engine::model::Status status = engine::model::Status::kSucceeded;
    engine::model::Reason reason;
  };

  StepStatusView View() const;
  bool IsFinally(std::size_t index) const { return index >= spec_->spec->steps.size(); }
  /// Nothing: it may run; else why it is skipped.
  engine::base::StatusOr<std::optional<engine::model::Reason>> WhySkip(std::size_t index);
  engine::base::StatusOr<StartCommand> Prepare(std::size_t index, bool allow_direct);
  engine::base::Status FillArgv(std::size_t index, bool allow_direct, StartCommand& start);
  void Begun(std::size_t index);
  void ForgetStep();
  engine::base::Status FillEnv(std::size_t index, StartCommand& start);
  engine::base::StatusOr<std::string> Render(const MaybeTemplate& text, const std::string& plain);
  engine::base::Status DeclareAll();
  void Declare(std::string_view name, const std::string& value);

  void Skip(std::size_t index, engine::model::Reason reason);
  Outcome Judge(const engine::ports::CommandExit& exit, Cut cut);
  Outcome JudgeService(std::size_t index, const engine::ports::CommandExit& exit, Cut cut);
  bool AwaitsServices() const;
  /// What all are asked; nothing: one cannot be asked, which has failed the attempt.
  std::optional<AwaitServices> PlanServices();
  engine::base::StatusOr<ServiceToAwait> PlanService(std::size_t index);
  void Conclude(std::size_t index, const engine::ports::CommandExit& exit, StepNotes notes,
                Cut cut);
  engine::base::Status AbsorbNotes(StepNotes& notes);
  void TakeAnnotations(std::size_t index, const engine::model::Annotations& annotations);
  void CloseStep(std::size_t index, Outcome outcome, const engine::ports::CommandExit& exit,
                 const NameValues& outputs);
  void Fail(Outcome outcome);
  engine::base::StatusOr<CacheRequest> PlanCache(std::size_t index);
  std::vector<UploadRequest> PlanUploads();
  engine::base::Status CheckUploadName(const std::string& name,
                                       const std::vector<UploadRequest>& uploads) const;
  bool UploadsNow() const;
  void Uploaded(engine::base::StatusOr<std::vector<engine::model::Artifact>> artifacts);
  /// Kept with the job, and in the log of the step that comes next.
  void Note(const std::string& note);
  engine::base::Status EvaluateOutputs();
  engine::base::Status SpillOutputs();
  void PlanFiles(Closing& closing);
  void OutputsKept(const engine::base::Status& status);
  std::vector<engine::model::NamedValue> AllOutputs() const;
  engine::base::Status CheckExposure(std::string_view what, std::string_view text) const;

  engine::model::Assignment assignment_;
  CompiledSpecRef spec_;
  SecretValues& secrets_;
  AttemptScope scope_;
  SlotPlace place_;
  Environment environment_;

  std::size_t next_ = 0;  ///< the step to look at next, or the one that runs
  bool running_ = false;
  std::set<engine::model::StepIndex> background_;
  bool services_ready_ = false;
  std::optional<engine::model::StepIndex> late_service_;
  bool steps_over_ = false;  ///< `EndSteps` was called
  bool nothing_more_ = false;
  bool infra_ = false;
  std::optional<Outcome> failure_;  ///< the first
  std::optional<engine::model::Reason> finally_failure_;
  std::optional<engine::model::Reason> stop_;
  bool killed_ = false;

  std::vector<engine::model::Report> reports_;
  std::vector<engine::model::NamedValue> outputs_;
  std::vector<engine::model::SpilledOutput> spilled_;
  SpilledTexts spilled_texts_;
  std::vector<engine::model::Artifact> artifacts_;
  std::vector<CacheRestored> caches_;  ///< like the spec's, once they were looked for
  std::string cache_fault_;            ///< not empty: no cache is used
  ReuseAnswer reuse_;
  std::string test_document_;
  engine::model::Annotations annotations_;
  engine::model::AnnotationCounts annotations_kept_;
  engine::model::JobRemarks remarks_;
  std::string preface_;  ///< of the next step's log
  std::string summary_;
};

}  // namespace agents::runner

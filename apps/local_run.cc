// SPDX-License-Identifier: Apache-2.0
#include "apps/local_run.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <optional>
#include <pwd.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include "agents/runner/runner.h"
#include "apps/control.h"
#include "apps/crash_point.h"
#include "apps/exit_code.h"
#include "apps/lazy_archive.h"
#include "apps/local_approvals.h"
#include "apps/local_caches.h"
#include "apps/local_secrets.h"
#include "apps/recorded_run.h"
#include "apps/run_control.h"
#include "apps/run_lock.h"
#include "apps/run_record.h"
#include "apps/run_screen.h"
#include "apps/run_stats.h"
#include "apps/terminal.h"
#include "apps/view/json_lines.h"
#include "apps/view/plain.h"
#include "apps/view/tree.h"
#include "engine/loop/engine_loop.h"
#include "engine/loop/system_clock.h"
#include "executors/sandboxes/host_sandbox.h"
#include "executors/sandboxes/leftovers.h"
#include "executors/sandboxes/machine.h"
#include "store/git/local_git.h"
#include "store/sqlite/sqlite_run_store.h"

namespace apps {
namespace {

namespace asio = boost::asio;
namespace base = engine::base;
namespace loop = engine::loop;
namespace model = engine::model;
namespace ports = engine::ports;
namespace sandboxes = executors::sandboxes;

constexpr model::WorkerId kLocalWorker{1};
/// Attempts that a slot is given before it is free, so that it never waits for a flush.
constexpr std::uint32_t kAheadOfSlot = 8;

std::string HomeFolder() {
  const char* home = std::getenv("HOME");
  return home == nullptr ? "" : home;
}

// Whatever it is, the run cannot go on: never the caller's mistake.
int FailEngine(const base::Status& status, std::string_view run, bool resumable) {
  const std::string hint =
      resumable ? fmt::format("\nWhat was recorded is kept: dayfly run --resume {}", run) : "";
  return Fail(kExitEngine, fmt::format("{}{}", base::Message(status), hint));
}

}  // namespace

std::string UserName() {
  const passwd* user = getpwuid(geteuid());
  return user == nullptr ? fmt::format("uid {}", geteuid()) : user->pw_name;
}

class LocalRun::Core : public loop::Observer {
 public:
  Core(StateDir state, model::RunId run, LocalRunOptions options)
      : state_(std::move(state)),
        run_(run),
        id_(model::ToText(run)),
        folder_(state_.run_folder(run)),
        options_(std::move(options)),
        io_(1),
        archive_(state_.chunks()),
        caches_(state_.caches()),
        record_(state_),
        logs_(folder_ + "/logs"),
        writer_(STDOUT_FILENO, [this](const base::Status& status) { OnOutputLost(status); }) {
    if (options_.workers == 0) {
      options_.workers = std::max(1U, std::thread::hardware_concurrency());
    }
    if (options_.output.empty()) {
      options_.output = IsLiveTerminal(STDOUT_FILENO) ? "tree" : "plain";
    }
  }

  ~Core() override {
    // The order matters: nobody may be called back by something that is gone.
    control_.reset();
    loop_.reset();
    approvals_.reset();
    runner_.reset();
    slots_.clear();
    if (is_new_ && !submitted_) {
      std::error_code ignored;
      std::filesystem::remove_all(folder_, ignored);
    }
  }

  base::Status Create() {
    ASSIGN_OR_RETURN(secrets_, LocalSecrets::Load(options_.secrets, options_.secrets_file));
    is_new_ = true;
    RETURN_IF_ERROR(state_.MakeRunFolder(run_).status());
    ASSIGN_OR_RETURN(lock_, RunLock::Acquire(folder_));
    return StartKeepers();
  }

  base::Status Reopen() {
    ASSIGN_OR_RETURN(secrets_, LocalSecrets::Load(options_.secrets, options_.secrets_file));
    ASSIGN_OR_RETURN(lock_, RunLock::Acquire(folder_));
    return base::OkStatus();
  }

  /// What the other parts must hear of facts.
  void OnDurable(std::uint64_t, std::span<const model::Fact> facts) override {
    for (const model::Fact& fact : facts) {
      if (const auto* ended = std::get_if<model::AttemptEnded>(&fact.body)) {
        runner_->Acknowledge(ended->key);
      } else if (std::holds_alternative<model::RunAccepted>(fact.body)) {
        record_.Begin(RowOf(*board_, folder_));
      } else if (std::holds_alternative<model::AttemptStarted>(fact.body)) {
        TellFallbacks();
      }
    }
  }

  model::RunId run() const { return run_; }
  std::string workspace() const { return folder_ + "/ws"; }
  model::WorkerOffer offer() const { return sandboxes::OfferOfMachine(folder_, {}); }
  RunRecord& record() { return record_; }

  base::StatusOr<ports::GitSource*> git() {
    const std::lock_guard lock(git_mutex_);
    if (git_ == nullptr) {
      ASSIGN_OR_RETURN(git_, store::git::LocalGit::Open({.objects_folder = state_.objects(),
                                                         .trees_folder = state_.trees()}));
    }
    return git_.get();
  }

  int Execute(model::SubmitRun submission) {
    submitted_ = true;
    resuming_ = false;
    if (base::Status opened = OpenStore(); !opened.ok()) {
      submitted_ = false;
      return FailEngine(opened, id_, /*resumable=*/false);
    }
    board_.emplace(run_, submission.plan);
    context_ = submission.context;
    return Run(std::move(submission));
  }

  int Resume() {
    resuming_ = true;
    if (base::Status ready = ReadRecorded(); !ready.ok()) {
      return ready.code() == absl::StatusCode::kNotFound ? Fail(ready)
                                                         : FailEngine(ready, id_, false);
    }
    if (model::IsFinal(board_->status())) {
      return ShowEnd();
    }
    if (base::Status started = ClearAndStart(); !started.ok()) {
      return FailEngine(started, id_, true);
    }
    return Run(std::nullopt);
  }

 private:
  sandboxes::HostSandboxOptions SlotOptions(std::uint32_t slot) const {
    sandboxes::HostSandboxOptions options;
    options.run_folder = folder_;
    options.slot = slot;
    return options;
  }

  base::Status StartKeepers() {
    for (std::uint32_t slot = 0; slot < options_.workers; ++slot) {
      ASSIGN_OR_RETURN(auto sandbox, sandboxes::StartHostSandbox(io_, SlotOptions(slot)));
      slots_.push_back(std::move(sandbox));
    }
    first_slot_ = slots_[0].get();
    return base::OkStatus();
  }

  base::Status OpenStore() {
    ASSIGN_OR_RETURN(auto store, store::sqlite::OpenSqliteRunStore(folder_ + "/facts.db"));
    ASSIGN_OR_RETURN(store_, WithCrashPoint(std::move(store), resuming_));
    return base::OkStatus();
  }

  base::Status ReadRecorded() {
    if (access((folder_ + "/facts.db").c_str(), F_OK) != 0) {
      return base::NotFound("run {} was never accepted: its process died before; start it again",
                            id_);
    }
    RETURN_IF_ERROR(OpenStore());
    ASSIGN_OR_RETURN(RecordedRun recorded, ReadRun(*store_, run_));
    board_.emplace(std::move(recorded.board));
    context_ = board_->context();
    return base::OkStatus();
  }

  base::Status ClearAndStart() {
    RETURN_IF_ERROR(sandboxes::ReapLeftovers(folder_).status());
    for (const char* part : {"/logs", "/tmp", "/ws"}) {
      RETURN_IF_ERROR(MakeFolders(folder_ + part));
    }
    return StartKeepers();
  }

  // A run that had ended already, whoever saw it: says so again and gives its exit code.
  int ShowEnd() {
    MakeScreen();
    screen_->Resumed();
    model::RunEnded ended;
    ended.run = run_;
    ended.status = board_->status();
    ended.reason = board_->reason();
    ended.counts = board_->counts();
    const model::Fact fact{.at = board_->ended_at(), .body = ended};
    screen_->OnDurable(0, {&fact, 1});
    screen_->End();
    writer_.Drain();
    record_.End(*board_, RowOf(*board_, folder_)).IgnoreError();
    fmt::print(stderr, "dayfly: run {} had ended already\n", id_);
    return ExitCodeOf(board_->status());
  }

  int Run(std::optional<model::SubmitRun> submission) {
    if (base::Status started = Assemble(); !started.ok()) {
      // Nothing of a new run is recorded yet.
      submitted_ = false;
      return FailEngine(started, id_, resuming_);
    }
    Begin(std::move(submission));
    io_.run();
    return Finish();
  }

  base::Status Assemble() {
    loop::LoopOptions options;
    options.sequencer.workers_die_with_us = true;
    options.on_trouble = [this](const base::Status& status) {
      Notice(fmt::format("the store has trouble, trying again: {}", base::Message(status)));
    };
    options.on_fatal = [this](const base::Status& status) { GiveUp(status); };
    loop_ = std::make_unique<loop::EngineLoop>(io_, *store_, clock_, std::move(options));
    RETURN_IF_ERROR(loop_->Recover());
    MakeScreen();
    ASSIGN_OR_RETURN(ports::GitSource * git_source, git());
    runner_ = std::make_unique<agents::runner::Runner>(io_, MakeRunnerOptions(git_source));
    RETURN_IF_ERROR(runner_->Open());
    // The screen first: it keeps the board that the others look at.
    loop_->AddObserver(&*screen_);
    loop_->AddObserver(this);
    loop_->AddObserver(&stats_);
    approvals_.emplace(io_, ApprovalParts());
    loop_->AddObserver(&*approvals_);
    return base::OkStatus();
  }

  agents::runner::RunnerOptions MakeRunnerOptions(ports::GitSource* git_source) {
    agents::runner::RunnerOptions options;
    options.report = loop_->Sink();
    options.slots = std::move(slots_);
    slots_.clear();
    options.replace_sandbox = [this](std::uint32_t slot) {
      first_slot_ = nullptr;
      return sandboxes::StartHostSandbox(io_, SlotOptions(slot));
    };
    options.archive = &archive_;
    options.caches_of = [this](const model::Assignment& assignment, const std::stop_token&) {
      return caches_.Of(*assignment.context);
    };
    options.git = git_source;
    options.secrets = secrets_.get();
    options.folder = folder_ + "/tmp";
    options.summary_folder = folder_ + "/summaries";
    options.logs_folder = folder_ + "/logs";
    options.home = HomeFolder();
    options.user = UserName();
    return options;
  }

  LocalApprovalParts ApprovalParts() {
    LocalApprovalParts parts;
    parts.loop = loop_.get();
    parts.board = &*board_;
    parts.user = UserName();
    parts.reject_all = options_.no_approve;
    parts.may_prompt =
        options_.output != "json" && isatty(STDIN_FILENO) == 1 && IsLiveTerminal(STDOUT_FILENO);
    parts.notice = [this](std::string_view text) { Notice(text); };
    parts.typed = [this] { screen_->Typed(); };
    return parts;
  }

  void MakeScreen() {
    ScreenParts parts;
    parts.board = &*board_;
    parts.clock = &clock_;
    parts.writer = &writer_;
    parts.logs = &logs_;
    parts.read_core = [this](auto read) { loop_->Read(std::move(read)); };
    parts.on_run_ended = [this] { OnRunEnded(); };
    screen_.emplace(io_, std::move(parts),
                    [this](view::ExplainFunction explain) { return MakeView(std::move(explain)); });
  }

  std::unique_ptr<view::RunView> MakeView(view::ExplainFunction explain) {
    view::RunHeader header;
    header.run = id_;
    header.pipeline = board_->plan().name;
    header.file = context_->pipeline_file;
    header.workers = options_.workers;
    const view::Look look = LookOf(STDOUT_FILENO);
    if (options_.output == "json") {
      return std::make_unique<view::JsonLines>();
    }
    if (options_.output == "tree") {
      return std::make_unique<view::Tree>(std::move(header), look, std::move(explain));
    }
    return std::make_unique<view::Plain>(std::move(header), look);
  }

  void Begin(std::optional<model::SubmitRun> submission) {
    if (resuming_) {
      screen_->Resumed();
    }
    loop_->Start(*runner_);
    Listen();
    // Before this a signal ends the process as usual: nothing is recorded yet.
    signals_.emplace(io_, SIGINT, SIGTERM, SIGHUP);
    WaitForSignal();
    if (resuming_) {
      record_.Begin(RowOf(*board_, folder_));
      approvals_->Resumed();
    }
    model::WorkerConnected worker;
    worker.worker = kLocalWorker;
    worker.session = model::SessionId(loop_->epoch().value());
    worker.pool = model::kDefaultPool;
    worker.slots = options_.workers;
    worker.ahead_max = kAheadOfSlot;
    worker.owner_restarted = resuming_;
    worker.offer = offer();
    worker.alone = true;
    PostOrGiveUp(worker);
    if (submission) {
      base::Status posted = loop_->Post(*std::move(submission), [this](const loop::Answer& answer) {
        if (!answer.refused.empty()) {
          GiveUp(base::InvalidArgument("the run was refused: {}", answer.refused[0].message));
        }
      });
      if (!posted.ok()) {
        GiveUp(posted);
      }
    }
  }

  void PostOrGiveUp(model::Input input) {
    if (base::Status posted = loop_->Post(std::move(input)); !posted.ok()) {
      GiveUp(posted);
    }
  }

  // Known once a keeper is up; all slots of a machine are alike.
  void TellFallbacks() {
    if (ports::Sandbox* slot = std::exchange(first_slot_, nullptr)) {
      for (const std::string& fallback : slot->facts().fallbacks) {
        screen_->Note(fallback);
      }
    }
  }

  void Listen() {
    auto server = ControlServer::Listen(
        io_, folder_,
        MakeControlHandler({.loop = loop_.get(),
                            .board = &*board_,
                            .notice = [this](std::string_view text) { Notice(text); }}));
    if (server.ok()) {
      control_ = *std::move(server);
    } else {
      Notice(fmt::format("no control from other terminals: {}", base::Message(server.status())));
    }
  }

  void WaitForSignal() {
    signals_->async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) {
        return;
      }
      OnSignal(signal);
      WaitForSignal();
    });
  }

  // First: cancel well. Second: kill. Third: leave at once; keepers kill what they started.
  void OnSignal(int signal) {
    ++signals_seen_;
    if (signals_seen_ >= 3) {
      GiveUp(base::Cancelled("left after three signals"));
      return;
    }
    const bool kill = signals_seen_ == 2;
    const bool keyboard = signal == SIGINT;
    Notice(kill ? "killing all steps"
                : fmt::format("cancelling: steps get a signal and time to end{}",
                              keyboard ? "; Ctrl-C again kills" : ""));
    Cancel(kill, keyboard ? "Ctrl-C" : fmt::format("signal {}", sigabbrev_np(signal)));
  }

  void Cancel(bool kill, std::string by) {
    model::CancelRun cancel;
    cancel.run = run_;
    cancel.kill = kill;
    cancel.by = std::move(by);
    PostOrGiveUp(std::move(cancel));
  }

  // Called on the writer's thread or ours.
  void OnOutputLost(const base::Status& status) {
    asio::post(io_, [this, status] {
      const bool reader_left = status.code() == absl::ErrnoToStatusCode(EPIPE);
      if (!reader_left) {
        output_lost_ = status;
      }
      if (loop_ != nullptr && !model::IsFinal(board_->status())) {
        Cancel(/*kill=*/false, reader_left ? "the reader of the output, which is gone"
                                           : std::string(base::Message(status)));
      }
    });
  }

  void Notice(std::string_view text) {
    if (options_.output == "json" || !screen_) {
      fmt::print(stderr, "dayfly: {}\n", text);
    } else {
      screen_->Notice(text);
    }
  }

  void OnRunEnded() {
    asio::post(io_, [this] {
      PostOrGiveUp(model::CloseRun{.run = run_});
      loop_->Stop([this](const base::Status& status) {
        // The run's end was durable before; a snapshot that could not be written harms nothing.
        status.IgnoreError();
        io_.stop();
      });
    });
  }

  void GiveUp(const base::Status& status) {
    if (failed_.ok()) {
      failed_ = status;
    }
    io_.stop();
  }

  int Finish() {
    signals_.reset();
    screen_->End();
    writer_.Drain();
    const bool accepted = board_->context() != nullptr;
    submitted_ = submitted_ && accepted;
    if (accepted) {
      record_.End(*board_, RowOf(*board_, folder_)).IgnoreError();
    }
    if (options_.stats) {
      stats_.Print(loop_->counters(), folder_);
    }
    if (!accepted && ExitCodeOf(failed_) == kExitInvalid) {
      return Fail(failed_);
    }
    if (!failed_.ok() && !model::IsFinal(board_->status())) {
      return FailEngine(failed_, id_, accepted);
    }
    if (!output_lost_.ok()) {
      return Fail(kExitEngine, base::Message(output_lost_));
    }
    return ExitCodeOf(board_->status());
  }

  StateDir state_;
  model::RunId run_;
  std::string id_;
  std::string folder_;
  LocalRunOptions options_;
  bool is_new_ = false;
  bool submitted_ = false;
  bool resuming_ = false;

  std::unique_ptr<RunLock> lock_;
  asio::io_context io_;
  std::vector<std::unique_ptr<ports::Sandbox>> slots_;  ///< until the runner has them
  ports::Sandbox* first_slot_ = nullptr;
  LazyArchive archive_;
  LocalCaches caches_;
  std::mutex git_mutex_;
  std::unique_ptr<store::git::LocalGit> git_;
  std::unique_ptr<LocalSecrets> secrets_;
  std::unique_ptr<ports::RunStore> store_;
  loop::SystemClock clock_;
  std::shared_ptr<const model::RunContext> context_;
  std::optional<view::Board> board_;
  RunRecord record_;
  RunStats stats_;
  store::logs::SegmentReader logs_;
  OutputWriter writer_;
  std::unique_ptr<loop::EngineLoop> loop_;
  std::unique_ptr<agents::runner::Runner> runner_;
  std::optional<RunScreen> screen_;
  std::optional<LocalApprovals> approvals_;
  std::unique_ptr<ControlServer> control_;
  std::optional<asio::signal_set> signals_;
  int signals_seen_ = 0;
  base::Status failed_;
  base::Status output_lost_;  ///< not OK: it could not be written, though somebody wants it
};

base::StatusOr<std::unique_ptr<LocalRun>> LocalRun::Create(const StateDir& state,
                                                           LocalRunOptions options) {
  auto core = std::make_unique<Core>(state, DrawRunId(), std::move(options));
  RETURN_IF_ERROR(core->Create());
  return std::unique_ptr<LocalRun>(new LocalRun(std::move(core)));
}

base::StatusOr<std::unique_ptr<LocalRun>> LocalRun::Reopen(const StateDir& state, model::RunId run,
                                                           LocalRunOptions options) {
  auto core = std::make_unique<Core>(state, run, std::move(options));
  RETURN_IF_ERROR(core->Reopen());
  return std::unique_ptr<LocalRun>(new LocalRun(std::move(core)));
}

LocalRun::LocalRun(std::unique_ptr<Core> core) : core_(std::move(core)) {}
LocalRun::~LocalRun() = default;

model::RunId LocalRun::run() const {
  return core_->run();
}
std::string LocalRun::workspace() const {
  return core_->workspace();
}
model::WorkerOffer LocalRun::offer() const {
  return core_->offer();
}
base::StatusOr<ports::GitSource*> LocalRun::git() {
  return core_->git();
}
std::vector<base::Duration> LocalRun::KnownDurations(const model::Plan& plan,
                                                     const model::RunContext& context) {
  return core_->record().KnownDurations(plan, context);
}
int LocalRun::Execute(model::SubmitRun submission) {
  return core_->Execute(std::move(submission));
}
int LocalRun::Resume() {
  return core_->Resume();
}

}  // namespace apps

// SPDX-License-Identifier: Apache-2.0
#include "apps/network/agent_command.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "agents/host/last_contact.h"
#include "agents/host/worker.h"
#include "agents/secrets/server_secrets.h"
#include "agents/session/agent_session.h"
#include "agents/session/identity.h"
#include "agents/session/workload.h"
#include "apps/exit_code.h"
#include "apps/local_run.h"
#include "apps/network/agent_artifacts.h"
#include "apps/network/agent_logs.h"
#include "apps/state_dir.h"
#include "engine/base/log.h"
#include "engine/base/time.h"
#include "engine/model/place.h"
#include "executors/sandboxes/machine.h"
#include "store/git/fetched_git.h"

namespace apps::network {
namespace {

namespace asio = boost::asio;
namespace base = engine::base;
namespace core = agents::core;
namespace host = agents::host;
namespace model = engine::model;
namespace session = agents::session;

constexpr std::uint32_t kSlotsMax = 1024;
/// Beside `os` and `arch`.
constexpr std::size_t kOwnLabelsMax = model::kLabelsMax - 2;
/// Attempts that a slot is given before it is free, so that it never waits for a flush.
constexpr std::uint32_t kAheadOfSlot = 8;
/// Of logs that are not with the server, a slot; then its step waits in its `write`.
constexpr std::uint64_t kSpoolBytesMax = std::uint64_t{1} << 30;

std::vector<std::string> SplitServers(const std::string& text) {
  std::vector<std::string> servers;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    if (comma > at) {
      servers.push_back(text.substr(at, comma - at));
    }
    at = comma + 1;
  }
  return servers;
}

base::Instant UtcNow() {
  return base::InstantFromMicros(std::chrono::duration_cast<std::chrono::microseconds>(
                                     std::chrono::system_clock::now().time_since_epoch())
                                     .count());
}

base::Instant MonotonicNow() {
  return base::InstantFromMicros(std::chrono::duration_cast<std::chrono::microseconds>(
                                     std::chrono::steady_clock::now().time_since_epoch())
                                     .count());
}

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "";
}

/// What was asked for, checked.
struct AgentPlan {
  std::vector<std::string> servers;
  std::string token;
  std::uint32_t slots = 1;
  std::vector<model::Label> labels;
  std::string folder;
  std::string workspace;
  std::optional<base::Duration> exit_when_idle;
};

base::StatusOr<std::string> ReadToken(const std::string& token) {
  if (token != "-") {
    return token;
  }
  std::string line;
  if (!std::getline(std::cin, line) || line.empty()) {
    return base::InvalidArgument("--token -: there is no line on standard input");
  }
  return line;
}

base::StatusOr<std::vector<model::Label>> LabelsOf(const std::vector<std::string>& texts) {
  std::vector<model::Label> labels;
  for (const std::string& text : texts) {
    const std::size_t equals = std::min(text.find('='), text.size());
    model::Label label{.name = text.substr(0, equals),
                       .value = text.substr(std::min(equals + 1, text.size()))};
    if (!model::IsLabelName(label.name) || !model::IsLabelValue(label.value)) {
      return base::InvalidArgument(
          "--label: '{}' is no label like disk=ssd (a name of letters, digits, `_`, `-` and `.`; a "
          "value without spaces; at most 100 of each)",
          text);
    }
    labels = model::MergeLabels(std::move(labels), {std::move(label)});
  }
  if (labels.size() > kOwnLabelsMax) {
    return base::InvalidArgument("--label: a worker has at most {} of them", kOwnLabelsMax);
  }
  return labels;
}

base::StatusOr<AgentPlan> PlanOf(const AgentOptions& options) {
  AgentPlan plan;
  plan.servers = SplitServers(options.servers);
  if (plan.servers.empty()) {
    return base::InvalidArgument("--server names no address");
  }
  ASSIGN_OR_RETURN(plan.token, ReadToken(options.token));
  plan.slots = options.slots > 0
                   ? options.slots
                   : std::min(kSlotsMax, std::max(1U, std::thread::hardware_concurrency()));
  ASSIGN_OR_RETURN(plan.labels, LabelsOf(options.labels));
  plan.folder = options.folder;
  if (plan.folder.empty()) {
    ASSIGN_OR_RETURN(const std::string state, StateDirPath());
    plan.folder = state + "/agent";
  }
  plan.workspace = options.workspace;
  if (!plan.workspace.empty() && plan.workspace[0] != '/') {
    return base::InvalidArgument("--workspace {} is not absolute", plan.workspace);
  }
  if (!options.exit_when_idle.empty()) {
    plan.exit_when_idle = base::ParseDuration(options.exit_when_idle);
    if (!plan.exit_when_idle.has_value()) {
      return base::InvalidArgument("--exit-when-idle: '{}' is no duration like 90s or 10m",
                                   options.exit_when_idle);
    }
  }
  return plan;
}

/// The agent's parts, and when it leaves.
class Agent : public session::Workload {
 public:
  explicit Agent(AgentPlan plan)
      : plan_(std::move(plan)),
        io_(1),
        idle_timer_(io_),
        secrets_({.addresses = plan_.servers, .authority = {}, .client = {}}) {}

  base::Status Open() {
    host::WorkerOptions options;
    options.folder = plan_.folder;
    options.slots = plan_.slots;
    options.workspace = plan_.workspace;
    options.user = UserName();
    options.spool_bytes_max = kSpoolBytesMax;
    options.on_step_started = [this](std::uint32_t slot, const model::LogKey& log) {
      logs_->StepStarted(slot, log);
    };
    options.on_step_ended = [this](std::uint32_t slot, const model::LogKey& key,
                                   const model::StepLog* log) { logs_->StepEnded(slot, key, log); };
    options.archive_of = [this](const model::AttemptKey& attempt, std::stop_token stop) {
      return artifacts_.Of(attempt, std::move(stop));
    };
    options.caches_of = [this](const model::Assignment& assignment, std::stop_token stop) {
      return artifacts_.CachesOf(assignment.lease.key, std::move(stop));
    };
    store::git::FetchedGitOptions git;
    git.folder = plan_.folder + "/git";
    // Asked on the threads that fetch, which begin when there is a session.
    git.credential = [this](const std::string& url) { return GitCredentialFor(url); };
    ASSIGN_OR_RETURN(git_, store::git::FetchedGit::Open(std::move(git)));
    options.git = git_.get();
    options.secrets = &secrets_;
    ASSIGN_OR_RETURN(worker_, host::Worker::Open(io_, std::move(options)));
    for (const std::string& finding : worker_->findings()) {
      spdlog::info("{}", finding);
    }
    RETURN_IF_ERROR(OpenLogs());
    ASSIGN_OR_RETURN(session::AgentIdentity identity, Identity());
    spdlog::info("worker {} with {} slots in {}", identity.worker.value(), plan_.slots,
                 plan_.folder);
    contact_.emplace(worker_->folder().contact(), host::BootId());
    const std::optional<host::LastContact> contact = contact_->Load();
    MakeSession(std::move(identity), contact);
    RETURN_IF_ERROR(worker_->Start(
        [this](model::Input input) { session_->Report(std::get<model::AttemptReported>(input)); }));
    if (contact.has_value()) {
      worker_->runner().SetOffline(contact->offline);
    }
    return base::OkStatus();
  }

  int Run() {
    signals_.emplace(io_, SIGTERM, SIGINT);
    WaitForSignal();
    worker_->on_idle = [this] { LookIdle(); };
    session_->Start();
    LookIdle();
    io_.run();
    session_.reset();
    worker_.reset();
    logs_.reset();
    return given_up_.empty() ? kExitOk : Fail(kExitEngine, given_up_);
  }

  // session::Workload
  void Note(const std::vector<core::SessionFact>& facts, std::function<void()> noted) override {
    worker_->Note(facts, std::move(noted));
  }
  void Take(const model::AgentOrder& order, std::function<void()> taken) override {
    if (const auto* drain = std::get_if<model::DrainAgent>(&order)) {
      drain_confirmed_ = true;
      BeginDrain("the server asked for it");
      if (drain->stop_attempts) {
        StopAttempts("the server drains this worker");
      }
    }
    StopWaitingForIdle();
    worker_->Take(order, std::move(taken));
    LookIdle();
  }
  bool IsWorking() const override { return !worker_->is_idle(); }
  void EndEverything(std::function<void()> cleared) override {
    drain_confirmed_ = false;  // of the session that is over; the next one asks again
    worker_->EndEverything(std::move(cleared));
  }
  void EndOffline() override { worker_->EndOffline(); }
  void EndStale(const model::AttemptKey& attempt) override { worker_->EndStale(attempt); }
  void Settle(const model::AttemptKey& attempt) override {
    worker_->Settle(attempt);
    LookIdle();
  }
  std::vector<model::RunId> RunsRemembered() const override { return worker_->runner().Runs(); }
  void GiveUp(const std::string& why) override {
    given_up_ = why;
    io_.stop();
  }

 private:
  base::StatusOr<session::AgentIdentity> Identity() {
    const std::string& folder = worker_->folder().identity();
    base::StatusOr<session::AgentIdentity> known = session::LoadIdentity(folder);
    if (known.ok() || known.status().code() != absl::StatusCode::kNotFound) {
      return known;
    }
    if (plan_.token.empty()) {
      return base::InvalidArgument(
          "{} holds no identity: join with --token (from: dayfly workers token --pool POOL)",
          plan_.folder);
    }
    session::Enrolling enrolling;
    enrolling.servers = plan_.servers;
    enrolling.join_token = plan_.token;
    enrolling.host = HostName();
    enrolling.now = UtcNow();
    ASSIGN_OR_RETURN(session::AgentIdentity identity, session::Enrol(enrolling));
    RETURN_IF_ERROR(session::SaveIdentity(folder, identity));
    return identity;
  }

  base::StatusOr<std::optional<store::git::GitCredential>> GitCredentialFor(
      const std::string& url) {
    if (!url.starts_with("https://") && !url.starts_with("http://")) {
      return std::optional<store::git::GitCredential>();
    }
    ASSIGN_OR_RETURN(auto known, secrets_.GitCredential(url));
    return known.has_value()
               ? std::optional(store::git::GitCredential{.username = std::move(known->username),
                                                         .password = std::move(known->password)})
               : std::nullopt;
  }

  base::Status OpenLogs() {
    AgentLogsOptions options;
    options.spool = worker_->folder().spool();
    options.notes = worker_->folder().path() + "/unshipped";
    options.send = [this](dayfly::v1::AgentMessage message) {
      session_->SendLog(std::move(message));
    };
    options.on_done = [this] { LookIdle(); };
    logs_ = std::make_unique<AgentLogs>(io_, std::move(options));
    return logs_->Open();
  }

  void MakeSession(session::AgentIdentity identity,
                   const std::optional<host::LastContact>& contact) {
    session::AgentSessionOptions options;
    options.session.addresses = plan_.servers;
    options.session.slots = plan_.slots;
    options.session.ahead_max = kAheadOfSlot;
    options.session.version = DAYFLY_VERSION;
    options.session.offer = executors::sandboxes::OfferOfMachine(plan_.folder, plan_.labels);
    options.session.report_life = std::max<std::uint64_t>(1, DrawRandom());
    secrets_.Renewed(identity.authority, identity.pair);
    options.renewed = [this](const session::AgentIdentity& fresh) {
      secrets_.Renewed(fresh.authority, fresh.pair);
      artifacts_.Follow(session_->address(), fresh);
    };
    options.identity = std::move(identity);
    options.identity_folder = worker_->folder().identity();
    options.recovered = worker_->session_facts();
    options.monotonic_now = MonotonicNow;
    options.utc_now = UtcNow;
    options.draw = DrawRandom;
    if (contact.has_value()) {
      options.session.contact = contact->at;
      options.session.offline = contact->offline;
    }
    options.heard = [this](base::Instant at, base::Duration offline) {
      contact_->Save({.at = at, .offline = offline});
      worker_->runner().SetOffline(offline);
    };
    options.log_acknowledged = [this](const dayfly::v1::LogAcknowledged& told) {
      logs_->Acknowledged(told);
    };
    options.live = [this](bool live) { OnLive(live); };
    options.note = [](const std::string& text) { spdlog::info("{}", text); };
    session_ = std::make_unique<session::AgentSession>(io_, std::move(options), *this);
  }

  void OnLive(bool live) {
    if (live) {
      artifacts_.Follow(session_->address(), session_->identity());
    }
    logs_->Live(live);
    live ? void() : LookIdle();
  }

  // ---- leaving

  void WaitForSignal() {
    signals_->async_wait([this](const boost::system::error_code& error, int signal) {
      if (!error) {
        OnSignal(signal);
        WaitForSignal();
      }
    });
  }

  // First: finish what there is and leave. Second: end it with grace. Third: kill it.
  void OnSignal(int signal) {
    ++signals_seen_;
    const std::string name = fmt::format("signal {}", sigabbrev_np(signal));
    BeginDrain(name);
    if (signals_seen_ == 2) {
      spdlog::info("ending all attempts");
      StopAttempts(name);
    } else if (signals_seen_ >= 3) {
      spdlog::warn("left after three signals");
      io_.stop();
    }
    LookIdle();
  }

  void BeginDrain(const std::string& why) {
    if (!std::exchange(draining_, true)) {
      spdlog::info("draining ({}): nothing new is taken", why);
      session_->Drain();
    }
  }

  void StopAttempts(const std::string& by) {
    worker_->runner().EndAll({.code = model::ReasonCode::kWorkerLost, .subject = by},
                             /*kill=*/false);
  }

  void StopWaitingForIdle() { idle_timer_.cancel(); }

  /// Nothing runs and everything is said: a draining agent leaves, another waits whether more
  /// comes.
  void LookIdle() {
    if (session_ == nullptr || !worker_->is_idle() || session_->reports_held() > 0 ||
        !logs_->IsDone()) {
      return;
    }
    // Until the server knows, it may have sent another attempt.
    if (draining_ && !drain_confirmed_ && session_->live()) {
      return;
    }
    if (draining_) {
      spdlog::info("nothing is left to do");
      io_.stop();
    } else if (plan_.exit_when_idle.has_value()) {
      idle_timer_.expires_after(*plan_.exit_when_idle);
      idle_timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error && worker_->is_idle()) {
          BeginDrain(fmt::format("idle for {}", base::FormatDuration(*plan_.exit_when_idle)));
          LookIdle();
        }
      });
    }
  }

  AgentPlan plan_;
  asio::io_context io_;
  asio::steady_timer idle_timer_;
  std::optional<asio::signal_set> signals_;
  agents::secrets::ServerSecrets secrets_;
  std::unique_ptr<store::git::FetchedGit> git_;
  AgentArtifacts artifacts_;
  std::unique_ptr<AgentLogs> logs_;  ///< outlives those whose steps it is told of
  std::unique_ptr<host::Worker> worker_;
  std::optional<host::ContactFile> contact_;
  std::unique_ptr<session::AgentSession> session_;
  int signals_seen_ = 0;
  bool draining_ = false;
  bool drain_confirmed_ = false;  ///< the server gives nothing more
  std::string given_up_;
};

}  // namespace

int AgentCommand(const AgentOptions& options) {
  base::StatusOr<AgentPlan> plan = PlanOf(options);
  if (!plan.ok()) {
    return Fail(plan.status());
  }
  Agent agent(*std::move(plan));
  if (const base::Status opened = agent.Open(); !opened.ok()) {
    // A token that is not taken is the caller's to mend.
    return opened.code() == absl::StatusCode::kPermissionDenied
               ? Fail(kExitInvalid, base::Message(opened))
               : Fail(opened);
  }
  return agent.Run();
}

}  // namespace apps::network

// SPDX-License-Identifier: Apache-2.0
#include "agents/host/worker.h"

#include <set>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "engine/base/log.h"
#include "executors/sandboxes/host_sandbox.h"
#include "executors/sandboxes/leftovers.h"

namespace agents::host {
namespace {

namespace asio = boost::asio;
namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;
namespace sandboxes = executors::sandboxes;

sandboxes::HostSandboxOptions SlotOptions(const WorkerOptions& options, std::uint32_t slot) {
  sandboxes::HostSandboxOptions made;
  made.run_folder = options.folder;
  made.slot = slot;
  made.keeper_program = options.keeper_program;
  made.spool_bytes_max = options.spool_bytes_max;
  made.allow_cgroup = options.allow_cgroup;
  made.allow_mounts = options.allow_mounts;
  made.outlives_owner = true;
  return made;
}

}  // namespace

base::StatusOr<std::unique_ptr<Worker>> Worker::Open(boost::asio::io_context& io,
                                                     WorkerOptions options) {
  if (options.slots == 0) {
    return base::InvalidArgument("an agent has at least one slot");
  }
  std::unique_ptr<Worker> worker(new Worker(io, std::move(options)));
  RETURN_IF_ERROR(worker->TakeUp());
  return worker;
}

Worker::~Worker() = default;

base::Status Worker::TakeUp() {
  ASSIGN_OR_RETURN(folder_, AgentFolder::Open(options_.folder));
  ASSIGN_OR_RETURN(journal::Journal::Opened opened,
                   journal::Journal::Open(folder_->path(), BootId()));
  journal_ = std::move(opened.journal);
  session_facts_ = std::move(opened.recovered.session);
  if (opened.recovered.torn_bytes > 0) {
    findings_.push_back(fmt::format("the journal's last {} bytes were torn off by a crash",
                                    opened.recovered.torn_bytes));
  }
  endurance_.journal = journal_.get();
  endurance_.recovered = std::move(opened.recovered);
  sandboxes_.resize(options_.slots);
  std::set<std::uint32_t> adopted;
  for (std::uint32_t slot = 0; slot < options_.slots; ++slot) {
    RETURN_IF_ERROR(FillSlot(slot));
    if (sandboxes_[slot] != nullptr) {
      adopted.insert(slot);
    }
  }
  // Before a new keeper starts: nothing of the dead works beside it.
  ASSIGN_OR_RETURN(const sandboxes::Leftovers leftovers,
                   sandboxes::ReapLeftoversBut(folder_->path(), adopted));
  if (leftovers.processes > 0) {
    findings_.push_back(
        fmt::format("killed {} processes that an earlier agent left", leftovers.processes));
  }
  for (std::uint32_t slot = 0; slot < options_.slots; ++slot) {
    if (sandboxes_[slot] == nullptr) {
      ASSIGN_OR_RETURN(sandboxes_[slot], NewSandbox(slot));
    }
  }
  return base::OkStatus();
}

base::Status Worker::FillSlot(std::uint32_t slot) {
  base::StatusOr<ports::AdoptedSandbox> adopted =
      sandboxes::AdoptHostSandbox(io_, SlotOptions(options_, slot));
  if (!adopted.ok()) {
    if (adopted.status().code() != absl::StatusCode::kNotFound) {
      findings_.push_back(std::string(base::Message(adopted.status())));
    }
    return base::OkStatus();
  }
  sandboxes_[slot] = std::move(adopted->sandbox);
  endurance_.survivors[slot] = {.kept = std::move(adopted->kept), .starts = adopted->starts};
  findings_.push_back(fmt::format("slot {}: its keeper went on alone and was adopted", slot));
  return base::OkStatus();
}

base::StatusOr<std::unique_ptr<ports::Sandbox>> Worker::NewSandbox(std::uint32_t slot) {
  return sandboxes::StartHostSandbox(io_, SlotOptions(options_, slot));
}

base::Status Worker::Start(ports::InputSink report) {
  report_ = std::move(report);
  runner::RunnerOptions options;
  options.report = [this](model::Input input) { ReportUnlessEnding(std::move(input)); };
  options.on_idle = [this] { OnIdle(); };
  options.slots = std::move(sandboxes_);
  options.replace_sandbox = [this](std::uint32_t slot) { return NewSandbox(slot); };
  options.on_step_started = options_.on_step_started;
  options.on_step_ended = options_.on_step_ended;
  options.archive = options_.archive;
  options.archive_of = options_.archive_of;
  options.caches_of = options_.caches_of;
  options.git = options_.git;
  options.secrets = options_.secrets;
  options.folder = folder_->slots();
  options.summary_folder = folder_->summaries();
  options.logs_folder = options_.folder + "/logs";
  options.summaries_by_run = true;
  options.home = options_.home;
  options.user = options_.user;
  options.workspace = options_.workspace.empty() ? folder_->workspace() : options_.workspace;
  options.source_by_commit = true;
  options.endurance = std::move(endurance_);
  runner_ = std::make_unique<runner::Runner>(io_, std::move(options));
  return runner_->Open();
}

// What is reported of a session that is over interests nobody.
void Worker::ReportUnlessEnding(model::Input input) {
  if (!cleared_) {
    report_(std::move(input));
  }
}

void Worker::OnIdle() {
  if (cleared_) {
    // Not from inside the slot that has just become free.
    asio::post(io_, [this] {
      if (cleared_ && is_idle()) {
        runner_->ForgetEverything();
        std::exchange(cleared_, nullptr)();
      }
    });
  } else if (on_idle) {
    on_idle();
  }
}

void Worker::AfterFlush(std::function<void()> then) {
  journal_->Flush([io = &io_, guard = asio::make_work_guard(io_),
                   then = std::move(then)](const base::Status& status) {
    asio::post(*io, [then, status, guard] {
      if (status.ok()) {
        then();
      } else {
        // Left unanswered: the server says it again, and the agent's heartbeat shows that it lives.
        spdlog::error("the journal cannot be flushed: {}", base::Message(status));
      }
    });
  });
}

void Worker::Note(const std::vector<core::SessionFact>& facts, std::function<void()> noted) {
  bool must_flush = false;
  for (const core::SessionFact& fact : facts) {
    must_flush = must_flush || std::holds_alternative<core::SessionBegun>(fact);
    if (const base::Status status = journal_->Note(fact); !status.ok()) {
      // The report is in memory all the same; only a restart before its acknowledgement loses it.
      spdlog::error("{}", base::Message(status));
    }
  }
  return must_flush ? AfterFlush(std::move(noted)) : noted();
}

void Worker::Take(const model::AgentOrder& order, std::function<void()> taken) {
  if (const auto* assignment = std::get_if<model::Assignment>(&order)) {
    runner_->Dispatch(*assignment);
  } else if (const auto* stop = std::get_if<model::StopAttempt>(&order)) {
    runner_->Stop(*stop);
  } else if (const auto* forget = std::get_if<model::ForgetRun>(&order)) {
    runner_->ForgetRun(forget->run);
    // Written is enough: after a power cut the worker knows of more than it must, which harms
    // nobody. The next attempt waits for its own flush, not behind this one.
    return taken();
  }
  AfterFlush(std::move(taken));
}

void Worker::EndEverything(std::function<void()> cleared) {
  cleared_ = std::move(cleared);
  runner_->EndAll({.code = model::ReasonCode::kWorkerLost, .subject = "its session is over"},
                  /*kill=*/true);
  if (is_idle()) {
    OnIdle();
  }
}

void Worker::EndOffline() {
  runner_->EndAll({.code = model::ReasonCode::kWorkerLost,
                   .subject = "its worker heard no server for too long"},
                  /*kill=*/false);
}

void Worker::EndStale(const model::AttemptKey& attempt) {
  if (runner_->StateOf(attempt) != core::AttemptState::kNew) {
    runner_->Stop({.lease = {.key = attempt, .worker = {}, .session = {}},
                   .kill = true,
                   .reason = {.code = model::ReasonCode::kWorkerLost,
                              .subject = "it belongs to another worker or session"},
                   .grace = {}});
  }
}

}  // namespace agents::host

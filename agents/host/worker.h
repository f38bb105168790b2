// SPDX-License-Identifier: Apache-2.0
// An agent but for the network: its folder, journal, keepers and runner, taken up where an earlier
// agent of the folder left them. Everything on the thread of the `io_context`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "agents/core/session.h"
#include "agents/host/agent_folder.h"
#include "agents/journal/journal.h"
#include "agents/runner/runner.h"
#include "engine/base/status.h"
#include "engine/model/agent_message.h"
#include "engine/ports/agent_link.h"
#include "engine/ports/artifact_archive.h"
#include "engine/ports/cache_index.h"
#include "engine/ports/git_source.h"
#include "engine/ports/secret_source.h"

namespace agents::host {

struct WorkerOptions {
  std::string folder;  ///< absolute
  std::uint32_t slots = 1;
  /// For runs that name none; empty: a folder of the agent's.
  std::string workspace;
  std::string keeper_program = "/proc/self/exe";
  std::uint64_t spool_bytes_max = 0;  ///< a slot; 0: no limit
  bool allow_cgroup = true;
  bool allow_mounts = true;

  // As of `RunnerOptions`.
  std::function<void(std::uint32_t slot, const engine::model::LogKey&)> on_step_started;
  std::function<void(std::uint32_t slot, const engine::model::LogKey&,
                     const engine::model::StepLog*)>
      on_step_ended;
  engine::ports::ArtifactArchive* archive = nullptr;
  std::function<std::shared_ptr<engine::ports::ArtifactArchive>(const engine::model::AttemptKey&,
                                                                std::stop_token stop)>
      archive_of;
  std::function<std::shared_ptr<engine::ports::CacheIndex>(const engine::model::Assignment&,
                                                           std::stop_token stop)>
      caches_of;
  engine::ports::GitSource* git = nullptr;
  engine::ports::SecretSource* secrets = nullptr;
  std::string home;
  std::string user = "dayfly";
};

class Worker {
 public:
  /// Locks the folder, reads the journal, adopts keepers that can be adopted and kills what else an
  /// earlier agent left. `AlreadyExists`: another agent has the folder.
  static engine::base::StatusOr<std::unique_ptr<Worker>> Open(boost::asio::io_context& io,
                                                              WorkerOptions options);
  /// Ends what runs.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  const AgentFolder& folder() const { return *folder_; }
  /// Of the agent before, for `core::Session::Apply`.
  const std::vector<core::SessionFact>& session_facts() const { return session_facts_; }

  /// Begins: `report` gets what happened, at once what was found lost. It is to note it in the
  /// journal before it returns (`core::Session` gives the fact). Once.
  engine::base::Status Start(engine::ports::InputSink report);

  // After `Start`.
  runner::Runner& runner() { return *runner_; }
  journal::Journal& journal() { return *journal_; }
  /// For people: what was adopted, killed, torn; one sentence each.
  const std::vector<std::string>& findings() const { return findings_; }
  bool is_idle() const { return runner_->queued() == 0 && runner_->busy_slots() == 0; }

  // What a session asks of it (`session::Workload`). Callbacks come on this thread, also from
  // inside the call.
  void Note(const std::vector<core::SessionFact>& facts, std::function<void()> noted);
  /// Assignments, stops and forgotten runs; `taken` when they survive the machine.
  void Take(const engine::model::AgentOrder& order, std::function<void()> taken);
  void EndEverything(std::function<void()> cleared);
  void EndOffline();
  void EndStale(const engine::model::AttemptKey& attempt);
  void Settle(const engine::model::AttemptKey& attempt) { runner_->Acknowledge(attempt); }

  /// Called each time the last attempt has ended. May be empty.
  std::function<void()> on_idle;

 private:
  void OnIdle();
  void ReportUnlessEnding(engine::model::Input input);
  void AfterFlush(std::function<void()> then);
  Worker(boost::asio::io_context& io, WorkerOptions options)
      : io_(io), options_(std::move(options)) {}
  engine::base::Status TakeUp();
  engine::base::Status FillSlot(std::uint32_t slot);
  engine::base::StatusOr<std::unique_ptr<engine::ports::Sandbox>> NewSandbox(std::uint32_t slot);

  boost::asio::io_context& io_;
  WorkerOptions options_;
  std::unique_ptr<AgentFolder> folder_;
  std::unique_ptr<journal::Journal> journal_;
  std::vector<core::SessionFact> session_facts_;
  std::vector<std::string> findings_;
  runner::Endurance endurance_;
  std::vector<std::unique_ptr<engine::ports::Sandbox>> sandboxes_;
  engine::ports::InputSink report_;
  std::function<void()> cleared_;  ///< not empty: everything is being ended
  std::unique_ptr<runner::Runner> runner_;
};

}  // namespace agents::host

// SPDX-License-Identifier: Apache-2.0
// For tests: agents as processes of their own, without a server. Each opens the same folder, is
// given attempts, and tells over a pipe what it reports.
#pragma once

#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <stop_token>
#include <string>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "agents/host/worker.h"
#include "engine/model/log_segment.h"
#include "executors/sandboxes/keeper_marks.h"
#include "executors/sandboxes/leftovers.h"
#include "executors/sandboxes/process_tree.h"
#include "executors/sandboxes/sandbox_fixture.h"
#include "executors/sandboxes/tree_files.h"
#include "store/artifacts/archive.h"
#include "store/artifacts/local_store.h"
#include "store/codec/attempt_codec.h"

namespace tests::agent {

namespace core = agents::core;
namespace model = engine::model;
namespace sandboxes = executors::sandboxes;

/// What one agent process does, and what it said.
struct AgentLife {
  std::uint32_t slots = 2;
  std::vector<model::Assignment> work;
  engine::base::Duration offline = std::chrono::minutes(10);
  std::size_t until_ended = 0;  ///< it leaves after so many ends; 0: it never does
};

class AgentScene : public ::testing::Test {
 protected:
  /// What jobs leave behind; the same for all agents.
  struct Kept {
    explicit Kept(const std::string& folder)
        : store(*store::artifacts::LocalStore::Open(folder + "/chunks")), archive(*store) {}
    std::unique_ptr<store::artifacts::LocalStore> store;
    store::artifacts::Archive archive;
  };

  AgentScene() {
    std::string pattern = std::filesystem::temp_directory_path() / "dayfly-agent-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    // Keepers of a killed agent come to this process instead of a stranger.
    prctl(PR_SET_CHILD_SUBREAPER, 1);
  }
  ~AgentScene() override {
    if (agent_ > 0) {
      KillAgent();
    }
    sandboxes::ReapLeftovers(AgentPath()).IgnoreError();
    while (waitpid(-1, nullptr, 0) > 0) {
    }
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    sandboxes::RemoveTree(folder_);
  }

  std::string AgentPath() const { return folder_ + "/agent"; }
  agents::host::WorkerOptions Options(std::uint32_t slots = 2) const {
    agents::host::WorkerOptions options;
    options.folder = AgentPath();
    options.slots = slots;
    options.keeper_program = DAYFLY_KEEPER;
    options.archive_of = [folder = folder_](const model::AttemptKey&, const std::stop_token&)
        -> std::shared_ptr<engine::ports::ArtifactArchive> {
      auto kept = std::make_shared<Kept>(folder);
      return {kept, &kept->archive};
    };
    return options;
  }
  std::string KeptDocument(const engine::base::Digest& digest) const {
    return Kept(folder_).store->Get(digest).value_or("");
  }

  /// The first `background` of the steps run in the background.
  model::Assignment Work(std::uint32_t job, std::vector<std::string> scripts,
                         std::size_t background = 0) const {
    auto plan = std::make_shared<model::Plan>();
    plan->name = "test";
    model::JobSpec spec;
    spec.name = "job";
    for (std::string& script : scripts) {
      model::StepSpec step;
      step.id = "s" + std::to_string(spec.steps.size() + 1);
      step.run = {.text = script, .at = {}, .has_expression = script.find("${{") != script.npos};
      step.background = spec.steps.size() < background;
      spec.steps.push_back(std::move(step));
    }
    spec.rare = std::make_unique<model::RareJobSettings>();
    plan->specs.push_back(std::move(spec));
    plan->jobs.push_back({.spec = model::SpecIndex(0), .cell = {}});
    model::Assignment assignment;
    assignment.lease = {.key = {.run = model::RunId(5), .job = model::JobIndex(job), .attempt = 1},
                        .worker = model::WorkerId(1),
                        .session = model::SessionId(1)};
    assignment.plan = std::move(plan);
    assignment.context = std::make_shared<const model::RunContext>();
    assignment.timeout = std::chrono::minutes(60);
    assignment.grace = std::chrono::seconds(10);
    assignment.finally_budget = std::chrono::minutes(5);
    return assignment;
  }

  /// An agent in a process of its own.
  void StartAgent(AgentLife life) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    agent_ = fork();
    if (agent_ == 0) {
      _exit(Live(Options(life.slots), life, ends[1]));
    }
    close(ends[1]);
    said_ = fdopen(ends[0], "r");
  }
  void KillAgent() {
    kill(agent_, SIGKILL);
    AwaitAgent();
  }
  /// Reads what it says to its end.
  void AwaitAgent() {
    while (ReadOne()) {
    }
    fclose(said_);
    waitpid(std::exchange(agent_, 0), nullptr, 0);
  }
  /// The next agent in the folder, to the end of what it has to do.
  void RunAgent(AgentLife life) {
    StartAgent(std::move(life));
    AwaitAgent();
  }

  std::vector<model::ReportEnded> EndsOf(std::uint32_t job) const {
    std::vector<model::ReportEnded> ends;
    for (const model::AttemptReported& message : reports_) {
      for (const model::Report& report : message.reports) {
        const auto* end = std::get_if<model::ReportEnded>(&report);
        if (end != nullptr && message.lease.key.job == model::JobIndex(job)) {
          ends.push_back(*end);
        }
      }
    }
    return ends;
  }
  /// What the newest report of the step's end says of its log.
  std::string LogOf(std::uint32_t job, std::uint32_t step) const {
    std::string text;
    for (const model::AttemptReported& message : reports_) {
      for (const model::Report& report : message.reports) {
        const auto* end = std::get_if<model::ReportStepEnded>(&report);
        if (end != nullptr && message.lease.key.job == model::JobIndex(job) &&
            end->step == model::StepIndex(step)) {
          text.clear();
          for (const model::LogRange& range : end->log.ranges) {
            text += ReadFile(AgentPath() + "/logs/" + model::SegmentFileName(range.segment))
                        .substr(range.offset, range.length);
          }
        }
      }
    }
    return text;
  }

  std::vector<pid_t> Alive() const {
    return sandboxes::ProcessesMarked(sandboxes::RunMarkPattern(AgentPath()));
  }
  pid_t KeeperOf(std::uint32_t slot) const {
    for (const pid_t pid : sandboxes::ProcessesMarked(sandboxes::KeeperMark(AgentPath(), slot))) {
      const pid_t parent = sandboxes::ParentOf(pid);
      if (parent == getpid() || parent == agent_) {
        return pid;
      }
    }
    return 0;
  }

  std::string Fifo(const std::string& name) const {
    const std::string path = folder_ + "/" + name;
    EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
    return path;
  }
  static std::string ReadFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  static void WriteFile(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
  }

  std::string folder_;
  std::vector<model::AttemptReported> reports_;  ///< of all lives
  pid_t agent_ = 0;

 private:
  /// The agent's process: works, notes each report as a session would, and tells it.
  static int Live(const agents::host::WorkerOptions& options, const AgentLife& life, int out) {
    boost::asio::io_context io;
    auto worker = agents::host::Worker::Open(io, options);
    if (!worker.ok()) {
      std::fprintf(stderr, "%s\n", worker.status().ToString().c_str());
      return 1;
    }
    std::size_t ended = 0;
    const auto report = [&](model::Input input) {
      const auto& reported = std::get<model::AttemptReported>(input);
      (*worker)->journal().Note(core::SessionFact(core::ReportHeld{reported})).IgnoreError();
      const std::string bytes = store::codec::EncodeReport(reported);
      const auto size = static_cast<std::uint32_t>(bytes.size());
      const std::string framed = std::string(reinterpret_cast<const char*>(&size), 4) + bytes;
      if (write(out, framed.data(), framed.size()) < 0) {
        _exit(2);
      }
      for (const model::Report& each : reported.reports) {
        ended += std::holds_alternative<model::ReportEnded>(each) ? 1 : 0;
      }
    };
    if (!(*worker)->Start(report).ok()) {
      return 1;
    }
    (*worker)->runner().SetOffline(life.offline);
    for (const model::Assignment& assignment : life.work) {
      (*worker)->runner().Dispatch(assignment);
    }
    while ((life.until_ended == 0 || ended < life.until_ended) && io.run_one() > 0) {
    }
    return 0;
  }
  bool ReadOne() {
    std::uint32_t size = 0;
    if (fread(&size, 1, 4, said_) != 4) {
      return false;
    }
    std::string bytes(size, '\0');
    if (fread(bytes.data(), 1, size, said_) != size) {
      return false;
    }
    auto report = store::codec::DecodeReport(bytes);
    EXPECT_TRUE(report.ok()) << report.status();
    reports_.push_back(report.value_or(model::AttemptReported{}));
    return true;
  }

  FILE* said_ = nullptr;
};

}  // namespace tests::agent

// SPDX-License-Identifier: Apache-2.0
#include "tests/recovery/site.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "engine/base/check.h"
#include "executors/sandboxes/leftovers.h"

namespace tests::recovery {

using support::DayflyProcess;

namespace {

constexpr const char* kAnyPort = "127.0.0.1:0";

}  // namespace

std::string TextOf(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

Site::Site(int servers, std::string pool) : pool_(std::move(pool)) {
  CHECK(Run({"server", "init", File("s0"), "--host", "127.0.0.1"}).exit_code == 0);
  for (int i = 0; i < servers; ++i) {
    const std::string folder = File(fmt::format("s{}", i));
    std::filesystem::create_directories(folder);
    servers_.push_back({.folder = folder, .address = kAnyPort, .process = nullptr});
    StartServer(i);
    if (i == 0) {
      AwaitService();
    }
  }
}

// Agents first, so that none of them is left dialling.
Site::~Site() {
  agents_.clear();
  ReapLaunched();
  servers_.clear();
}

// Agents that a server started go on without it.
void Site::ReapLaunched() const {
  std::error_code none;
  for (const Server& server : servers_) {
    const std::string launches = server.folder + "/workers/default";
    for (const auto& launch : std::filesystem::directory_iterator(launches, none)) {
      const pid_t agent = std::atoi(TextOf(launch.path() / "agent/lock").c_str());
      if (agent > 0 && !std::filesystem::exists(launch.path() / "ended", none)) {
        kill(agent, SIGKILL);
      }
      executors::sandboxes::ReapLeftovers(launch.path() / "agent").status().IgnoreError();
    }
  }
}

void Site::WriteSettings(const Server& server) const {
  std::string known;
  for (const Server& other : servers_) {
    known += other.address == kAnyPort ? "" : (known.empty() ? "" : ", ") + other.address;
  }
  std::ofstream(server.folder + "/server.yml") << fmt::format(
      "store: \"postgres:{}\"\nlisten: {}\nservers: [{}]\ncertificates: {}\n"
      "pools: {{ default: {} }}\n",
      database_, server.address, known, File("s0/certificates"), pool_);
}

std::string Site::addresses() const {
  std::string all;
  for (const Server& server : servers_) {
    all += (all.empty() ? "" : ",") + server.address;
  }
  return all;
}

support::Launch Site::LaunchOf(std::vector<std::string> arguments, const std::string& name) const {
  return {.arguments = std::move(arguments),
          .env = {"PATH=/usr/bin:/bin", "HOME=" + folder(), "DAYFLY_SERVER=" + addresses(),
                  "DAYFLY_CERTIFICATES=" + File("s0/certificates")},
          .folder = folder(),
          .errors = File(name + ".errors"),
          .output = {},
          .close_streams = false};
}

support::Ended Site::Run(std::vector<std::string> arguments) const {
  return support::RunDayfly(LaunchOf(std::move(arguments), "call"));
}

std::unique_ptr<DayflyProcess> Site::Start(std::vector<std::string> arguments,
                                           const std::string& name) const {
  return std::make_unique<DayflyProcess>(LaunchOf(std::move(arguments), name));
}

std::unique_ptr<DayflyProcess> Site::Submit(const std::string& pipeline,
                                            const std::string& name) const {
  std::ofstream(File(name + ".yml")) << pipeline;
  return Start({"submit", name + ".yml", "--watch"}, name);
}

void Site::StartServer(int server) {
  Server& it = servers_.at(static_cast<std::size_t>(server));
  WriteSettings(it);
  server_processes_.push_back(fmt::format("s{}-{}", server, server_processes_.size()));
  it.process = Start({"server", "--config", it.folder, "--print-ready"}, server_processes_.back());
  std::string ready;
  CHECK_MSG(it.process->ReadLine(ready), Errors().c_str());
  it.address = ready.substr(ready.rfind(' ') + 1);
}

void Site::KillServer(int server) {
  DayflyProcess& process = *servers_.at(static_cast<std::size_t>(server)).process;
  process.Kill();
  process.Wait();
}

int Site::StopServer(int server) {
  DayflyProcess& process = *servers_.at(static_cast<std::size_t>(server)).process;
  kill(process.pid(), SIGTERM);
  return process.Wait();
}

// Each call waits for an owner by itself, for as long as people do.
void Site::AwaitService() const {
  constexpr int kCalls = 10;
  for (int call = 0; call < kCalls; ++call) {
    if (Run({"runs"}).exit_code == 0) {
      return;
    }
  }
  CHECK_MSG(false, Errors().c_str());
}

std::string Site::Token() {
  const std::string token = Run({"workers", "token", "--pool", "default"}).text;
  return token.substr(0, token.find('\n'));
}

api::client::Target Site::Target() const {
  api::client::Target target;
  for (const Server& server : servers_) {
    target.servers.push_back(server.address);
  }
  target.authority = File("s0/certificates/ca.pem");
  target.certificate = File("s0/certificates/operator.pem");
  target.key = File("s0/certificates/operator.key");
  target.patience = std::chrono::minutes(2);
  return target;
}

void Site::KillAgent(const std::string& name) {
  DayflyProcess& agent = *agents_.at(name);
  agent.Kill();
  agent.Wait();
}

// Keepers are children of their agent, and ours once that is gone.
std::vector<pid_t> Site::Keepers() const {
  std::set<pid_t> parents = {getpid()};
  for (const auto& [name, agent] : agents_) {
    parents.insert(agent->pid());
  }
  std::vector<pid_t> keepers;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    if (entry.path().filename().string().find_first_not_of("0123456789") != std::string::npos) {
      continue;
    }
    std::istringstream stat(TextOf(entry.path() / "stat"));
    pid_t pid = 0;
    pid_t parent = 0;
    std::string name;
    char state = 0;
    if (stat >> pid >> name >> state >> parent && name == "(dayfly-keeper)" && state != 'Z' &&
        parents.contains(parent)) {
      keepers.push_back(pid);
    }
  }
  std::ranges::sort(keepers);
  return keepers;
}

void Site::StartAgentWith(const std::string& name, int slots, const std::string& token) {
  std::vector<std::string> arguments = {
      "agent", "--server", addresses(), "--slots", std::to_string(slots), "--folder", File(name)};
  if (!token.empty()) {
    arguments.insert(arguments.end(), {"--token", token});
  }
  agents_[name] = Start(std::move(arguments), name);
}

void Site::StartAgent(const std::string& name, int slots) {
  StartAgentWith(name, slots, Token());
}

void Site::AwaitWorkers(int workers) const {
  while (std::ranges::count(Run({"workers", "--format", "json"}).text, '\n') < workers) {
  }
}

void Site::RestartAgent(const std::string& name, int slots) {
  StartAgentWith(name, slots, "");
}

std::string Site::Errors() const {
  std::string all;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    if (entry.path().extension() == ".errors") {
      all += fmt::format("---- {}\n{}", entry.path().filename().string(), TextOf(entry.path()));
    }
  }
  return all;
}

namespace {

// Open at both ends, so that neither a step that never comes nor one that comes again blocks us.
executors::sandboxes::FileDescriptor MakePipe(const std::string& path) {
  CHECK(mkfifo(path.c_str(), 0666) == 0);
  executors::sandboxes::FileDescriptor pipe(open(path.c_str(), O_RDWR | O_CLOEXEC));
  CHECK(pipe.valid());
  return pipe;
}

}  // namespace

HeldStep::HeldStep(const Site& site, const std::string& name)
    : began_(MakePipe(site.File(name + ".began"))),
      gate_(MakePipe(site.File(name + ".gate"))),
      marks_(site.File(name + ".marks")) {
  pipeline_ = fmt::format(
      "name: held\njobs:\n  held:\n    checkout: false\n    steps:\n"
      "      - run: echo begun >> {0}.marks; echo here > {0}.began; read line < {0}.gate\n",
      site.File(name));
}

void HeldStep::AwaitBegin() const {
  char line[5];
  CHECK(read(began_.get(), line, sizeof line) == sizeof line);
}

void HeldStep::LetGoOn() const {
  CHECK(write(gate_.get(), "go\n", 3) == 3);
}

int HeldStep::times_begun() const {
  const std::string marks = TextOf(marks_);
  return static_cast<int>(std::ranges::count(marks, '\n'));
}

}  // namespace tests::recovery

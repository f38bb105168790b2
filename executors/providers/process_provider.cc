// SPDX-License-Identifier: Apache-2.0
#include "executors/providers/process_provider.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <sys/stat.h>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "engine/base/log.h"
#include "executors/providers/agent_process.h"
#include "executors/sandboxes/leftovers.h"
#include "executors/sandboxes/tree_files.h"

namespace executors::providers {
namespace {

namespace asio = boost::asio;
namespace base = engine::base;
namespace fs = std::filesystem;
using engine::ports::LaunchId;
using engine::ports::LaunchOrder;
using engine::ports::LaunchPhase;
using engine::ports::LaunchState;

constexpr auto kRemovalPatience = std::chrono::minutes(10);

/// `<pool>-<epoch>-<number>`; it becomes the name of a folder.
bool IsLaunchId(const LaunchId& launch) {
  const bool plain = std::ranges::all_of(launch, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
  });
  return plain && !launch.empty() && launch.size() <= 200 && launch[0] != '-';
}

std::string PoolOf(const LaunchId& launch) {
  const std::size_t number = launch.rfind('-');
  const std::size_t epoch = number == 0 ? std::string::npos : launch.rfind('-', number - 1);
  return number == std::string::npos || epoch == std::string::npos ? launch
                                                                   : launch.substr(0, epoch);
}

std::string ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : ",") + word;
  }
  return text;
}

std::string FromEnvironment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return fmt::format("{}={}", name, value == nullptr ? otherwise : value);
}

}  // namespace

class ProcessProvider::Core : public std::enable_shared_from_this<ProcessProvider::Core> {
 public:
  Core(asio::io_context& io, ProcessProviderOptions options)
      : io_(io), options_(std::move(options)), reaper_(1), remover_(1) {}

  base::Status Open();
  void Close();
  void Launch(const LaunchOrder& order, Done done);
  void Terminate(const LaunchId& launch, Done done);
  void Forget(const LaunchId& launch);
  void List(Listed listed);
  void Watch(Changed changed) { changed_ = std::move(changed); }

 private:
  /// An agent that lives, or whose keepers are being cleared away.
  struct Running {
    Running(asio::io_context& io, HeldProcess held) : process(std::move(held)), end(io), kill(io) {}
    HeldProcess process;
    asio::posix::stream_descriptor end;  ///< readable when it has ended; a duplicate of the pidfd
    asio::steady_timer kill;
    std::vector<Done> terminators;
  };

  std::string FolderOf(const LaunchId& launch) const { return options_.folder + "/" + launch; }
  std::string AgentFolderOf(const LaunchId& launch) const { return FolderOf(launch) + "/agent"; }
  AgentStart StartOf(const LaunchOrder& order) const;
  base::Status LaunchNow(const LaunchOrder& order);
  void Supervise(const LaunchId& launch, HeldProcess process);
  void TakeUpDead();
  void Ended(const LaunchId& launch);
  void Clear(const LaunchId& launch, const std::string& cause);
  void Cleared(const LaunchId& launch, const std::string& cause);
  base::Status Remove(const LaunchId& launch) const;
  LaunchState GoneState(const LaunchId& launch) const;
  void Answer(Done done, base::Status status);
  template <typename Handler>
  auto Weakly(Handler handler);

  asio::io_context& io_;
  ProcessProviderOptions options_;
  asio::thread_pool reaper_;
  asio::thread_pool remover_;  ///< apart: what is salvaged may take its time
  std::stop_source closing_;
  std::map<LaunchId, std::unique_ptr<Running>> running_;
  std::set<LaunchId> forgotten_;  ///< their folders are being removed
  Changed changed_;
};

template <typename Handler>
auto ProcessProvider::Core::Weakly(Handler handler) {
  return [weak = weak_from_this(), handler = std::move(handler)](auto&&... arguments) mutable {
    if (const std::shared_ptr<Core> self = weak.lock()) {
      handler(std::forward<decltype(arguments)>(arguments)...);
    }
  };
}

base::Status ProcessProvider::Core::Open() {
  std::error_code error;
  fs::create_directories(options_.folder, error);
  if (error) {
    return base::FromErrno(error.value(), options_.folder);
  }
  chmod(options_.folder.c_str(), 0700);
  for (auto& [launch, process] : FindAgents(options_.folder)) {
    Supervise(launch, std::move(process));
  }
  TakeUpDead();
  return base::OkStatus();
}

// Agents that died when nobody looked: what their keepers run may go on, so they are not gone yet.
void ProcessProvider::Core::TakeUpDead() {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(options_.folder, error)) {
    const LaunchId launch = entry.path().filename().string();
    if (IsLaunchId(launch) && !running_.contains(launch) && entry.is_directory(error) &&
        !fs::exists(entry.path() / "ended", error)) {
      running_[launch] = std::make_unique<Running>(io_, HeldProcess());
      Clear(launch, "it ended unseen");
    }
  }
}

void ProcessProvider::Core::Close() {
  running_.clear();
  closing_.request_stop();
  reaper_.join();
  remover_.join();
}

void ProcessProvider::Core::Answer(Done done, base::Status status) {
  asio::post(io_, [done = std::move(done), status = std::move(status)] { done(status); });
}

// ---- launching

AgentStart ProcessProvider::Core::StartOf(const LaunchOrder& order) const {
  AgentStart start;
  start.program = options_.program;
  start.argv = {"dayfly"};
  start.argv.insert(start.argv.end(), options_.arguments.begin(), options_.arguments.end());
  for (const std::string& word :
       {std::string("--server"), Joined(order.servers), std::string("--slots"),
        std::to_string(order.slots), std::string("--folder"), AgentFolderOf(order.launch)}) {
    start.argv.push_back(word);
  }
  for (const engine::model::Label& label : order.labels) {
    start.argv.insert(start.argv.end(), {"--label", ToText(label)});
  }
  start.env = {FromEnvironment("PATH", "/usr/local/bin:/usr/bin:/bin"),
               FromEnvironment("HOME", "/"), FromEnvironment("LANG", "C.UTF-8"),
               LaunchMark(options_.folder, order.launch)};
  start.env.insert(start.env.end(), options_.env.begin(), options_.env.end());
  start.input = order.join_token + "\n";
  start.log = FolderOf(order.launch) + "/agent.log";
  return start;
}

void ProcessProvider::Core::Launch(const LaunchOrder& order, Done done) {
  Answer(std::move(done), LaunchNow(order));
}

base::Status ProcessProvider::Core::LaunchNow(const LaunchOrder& order) {
  if (!IsLaunchId(order.launch)) {
    return base::InvalidArgument("'{}' is no launch id", order.launch);
  }
  // The folder is the memory: whoever makes it launches.
  if (mkdir(FolderOf(order.launch).c_str(), 0700) != 0) {
    return errno == EEXIST ? base::OkStatus() : base::FromErrno(errno, FolderOf(order.launch));
  }
  base::StatusOr<HeldProcess> process = StartAgent(StartOf(order));
  if (!process.ok()) {
    std::error_code ignored;
    fs::remove_all(FolderOf(order.launch), ignored);
    const bool never = process.status().code() == absl::StatusCode::kNotFound ||
                       process.status().code() == absl::StatusCode::kPermissionDenied;
    return never ? base::InvalidArgument("{}", base::Message(process.status()))
                 : base::ResourceExhausted("{}", base::Message(process.status()));
  }
  Supervise(order.launch, *std::move(process));
  if (changed_) {
    asio::post(
        io_, Weakly([this, launch = order.launch] {
          if (running_.contains(launch) && changed_) {
            changed_({.launch = launch, .pool = PoolOf(launch), .phase = LaunchPhase::kRunning});
          }
        }));
  }
  return base::OkStatus();
}

// ---- the end

void ProcessProvider::Core::Supervise(const LaunchId& launch, HeldProcess process) {
  auto running = std::make_unique<Running>(io_, std::move(process));
  running->end.assign(dup(running->process.fd.get()));
  running->end.async_wait(asio::posix::descriptor_base::wait_read,
                          Weakly([this, launch](const boost::system::error_code& error) {
                            if (!error) {
                              Ended(launch);
                            }
                          }));
  running_[launch] = std::move(running);
}

/// What it had started goes on without it (that is what keepers are for), and nobody will start
/// this agent again.
void ProcessProvider::Core::Ended(const LaunchId& launch) {
  Running& running = *running_.at(launch);
  running.kill.cancel();
  Clear(launch, HowItEnded(running.process));
}

// As long as one of its processes will not die it is not gone: others could not take up its work.
void ProcessProvider::Core::Clear(const LaunchId& launch, const std::string& cause) {
  asio::post(reaper_, [folder = AgentFolderOf(launch), launch, cause,
                       guard = asio::make_work_guard(io_), weak = weak_from_this()] {
    const base::Status reaped = sandboxes::ReapLeftovers(folder).status();
    if (!reaped.ok()) {
      spdlog::error("launch {}: {}", launch, base::Message(reaped));
    }
    asio::post(guard.get_executor(), [weak, launch, cause, is_clear = reaped.ok()] {
      if (const std::shared_ptr<Core> self = weak.lock();
          self != nullptr && self->running_.contains(launch)) {
        is_clear ? self->Cleared(launch, cause) : self->Clear(launch, cause);
      }
    });
  });
}

void ProcessProvider::Core::Cleared(const LaunchId& launch, const std::string& cause) {
  std::ofstream(FolderOf(launch) + "/ended") << cause;
  std::vector<Done> terminators = std::move(running_.at(launch)->terminators);
  running_.erase(launch);
  for (Done& done : terminators) {
    done(base::OkStatus());
  }
  if (changed_) {
    changed_(GoneState(launch));
  }
}

LaunchState ProcessProvider::Core::GoneState(const LaunchId& launch) const {
  std::string cause = ReadText(FolderOf(launch) + "/ended");
  return {.launch = launch,
          .pool = PoolOf(launch),
          .phase = LaunchPhase::kGone,
          .cause = cause.empty() ? "it ended unseen" : std::move(cause)};
}

void ProcessProvider::Core::Terminate(const LaunchId& launch, Done done) {
  const auto found = running_.find(launch);
  if (found == running_.end()) {
    return Answer(std::move(done), base::OkStatus());
  }
  Running& running = *found->second;
  running.terminators.push_back(std::move(done));
  if (running.terminators.size() > 1) {
    return;
  }
  Signal(running.process, SIGTERM);
  running.kill.expires_after(options_.grace);
  running.kill.async_wait(Weakly([this, launch](const boost::system::error_code& error) {
    const auto still = running_.find(launch);
    if (!error && still != running_.end()) {
      Signal(still->second->process, SIGKILL);
    }
  }));
}

base::Status ProcessProvider::Core::Remove(const LaunchId& launch) const {
  const std::string agent = AgentFolderOf(launch);
  if (options_.salvage) {
    RETURN_IF_ERROR(options_.salvage(agent, closing_.get_token()));
  }
  return sandboxes::RemoveTree(FolderOf(launch), kRemovalPatience)
             ? base::OkStatus()
             : base::Unavailable("not all of {} could be removed", FolderOf(launch));
}

// Off this thread: it may be much. What could not be done is done another time: the launch is
// listed again then.
void ProcessProvider::Core::Forget(const LaunchId& launch) {
  if (!IsLaunchId(launch) || running_.contains(launch) || !forgotten_.insert(launch).second) {
    return;
  }
  asio::post(remover_, [launch, guard = asio::make_work_guard(io_), weak = weak_from_this(),
                        core = this] {  // which joins this thread before it goes
    if (const base::Status removed = core->Remove(launch); !removed.ok()) {
      spdlog::warn("launch {} is kept for now: {}", launch, base::Message(removed));
    }
    asio::post(guard.get_executor(), [weak, launch] {
      if (const std::shared_ptr<Core> self = weak.lock()) {
        self->forgotten_.erase(launch);
      }
    });
  });
}

void ProcessProvider::Core::List(Listed listed) {
  std::vector<LaunchState> states;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(options_.folder, error)) {
    const LaunchId launch = entry.path().filename().string();
    if (running_.contains(launch)) {
      states.push_back(
          {.launch = launch, .pool = PoolOf(launch), .phase = LaunchPhase::kRunning, .cause = {}});
    } else if (IsLaunchId(launch) && !forgotten_.contains(launch) && entry.is_directory(error)) {
      states.push_back(GoneState(launch));
    }
  }
  std::ranges::sort(states, {}, &LaunchState::launch);
  asio::post(io_, [listed = std::move(listed), states = std::move(states)]() mutable {
    listed(std::move(states));
  });
}

base::StatusOr<std::unique_ptr<ProcessProvider>> ProcessProvider::Open(
    asio::io_context& io, ProcessProviderOptions options) {
  if (!options.folder.starts_with('/')) {
    return base::InvalidArgument("the folder of launches {} is not absolute", options.folder);
  }
  auto core = std::make_shared<Core>(io, std::move(options));
  RETURN_IF_ERROR(core->Open());
  return std::unique_ptr<ProcessProvider>(new ProcessProvider(std::move(core)));
}

ProcessProvider::~ProcessProvider() {
  core_->Close();
}

void ProcessProvider::Launch(const LaunchOrder& order, Done done) {
  core_->Launch(order, std::move(done));
}

void ProcessProvider::Terminate(const LaunchId& launch, Done done) {
  core_->Terminate(launch, std::move(done));
}

void ProcessProvider::Forget(const LaunchId& launch) {
  core_->Forget(launch);
}

void ProcessProvider::List(Listed listed) {
  core_->List(std::move(listed));
}

void ProcessProvider::Watch(Changed changed) {
  core_->Watch(std::move(changed));
}

}  // namespace executors::providers

// SPDX-License-Identifier: Apache-2.0
#include "executors/sandboxes/host_sandbox.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <map>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include "engine/base/check.h"
#include "executors/sandboxes/file_descriptor.h"
#include "executors/sandboxes/keeper_door.h"
#include "executors/sandboxes/keeper_marks.h"
#include "executors/sandboxes/keeper_protocol.h"
#include "executors/sandboxes/leftovers.h"

namespace executors::sandboxes {
namespace {

namespace asio = boost::asio;
using engine::base::FromErrno;
using engine::base::InvalidArgument;
using engine::base::Status;
using engine::base::StatusOr;
using engine::base::Unavailable;
using engine::ports::Command;
using engine::ports::CommandExit;
using engine::ports::SandboxFacts;
using engine::ports::WorkspaceMount;

using PrepareHandler = std::function<void(Status)>;
using ExitHandler = engine::ports::Sandbox::ExitHandler;
using KillHandler = std::function<void()>;
using Handler = std::variant<PrepareHandler, ExitHandler, KillHandler>;

/// The descriptor on which a keeper finds its owner.
constexpr int kKeeperFd = 3;

/// Starts the program in a session of its own, with only the mark in its environment.
StatusOr<pid_t> StartKeeper(const std::string& program, const std::string& mark, int socket) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, socket, kKeeperFd);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  std::string name = "dayfly";
  std::string role = "keeper";
  std::string option = "--fd";
  std::string number = std::to_string(kKeeperFd);
  std::string entry = mark;
  char* argv[] = {name.data(), role.data(), option.data(), number.data(), nullptr};
  char* env[] = {entry.data(), nullptr};
  pid_t pid = 0;
  const int error = posix_spawn(&pid, program.c_str(), &actions, &attributes, argv, env);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    return FromErrno(error, "starting the keeper " + program);
  }
  return pid;
}

/// A keeper as a process, whether it is a child of this one or was another's.
class KeeperProcess {
 public:
  static KeeperProcess Child(pid_t pid) { return KeeperProcess(pid, true); }
  /// The process at the other end of an adopted keeper's socket.
  static KeeperProcess Peer(int socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size);
    return KeeperProcess(peer.pid, false);
  }

  void Signal(int signal) const { syscall(SYS_pidfd_send_signal, fd_.get(), signal, nullptr, 0); }
  /// Returns when it has ended.
  void Await() {
    pollfd polled{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    while (fd_.valid() && poll(&polled, 1, -1) < 0 && errno == EINTR) {
    }
    while (is_child_ && waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    is_child_ = false;
    fd_.Close();
  }

 private:
  KeeperProcess(pid_t pid, bool is_child)
      : pid_(pid), is_child_(is_child), fd_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {}
  pid_t pid_;
  bool is_child_;
  FileDescriptor fd_;
};

/// The conversation with one keeper. Outlives its `HostSandbox` while handlers of the io_context
/// still refer to it.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(asio::io_context& io, HostSandboxOptions options, FileDescriptor socket,
             KeeperProcess keeper)
      : io_(io),
        options_(std::move(options)),
        socket_(io, socket.Release()),
        keeper_(std::move(keeper)) {}

  /// Before `Listen`, of a keeper to adopt: waits until it has answered.
  StatusOr<engine::ports::AdoptedSandbox> AwaitAdopted();

  const SandboxFacts& facts() const { return facts_; }

  /// Sends `order`; `handler` gets the answer that repeats `serial`.
  void Ask(Serial serial, const Order& order, Handler handler) {
    if (lost_) {
      AnswerLater(std::move(handler), lost_status_);
      return;
    }
    if (!EncodeFrame(order, outgoing_)) {
      AnswerLater(std::move(handler),
                  InvalidArgument("a command of more than {} bytes", kFrameBytesMax));
      return;
    }
    pending_.emplace(serial, std::move(handler));
    Flush();
  }

  void Tell(const Order& order) {
    if (!lost_ && EncodeFrame(order, outgoing_)) {
      Flush();
    }
  }

  Serial NextSerial() { return ++last_serial_; }

  void Listen() {
    socket_.async_wait(asio::posix::descriptor_base::wait_read,
                       [self = shared_from_this()](const boost::system::error_code& error) {
                         if (!error && !self->closed_) {
                           self->OnReadable();
                         }
                       });
  }

  /// Lets the keeper go and waits for it; no handler is called any more.
  void Close() {
    closed_ = true;
    pending_.clear();
    EndKeeper(SIGTERM);
  }

 private:
  void OnReadable() {
    for (;;) {
      const auto room = incoming_.Room(64 << 10);
      const auto bytes = recv(socket_.native_handle(), room.data(), room.size(), MSG_DONTWAIT);
      if (bytes < 0 && errno == EINTR) {
        continue;
      }
      if (bytes < 0 && errno == EAGAIN) {
        break;
      }
      if (bytes <= 0) {
        Lose("the keeper died");
        return;
      }
      incoming_.Received(static_cast<std::size_t>(bytes));
      if (!TakeFrames()) {
        return;
      }
      if (static_cast<std::size_t>(bytes) < room.size()) {
        break;
      }
    }
    Listen();
  }

  /// False when this connection must not be used further.
  bool TakeFrames() {
    for (;;) {
      const auto frame = incoming_.Next();
      if (frame.ok() && frame->empty()) {
        return true;
      }
      auto answer = frame.ok() ? DecodeAnswer(*frame) : StatusOr<Answer>(frame.status());
      if (!answer.ok()) {
        Lose(engine::base::Message(answer.status()));
        return false;
      }
      std::visit([this](auto& a) { Take(a); }, *answer);
      if (closed_ || lost_) {
        return false;
      }
    }
  }

  /// A keeper that could outlive us is told; any other ends by itself once its socket is closed and
  /// what it started is dead.
  void EndKeeper(int signal) {
    if (options_.outlives_owner) {
      keeper_.Signal(signal);
    }
    boost::system::error_code ignored;
    socket_.close(ignored);
    keeper_.Await();
  }

  // They come before `Listen` only.
  void Take(const KeptRecord& /*kept*/) {}
  void Take(const Adopted& /*adopted*/) {}
  void Take(Ready& ready) {
    facts_ = std::move(ready.facts);
    if (!ready.status.ok()) {
      Lose(engine::base::Message(ready.status));
    }
  }
  void Take(Prepared& prepared) {
    facts_ = std::move(prepared.facts);
    if (auto handler = Answered<PrepareHandler>(prepared.serial)) {
      handler(std::move(prepared.status));
    }
  }
  void Take(Exited& exited) {
    if (auto handler = Answered<ExitHandler>(exited.serial)) {
      handler(std::move(exited.exit));
    }
  }
  void Take(Killed& killed) {
    if (auto handler = Answered<KillHandler>(killed.serial)) {
      handler();
    }
  }

  template <typename T>
  T Answered(Serial serial) {
    const auto found = pending_.find(serial);
    if (found == pending_.end() || !std::holds_alternative<T>(found->second)) {
      return nullptr;
    }
    T handler = std::get<T>(std::move(found->second));
    pending_.erase(found);
    return handler;
  }

  void Flush() {
    while (!outgoing_.empty() && !waiting_to_write_) {
      const auto sent = send(socket_.native_handle(), outgoing_.data(), outgoing_.size(),
                             MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent >= 0) {
        outgoing_.erase(0, static_cast<std::size_t>(sent));
      } else if (errno == EAGAIN) {
        AwaitWritable();
      } else if (errno != EINTR) {
        // It is gone; reading tells the same, and there it is dealt with.
        outgoing_.clear();
      }
    }
  }

  void AwaitWritable() {
    waiting_to_write_ = true;
    socket_.async_wait(asio::posix::descriptor_base::wait_write,
                       [self = shared_from_this()](const boost::system::error_code& error) {
                         self->waiting_to_write_ = false;
                         if (!error && !self->closed_) {
                           self->Flush();
                         }
                       });
  }

  void Lose(std::string_view why) {
    lost_ = true;
    lost_status_ = Unavailable("keeper of slot {}: {}", options_.slot, why);
    EndKeeper(SIGKILL);
    const auto reaped = ReapSlotLeftovers(options_.run_folder, options_.slot);
    if (!reaped.ok()) {
      lost_status_ = Unavailable("{}; {}", engine::base::Message(lost_status_),
                                 engine::base::Message(reaped.status()));
    }
    const auto self = shared_from_this();
    auto pending = std::exchange(pending_, {});
    for (auto& [serial, handler] : pending) {
      if (closed_) {
        return;
      }
      AnswerNow(handler, lost_status_);
    }
    if (!closed_ && options_.on_lost) {
      options_.on_lost(lost_status_);
    }
  }

  static void AnswerNow(Handler& handler, const Status& status) {
    if (auto* prepare = std::get_if<PrepareHandler>(&handler)) {
      (*prepare)(status);
    } else if (auto* exit = std::get_if<ExitHandler>(&handler)) {
      (*exit)(CommandExit{.started = status});
    } else {
      std::get<KillHandler>(handler)();
    }
  }

  void AnswerLater(Handler handler, const Status& status) {
    asio::post(io_, [self = shared_from_this(), handler = std::move(handler), status]() mutable {
      if (!self->closed_) {
        AnswerNow(handler, status);
      }
    });
  }

  asio::io_context& io_;
  HostSandboxOptions options_;
  asio::posix::stream_descriptor socket_;
  KeeperProcess keeper_;
  bool closed_ = false;
  bool lost_ = false;
  bool waiting_to_write_ = false;
  Status lost_status_;
  SandboxFacts facts_;
  FrameBuffer incoming_;
  std::string outgoing_;
  Serial last_serial_ = 0;
  std::map<Serial, Handler> pending_;
};

/// How long a keeper to be adopted may take to answer: it does nothing that takes long but mount.
constexpr int kAdoptPatienceMillis = 10'000;

StatusOr<engine::ports::AdoptedSandbox> Connection::AwaitAdopted() {
  engine::ports::AdoptedSandbox adopted;
  for (;;) {
    pollfd polled{.fd = socket_.native_handle(), .events = POLLIN, .revents = 0};
    const int ready = poll(&polled, 1, kAdoptPatienceMillis);
    if (ready < 0 && errno == EINTR) {
      continue;
    }
    const auto room = incoming_.Room(64 << 10);
    const auto bytes =
        ready > 0 ? recv(socket_.native_handle(), room.data(), room.size(), MSG_DONTWAIT) : 0;
    if (bytes <= 0) {
      return Unavailable("the keeper of slot {} does not answer", options_.slot);
    }
    incoming_.Received(static_cast<std::size_t>(bytes));
    for (;;) {
      ASSIGN_OR_RETURN(const std::string_view frame, incoming_.Next());
      if (frame.empty()) {
        break;
      }
      ASSIGN_OR_RETURN(Answer answer, DecodeAnswer(frame));
      if (auto* kept = std::get_if<KeptRecord>(&answer)) {
        adopted.kept.push_back(std::move(kept->record));
      } else if (auto* last = std::get_if<Adopted>(&answer)) {
        RETURN_IF_ERROR(last->status);
        facts_ = std::move(last->facts);
        adopted.starts = last->starts;
        return adopted;
      }
    }
  }
}

class HostSandbox : public engine::ports::Sandbox {
 public:
  explicit HostSandbox(std::shared_ptr<Connection> connection)
      : connection_(std::move(connection)) {}
  ~HostSandbox() override { connection_->Close(); }
  HostSandbox(const HostSandbox&) = delete;
  HostSandbox& operator=(const HostSandbox&) = delete;

  SandboxFacts facts() const override { return connection_->facts(); }

  void PrepareWorkspace(const WorkspaceMount& mount, PrepareHandler done) override {
    const auto serial = connection_->NextSerial();
    connection_->Ask(serial, Prepare{.serial = serial, .mount = mount}, std::move(done));
  }

  void Start(const Command& command, ExitHandler done) override {
    const auto serial = connection_->NextSerial();
    connection_->Ask(serial, sandboxes::Start{.serial = serial, .command = command},
                     std::move(done));
  }

  void Signal(engine::ports::Lane lane, int signal) override {
    connection_->Tell(sandboxes::Signal{.lane = lane, .signal = signal});
  }

  void KillAll(KillHandler done) override {
    const auto serial = connection_->NextSerial();
    connection_->Ask(serial, sandboxes::KillAll{.serial = serial}, std::move(done));
  }

  void Keep(std::string record, engine::base::Duration offline) override {
    connection_->Tell(sandboxes::KeepRecord{.record = std::move(record), .offline = offline});
  }
  void ForgetKept() override { connection_->Tell(ForgetRecords{}); }
  void Await(engine::ports::Lane lane, ExitHandler done) override {
    const auto serial = connection_->NextSerial();
    connection_->Ask(serial, sandboxes::Await{.serial = serial, .lane = lane}, std::move(done));
  }

 private:
  std::shared_ptr<Connection> connection_;
};

Status CheckOptions(const HostSandboxOptions& options) {
  if (!options.run_folder.starts_with('/')) {
    return InvalidArgument("the run's folder {} is not absolute", options.run_folder);
  }
  if (options.slot > engine::model::kSegmentSlotMax) {
    return InvalidArgument("slot {}: a run has at most {} slots", options.slot,
                           engine::model::kSegmentSlotMax + 1);
  }
  return engine::base::OkStatus();
}

}  // namespace

StatusOr<std::unique_ptr<engine::ports::Sandbox>> StartHostSandbox(asio::io_context& io,
                                                                   HostSandboxOptions options) {
  RETURN_IF_ERROR(CheckOptions(options));
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return FromErrno(errno, "socketpair");
  }
  FileDescriptor ours(ends[0]);
  const FileDescriptor theirs(ends[1]);
  ASSIGN_OR_RETURN(const pid_t keeper,
                   StartKeeper(options.keeper_program, KeeperMark(options.run_folder, options.slot),
                               theirs.get()));
  const SetUp setup{
      .owner_gone = options.outlives_owner ? OwnerGone::kGoOn : OwnerGone::kKillAndLeave,
      .run_folder = options.run_folder,
      .slot = options.slot,
      .segment_bytes_max = options.segment_bytes_max,
      .spool_bytes_max = options.spool_bytes_max,
      .allow_cgroup = options.allow_cgroup,
      .allow_mounts = options.allow_mounts};
  auto connection = std::make_shared<Connection>(io, std::move(options), std::move(ours),
                                                 KeeperProcess::Child(keeper));
  connection->Listen();
  connection->Tell(setup);
  return std::make_unique<HostSandbox>(std::move(connection));
}

StatusOr<engine::ports::AdoptedSandbox> AdoptHostSandbox(asio::io_context& io,
                                                         HostSandboxOptions options) {
  RETURN_IF_ERROR(CheckOptions(options));
  options.outlives_owner = true;
  ASSIGN_OR_RETURN(FileDescriptor socket, KnockAtKeeper(options.run_folder, options.slot));
  KeeperProcess keeper = KeeperProcess::Peer(socket.get());
  auto connection =
      std::make_shared<Connection>(io, std::move(options), std::move(socket), std::move(keeper));
  connection->Tell(Adopt{});
  ASSIGN_OR_RETURN(engine::ports::AdoptedSandbox adopted, connection->AwaitAdopted());
  connection->Listen();
  adopted.sandbox = std::make_unique<HostSandbox>(std::move(connection));
  return adopted;
}

}  // namespace executors::sandboxes

// SPDX-License-Identifier: Apache-2.0
#include "apps/control.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include "apps/view/json_text.h"

namespace apps {
namespace {

namespace asio = boost::asio;
namespace base = engine::base;
using Protocol = asio::local::stream_protocol;

constexpr std::size_t kLineBytesMax = 1 << 20;
constexpr int kAnswerTimeoutMs = 10'000;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) {
      close(number_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }
  int Release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

// A socket's address holds 107 bytes; a run's folder may be deeper. Through an open descriptor of
// it the path is short.
sockaddr_un AddressIn(int folder) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = fmt::format("/proc/self/fd/{}/control.sock", folder);
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

int OpenFolder(const std::string& folder) {
  return open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
}

base::StatusOr<int> BindAndListen(const std::string& run_folder) {
  const Descriptor folder(OpenFolder(run_folder));
  if (folder.number() < 0) {
    return base::FromErrno(errno, run_folder);
  }
  unlinkat(folder.number(), "control.sock", 0);
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = AddressIn(folder.number());
  if (bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return base::FromErrno(errno, "control.sock");
  }
  // The folder is 0700, so nobody else saw the socket before. (umask belongs to all threads.)
  fchmodat(folder.number(), "control.sock", 0600, 0);
  if (listen(socket.number(), 8) != 0) {
    return base::FromErrno(errno, "control.sock");
  }
  return socket.Release();
}

}  // namespace

// One conversation: read a line, answer it, again.
class Conversation : public std::enable_shared_from_this<Conversation> {
 public:
  Conversation(Protocol::socket socket, const ControlServer::Handler& handler)
      : socket_(std::move(socket)), handler_(handler) {}

  void Read() {
    asio::async_read_until(
        socket_, asio::dynamic_buffer(input_, kLineBytesMax), '\n',
        [self = shared_from_this()](const boost::system::error_code& error, std::size_t length) {
          if (!error) {
            self->Handle(self->input_.substr(0, length - 1));
            self->input_.erase(0, length);
          }
        });
  }

 private:
  void Handle(const std::string& line) {
    const auto request = engine::expr::Value::FromJson(line);
    if (!request.ok() || request->kind() != engine::expr::Kind::kObject) {
      Write(ControlError("not a JSON object"));
      return;
    }
    handler_(*request,
             [self = shared_from_this()](std::string json) { self->Write(std::move(json)); });
  }
  void Write(std::string json) {
    output_ = std::move(json) + "\n";
    asio::async_write(
        socket_, asio::buffer(output_),
        [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
          if (!error) {
            self->Read();
          }
        });
  }

  Protocol::socket socket_;
  ControlServer::Handler handler_;
  std::string input_;
  std::string output_;
};

class ControlServer::Core : public std::enable_shared_from_this<ControlServer::Core> {
 public:
  Core(asio::io_context& io, int descriptor, std::string run_folder, Handler handler)
      : acceptor_(io, Protocol(), descriptor),
        run_folder_(std::move(run_folder)),
        handler_(std::move(handler)) {}

  void Accept() {
    acceptor_.async_accept([self = shared_from_this()](const boost::system::error_code& error,
                                                       Protocol::socket socket) {
      if (error == asio::error::operation_aborted || self->closed_) {
        return;
      }
      if (!error) {
        std::make_shared<Conversation>(std::move(socket), self->handler_)->Read();
      }
      self->Accept();
    });
  }
  void Close() {
    closed_ = true;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    unlink((run_folder_ + "/control.sock").c_str());
  }

 private:
  Protocol::acceptor acceptor_;
  std::string run_folder_;
  Handler handler_;
  bool closed_ = false;
};

base::StatusOr<std::unique_ptr<ControlServer>> ControlServer::Listen(asio::io_context& io,
                                                                     const std::string& run_folder,
                                                                     Handler handler) {
  ASSIGN_OR_RETURN(const int descriptor, BindAndListen(run_folder));
  auto core = std::make_shared<Core>(io, descriptor, run_folder, std::move(handler));
  core->Accept();
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(core)));
}

ControlServer::ControlServer(std::shared_ptr<Core> core) : core_(std::move(core)) {}
ControlServer::~ControlServer() {
  core_->Close();
}

std::string ControlError(std::string_view message) {
  std::string json;
  view::JsonObject object(json);
  object.Bool("ok", false);
  object.Text("error", message);
  object.End();
  return json;
}

namespace {

base::Status SendAll(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) {
      return base::FromErrno(errno, "control.sock");
    }
    bytes.remove_prefix(sent < 0 ? 0 : static_cast<std::size_t>(sent));
  }
  return base::OkStatus();
}

base::StatusOr<std::string> ReadLine(int socket) {
  std::string line;
  char buffer[4096];
  while (line.find('\n') == std::string::npos) {
    pollfd ready{.fd = socket, .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, kAnswerTimeoutMs) == 0) {
      return base::Unavailable("the run's process did not answer within {} s",
                               kAnswerTimeoutMs / 1000);
    }
    const ssize_t got = recv(socket, buffer, sizeof buffer, 0);
    if (got == 0) {
      return base::Unavailable("the run's process has just ended");
    }
    if (got < 0 && errno != EINTR) {
      return base::FromErrno(errno, "control.sock");
    }
    line.append(buffer, got < 0 ? 0 : static_cast<std::size_t>(got));
  }
  return line.substr(0, line.find('\n'));
}

}  // namespace

base::StatusOr<engine::expr::Value> AskRun(const std::string& run_folder,
                                           const std::string& request_json) {
  const Descriptor folder(OpenFolder(run_folder));
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = AddressIn(folder.number());
  if (folder.number() < 0 ||
      connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return base::Unavailable("no process of the run listens");
  }
  RETURN_IF_ERROR(SendAll(socket.number(), request_json + "\n"));
  ASSIGN_OR_RETURN(const std::string line, ReadLine(socket.number()));
  ASSIGN_OR_RETURN(engine::expr::Value answer, engine::expr::Value::FromJson(line));
  const engine::expr::Value* ok = answer.Find("ok");
  if (ok == nullptr || !ok->Truthy()) {
    const engine::expr::Value* error = answer.Find("error");
    return base::FailedPrecondition("{}", error == nullptr ? line : error->ToDisplay());
  }
  return answer;
}

}  // namespace apps

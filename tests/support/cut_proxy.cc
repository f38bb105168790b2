// SPDX-License-Identifier: Apache-2.0
#include "tests/support/cut_proxy.h"

#include <cstdint>
#include <cstring>
#include <poll.h>
#include <string_view>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

#include "engine/base/check.h"

namespace tests::support {
namespace {

using namespace std::string_view_literals;

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  CHECK(path.size() < sizeof address.sun_path);
  std::memcpy(address.sun_path, path.c_str(), path.size());
  return address;
}

int Listen(const std::string& path) {
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = AddressOf(path);
  CHECK(bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  CHECK(listen(listener, 16) == 0);
  return listener;
}

// -1 when nobody listens there.
int Connect(const std::string& path) {
  const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = AddressOf(path);
  if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close(server);
    return -1;
  }
  return server;
}

// Appends what can be read now; false at the end.
bool ReadSome(int from, std::string& out) {
  char bytes[16384];
  const ssize_t size = read(from, bytes, sizeof bytes);
  out.append(bytes, static_cast<std::size_t>(size > 0 ? size : 0));
  return size > 0;
}

bool WriteAll(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

// The message with which libpq ends a request of prepared statements ("Sync").
bool IsWhole(std::string_view request) {
  return request.ends_with("S\0\0\0\4"sv);
}

}  // namespace

CutProxy::CutProxy(std::string server_socket)
    : server_socket_(std::move(server_socket)),
      listener_(Listen(folder_.File(".s.PGSQL.5432"))),
      stop_(eventfd(0, EFD_CLOEXEC)),
      thread_([this] { Run(); }) {}

CutProxy::~CutProxy() {
  const std::uint64_t once = 1;
  CHECK(write(stop_, &once, sizeof once) == sizeof once);
  thread_.join();
  for (Link& link : links_) {
    Close(link);
  }
  for (const int descriptor : {listener_, stop_, late_server_}) {
    if (descriptor >= 0) {
      close(descriptor);
    }
  }
}

void CutProxy::CutNext(Cut cut) {
  const std::lock_guard lock(mutex_);
  cut_ = cut;
}

bool CutProxy::DeliverLate() {
  const std::lock_guard lock(mutex_);
  const int server = std::exchange(late_server_, -1);
  if (server < 0) {
    return false;
  }
  std::string answer;
  if (WriteAll(server, std::exchange(late_request_, {}))) {
    ReadSome(server, answer);
  }
  close(server);
  return true;
}

void CutProxy::Run() {
  while (true) {
    std::vector<pollfd> ready = {{stop_, POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const Link& link : links_) {
      ready.push_back({link.client, POLLIN, 0});
      ready.push_back({link.server, POLLIN, 0});
    }
    poll(ready.data(), ready.size(), -1);
    if (ready[0].revents != 0) {
      return;
    }
    for (std::size_t i = 0; i < links_.size(); ++i) {
      const bool from_client = ready[2 + 2 * i].revents != 0;
      const bool from_server = ready[3 + 2 * i].revents != 0;
      if ((from_client && !FromClient(links_[i])) || (from_server && !FromServer(links_[i]))) {
        Close(links_[i]);
      }
    }
    std::erase_if(links_, [](const Link& link) { return link.client < 0; });
    if (ready[1].revents != 0) {
      Accept();
    }
  }
}

void CutProxy::Accept() {
  const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  const int server = Connect(server_socket_);
  if (server < 0) {
    close(client);
    return;
  }
  links_.push_back({client, server, {}});
}

bool CutProxy::FromClient(Link& link) {
  if (!ReadSome(link.client, link.request)) {
    return false;
  }
  const std::lock_guard lock(mutex_);
  if (cut_ == Cut::kNone || !IsWhole(link.request)) {
    // What is not whole may be the beginning of what will be cut; it stays until we know.
    return cut_ != Cut::kNone || Forward(link);
  }
  switch (std::exchange(cut_, Cut::kNone)) {
    case Cut::kNone:
    case Cut::kRequestLost:
      break;
    case Cut::kAnswerLost: {
      // PostgreSQL sends nothing of its answer before it has committed.
      std::string answer;
      if (Forward(link)) {
        ReadSome(link.server, answer);
      }
      break;
    }
    case Cut::kRequestLate:
      late_request_ = std::move(link.request);
      late_server_ = std::exchange(link.server, -1);
      break;
  }
  return false;
}

bool CutProxy::Forward(Link& link) {
  return WriteAll(link.server, std::exchange(link.request, {}));
}

bool CutProxy::FromServer(Link& link) {
  std::string bytes;
  return ReadSome(link.server, bytes) && WriteAll(link.client, bytes);
}

void CutProxy::Close(Link& link) {
  for (int* descriptor : {&link.client, &link.server}) {
    if (*descriptor >= 0) {
      close(std::exchange(*descriptor, -1));
    }
  }
}

}  // namespace tests::support

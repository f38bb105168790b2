// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/ready_check.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include <boost/asio/buffers_iterator.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <re2/re2.h>

#include "engine/base/http_address.h"

namespace agents::runner {
namespace {

namespace asio = boost::asio;
namespace base = engine::base;
namespace ports = engine::ports;
using asio::ip::tcp;
using boost::system::error_code;

/// How long an address may take to answer before it is asked anew.
constexpr auto kAnswerPatience = std::chrono::seconds(5);
constexpr std::size_t kStatusLineMax = 8 << 10;

/// A port of this machine, by either of the addresses that programs listen on.
class TcpCheck final : public ReadyCheck {
 public:
  TcpCheck(asio::io_context& io, std::uint32_t port)
      : io_(io), port_(static_cast<std::uint16_t>(port)) {}

  ~TcpCheck() override { Close(); }

  void Ask(ReadyAnswer answer) override {
    Close();
    socket_ = std::make_shared<tcp::socket>(io_);
    const std::array<tcp::endpoint, 2> places = {
        tcp::endpoint(asio::ip::address_v4::loopback(), port_),
        tcp::endpoint(asio::ip::address_v6::loopback(), port_)};
    asio::async_connect(
        *socket_, places,
        // Held: the attempt at the next address looks at the socket, after a close, too.
        [held = socket_, port = port_, answer = std::move(answer)](const error_code& error,
                                                                   const tcp::endpoint&) {
          if (error != asio::error::operation_aborted) {
            answer(error ? fmt::format("nothing listens on port {}", port) : "");
          }
        });
  }

 private:
  /// Whoever still waits is told `operation_aborted`.
  void Close() {
    error_code ignored;
    if (socket_ != nullptr) {
      socket_->close(ignored);
    }
  }

  asio::io_context& io_;
  std::uint16_t port_;
  std::shared_ptr<tcp::socket> socket_;
};

/// One question to a web server. Lives as long as its handlers; whoever drops it cancels them.
class HttpQuestion : public std::enable_shared_from_this<HttpQuestion> {
 private:
  /// A handler that goes on with `next` when all is well.
  template <typename Result, typename Next>
  auto Then(Next next) {
    return [self = shared_from_this(), next](const error_code& error, Result result) {
      if (self->answer_ == nullptr) {
        return;
      }
      if (error) {
        return self->Answer(fmt::format("{}: {}", self->text_, error.message()));
      }
      next(*self, result);
    };
  }

 public:
  HttpQuestion(asio::io_context& io, base::HttpAddress address, std::string text,
               ReadyAnswer answer)
      : address_(std::move(address)),
        text_(std::move(text)),
        answer_(std::move(answer)),
        resolver_(io),
        socket_(io),
        patience_(io),
        received_(kStatusLineMax) {}

  void Ask() {
    patience_.expires_after(kAnswerPatience);
    patience_.async_wait([weak = weak_from_this()](const error_code& error) {
      if (const auto self = weak.lock(); self != nullptr && !error) {
        self->Answer(fmt::format("{} does not answer", self->text_));
      }
    });
    resolver_.async_resolve(address_.host, address_.port,
                            Then<tcp::resolver::results_type>(
                                [](HttpQuestion& self, auto& places) { self.Connect(places); }));
  }
  void Drop() {
    answer_ = nullptr;
    End();
  }

 private:
  void Connect(const tcp::resolver::results_type& places) {
    asio::async_connect(socket_, places,
                        Then<tcp::endpoint>([](HttpQuestion& self, auto&) { self.Send(); }));
  }
  void Send() {
    request_ = fmt::format(
        "GET {} HTTP/1.1\r\nHost: {}:{}\r\nUser-Agent: dayfly\r\nAccept: */*\r\nConnection: "
        "close\r\n\r\n",
        address_.path, address_.host, address_.port);
    asio::async_write(socket_, asio::buffer(request_),
                      Then<std::size_t>([](HttpQuestion& self, auto&) { self.Receive(); }));
  }
  void Receive() {
    asio::async_read_until(
        socket_, received_, '\n',
        Then<std::size_t>([](HttpQuestion& self, auto& length) { self.Judge(length); }));
  }
  /// `HTTP/1.1 204 No Content`.
  void Judge(std::size_t length) {
    std::string line(asio::buffers_begin(received_.data()),
                     asio::buffers_begin(received_.data()) + static_cast<std::ptrdiff_t>(length));
    line.resize(std::min(line.find_first_of("\r\n"), line.size()));
    const std::size_t space = line.find(' ');
    int code = 0;
    if (line.starts_with("HTTP/") && space != std::string::npos) {
      std::from_chars(line.data() + space + 1, line.data() + line.size(), code);
    }
    const bool is_well = code >= 200 && code < 400;
    Answer(is_well ? "" : fmt::format("{} answers '{}'", text_, line.substr(0, 80)));
  }
  void Answer(std::string missing) {
    if (ReadyAnswer answer = std::exchange(answer_, nullptr)) {
      End();
      answer(std::move(missing));
    }
  }
  void End() {
    error_code ignored;
    resolver_.cancel();
    socket_.close(ignored);
    patience_.cancel();
  }

  const base::HttpAddress address_;
  const std::string text_;
  ReadyAnswer answer_;
  tcp::resolver resolver_;
  tcp::socket socket_;
  asio::steady_timer patience_;
  std::string request_;
  asio::streambuf received_;
};

class HttpCheck final : public ReadyCheck {
 public:
  HttpCheck(asio::io_context& io, base::HttpAddress address, std::string text)
      : io_(io), address_(std::move(address)), text_(std::move(text)) {}
  ~HttpCheck() override {
    if (question_ != nullptr) {
      question_->Drop();
    }
  }
  void Ask(ReadyAnswer answer) override {
    question_ = std::make_shared<HttpQuestion>(io_, address_, text_, std::move(answer));
    question_->Ask();
  }

 private:
  asio::io_context& io_;
  base::HttpAddress address_;
  std::string text_;
  std::shared_ptr<HttpQuestion> question_;
};

class CommandCheck final : public ReadyCheck {
 public:
  CommandCheck(const ReadyTools& tools, std::string script)
      : run_(tools.run), script_(std::move(script)) {}

  void Ask(ReadyAnswer answer) override {
    run_(script_, [alive = std::weak_ptr(alive_),
                   answer = std::move(answer)](const ports::CommandExit& exit) {
      if (alive.expired()) {
        return;
      }
      const bool is_well = exit.started.ok() && exit.exit_code == 0 && exit.signal == 0;
      answer(is_well ? ""
             : !exit.started.ok()
                 ? fmt::format("its `command` cannot be started: {}", base::Message(exit.started))
             : exit.signal != 0 ? fmt::format("its `command` was ended by signal {}", exit.signal)
                                : fmt::format("its `command` ends with {}", exit.exit_code));
    });
  }

 private:
  decltype(ReadyTools::run) run_;
  std::string script_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

/// Looks at whole lines, and at the beginning of the one that has not ended.
class LogCheck final : public ReadyCheck {
 public:
  LogCheck(const ReadyTools& tools, std::unique_ptr<re2::RE2> pattern)
      : read_(tools.read_log), pattern_(std::move(pattern)) {}

  void Ask(ReadyAnswer answer) override {
    for (std::string bytes = read_(); !bytes.empty() && !found_; bytes = read_()) {
      line_ += bytes;
      LookAtLines();
    }
    answer(found_ ? ""
                  : fmt::format("no line of its log holds '{}'", std::string(pattern_->pattern())));
  }

 private:
  static constexpr std::size_t kLineMax = 64 << 10;
  /// As people see it: without colours, and without the carriage return at its end.
  static std::string AsSeen(std::string_view line) {
    static const re2::RE2 colours("\x1b\\[[0-9;?]*[A-Za-z]");
    std::string text(line.substr(0, line.size() - (line.ends_with('\r') ? 1 : 0)));
    if (text.find('\x1b') != std::string::npos) {
      re2::RE2::GlobalReplace(&text, colours, "");
    }
    return text;
  }
  void LookAtLines() {
    std::string_view rest = line_;
    while (!found_ && !rest.empty()) {
      const std::size_t end = rest.find('\n');
      found_ = re2::RE2::PartialMatch(AsSeen(rest.substr(0, end)), *pattern_);
      if (end == std::string_view::npos) {
        break;
      }
      rest.remove_prefix(end + 1);
    }
    // A line without an end is not kept for ever.
    line_ = rest.size() > kLineMax ? std::string() : std::string(rest);
  }

  decltype(ReadyTools::read_log) read_;
  std::unique_ptr<re2::RE2> pattern_;
  std::string line_;
  bool found_ = false;
};

}  // namespace

base::StatusOr<std::vector<std::unique_ptr<ReadyCheck>>> MakeReadyChecks(
    const ReadyConditions& conditions, const ReadyTools& tools) {
  std::vector<std::unique_ptr<ReadyCheck>> checks;
  if (conditions.tcp != 0) {
    checks.push_back(std::make_unique<TcpCheck>(*tools.io, conditions.tcp));
  }
  if (!conditions.http.empty()) {
    ASSIGN_OR_RETURN(base::HttpAddress address, base::ParseHttpAddress(conditions.http));
    checks.push_back(std::make_unique<HttpCheck>(*tools.io, std::move(address), conditions.http));
  }
  if (!conditions.log.empty()) {
    auto pattern = std::make_unique<re2::RE2>(conditions.log, re2::RE2::Quiet);
    if (!pattern->ok()) {
      return base::InvalidArgument("'{}' is no regular expression", conditions.log);
    }
    checks.push_back(std::make_unique<LogCheck>(tools, std::move(pattern)));
  }
  if (!conditions.command.empty()) {
    checks.push_back(std::make_unique<CommandCheck>(tools, conditions.command));
  }
  return checks;
}

}  // namespace agents::runner

// SPDX-License-Identifier: Apache-2.0
// An attempt's services, over a sandbox whose programs are functions; ports and addresses are real.
#include <array>
#include <csignal>
#include <cstdlib>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/runner/runner_fixture.h"

namespace agents::runner {
namespace {

namespace asio = boost::asio;
namespace model = engine::model;
namespace ports = engine::ports;
using asio::ip::tcp;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Programs named by the ends of their scripts: "exit N"; "serve" and "hang" go on.
std::optional<ports::CommandExit> Act(const ports::Command& command) {
  const std::string& script = command.argv.back();
  if (script.ends_with("serve") || script.ends_with("hang")) {
    return std::nullopt;
  }
  const std::size_t exit = script.rfind("exit ");
  return ports::CommandExit{
      .exit_code = exit == std::string::npos ? 0 : std::atoi(script.c_str() + exit + 5)};
}

class Services : public RunnerTest {
 protected:
  Services() { machine_.program = Act; }

  /// A job with one service and one step.
  std::vector<model::JobSpec> With(model::ReadySpec ready, std::string run = "serve") {
    std::vector<model::JobSpec> jobs;
    model::StepSpec service = Step(std::move(run));
    service.id = "db";
    service.background = true;
    jobs.push_back(Job("job", {service, Step("true")}));
    jobs[0].rare->services = {std::move(ready)};
    return jobs;
  }
  std::uint16_t Listen() {
    acceptor_.emplace(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    return acceptor_->local_endpoint().port();
  }
  /// Answers three questions with `status`, and then well.
  void Answer(const std::string& status) {
    acceptor_->async_accept(
        [this, status](const boost::system::error_code& error, tcp::socket socket) {
          if (error) {
            return;
          }
          ++asked_;
          auto asker = std::make_shared<tcp::socket>(std::move(socket));
          auto question = std::make_shared<std::array<char, 4096>>();
          asker->async_read_some(
              asio::buffer(*question),
              [asker, question, status](const boost::system::error_code&, std::size_t) {
                boost::system::error_code ignored;
                asio::write(*asker, asio::buffer("HTTP/1.1 " + status + "\r\n\r\n"), ignored);
              });
          Answer(asked_ < 3 ? status : "204 No Content");
        });
  }

  std::optional<tcp::acceptor> acceptor_;
  int asked_ = 0;
};

TEST_F(Services, StepsBeginWhenItsPortIsOpenAndItIsStoppedAfterThem) {
  RunJob(With({.tcp = Listen()}));
  EXPECT_THAT(
      Story(),
      ElementsAre("started in slot 0", "step 1 started", "step 2 started", "step 2 succeeded",
                  "step 1 succeeded: stopped, as the job's steps had ended", "succeeded"));
}

TEST_F(Services, WithoutAConditionItIsReadyWhenItWasStarted) {
  RunJob(With({}));
  EXPECT_EQ(Ended().status, model::Status::kSucceeded);
}

TEST_F(Services, AnAddressIsAskedUntilItAnswersWell) {
  const std::uint16_t port = Listen();
  Answer("503 Busy");
  context_.extra_env = {{.name = "PORT", .value = "\"" + std::to_string(port) + "\""}};
  RunJob(With({.http = Text("http://127.0.0.1:${{ env.PORT }}/health?a=b")}));
  EXPECT_EQ(Ended().status, model::Status::kSucceeded);
  EXPECT_EQ(asked_, 4);
}

TEST_F(Services, ACommandIsAskedUntilItEndsWell) {
  int left = 3;
  machine_.program = [&](const ports::Command& command) -> std::optional<ports::CommandExit> {
    if (command.argv.back().ends_with("ping")) {
      EXPECT_EQ(command.log_tag.step, ports::kNoStep);
      return ports::CommandExit{.exit_code = --left > 0 ? 1 : 0};
    }
    return Act(command);
  };
  RunJob(With({.command = Text("ping")}));
  EXPECT_EQ(left, 0);
  EXPECT_EQ(Ended().status, model::Status::kSucceeded);
}

TEST_F(Services, OneThatIsLateFailsTheJobAndIsNamed) {
  const std::uint16_t port = Listen();
  acceptor_.reset();
  RunJob(With({.tcp = port, .timeout = std::chrono::milliseconds(30)}));
  EXPECT_EQ(Ended().reason.code, model::ReasonCode::kServiceNotReady);
  EXPECT_THAT(Ended().reason.subject, HasSubstr("db was not ready after "));
  EXPECT_THAT(Ended().reason.subject,
              HasSubstr(": nothing listens on port " + std::to_string(port)));
  EXPECT_FALSE(Ended().infra);
  EXPECT_THAT(Story(), Contains(HasSubstr("step 1 failed: service db was not ready")));
  EXPECT_THAT(Story(), Contains(HasSubstr("step 2 skipped")));
}

TEST_F(Services, ACommandThatHangsIsKilledWhenItIsLate) {
  RunJob(With({.command = Text("hang"), .timeout = std::chrono::milliseconds(30)}));
  EXPECT_EQ(Ended().reason.code, model::ReasonCode::kServiceNotReady);
  EXPECT_THAT(machine_.signals, Contains(SIGKILL));
}

TEST_F(Services, OneThatEndsByItselfFailsTheJobWhateverItsExitCode) {
  RunJob(With({.command = Text("exit 1")}, "exit 0"));
  EXPECT_EQ(Ended().reason.code, model::ReasonCode::kServiceEnded);
  EXPECT_EQ(Ended().reason.subject, "db ended before the job's steps: exit code 0");
  EXPECT_THAT(Story(), Contains(HasSubstr("step 1 failed: service db ended")));
}

TEST_F(Services, OneWhoseProgramIsNotThereSaysSo) {
  machine_.program = [](const ports::Command&) {
    return ports::CommandExit{.started = engine::base::NotFound("x: no such program")};
  };
  RunJob(With({.command = Text("exit 1")}));
  EXPECT_EQ(Ended().reason.code, model::ReasonCode::kServiceEnded);
  EXPECT_THAT(Ended().reason.subject, HasSubstr("no such program"));
}

TEST_F(Services, AStopWhileTheyAreWaitedForEndsThem) {
  SetPlan(With({.command = Text("exit 1")}));
  runner().Dispatch(For(0));
  RunUntil([&] { return machine_.commands.size() > 2; });
  runner().Stop(StopOf(0));
  RunUntilEnded();
  EXPECT_EQ(Ended().status, model::Status::kCancelled);
  EXPECT_THAT(Story(), Contains(HasSubstr("step 1 cancelled")));
}

TEST_F(Services, AConditionThatCannotBeWorkedOutFailsTheJob) {
  RunJob(With({.http = Text("${{ 1 + }}")}));
  EXPECT_EQ(Ended().reason.code, model::ReasonCode::kBadExpression);
  EXPECT_THAT(Ended().reason.subject, HasSubstr("service 'db'"));
}

TEST_F(Services, AnAddressThatIsNoneFailsTheJob) {
  context_.extra_env = {{.name = "HOST", .value = "\"ftp://x\""}};
  RunJob(With({.http = Text("${{ env.HOST }}")}));
  EXPECT_EQ(Ended().reason.code, model::ReasonCode::kServiceNotReady);
  EXPECT_THAT(Ended().reason.subject, HasSubstr("does not begin with http://"));
}

}  // namespace
}  // namespace agents::runner

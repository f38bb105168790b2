// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/ready_check.h"

#include <optional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace agents::runner {
namespace {

/// What a service whose log so far is `log` lacks to be ready; empty: nothing.
std::string Lacks(const std::string& pattern, std::string log) {
  ReadyConditions conditions;
  conditions.log = pattern;
  ReadyTools tools;
  tools.read_log = [&log] { return std::exchange(log, ""); };
  auto checks = MakeReadyChecks(conditions, tools);
  EXPECT_TRUE(checks.ok() && checks->size() == 1);
  std::optional<std::string> answer;
  checks->front()->Ask([&](const std::string& lack) { answer = lack; });
  return answer.value_or("no answer");
}

TEST(LogCheck, LooksAtLinesAsPeopleSeeThem) {
  EXPECT_EQ(Lacks("^listening$", "starting\nlistening\n"), "");
  EXPECT_EQ(Lacks("^listening$", "listening\r\n"), "");
  EXPECT_EQ(Lacks("^listening on 5$", "\x1b[1;32mlistening\x1b[0m on 5\r\n"), "");
  EXPECT_EQ(Lacks("^listen", "no line end yet\nlistening"), "");
  EXPECT_EQ(Lacks("^listening$", "not listening\n"), "no line of its log holds '^listening$'");
}

// The connection is given up in the middle, before its second address was tried.
TEST(TcpCheck, WhoIsDroppedAnswersNothing) {
  boost::asio::io_context io;
  ReadyConditions conditions;
  conditions.tcp = 1;
  ReadyTools tools;
  tools.io = &io;
  bool answered = false;
  {
    auto checks = MakeReadyChecks(conditions, tools);
    ASSERT_TRUE(checks.ok());
    checks->front()->Ask([&](const std::string&) { answered = true; });
  }
  io.run();
  EXPECT_FALSE(answered);
}

}  // namespace
}  // namespace agents::runner

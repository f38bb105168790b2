// SPDX-License-Identifier: Apache-2.0
// Runs over real gRPC: what is asked, what is answered, what is durable.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/server_scene.h"

namespace tests::server {
namespace {

namespace client = api::client;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

/// Everything a watcher saw.
struct Seen {
  std::vector<model::Fact> facts;
  model::Status status = model::Status::kRunning;
};

base::StatusOr<Seen> WatchAll(client::RunClient& runs, const std::string& run) {
  Seen seen;
  client::WatchHandlers handlers;
  handlers.outlined = [](const api::wire::OutlinedRun&) {};
  handlers.happened = [&](const model::Fact& fact) {
    seen.facts.push_back(fact);
    if (const auto* ended = std::get_if<model::RunEnded>(&fact.body)) {
      seen.status = ended->status;
    }
    return true;
  };
  RETURN_IF_ERROR(runs.Watch(run, /*history_only=*/false, handlers));
  return seen;
}

std::vector<std::string> TextsOf(const std::vector<model::Fact>& facts) {
  std::vector<std::string> texts;
  for (const model::Fact& fact : facts) {
    texts.push_back(model::ToText(fact));
  }
  return texts;
}

class Runs : public testing::Test {
 protected:
  client::SubmitAnswer Submit(const api::wire::Submission& submission) {
    auto answer = runs_.Submit(submission);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.value_or(client::SubmitAnswer());
  }

  ServerScene scene_;
  client::Connection connection_ = scene_.Connect();
  client::RunClient runs_{connection_};
};

TEST_F(Runs, ASubmittedRunIsWatchedToItsEnd) {
  const auto answer = Submit(ServerScene::Submission("a"));
  const auto seen = WatchAll(runs_, model::ToText(answer.run));
  ASSERT_TRUE(seen.ok()) << seen.status();
  EXPECT_EQ(seen->status, model::Status::kSucceeded);
  EXPECT_TRUE(std::holds_alternative<model::RunAccepted>(seen->facts.front().body));
  EXPECT_TRUE(std::holds_alternative<model::RunClosed>(seen->facts.back().body));
}

TEST_F(Runs, HistoryIsTheSameHoweverOftenItIsAsked) {
  const std::string run = model::ToText(Submit(ServerScene::Submission("a")).run);
  const auto first = WatchAll(runs_, run);
  const auto second = WatchAll(runs_, run);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(TextsOf(first->facts), TextsOf(second->facts));
}

TEST_F(Runs, HistoryIsTheSameAfterARestart) {
  const std::string run = model::ToText(Submit(ServerScene::Submission("a")).run);
  const auto before = WatchAll(runs_, run);
  scene_.Restart();
  const auto after = WatchAll(runs_, run);
  ASSERT_TRUE(before.ok() && after.ok()) << after.status();
  EXPECT_EQ(TextsOf(before->facts), TextsOf(after->facts));
}

TEST_F(Runs, TheSameKeyWithTheSameRequestIsTheSameRun) {
  const auto first = Submit(ServerScene::Submission("a"));
  const auto again = Submit(ServerScene::Submission("a"));
  EXPECT_EQ(first.run, again.run);
  EXPECT_FALSE(first.existed);
  EXPECT_TRUE(again.existed);
}

TEST_F(Runs, TheKeyIsKnownAfterTheRunIsOverAndTheServerStartedAgain) {
  const auto first = Submit(ServerScene::Submission("a"));
  ASSERT_TRUE(WatchAll(runs_, model::ToText(first.run)).ok());
  scene_.Restart();
  EXPECT_EQ(Submit(ServerScene::Submission("a")).run, first.run);
}

TEST_F(Runs, TheSameKeyWithAnotherRequestNamesTheFirstRun) {
  const auto first = Submit(ServerScene::Submission("a"));
  auto other = ServerScene::Submission("a");
  other.event = "push";
  const auto refused = runs_.Submit(other);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(base::Message(refused.status())), HasSubstr(model::ToText(first.run)));
  EXPECT_EQ(connection_.Trailing("dayfly-run"), model::ToText(first.run));
}

TEST_F(Runs, ARefusedPipelineComesBackWithEveryProblem) {
  auto bad = ServerScene::Submission("a");
  bad.pipeline_text = "jobs:\n  one:\n    step: [true]\n    needs: [two]\n";
  const auto answer = Submit(bad);
  EXPECT_EQ(answer.run.value(), 0U);
  EXPECT_GE(answer.diagnostics.size(), 2U);
  EXPECT_EQ(answer.diagnostics[0].file, "ci.yml");
  // Nothing was started: the key is free.
  EXPECT_FALSE(Submit(ServerScene::Submission("a")).existed);
}

TEST_F(Runs, ListsNewestFirstWithCounts) {
  const auto first = Submit(ServerScene::Submission("a"));
  ASSERT_TRUE(WatchAll(runs_, model::ToText(first.run)).ok());
  const auto second = Submit(ServerScene::Submission("b"));
  ASSERT_TRUE(WatchAll(runs_, "latest").ok());
  const auto rows = runs_.List({});
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_THAT(*rows, SizeIs(2));
  EXPECT_EQ(std::max(first.run, second.run), (*rows)[0].run);
  EXPECT_EQ((*rows)[1].status, model::Status::kSucceeded);
  EXPECT_EQ((*rows)[1].counts[static_cast<std::size_t>(model::Status::kSucceeded)], 1U);
}

TEST_F(Runs, AListKnownInTheRunMakesJobs) {
  auto submission = ServerScene::Submission("a");
  submission.pipeline_text =
      "jobs:\n  ship:\n    checkout: false\n    for_each: ${{ fromJSON('[\"eu\", \"us\"]') }}\n"
      "    steps: [\"true\"]\n  report:\n    checkout: false\n    needs: [ship]\n"
      "    steps: [\"true\"]\n";
  const std::string run = model::ToText(Submit(submission).run);
  const auto seen = WatchAll(runs_, run);
  ASSERT_TRUE(seen.ok()) << seen.status();
  EXPECT_EQ(seen->status, model::Status::kSucceeded);
  const auto is_expansion = [](const model::Fact& fact) {
    return std::holds_alternative<model::JobsExpanded>(fact.body);
  };
  EXPECT_EQ(std::ranges::count_if(seen->facts, is_expansion), 1);
  const auto row = runs_.Get(run);
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->counts[static_cast<std::size_t>(model::Status::kSucceeded)], 3U);
  EXPECT_EQ(runs_.Retry(run, true, "r1").status().code(), absl::StatusCode::kFailedPrecondition);
  scene_.Restart();
  const auto after = WatchAll(runs_, run);
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(TextsOf(seen->facts), TextsOf(after->facts));
}

TEST_F(Runs, ARetryOfARunThatSucceededHasNothingToDo) {
  const auto first = Submit(ServerScene::Submission("a"));
  ASSERT_TRUE(WatchAll(runs_, model::ToText(first.run)).ok());
  const auto failed_only = runs_.Retry(model::ToText(first.run), true, "r1");
  EXPECT_EQ(failed_only.status().code(), absl::StatusCode::kFailedPrecondition);
  const auto whole = runs_.Retry(model::ToText(first.run), false, "r2");
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_NE(whole->run, first.run);
}

TEST_F(Runs, UnknownRunsAreNotFound) {
  EXPECT_EQ(runs_.Get("latest").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(runs_.Get("0000000000001").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(runs_.Get("").status().code(), absl::StatusCode::kInvalidArgument);
}

/// Nothing ends before the test says so.
class OpenRuns : public testing::Test {
 protected:
  ServerScene scene_{/*eager=*/false};
  client::Connection connection_ = scene_.Connect();
  client::RunClient runs_{connection_};
};

TEST_F(OpenRuns, AreWatchedAcrossARestartWithoutGapOrRepeat) {
  const auto answer = runs_.Submit(ServerScene::Submission("a"));
  ASSERT_TRUE(answer.ok()) << answer.status();
  std::vector<model::Fact> facts;
  bool restarted = false;
  client::WatchHandlers handlers;
  handlers.outlined = [](const api::wire::OutlinedRun&) {};
  handlers.happened = [&](const model::Fact& fact) {
    facts.push_back(fact);
    if (std::holds_alternative<model::StepStarted>(fact.body) && !std::exchange(restarted, true)) {
      scene_.Restart();
      scene_.agents().Finish();
    }
    return true;
  };
  ASSERT_TRUE(runs_.Watch(model::ToText(answer->run), false, handlers).ok());
  const auto whole = WatchAll(runs_, model::ToText(answer->run));
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(TextsOf(facts), TextsOf(whole->facts));
  EXPECT_EQ(whole->status, model::Status::kSucceeded);
}

TEST_F(OpenRuns, AreCancelledAndExplained) {
  const auto answer = runs_.Submit(ServerScene::Submission("a"));
  ASSERT_TRUE(answer.ok());
  const std::string run = model::ToText(answer->run);
  const auto explained = runs_.Explain(run, "");
  ASSERT_TRUE(explained.ok()) << explained.status();
  ASSERT_THAT(explained->jobs, SizeIs(1));
  EXPECT_EQ(explained->jobs[0].job, "one");
  EXPECT_EQ(runs_.Explain(run, "onne").status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(runs_.Cancel(run, false).ok());
  const auto seen = WatchAll(runs_, run);
  ASSERT_TRUE(seen.ok());
  EXPECT_EQ(seen->status, model::Status::kCancelled);
  const auto again = runs_.Cancel(run, false);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->status, model::Status::kCancelled);
}

TEST_F(OpenRuns, AStandbyNamesTheOwnerAndCallsFollow) {
  ServerScene owner(/*eager=*/true);
  scene_.StandBy(owner.target());
  const auto answer = runs_.Submit(ServerScene::Submission("a"));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(connection_.server(), owner.target());
  EXPECT_EQ(owner.agents().dispatched(), 1U);
}

}  // namespace
}  // namespace tests::server

// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/run_index.h"

#include <filesystem>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/sqlite/database.h"
#include "tests/support/temp_folder.h"

namespace store::sqlite {
namespace {

namespace model = engine::model;
namespace ports = engine::ports;
using testing::HasSubstr;
using tests::support::TempFolder;

model::RunId IdOf(std::string_view text) {
  return *model::RunIdFromText(text);
}

ports::RunRow Row(std::string_view id) {
  ports::RunRow row;
  row.run = IdOf(id);
  row.pipeline = "ci";
  row.pipeline_file = ".dayfly/ci.yml";
  row.source = "/home/me/app";
  row.commit = "abc";
  row.branch = "main";
  row.event = "manual";
  row.accepted_at = base::InstantFromMicros(1'700'000'000'000'000);
  row.folder = "/state/runs/x";
  row.owner = {4711, "boot", 99};
  return row;
}

class RunIndexTest : public testing::Test {
 protected:
  void SetUp() override {
    auto index = OpenRunIndex(path_);
    ASSERT_TRUE(index.ok()) << index.status();
    index_ = *std::move(index);
  }
  TempFolder folder_;
  std::string path_ = folder_.File("index.db");
  std::unique_ptr<ports::RunIndex> index_;
};

TEST_F(RunIndexTest, GivesBackARowAndReplacesIt) {
  ports::RunRow row = Row("01jd2m0q4x7zk");
  ASSERT_TRUE(index_->SaveRun(row).ok());
  EXPECT_EQ(*index_->FindRun("01jd2m0q4x7zk"), row);
  row.status = model::Status::kFailed;
  row.ended_at = base::InstantFromMicros(1'700'000'000'000'009);
  row.counts = {0, 0, 0, 5, 1, 0, 2, 0, 0};
  row.owner = {};
  ASSERT_TRUE(index_->SaveRun(row).ok());
  EXPECT_EQ(*index_->FindRun("01jd2m0q4x7zk"), row);
  EXPECT_EQ(index_->ListRuns({})->size(), 1U);
}

model::Deployment DeploymentOf(std::string_view id, int ended,
                               model::Status status = model::Status::kSucceeded) {
  model::Deployment out;
  out.environment = "production";
  out.url = "https://example.org";
  out.run = IdOf(id);
  out.job = model::JobIndex(2);
  out.job_name = "deploy[eu]";
  out.pipeline = "ci";
  out.source = "/home/me/app";
  out.commit = "abc";
  out.branch = "main";
  out.event = "manual";
  out.by = "anna";
  out.status = status;
  out.reason = {model::ReasonCode::kExitCode, 3, {}, "why"};
  out.queued_at = base::InstantFromMicros(ended - 1);
  out.ended_at = base::InstantFromMicros(ended);
  return out;
}

TEST_F(RunIndexTest, GivesBackDeploymentsAndReplacesThoseOfARun) {
  model::Deployment deployment = DeploymentOf("01jd2m0q4x7zk", 9, model::Status::kFailed);
  ASSERT_TRUE(index_->SaveDeployments(deployment.run, {&deployment, 1}).ok());
  EXPECT_THAT(*index_->ListDeployments({}), testing::ElementsAre(deployment));
  deployment.status = model::Status::kSucceeded;
  deployment.started_at = base::InstantFromMicros(8);
  ASSERT_TRUE(index_->SaveDeployments(deployment.run, {&deployment, 1}).ok());
  deployment.is_current = true;
  EXPECT_THAT(*index_->ListDeployments({.environment = "production"}),
              testing::ElementsAre(deployment));
  EXPECT_TRUE(index_->ListDeployments({.environment = "test"})->empty());
}

TEST_F(RunIndexTest, WhatAnEnvironmentHasOutlivesItsRun) {
  const auto runs = [this] {
    std::vector<std::string> ids;
    const auto found = index_->ListDeployments({});
    EXPECT_TRUE(found.ok()) << found.status();
    for (const model::Deployment& each : *found) {
      ids.push_back(ToText(each.run));
    }
    return ids;
  };
  const auto save = [this](const model::Deployment& deployment) {
    ASSERT_TRUE(index_->SaveRun(Row(ToText(deployment.run))).ok());
    ASSERT_TRUE(index_->SaveDeployments(deployment.run, {&deployment, 1}).ok());
  };
  save(DeploymentOf("01jd2m0q4x7za", 5));
  save(DeploymentOf("01jd2m0q4x7zb", 7, model::Status::kFailed));
  ASSERT_TRUE(index_->RemoveRun(IdOf("01jd2m0q4x7za")).ok());
  EXPECT_THAT(runs(), testing::ElementsAre("01jd2m0q4x7zb", "01jd2m0q4x7za"));
  ASSERT_TRUE(index_->RemoveRun(IdOf("01jd2m0q4x7zb")).ok());
  EXPECT_THAT(runs(), testing::ElementsAre("01jd2m0q4x7za"));
  save(DeploymentOf("01jd2m0q4x7zc", 9));
  ASSERT_TRUE(index_->RemoveRun(IdOf("01jd2m0q4x7zc")).ok());
  EXPECT_THAT(runs(), testing::ElementsAre("01jd2m0q4x7zc"));
}

TEST_F(RunIndexTest, AnIndexFromBeforeDeploymentsHasNone) {
  const auto read = [this] { return OpenRunIndex(path_, {.read_only = true}); };
  index_.reset();
  {
    const auto db = Database::Open(path_, {});
    ASSERT_TRUE((*db)->Execute("DROP TABLE deployment").ok());
    ASSERT_TRUE((*db)->Execute("DROP TABLE deployed").ok());
  }
  EXPECT_TRUE((*read())->ListDeployments({})->empty());
  EXPECT_TRUE((*read())->RunsWithDeployments()->empty());
  index_ = *OpenRunIndex(path_);
  const model::Deployment deployment = DeploymentOf("01jd2m0q4x7zk", 9);
  ASSERT_TRUE(index_->SaveDeployments(deployment.run, {&deployment, 1}).ok());
  EXPECT_EQ((*read())->ListDeployments({})->size(), 1U);
  ASSERT_TRUE(index_->SaveDeployments(model::RunId(7), {}).ok());
  EXPECT_EQ(*(*read())->RunsWithDeployments(),
            (std::set<model::RunId>{model::RunId(7), deployment.run}));
  ASSERT_TRUE(index_->RemoveRun(model::RunId(7)).ok());
  EXPECT_EQ((*read())->RunsWithDeployments()->size(), 1U);
}

TEST_F(RunIndexTest, ListsTheNewestFirst) {
  for (const char* id : {"01jd2m0q4x7zk", "01jd2m0q4x7zm", "01jc000000000"}) {
    ASSERT_TRUE(index_->SaveRun(Row(id)).ok());
  }
  const auto rows = index_->ListRuns({.limit = 2});
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ(ToText((*rows)[0].run), "01jd2m0q4x7zm");
  EXPECT_EQ(ToText((*rows)[1].run), "01jd2m0q4x7zk");
}

TEST_F(RunIndexTest, FiltersByWhatIsAsked) {
  ports::RunRow other = Row("01jd2m0q4x7zm");
  other.branch = "dev";
  other.pipeline = "nightly";
  other.source = "/elsewhere";
  other.status = model::Status::kFailed;
  ASSERT_TRUE(index_->SaveRun(Row("01jd2m0q4x7zk")).ok());
  ASSERT_TRUE(index_->SaveRun(other).ok());
  for (const ports::RunFilter& filter :
       {ports::RunFilter{.branch = "dev"}, ports::RunFilter{.pipeline = "nightly"},
        ports::RunFilter{.source = "/elsewhere"},
        ports::RunFilter{.status = model::Status::kFailed}}) {
    const auto rows = index_->ListRuns(filter);
    ASSERT_EQ(rows->size(), 1U);
    EXPECT_EQ((*rows)[0], other);
  }
}

TEST_F(RunIndexTest, FindsByAPrefixHoweverItIsWritten) {
  ASSERT_TRUE(index_->SaveRun(Row("01jd2m0q4x7zk")).ok());
  for (const char* prefix : {"0", "01jd", "01JD2M0Q", "OLJD", "01jd2m0q4x7zk"}) {
    const auto row = index_->FindRun(prefix);
    EXPECT_TRUE(row.ok()) << prefix << ": " << row.status();
  }
  EXPECT_EQ(index_->FindRun("01jd3").status().code(), absl::StatusCode::kNotFound);
  for (const char* bad : {"", "01jd2m0q4x7zk0", "no/id", "u"}) {
    EXPECT_EQ(index_->FindRun(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

TEST_F(RunIndexTest, AnAmbiguousPrefixListsTheCandidates) {
  ASSERT_TRUE(index_->SaveRun(Row("01jd2m0q4x7zk")).ok());
  ASSERT_TRUE(index_->SaveRun(Row("01jd2m0q4x7zm")).ok());
  const auto row = index_->FindRun("01jd");
  EXPECT_EQ(row.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(base::Message(row.status())), HasSubstr("01jd2m0q4x7zm, 01jd2m0q4x7zk"));
}

TEST_F(RunIndexTest, RemembersDurationsPerPipelineAndJob) {
  using std::chrono::milliseconds;
  const ports::PipelineKey key{"ci", "ci.yml", "/app"};
  ASSERT_TRUE(index_->SaveDurations(key, {{"a", milliseconds(5)}, {"b", milliseconds(6)}}).ok());
  ASSERT_TRUE(index_->SaveDurations(key, {{"b", milliseconds(7)}}).ok());
  EXPECT_EQ(index_->KnownDurations(key)->at("a"), milliseconds(5));
  EXPECT_EQ(index_->KnownDurations(key)->at("b"), milliseconds(7));
  EXPECT_TRUE(index_->KnownDurations({"ci", "ci.yml", "/other"})->empty());
}

TEST_F(RunIndexTest, ForgetsARun) {
  ASSERT_TRUE(index_->SaveRun(Row("01jd2m0q4x7zk")).ok());
  ASSERT_TRUE(index_->RemoveRun(IdOf("01jd2m0q4x7zk")).ok());
  ASSERT_TRUE(index_->RemoveRun(IdOf("01jd2m0q4x7zk")).ok());
  EXPECT_TRUE(index_->ListRuns({})->empty());
}

TEST_F(RunIndexTest, AnIndexThatIsNotThereReadsAsEmpty) {
  const std::string path = folder_.File("other.db");
  const auto index = OpenRunIndex(path, {.read_only = true});
  ASSERT_TRUE(index.ok()) << index.status();
  EXPECT_TRUE((*index)->ListRuns({})->empty());
  EXPECT_TRUE((*index)->KnownDurations({})->empty());
  EXPECT_EQ((*index)->FindRun("01").status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(RunIndexTest, ANewerIndexIsRefused) {
  auto db = Database::Open(path_, {});
  ASSERT_TRUE((*db)->Execute("PRAGMA user_version = 5").ok());
  EXPECT_EQ(OpenRunIndex(path_).status().code(), absl::StatusCode::kFailedPrecondition);
}

// Each of several processes creates the index, or finds it, and writes.
TEST(RunIndexProcesses, WriteAtOnceAndFromTheFirstMoment) {
  TempFolder folder;
  const std::string path = folder.File("index.db");
  constexpr int kProcesses = 6;
  constexpr int kRuns = 20;
  std::vector<pid_t> children;
  for (int process = 0; process < kProcesses; ++process) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto index = OpenRunIndex(path);
      bool ok = index.ok();
      for (int i = 0; ok && i < kRuns; ++i) {
        ports::RunRow row = Row("01jd2m0q4x7zk");
        row.run = model::RunId(static_cast<std::uint64_t>(process * kRuns + i + 1));
        ok = (*index)->SaveRun(row).ok();
      }
      _exit(ok ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  const auto index = OpenRunIndex(path, {.read_only = true});
  EXPECT_EQ((*index)->ListRuns({.limit = 1000})->size(), std::size_t{kProcesses * kRuns});
}

}  // namespace
}  // namespace store::sqlite

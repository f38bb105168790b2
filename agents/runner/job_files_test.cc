// SPDX-License-Identifier: Apache-2.0
// Caches and test reports of jobs, with real keepers, processes and stores.
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/reports/test_document.h"
#include "agents/runner/host_fixture.h"
#include "engine/model/log_segment.h"
#include "store/artifacts/archive.h"
#include "store/artifacts/local_store.h"
#include "store/artifacts/manifest.h"
#include "store/caches/folder_caches.h"

namespace agents::runner {
namespace {

namespace base = engine::base;
namespace fs = std::filesystem;
namespace model = engine::model;
namespace ports = engine::ports;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Unpacks nothing until somebody gives up.
class StuckArchive : public store::artifacts::Archive {
 public:
  using Archive::Archive;
  base::Status UnpackWhole(const model::Artifact&, const std::string&,
                           const ports::Transfer& transfer) override {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any().wait(lock, transfer.stop, [] { return false; });
    return base::Cancelled("told to stop");
  }
};

class JobFiles : public HostRunnerTest {
 protected:
  JobFiles() {
    context_.source = "/repo";
    context_.default_branch = "main";
    store_ = *store::artifacts::LocalStore::Open(folder_ + "/chunks");
    archive_ = std::make_unique<store::artifacts::Archive>(*store_);
    caches_ = *store::caches::FolderCaches::Open(folder_ + "/caches", {.now = [this] {
                                                   now_ += std::chrono::seconds(1);
                                                   return now_;
                                                 }});
    options_.archive = archive_.get();
    options_.caches_of = [this](const model::Assignment& assignment, const std::stop_token&) {
      return std::make_shared<store::caches::ScopedCaches>(
          *caches_, store::caches::ScopesOf(*assignment.context));
    };
  }

  static model::JobSpec CachedJob(const std::string& key, const std::string& run,
                                  std::vector<std::string> restore_keys = {}) {
    model::JobSpec job = Job("job", {Step(run)});
    model::CacheSpec cache{.key = Text(key), .restore_keys = {}, .paths = {"deps"}};
    for (std::string& each : restore_keys) {
      cache.restore_keys.push_back(Text(std::move(each)));
    }
    job.rare->caches = {cache};
    return job;
  }

  /// The jobs one after the other, each in a workspace that is empty at first.
  void RunAll(std::vector<model::JobSpec> jobs) {
    const auto count = static_cast<std::uint32_t>(jobs.size());
    SetPlan(std::move(jobs));
    for (std::uint32_t i = 0; i < count; ++i) {
      runner().Dispatch(For(i));
      RunUntilEnded(i + 1);
    }
  }

  std::string LogOf(std::uint32_t job) const {
    std::string text;
    for (const model::AttemptReported& message : sent_) {
      for (const model::Report& report : message.reports) {
        const auto* end = std::get_if<model::ReportStepEnded>(&report);
        if (end == nullptr || message.lease.key.job != model::JobIndex(job)) {
          continue;
        }
        for (const model::LogRange& range : end->log.ranges) {
          const std::string segment =
              ReadFile(run_folder_ + "/logs/" + model::SegmentFileName(range.segment));
          text += segment.substr(range.offset, range.length);
        }
      }
    }
    return text;
  }
  std::vector<std::string> NotesOf(std::uint32_t job) const { return Ended(job).remarks.notes; }
  void ExpectAllWell(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      EXPECT_EQ(Ended(i).status, model::Status::kSucceeded) << i << ": " << LogOf(i);
    }
  }
  std::string ChunkPath(const base::Digest& digest) const {
    const std::string name = base::ToHex(digest);
    return folder_ + "/chunks/" + name.substr(0, 2) + "/" + name;
  }

  base::Instant now_ = base::InstantFromMicros(1'700'000'000'000'000);
  std::unique_ptr<store::artifacts::LocalStore> store_;
  std::unique_ptr<store::artifacts::Archive> archive_;
  std::unique_ptr<store::caches::FolderCaches> caches_;
};

constexpr char kFill[] = "test ! -e deps && mkdir deps && echo fresh > deps/a";

// ---- caches

TEST_F(JobFiles, TheSecondRestoresWhatTheFirstSaved) {
  std::vector<model::JobSpec> jobs;
  jobs.push_back(CachedJob("deps-${{ branch }}-${{ hashFiles('none') }}", kFill));
  jobs.push_back(CachedJob("deps-main-", "grep fresh deps/a"));
  RunAll(std::move(jobs));
  ExpectAllWell(2);
  EXPECT_THAT(NotesOf(0), ElementsAre("cache 'deps-main-' not found",
                                      "cache 'deps-main-' saved: 1 file, 6 bytes"));
  EXPECT_THAT(NotesOf(1), ElementsAre("cache 'deps-main-' restored: 1 file, 6 bytes"));
  EXPECT_EQ(LogOf(0), "[dayfly: cache 'deps-main-' not found]\n");
  EXPECT_EQ(LogOf(1), "[dayfly: cache 'deps-main-' restored: 1 file, 6 bytes]\nfresh\n");
}

TEST_F(JobFiles, ABeginningGivesTheNewestAndTheOwnKeyIsSaved) {
  std::vector<model::JobSpec> jobs;
  jobs.push_back(CachedJob("deps-1", "mkdir deps && echo 1 > deps/a"));
  jobs.push_back(CachedJob("deps-2", "mkdir deps && echo 2 > deps/a"));
  jobs.push_back(CachedJob("deps-3", "grep 2 deps/a", {"deps-"}));
  jobs.push_back(CachedJob("deps-3", "grep 2 deps/a"));
  RunAll(std::move(jobs));
  ExpectAllWell(4);
  EXPECT_THAT(
      NotesOf(2),
      ElementsAre("cache 'deps-3' not found, 'deps-2' restored in its place: 1 file, 2 bytes",
                  "cache 'deps-3' saved: 1 file, 2 bytes"));
}

TEST_F(JobFiles, AFailedJobSavesNothing) {
  std::vector<model::JobSpec> jobs;
  jobs.push_back(CachedJob("k", "mkdir deps; echo half > deps/a; exit 3"));
  jobs.push_back(CachedJob("k", "test ! -e deps"));
  RunAll(std::move(jobs));
  EXPECT_EQ(Ended(0).status, model::Status::kFailed);
  EXPECT_EQ(Ended(1).status, model::Status::kSucceeded);
  // Nothing was made that could be saved, and that is no failure either.
  EXPECT_THAT(NotesOf(1),
              ElementsAre("cache 'k' not found", "cache 'k' not saved: no file matches 'deps'"));
}

TEST_F(JobFiles, ABrokenChunkIsAMissAndIsSavedAnew) {
  std::vector<model::JobSpec> jobs;
  jobs.push_back(CachedJob("k", kFill));
  jobs.push_back(CachedJob("k", kFill));
  jobs.push_back(CachedJob("k", "grep fresh deps/a"));
  SetPlan(std::move(jobs));
  runner().Dispatch(For(0));
  RunUntilEnded(1);
  const base::Digest file = base::Sha256("fresh\n");
  std::ofstream(ChunkPath(file), std::ios::binary) << "Fresh\n";
  runner().Dispatch(For(1));
  RunUntilEnded(2);
  runner().Dispatch(For(2));
  RunUntilEnded(3);
  ExpectAllWell(3);
  EXPECT_THAT(NotesOf(1), ElementsAre(HasSubstr("cache 'k' not restored: chunk"),
                                      "cache 'k' saved: 1 file, 6 bytes"));
  EXPECT_THAT(NotesOf(2), ElementsAre("cache 'k' restored: 1 file, 6 bytes"));
}

TEST_F(JobFiles, OneThatDoesNotMoveIsGivenUp) {
  model::Artifact content{.name = "k", .manifest = base::Sha256("m"), .bytes = 1, .files = 1};
  ASSERT_EQ(caches_->Add(store::caches::ScopesOf(context_).own, content), base::OkStatus());
  StuckArchive stuck(*store_);
  options_.archive = &stuck;
  options_.cache_stall_time = std::chrono::milliseconds(1);
  std::vector<model::JobSpec> jobs;
  jobs.push_back(CachedJob("k", "test ! -e deps"));
  RunAll(std::move(jobs));
  ExpectAllWell(1);
  EXPECT_THAT(NotesOf(0)[0], HasSubstr("not restored: too few bytes moved for too long"));
  CloseRunner();
}

TEST_F(JobFiles, NeitherASecretNorALinkOutOfTheWorkspaceGetsIn) {
  secrets_.values["TOKEN"] = "hunter22";
  std::vector<model::JobSpec> jobs;
  jobs.push_back(CachedJob("k-${{ secrets.TOKEN }}", "mkdir deps; touch deps/a"));
  jobs.push_back(
      CachedJob("link", "mkdir $TMPDIR/out; echo x > $TMPDIR/out/a; ln -s $TMPDIR/out deps"));
  jobs.push_back(CachedJob("link", "test ! -e deps/a"));
  RunAll(std::move(jobs));
  ExpectAllWell(3);
  EXPECT_THAT(NotesOf(0),
              ElementsAre(HasSubstr("a cache is left out: the key holds the value of")));
  EXPECT_THAT(caches_->List(), ::testing::SizeIs(1));  // the link itself, and nothing behind it
}

TEST_F(JobFiles, ABranchSeesItsOwnAndTheMainLine) {
  std::vector<model::JobSpec> jobs;
  jobs.push_back(CachedJob("main", kFill));
  jobs.push_back(CachedJob("topic", "grep fresh deps/a && echo own >> deps/a", {"main"}));
  jobs.push_back(CachedJob("topic", "test ! -e deps"));
  SetPlan(std::move(jobs));
  for (std::uint32_t i = 0; i < 3; ++i) {
    context_.branch = i == 1 ? "topic" : "main";
    runner().Dispatch(For(i));
    RunUntilEnded(i + 1);
  }
  ExpectAllWell(3);
}

TEST_F(JobFiles, WithoutAnyIndexAJobGoesOn) {
  options_.caches_of = nullptr;
  std::vector<model::JobSpec> jobs;
  jobs.push_back(CachedJob("k", kFill));
  RunAll(std::move(jobs));
  ExpectAllWell(1);
  EXPECT_THAT(NotesOf(0), ElementsAre("cache 'k' is left out: nothing here keeps caches"));
}

// ---- reports

TEST_F(JobFiles, ReportsAreReadAlsoWhenTheJobFails) {
  secrets_.values["TOKEN"] = "hunter22";
  model::JobSpec job =
      Job("job",
          {Step("echo ${{ secrets.TOKEN }} > /dev/null; mkdir out; "
                "echo \"<testsuite><testcase classname='Sum' name='Adds' time='0.5'/>"
                "<testcase classname='Sum' name='Carries'><failure message='got hunter22'>"
                "$DAYFLY_WORKSPACE/sum.cc:7: boom</failure></testcase></testsuite>\" > out/a.xml; "
                "echo '<oops' > out/b.xml; exit 1")});
  job.rare->junit_reports = {"out/*.xml", "missing.xml"};
  std::vector<model::JobSpec> jobs;
  jobs.push_back(std::move(job));
  RunAll(std::move(jobs));
  const model::ReportEnded ended = Ended(0);
  EXPECT_EQ(ended.status, model::Status::kFailed);
  ASSERT_TRUE(ended.remarks.tests.has_value());
  const model::TestTotals& totals = *ended.remarks.tests;
  EXPECT_EQ(totals.tests, 2U);
  EXPECT_EQ(totals.failed, 1U);
  EXPECT_EQ(totals.problems, 2U);
  EXPECT_EQ(totals.took, std::chrono::milliseconds(500));
  EXPECT_THAT(totals.failures, ElementsAre("Sum.Carries"));
  const auto document = store_->Get(totals.document);
  ASSERT_TRUE(document.ok()) << document.status();
  EXPECT_THAT(*document, ::testing::Not(HasSubstr("hunter22")));
  const auto results = reports::DecodeTestDocument(*document);
  ASSERT_TRUE(results.ok());
  EXPECT_EQ(results->cases[1].message, "got ***");
  EXPECT_EQ(results->cases[1].file, "sum.cc");
  EXPECT_EQ(results->cases[1].line, 7U);
  EXPECT_THAT(results->problems,
              ElementsAre(HasSubstr("out/b.xml: is not XML"), "no file matches 'missing.xml'"));
}

TEST_F(JobFiles, WithoutReportsThereAreNoResults) {
  RunAll([] {
    std::vector<model::JobSpec> jobs;
    jobs.push_back(Job("job", {Step("true")}));
    return jobs;
  }());
  EXPECT_TRUE(Ended(0).remarks.empty());
  EXPECT_THAT(NotesOf(0), IsEmpty());
}

}  // namespace
}  // namespace agents::runner

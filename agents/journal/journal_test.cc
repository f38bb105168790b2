// SPDX-License-Identifier: Apache-2.0
#include "agents/journal/journal.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "tests/support/plan_builder.h"
#include "tests/support/temp_folder.h"

namespace agents::journal {
namespace {

namespace model = engine::model;
using core::AttemptState;

model::Lease LeaseOf(std::uint32_t job, std::uint64_t run = 5) {
  return {.key = {.run = model::RunId(run), .job = model::JobIndex(job), .attempt = 1},
          .worker = model::WorkerId(1),
          .session = model::SessionId(2)};
}

class JournalTest : public ::testing::Test {
 protected:
  JournalTest() {
    tests::support::PlanBuilder builder;
    builder.Job("only").Run("true");
    plan_ = builder.Build();
  }

  Journal::Opened Open(const std::string& boot = "boot") {
    auto opened = Journal::Open(folder_.path(), boot);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }
  void Accept(Journal& journal, std::uint32_t job, std::uint64_t run = 5) const {
    model::Assignment assignment;
    assignment.lease = LeaseOf(job, run);
    assignment.plan = plan_;
    assignment.context = std::make_shared<const model::RunContext>();
    EXPECT_TRUE(journal.NoteAssignment(assignment).ok());
    Move(journal, job, AttemptState::kQueued, run);
  }
  static void Move(Journal& journal, std::uint32_t job, AttemptState to, std::uint64_t run = 5) {
    EXPECT_TRUE(journal.Note(core::Fact(core::AttemptMoved{LeaseOf(job, run), to})).ok());
  }
  static core::SessionFact Report(std::uint32_t job) {
    return core::ReportHeld{{LeaseOf(job), {model::ReportStarted{.slot = job}}}};
  }
  static std::vector<std::uint32_t> ReportedJobs(const Recovered& recovered) {
    std::vector<std::uint32_t> jobs;
    for (const core::SessionFact& fact : recovered.session) {
      if (const auto* held = std::get_if<core::ReportHeld>(&fact)) {
        jobs.push_back(held->report.lease.key.job.value());
      }
    }
    return jobs;
  }
  std::string File() const { return folder_.File("journal"); }

  tests::support::TempFolder folder_;
  model::PlanRef plan_;
};

/// One attempt in each state, a session, and three reports of which the oldest is forgotten.
class Filled : public JournalTest {
 protected:
  void Fill() {
    auto opened = Open();
    Journal& journal = *opened.journal;
    EXPECT_TRUE(journal.Note(core::SessionFact(core::SessionBegun{model::SessionId(2)})).ok());
    for (std::uint32_t job = 1; job <= 4; ++job) {
      Accept(journal, job);
    }
    for (std::uint32_t job = 2; job <= 4; ++job) {
      Move(journal, job, AttemptState::kRunning);
      EXPECT_TRUE(journal.Note(Report(job)).ok());
    }
    Move(journal, 3, AttemptState::kHeld);
    Move(journal, 4, AttemptState::kHeld);
    Move(journal, 4, AttemptState::kDone);
    EXPECT_TRUE(journal.Note(core::SessionFact(core::ReportsForgotten{1})).ok());
  }
  static void ExpectFilled(const Recovered& recovered) {
    for (std::uint32_t job = 1; job <= 4; ++job) {
      EXPECT_EQ(recovered.ledger.StateOf(LeaseOf(job).key), static_cast<AttemptState>(job));
    }
    EXPECT_EQ(recovered.assignments.size(), 2U) << "of the queued and the running one";
    EXPECT_EQ(recovered.assignments.at(LeaseOf(2).key).plan->name, "test");
    ASSERT_FALSE(recovered.session.empty());
    EXPECT_EQ(std::get<core::SessionBegun>(recovered.session[0]).session, model::SessionId(2));
    EXPECT_EQ(ReportedJobs(recovered), (std::vector<std::uint32_t>{3, 4}));
  }
};

TEST_F(Filled, TheNextLifeKnowsIt) {
  Fill();
  const auto again = Open();
  ExpectFilled(again.recovered);
  EXPECT_FALSE(again.recovered.rebooted);
}

TEST_F(Filled, CompactingLosesNothingAndIsSmaller) {
  Fill();
  const auto before = std::filesystem::file_size(File());
  Open().journal->Compact();
  EXPECT_LT(std::filesystem::file_size(File()), before);
  ExpectFilled(Open().recovered);
}

TEST_F(Filled, AnotherBootIsNoticedOnce) {
  Fill();
  EXPECT_TRUE(Open("another").recovered.rebooted);
  EXPECT_FALSE(Open("another").recovered.rebooted);
}

TEST_F(JournalTest, AWipedFolderIsANewBeginning) {
  const auto opened = Open();
  EXPECT_FALSE(opened.recovered.rebooted);
  EXPECT_TRUE(opened.recovered.session.empty());
  EXPECT_EQ(opened.recovered.ledger.size(), 0U);
}

TEST_F(Filled, TornAnywhereItTellsOfAnEarlierMoment) {
  Fill();
  std::ifstream file(File(), std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::size_t known = 0;
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    std::ofstream(File(), std::ios::binary | std::ios::trunc) << whole.substr(0, length);
    const Recovered recovered = Open().recovered;
    EXPECT_GE(recovered.ledger.size(), known) << length;
    known = recovered.ledger.size();
    for (const AttemptState state : {AttemptState::kQueued, AttemptState::kRunning}) {
      for (const model::Lease& lease : recovered.ledger.In(state)) {
        EXPECT_TRUE(recovered.assignments.contains(lease.key)) << length;
      }
    }
  }
  EXPECT_EQ(known, 4U);
}

TEST_F(JournalTest, ARunThatIsForgottenLeavesNothing) {
  {
    auto opened = Open();
    Accept(*opened.journal, 1, 5);
    Accept(*opened.journal, 1, 6);
    EXPECT_TRUE(opened.journal->Note(core::Fact(core::RunDropped{model::RunId(5)})).ok());
  }
  const Recovered recovered = Open().recovered;
  EXPECT_EQ(recovered.ledger.size(), 1U);
  EXPECT_EQ(recovered.assignments.size(), 1U);
}

TEST_F(JournalTest, ItStaysSmallHoweverManyAttemptsPass) {
  auto opened = Open();
  constexpr std::uint32_t kAttempts = 60'000;
  for (std::uint32_t job = 0; job < kAttempts; ++job) {
    Accept(*opened.journal, job);
    Move(*opened.journal, job, AttemptState::kRunning);
    Move(*opened.journal, job, AttemptState::kHeld);
    Move(*opened.journal, job, AttemptState::kDone);
  }
  opened.journal.reset();
  EXPECT_LT(std::filesystem::file_size(File()), 4 * Journal::kRewriteBytes);
  EXPECT_EQ(Open().recovered.ledger.StateOf(LeaseOf(kAttempts - 1).key), AttemptState::kDone);
}

}  // namespace
}  // namespace agents::journal

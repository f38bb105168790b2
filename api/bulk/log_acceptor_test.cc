// SPDX-License-Identifier: Apache-2.0
#include "api/bulk/log_acceptor.h"

#include <deque>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "engine/base/checksum.h"
#include "store/memory/memory_logs.h"
#include "tests/support/faulty_log_sink.h"

namespace api::bulk {
namespace {

namespace model = engine::model;
namespace pb = dayfly::v1;

const model::AttemptKey kAttempt{.run = model::RunId(5), .job = model::JobIndex(1), .attempt = 1};
const model::WorkerId kWorker(7);

class LogAcceptorTest : public ::testing::Test {
 protected:
  LogAcceptorTest() {
    grants_.Open({.key = kAttempt, .worker = kWorker}, {.steps = 2});
    grants_.KnowRun(kAttempt.run);
  }

  template <typename Message>
  static Message Of(std::uint32_t step) {
    Message message;
    message.mutable_attempt()->set_run_id(5);
    message.mutable_attempt()->set_job(1);
    message.mutable_attempt()->set_attempt(1);
    message.set_step(step);
    return message;
  }
  /// What is answered to a batch.
  std::vector<pb::LogAcknowledged> Batch(std::uint64_t offset, const std::string& data,
                                         std::uint32_t step = 0, model::WorkerId worker = kWorker) {
    auto batch = Of<pb::LogBatch>(step);
    batch.set_offset(offset);
    batch.set_data(data);
    acceptor_.OnBatch(worker, batch, answer_);
    return Answers();
  }
  std::vector<pb::LogAcknowledged> End(const std::string& text, std::uint32_t checksum) {
    auto end = Of<pb::LogEnd>(0);
    end.set_length(text.size());
    end.set_checksum(checksum);
    acceptor_.OnEnd(kWorker, end, answer_);
    return Answers();
  }
  std::vector<pb::LogAcknowledged> End(const std::string& text) {
    return End(text, engine::base::Crc32(0, text));
  }
  std::vector<pb::LogAcknowledged> Cut(std::uint64_t length) {
    auto end = Of<pb::LogEnd>(0);
    end.set_length(length);
    acceptor_.OnCut(kWorker, end, answer_);
    return Answers();
  }
  model::LogMarks Marks() {
    return *logs_.Marks({.attempt = kAttempt, .step = model::StepIndex(0)});
  }
  std::vector<pb::LogAcknowledged> Answers() {
    while (!posted_.empty()) {
      const auto work = std::move(posted_.front());
      posted_.pop_front();
      work();
    }
    return std::exchange(answers_, {});
  }

  std::deque<std::function<void()>> posted_;
  store::memory::MemoryLogs logs_{[this](auto work) { posted_.push_back(std::move(work)); }};
  tests::support::LogFault fault_ = tests::support::LogFault::kNone;
  tests::support::FaultyLogSink sink_{logs_, [this] { return fault_; }};
  ChunkGrants grants_;
  std::vector<model::RunId> looked_up_;
  LogAcceptor acceptor_{sink_, grants_, [this](model::RunId run) { looked_up_.push_back(run); }};
  std::vector<pb::LogAcknowledged> answers_;
  LogAcceptor::Answer answer_ = [this](pb::LogAcknowledged told) {
    answers_.push_back(std::move(told));
  };
};

TEST_F(LogAcceptorTest, AcknowledgesWhatIsDurableAndThenWhatIsArchived) {
  const auto first = Batch(0, "abc");
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].received(), 3u);
  EXPECT_EQ(first[0].archived(), 0u);
  const auto end = End("abc");
  ASSERT_FALSE(end.empty());
  EXPECT_EQ(end.back().archived(), 3u);
  EXPECT_TRUE(end.back().complete());
}

TEST_F(LogAcceptorTest, AGapIsAnsweredWithWhereToGoOn) {
  Batch(0, "abc");
  const auto told = Batch(5, "f");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].received(), 3u);
  EXPECT_FALSE(told[0].unwanted());
  EXPECT_EQ(End("abcdef")[0].received(), 3u);
}

TEST_F(LogAcceptorTest, LogsOfOthersAndOfNoStepAreUnwanted) {
  EXPECT_TRUE(Batch(0, "abc", 0, model::WorkerId(8))[0].unwanted());
  EXPECT_TRUE(Batch(0, "abc", 2)[0].unwanted());
  EXPECT_EQ(logs_.Marks({.attempt = kAttempt, .step = model::StepIndex(0)})->received, 0u);
}

TEST_F(LogAcceptorTest, NothingIsRefusedOfARunBeforeItWasLookedUp) {
  grants_.ForgetRun(kAttempt.run);
  EXPECT_TRUE(Batch(0, "abc").empty());
  EXPECT_EQ(looked_up_, std::vector<model::RunId>{kAttempt.run});
  grants_.KnowRun(kAttempt.run);
  EXPECT_TRUE(Batch(0, "abc")[0].unwanted());
}

TEST_F(LogAcceptorTest, BytesBehindTheEndAreUnwanted) {
  Batch(0, "abc");
  End("abc");
  EXPECT_TRUE(Batch(3, "d")[0].unwanted());
  EXPECT_TRUE(End("ab")[0].unwanted());
  EXPECT_TRUE(End("abc").back().complete());
}

TEST_F(LogAcceptorTest, ADamagedLogIsDoneWith) {
  Batch(0, "abc");
  EXPECT_TRUE(End("abc", 1).back().complete());
}

TEST_F(LogAcceptorTest, AWorkerThatComesBackMayCompleteALogThatWasCut) {
  Batch(0, "abc");
  sink_.Abandon({.attempt = kAttempt, .step = model::StepIndex(0)}, 0);
  const auto told = Batch(0, "abc");
  EXPECT_EQ(told[0].received(), 3u);
  EXPECT_FALSE(told[0].complete()) << "it would forget the rest";
  Batch(3, "def");
  EXPECT_TRUE(End("abcdef").back().complete());
}

TEST_F(LogAcceptorTest, ALogOfAWorkerThatIsGoneIsCutBehindWhatIsLeft) {
  EXPECT_EQ(Cut(3)[0].received(), 0u) << "its bytes come first";
  Batch(0, "abc");
  EXPECT_TRUE(Cut(3).back().complete());
  EXPECT_TRUE(Marks().cut);
}

TEST_F(LogAcceptorTest, ALogOfWhichLessIsLeftThanIsHereIsCutWhereItIs) {
  Batch(0, "abc");
  EXPECT_TRUE(Cut(2)[0].unwanted());
  EXPECT_EQ(Marks().received, 3u);
  EXPECT_TRUE(Marks().cut);
}

TEST_F(LogAcceptorTest, NothingIsAnsweredWhileThereIsNoRoom) {
  fault_ = tests::support::LogFault::kFull;
  EXPECT_TRUE(Batch(0, "abc").empty());
  fault_ = tests::support::LogFault::kNone;
  EXPECT_EQ(Batch(0, "abc")[0].received(), 3u);
}

}  // namespace
}  // namespace api::bulk

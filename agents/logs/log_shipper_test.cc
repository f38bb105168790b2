// SPDX-License-Identifier: Apache-2.0
// A keeper's spool, the shipper, and a server that says what the test wants.
#include "agents/logs/log_shipper.h"

#include <filesystem>
#include <functional>
#include <memory>

#include <boost/asio/post.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/checksum.h"
#include "executors/sandboxes/log_spool.h"
#include "store/logs/segment_reader.h"
#include "tests/support/temp_folder.h"

namespace agents::logs {
namespace {

namespace fs = std::filesystem;
namespace model = engine::model;
using executors::sandboxes::LogSpool;

model::LogKey Key(std::uint64_t run, std::uint32_t step = 0) {
  return {.attempt = {.run = model::RunId(run), .job = model::JobIndex(0), .attempt = 1},
          .step = model::StepIndex(step)};
}

class LogShipperTest : public ::testing::Test {
 protected:
  LogShipperTest() {
    fs::create_directory(folder_.File("logs"));
    Restart();
    shipper_->Connected();
  }

  /// Another agent on the same spool.
  void Restart() {
    shipper_.reset();
    shipper_ = std::make_unique<LogShipper>(
        io_, LogShipperOptions{
                 .folder = folder_.File("logs"),
                 .notes = folder_.File("unshipped"),
                 .spool = &reader_,
                 .send_bytes = [this](const auto& key, std::uint64_t offset,
                                      std::string bytes) { Take(key, offset, bytes); },
                 .send_end = [this](const auto& key, const auto& end) { TakeEnd(key, end); },
                 .shipping = {}});
    ASSERT_TRUE(shipper_->Open().ok());
  }

  // The server.
  void Take(const model::LogKey& key, std::uint64_t offset, const std::string& bytes) {
    std::string& text = received_[key];
    EXPECT_LE(offset, text.size());
    text = text.substr(0, offset) + bytes;
    Answer(key);
  }
  void TakeEnd(const model::LogKey& key, const model::LogEnd& end) {
    ends_[key] = end;
    Answer(key);
  }
  void Answer(const model::LogKey& key) {
    if (!answers_) {
      return;
    }
    boost::asio::post(io_, [this, key] {
      const std::uint64_t received = received_[key].size();
      shipper_->Answered(key, {.received = received,
                               .archived = archives_ ? received : 0,
                               .complete = archives_ && ends_.contains(key)});
    });
  }

  // The step.
  void Begin(const model::LogKey& key) {
    shipper_->StepStarted(0, key);
    spool_.Begin({.job = 0, .attempt = 1, .step = key.step.value()}, 0);
  }
  void Print(const std::string& text) { spool_.Append(text); }
  void End(const model::LogKey& key) {
    const auto finished = spool_.Finish();
    shipper_->StepEnded(0, key, finished.log);
  }
  void RunUntil(const std::function<bool()>& done) {
    io_.restart();
    while (!done() && io_.run_one() > 0) {
    }
  }
  std::size_t Segments() const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(folder_.File("logs"))) {
      count += entry.path().extension() == ".seg" ? 1 : 0;
    }
    return count;
  }

  tests::support::TempFolder folder_;
  boost::asio::io_context io_;
  store::logs::SegmentReader reader_{folder_.File("logs")};
  LogSpool spool_{folder_.File("logs"), 0, {.segment_bytes_max = 1000, .spool_bytes_max = 0}};
  std::map<model::LogKey, std::string> received_;
  std::map<model::LogKey, model::LogEnd> ends_;
  bool answers_ = true;
  bool archives_ = true;
  std::unique_ptr<LogShipper> shipper_;
};

TEST_F(LogShipperTest, ShipsWhileAStepPrintsAndThenItsEnd) {
  Begin(Key(1));
  Print("one\n");
  RunUntil([&] { return received_[Key(1)] == "one\n"; });
  Print("two\n");
  RunUntil([&] { return received_[Key(1)] == "one\ntwo\n"; });
  EXPECT_FALSE(shipper_->IsDone());
  End(Key(1));
  RunUntil([&] { return shipper_->IsDone(); });
  EXPECT_EQ(ends_.at(Key(1)),
            (model::LogEnd{.length = 8, .checksum = engine::base::Crc32(0, "one\ntwo\n")}));
}

TEST_F(LogShipperTest, AStepThatPrintsNothingHasNoLog) {
  Begin(Key(1));
  End(Key(1));
  EXPECT_TRUE(shipper_->IsDone());
  EXPECT_TRUE(ends_.empty());
}

TEST_F(LogShipperTest, StepsOfTwoRunsWithTheSameTagAreTwoLogs) {
  for (const std::uint64_t run : {1U, 2U, 3U}) {
    Begin(Key(run));
    io_.poll();  // the record of the one before is still there
    Print("of run " + std::to_string(run));
    RunUntil([&] { return !received_[Key(run)].empty(); });
    End(Key(run));
  }
  RunUntil([&] { return shipper_->IsDone(); });
  EXPECT_EQ(received_.at(Key(2)), "of run 2");
  EXPECT_EQ(received_.at(Key(3)), "of run 3");
}

TEST_F(LogShipperTest, GoesOnAfterACut) {
  Begin(Key(1));
  Print("one");
  RunUntil([&] { return received_[Key(1)] == "one"; });
  shipper_->Disconnected();
  Print("two");
  End(Key(1));
  io_.poll();
  EXPECT_EQ(received_.at(Key(1)), "one");
  shipper_->Connected();
  RunUntil([&] { return shipper_->IsDone(); });
  EXPECT_EQ(received_.at(Key(1)), "onetwo");
}

TEST_F(LogShipperTest, ARestartedAgentShipsWhatItsPredecessorHeld) {
  answers_ = false;
  Begin(Key(1));
  Print("ended before");
  End(Key(1));
  Begin(Key(1, 1));
  Print("runs ");
  Restart();
  answers_ = true;
  received_.clear();
  shipper_->StepStarted(0, Key(1, 1));
  shipper_->Connected();
  Print("on");
  RunUntil([&] { return received_[Key(1, 1)] == "runs on"; });
  End(Key(1, 1));
  RunUntil([&] { return shipper_->IsDone(); });
  EXPECT_EQ(received_.at(Key(1)), "ended before");
  EXPECT_EQ(ends_.size(), 2u);
}

TEST_F(LogShipperTest, OfAStepWhoseWorkerIsGoneTheRestIsShippedAndCut) {
  Begin(Key(1));
  Print("whole\n");
  End(Key(1));
  Begin(Key(2));
  Print("sent, ");
  RunUntil([&] { return received_[Key(2)] == "sent, "; });
  shipper_->Disconnected();
  Print("and not sent\n");
  Restart();
  shipper_->CutWhatRan();
  EXPECT_FALSE(shipper_->IsDone());
  shipper_->Connected();
  RunUntil([&] { return shipper_->IsDone(); });
  EXPECT_EQ(received_.at(Key(2)), "sent, and not sent\n");
  EXPECT_EQ(ends_.at(Key(2)), (model::LogEnd{.length = 19, .cut = true}));
  EXPECT_FALSE(ends_.at(Key(1)).cut);
}

TEST_F(LogShipperTest, ARunningLogGoesOnWhenItsBeginningIsArchivedAndGone) {
  Begin(Key(1));
  std::string all;
  while (all.empty() || fs::exists(folder_.File("logs/" + model::SegmentFileName(0)))) {
    Print(std::string(600, 'x'));
    all += std::string(600, 'x');
    RunUntil([&] { return received_[Key(1)] == all; });
  }
  Restart();
  shipper_->StepStarted(0, Key(1));
  shipper_->Connected();
  Print("more, ");
  all += "more, ";
  RunUntil([&] { return received_[Key(1)] == all; });
  shipper_->Disconnected();
  Print("and the rest");
  all += "and the rest";
  Restart();
  shipper_->CutWhatRan();
  shipper_->Connected();
  RunUntil([&] { return shipper_->IsDone(); });
  EXPECT_TRUE(received_[Key(1)] == all);
  EXPECT_EQ(ends_.at(Key(1)), (model::LogEnd{.length = all.size(), .cut = true}));
}

TEST_F(LogShipperTest, OfALogWhoseBeginningIsArchivedAndGoneTheRestIsShipped) {
  Begin(Key(1));
  Print(std::string(2500, 'x'));
  RunUntil([&] { return received_[Key(1)].size() == 2500 && Segments() == 1; });
  shipper_->Disconnected();
  Print("rest");
  End(Key(1));
  Restart();
  shipper_->Connected();
  RunUntil([&] { return shipper_->IsDone(); });
  EXPECT_EQ(received_.at(Key(1)).size(), 2504u);
  EXPECT_THAT(ends_.at(Key(1)).lost, testing::IsEmpty());
}

TEST_F(LogShipperTest, OfAStepThatPrintedNothingYetNothingIsCut) {
  Begin(Key(1));
  Print("whole\n");
  End(Key(1));
  RunUntil([&] { return shipper_->IsDone(); });
  shipper_->StepStarted(0, Key(2));  // the keeper's last word is of the other, under the same tag
  Restart();
  shipper_->CutWhatRan();
  EXPECT_TRUE(shipper_->IsDone());
}

TEST_F(LogShipperTest, TheSpoolIsFreedOnlyOfWhatIsArchived) {
  archives_ = false;
  Begin(Key(1));
  for (int i = 0; i < 10; ++i) {
    Print(std::string(1000, 'x'));
  }
  RunUntil([&] { return received_[Key(1)].size() == 10'000; });
  EXPECT_EQ(Segments(), 10u);
  archives_ = true;
  Print("y");
  RunUntil([&] { return received_[Key(1)].size() == 10'001; });
  RunUntil([&] { return Segments() == 1; });
  // It goes on in what is left.
  Print(std::string(1500, 'z'));
  End(Key(1));
  RunUntil([&] { return shipper_->IsDone(); });
  EXPECT_EQ(received_.at(Key(1)).size(), 11'501u);
  EXPECT_EQ(ends_.at(Key(1)).checksum, engine::base::Crc32(0, received_.at(Key(1))));
}

TEST_F(LogShipperTest, WhatCannotBeReadIsNamed) {
  answers_ = false;
  shipper_->Disconnected();
  Begin(Key(1));
  Print(std::string(2500, 'x'));
  End(Key(1));
  fs::remove(folder_.File("logs/" + model::SegmentFileName(0)));
  answers_ = true;
  shipper_->Connected();
  RunUntil([&] { return shipper_->IsDone(); });
  EXPECT_THAT(ends_.at(Key(1)).lost, testing::ElementsAre(model::ByteRange{0, 2500}));
}

}  // namespace
}  // namespace agents::logs

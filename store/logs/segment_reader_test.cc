// SPDX-License-Identifier: Apache-2.0
#include "store/logs/segment_reader.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "engine/base/checksum.h"

namespace store::logs {
namespace {

using engine::base::InstantFromMicros;
using engine::model::LiveLog;
using engine::model::LogTag;
using engine::model::ReadTime;
using engine::model::SegmentNumber;
using engine::model::StepLog;

class SegmentReaderTest : public ::testing::Test {
 protected:
  SegmentReaderTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "dayfly-logs-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~SegmentReaderTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, std::string_view bytes) {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << bytes;
  }
  void WriteSegment(std::uint32_t segment, std::string_view bytes) {
    Write(engine::model::SegmentFileName(segment), bytes);
  }
  void WriteTimes(std::uint32_t segment, const std::vector<ReadTime>& times) {
    std::string bytes;
    for (const auto& time : times) {
      const auto entry = engine::model::EncodeReadTime(time);
      bytes.append(entry.data(), entry.size());
    }
    Write(engine::model::SegmentIndexName(segment), bytes);
  }
  void WriteLive(const LiveLog& log) {
    const auto record = engine::model::EncodeLiveLog(log);
    Write(engine::model::LiveLogName(2), {record.data(), record.size()});
  }

  void WriteCut(const std::vector<LiveLog>& logs) {
    std::string bytes;
    for (const LiveLog& log : logs) {
      const auto record = engine::model::EncodeLiveLog(log);
      bytes.append(record.data(), record.size());
    }
    Write(engine::model::CutLogsName(2), bytes + "torn");
  }

  std::string folder_;
  const std::uint32_t a_ = SegmentNumber(2, 7);
  const std::uint32_t b_ = SegmentNumber(2, 8);
  /// "cdefgXY" in two ranges.
  const StepLog log_{.ranges = {{a_, 2, 5}, {b_, 0, 2}},
                     .checksum = engine::base::Crc32(0, "cdefgXY")};
};

TEST_F(SegmentReaderTest, ReadsOverRangesAsOneOffsetSpace) {
  WriteSegment(a_, "abcdefg");
  WriteSegment(b_, "XYZ");
  SegmentReader reader(folder_);
  EXPECT_EQ(LogLength(log_), 7U);
  EXPECT_EQ(*reader.Read(log_, 0, 100), "cdefgXY");
  EXPECT_EQ(*reader.Read(log_, 3, 3), "fgX");
  EXPECT_EQ(*reader.Read(log_, 5, 1), "X");
  EXPECT_EQ(*reader.Read(log_, 7, 10), "");
  EXPECT_EQ(*reader.Read(log_, 99, 10), "");
  EXPECT_EQ(*reader.Read(StepLog{}, 0, 10), "");
}

TEST_F(SegmentReaderTest, NamesWhatIsMissing) {
  WriteSegment(a_, "abcd");
  SegmentReader reader(folder_);
  EXPECT_EQ(*reader.Read(log_, 0, 2), "cd");
  const auto torn = reader.Read(log_, 0, 5).status();
  EXPECT_EQ(torn.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(engine::base::Message(torn), "bytes 4 to 7 of " + folder_ + "/2-7.seg are missing");
  const auto absent = reader.Read(log_, 5, 2).status();
  EXPECT_EQ(absent.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(engine::base::Message(absent), "bytes 0 to 2 of " + folder_ + "/2-8.seg are missing");
}

TEST_F(SegmentReaderTest, VerifyNoticesAChangedByte) {
  WriteSegment(a_, "abcdefg");
  WriteSegment(b_, "XYZ");
  SegmentReader reader(folder_);
  EXPECT_TRUE(reader.Verify(log_).ok());
  EXPECT_TRUE(reader.Verify(StepLog{}).ok());
  WriteSegment(b_, "XyZ");
  EXPECT_EQ(reader.Verify(log_).code(), absl::StatusCode::kDataLoss);
}

TEST_F(SegmentReaderTest, TimesCountFromTheLogsBeginning) {
  WriteTimes(a_, {{0, InstantFromMicros(1)}, {2, InstantFromMicros(2)}, {4, InstantFromMicros(3)}});
  WriteTimes(b_, {{0, InstantFromMicros(4)}, {2, InstantFromMicros(5)}});
  SegmentReader reader(folder_);
  const std::vector<ReadTime> expected{
      {0, InstantFromMicros(2)}, {2, InstantFromMicros(3)}, {5, InstantFromMicros(4)}};
  EXPECT_EQ(reader.Times(log_), expected);
}

TEST_F(SegmentReaderTest, ALogWithoutAnIndexHasNoTimes) {
  WriteSegment(a_, "abcdefg");
  EXPECT_TRUE(SegmentReader(folder_).Times(log_).empty());
}

TEST_F(SegmentReaderTest, AGrowingLogEndsWithTheNewestSegment) {
  SegmentReader reader(folder_);
  EXPECT_EQ(reader.ReadLive(2).status().code(), absl::StatusCode::kNotFound);
  const LogTag tag{.job = 1, .attempt = 2, .step = 3};
  WriteSegment(a_, "abcdefg");
  WriteLive({.tag = tag, .growing = true, .begin_segment = a_, .begin_offset = 4});
  auto live = *reader.ReadLive(2);
  EXPECT_EQ(live.tag, tag);
  EXPECT_TRUE(live.growing);
  EXPECT_EQ(*reader.Read(live.log, 0, 100), "efg");

  WriteSegment(b_, "XYZ");
  live = *reader.ReadLive(2);
  EXPECT_EQ(*reader.Read(live.log, 0, 100), "efgXYZ");
}

TEST_F(SegmentReaderTest, AnEndedLogEndsWhereItsRecordSays) {
  WriteSegment(a_, "abcdefg");
  WriteSegment(b_, "XYZ");
  WriteLive({.growing = false,
             .begin_segment = a_,
             .begin_offset = 4,
             .end_segment = b_,
             .end_offset = 1});
  SegmentReader reader(folder_);
  const auto live = *reader.ReadLive(2);
  EXPECT_FALSE(live.growing);
  EXPECT_EQ(*reader.Read(live.log, 0, 100), "efgX");
}

TEST_F(SegmentReaderTest, FindsTheLaneOfALog) {
  const LogTag tag{.job = 1, .attempt = 2, .step = 3};
  SegmentReader reader(folder_);
  EXPECT_EQ(reader.FindLane(tag).status().code(), absl::StatusCode::kNotFound);
  WriteSegment(a_, "x");
  WriteLive({.tag = tag, .growing = true, .begin_segment = a_, .begin_offset = 0});
  EXPECT_EQ(*reader.FindLane(tag), 2U);
  EXPECT_FALSE(reader.FindLane({.job = 1, .attempt = 2, .step = 4}).ok());
}

TEST_F(SegmentReaderTest, ADamagedLiveRecordIsNamed) {
  Write(engine::model::LiveLogName(2), "nonsense");
  EXPECT_EQ(SegmentReader(folder_).ReadLive(2).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(SegmentReaderTest, FindsLogsWhoseEndNobodyTold) {
  WriteSegment(a_, "abcdefg");
  WriteSegment(b_, "XYZ");
  const LogTag first{.job = 1, .attempt = 1, .step = 0};
  const LogTag second{.job = 4, .attempt = 1, .step = 2};
  const LogTag newest{.job = 4, .attempt = 2, .step = 2};
  WriteCut({{.tag = first,
             .growing = false,
             .begin_segment = a_,
             .begin_offset = 0,
             .end_segment = a_,
             .end_offset = 3},
            {.tag = second,
             .growing = false,
             .begin_segment = a_,
             .begin_offset = 3,
             .end_segment = a_,
             .end_offset = 7}});
  WriteLive({.tag = newest,
             .growing = true,
             .begin_segment = b_,
             .begin_offset = 1,
             .end_segment = b_,
             .end_offset = 1});
  SegmentReader reader(folder_);
  EXPECT_EQ(*reader.Read(*reader.ReadCut(2, first), 0, 99), "abc");
  EXPECT_EQ(*reader.Read(*reader.ReadCut(2, second), 0, 99), "defg");
  EXPECT_EQ(*reader.Read(*reader.ReadCut(2, newest), 0, 99), "YZ");
  EXPECT_EQ(reader.ReadCut(2, {.job = 9, .attempt = 1, .step = 0}).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(reader.ReadCut(3, first).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace store::logs

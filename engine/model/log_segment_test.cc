// SPDX-License-Identifier: Apache-2.0
#include "engine/model/log_segment.h"

#include <gtest/gtest.h>

namespace engine::model {
namespace {

TEST(LogSegment, NumberHoldsSlotAndOrdinal) {
  const auto segment = SegmentNumber(7, 12);
  EXPECT_EQ(SegmentSlot(segment), 7U);
  EXPECT_EQ(SegmentOrdinal(segment), 12U);
  EXPECT_EQ(SegmentFileName(segment), "7-12.seg");
  EXPECT_EQ(SegmentIndexName(segment), "7-12.idx");
  EXPECT_EQ(SegmentFromFileName("7-12.seg"), segment);
}

TEST(LogSegment, OtherFileNamesAreNoSegments) {
  for (const char* name :
       {"", ".seg", "7.seg", "7-.seg", "-1.seg", "7-12.idx", "7-12.seg~", "a-1.seg", "07-1.seg",
        "7-+1.seg", "4096-0.seg", "0-1048576.seg", "99999999999-1.seg"}) {
    EXPECT_EQ(SegmentFromFileName(name), std::nullopt) << name;
  }
}

TEST(LogSegment, ReadTimeSurvivesTheRoundTrip) {
  const ReadTime time{.offset = 1ULL << 40, .at = base::InstantFromMicros(1'700'000'000'123'456)};
  const auto bytes = EncodeReadTime(time);
  EXPECT_EQ(DecodeReadTime(bytes), time);
}

TEST(LogSegment, ATornLiveRecordIsNoRecord) {
  const LiveLog log{.tag = {.job = 3, .attempt = 1, .step = 2},
                    .growing = true,
                    .begin_segment = SegmentNumber(1, 4),
                    .begin_offset = 4096};
  auto bytes = EncodeLiveLog(log);
  EXPECT_EQ(DecodeLiveLog({bytes.data(), bytes.size()}), log);
  EXPECT_EQ(DecodeLiveLog({bytes.data(), bytes.size() - 1}), std::nullopt);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto torn = bytes;
    torn[i] = static_cast<char>(torn[i] ^ 0x40);
    EXPECT_EQ(DecodeLiveLog({torn.data(), torn.size()}), std::nullopt) << i;
  }
}

}  // namespace
}  // namespace engine::model

// SPDX-License-Identifier: Apache-2.0
#include "store/logs/log_record.h"

#include <gtest/gtest.h>

namespace store::logs {
namespace {

LogRecord Sample() {
  return {.kind = RecordKind::kFrame,
          .log = {.attempt = {.run = engine::model::RunId(0x1122334455667788),
                              .job = engine::model::JobIndex(70'000),
                              .attempt = 3},
                  .step = engine::model::StepIndex(9)},
          .offset = 1ULL << 40,
          .length = 262144,
          .stored = 1234,
          .checksum = 0xdeadbeef};
}

TEST(LogRecord, ComesBackAsItWas) {
  const auto bytes = EncodeRecord(Sample());
  EXPECT_EQ(DecodeRecord({bytes.data(), bytes.size()}), Sample());
}

TEST(LogRecord, IsNothingWhenAnyBitDiffers) {
  const auto bytes = EncodeRecord(Sample());
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    auto changed = bytes;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(DecodeRecord({changed.data(), changed.size()}).has_value()) << bit;
  }
  EXPECT_FALSE(DecodeRecord({bytes.data(), bytes.size() - 1}).has_value());
}

TEST(LogRecord, EndsComeBackAsTheyWere) {
  const engine::model::LogEnd end{.length = 1ULL << 33,
                                  .checksum = 77,
                                  .truncated = true,
                                  .lost = {{1, 2}, {2, 1ULL << 33}},
                                  .cut = true,
                                  .damaged = true};
  EXPECT_EQ(DecodeEnd(EncodeEnd(end)), end);
  EXPECT_EQ(DecodeEnd(EncodeEnd({})), engine::model::LogEnd{});
  EXPECT_FALSE(DecodeEnd("short").has_value());
  EXPECT_FALSE(DecodeEnd(EncodeEnd(end) + "x").has_value());
}

}  // namespace
}  // namespace store::logs

// SPDX-License-Identifier: Apache-2.0
#include "store/codec/fact_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/sample_facts.h"

namespace store::codec {
namespace {

namespace base = engine::base;
namespace model = engine::model;
using testing::HasSubstr;
using tests::support::AnyFact;
using tests::support::FactsOfPlainJob;
using tests::support::OneOfEach;

constexpr model::RunId kRun(0x18c2f00000001234);

TEST(FactCodec, GivesBackEveryKindWithEveryMember) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    base::Random random(seed);
    const std::vector<model::Fact> facts = OneOfEach(random, kRun);
    const auto decoded = DecodeFacts(EncodeFacts(facts));
    ASSERT_TRUE(decoded.ok()) << decoded.status() << " seed " << seed;
    ASSERT_EQ(decoded->size(), facts.size());
    for (std::size_t i = 0; i < facts.size(); ++i) {
      ASSERT_TRUE((*decoded)[i] == facts[i]) << ToText(facts[i]) << " seed " << seed;
    }
  }
}

TEST(FactCodec, KeepsTheRunOfEachFactWhenRunsAndWorkersMix) {
  base::Random random(7);
  std::vector<model::Fact> facts;
  for (std::uint64_t i = 0; i < 400; ++i) {
    facts.push_back(AnyFact(random, random.Below(18), model::RunId(random.Below(3))));
  }
  const auto decoded = DecodeFacts(EncodeFacts(facts));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_TRUE(*decoded == facts);
}

TEST(FactCodec, AnEmptyListIsAList) {
  const auto decoded = DecodeFacts(EncodeFacts({}));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_TRUE(decoded->empty());
}

TEST(FactCodec, AppendsBehindWhatIsThere) {
  base::Random random(3);
  const std::vector<model::Fact> facts = OneOfEach(random, kRun);
  std::string out = "front";
  EncodeFactsTo(facts, out);
  EXPECT_EQ(out, "front" + EncodeFacts(facts));
}

TEST(FactCodec, SpendsFewBytesOnAPlainJob) {
  std::vector<model::Fact> facts;
  for (std::uint32_t job = 0; job < 100; ++job) {
    for (model::Fact& fact : FactsOfPlainJob(kRun, model::JobIndex(job),
                                             base::InstantFromMicros(1'700'000'000'000'000))) {
      facts.push_back(std::move(fact));
    }
  }
  const std::size_t bytes = EncodeFacts(facts).size();
  RecordProperty("bytes_per_job", static_cast<int>(bytes / 100));
  EXPECT_LT(bytes / 100, 90U);
}

TEST(FactCodec, NamesTheVersionThatIsTooNew) {
  std::string bytes = EncodeFacts({});
  bytes[0] = static_cast<char>(kFactsVersion + 1);
  const auto decoded = DecodeFacts(bytes);
  EXPECT_EQ(decoded.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(base::Message(decoded.status())), HasSubstr("version 2"));
}

TEST(FactCodec, FindsEveryDamagedByte) {
  base::Random random(11);
  const std::string bytes = EncodeFacts(OneOfEach(random, kRun));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x41);
    EXPECT_FALSE(DecodeFacts(damaged).ok()) << "byte " << i;
    if (i > 0) {
      EXPECT_EQ(DecodeFacts(damaged).status().code(), absl::StatusCode::kDataLoss) << "byte " << i;
    }
  }
}

TEST(FactCodec, FindsBytesThatAreMissing) {
  base::Random random(12);
  const std::string bytes = EncodeFacts(OneOfEach(random, kRun));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodeFacts(std::string_view(bytes).substr(0, size)).status().code(),
              absl::StatusCode::kDataLoss)
        << size << " bytes";
  }
}

TEST(SnapshotCodec, GivesBackWhatItTook) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    base::Random random(seed);
    const model::Snapshot snapshot{random.Next(), OneOfEach(random, kRun)};
    const auto decoded = DecodeSnapshot(EncodeSnapshot(snapshot));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_TRUE(*decoded == snapshot);
  }
}

TEST(SnapshotCodec, RefusesWhatIsNewerOrDamaged) {
  std::string bytes = EncodeSnapshot({42, {}});
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  EXPECT_EQ(DecodeSnapshot(bytes).status().code(), absl::StatusCode::kDataLoss);
  bytes[0] = 9;
  EXPECT_EQ(DecodeSnapshot(bytes).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(DecodeSnapshot("").status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace store::codec

// SPDX-License-Identifier: Apache-2.0
#include "agents/reports/test_document.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "engine/ports/artifact_store.h"

namespace agents::reports {
namespace {

namespace model = engine::model;
using model::TestOutcome;

model::TestResults Sample() {
  model::TestResults results;
  results.totals.tests = 2;
  results.totals.failed = 1;
  results.totals.problems = 1;
  results.totals.took = std::chrono::milliseconds(1500);
  results.cases = {{"Sum", "Adds", TestOutcome::kPassed, std::chrono::seconds(1), "", "", "", 0},
                   {"", "\"quoted\"\n", TestOutcome::kError, {}, "why", "long", "a.cc", 7}};
  results.problems = {"b.xml: is not XML"};
  return results;
}

TEST(TestDocument, ComesBackAsItWas) {
  const auto back = DecodeTestDocument(EncodeTestDocument(Sample()));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(*back, Sample());
}

TEST(TestDocument, FitsAChunkAndKeepsFailuresAndTheSlowest) {
  model::TestResults results;
  for (int i = 0; i < 120'000; ++i) {
    results.cases.push_back({"suite", "test " + std::to_string(i), TestOutcome::kPassed,
                             engine::base::Duration(i), "", "", "", 0});
  }
  results.cases[5].outcome = TestOutcome::kFailed;
  results.totals.tests = 120'000;
  const std::string document = EncodeTestDocument(results);
  EXPECT_LE(document.size(), engine::ports::kChunkBytesMax);
  const auto back = DecodeTestDocument(document);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->totals.tests, 120'000U);
  EXPECT_EQ(back->cases.size() + back->omitted, 120'000U);
  EXPECT_GT(back->omitted, 0U);
  EXPECT_EQ(back->cases.front().name, "test 5");
  EXPECT_EQ(back->cases.back().name, "test 119999");
}

TEST(TestDocument, DropsStoriesOfFailuresBeforeFailures) {
  model::TestResults results;
  for (int i = 0; i < 1000; ++i) {
    results.cases.push_back(
        {"s", std::to_string(i), TestOutcome::kFailed, {}, "m", std::string(16 << 10, 'd'), "", 0});
  }
  const auto back = DecodeTestDocument(EncodeTestDocument(results));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->cases.size(), 1000U);
  EXPECT_FALSE(back->cases.front().details.empty());
  EXPECT_TRUE(back->cases.back().details.empty());
}

TEST(TestDocument, RefusesWhatIsNone) {
  for (const char* text : {"", "x", "[]", "{}", "{\"version\":2}", "{\"version\":\"1\"}"}) {
    EXPECT_FALSE(DecodeTestDocument(text).ok()) << text;
  }
  const auto odd = DecodeTestDocument(
      R"({"version":1,"tests":-3,"took_us":18446744073709551615,"cases":[1,{"line":"x","name":[]}],"problems":{"a":1}})");
  ASSERT_TRUE(odd.ok());
  EXPECT_EQ(odd->cases.size(), 2U);
}

}  // namespace
}  // namespace agents::reports

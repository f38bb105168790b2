// SPDX-License-Identifier: Apache-2.0
// Every log that a release ever wrote replays to the state it meant then. See README.md.
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "engine/core/core.h"
#include "engine/core/state_text.h"
#include "store/codec/fact_codec.h"
#include "store/codec/plan_codec.h"
#include "tests/replay/golden_log.h"
#include "tests/support/golden.h"

namespace tests::replay {
namespace {

namespace fs = std::filesystem;
namespace base = engine::base;
namespace model = engine::model;
using engine::core::EngineCore;
using engine::core::StateText;

using Plans = std::map<model::PlanDigest, model::PlanRef>;

std::vector<std::string> LogNames() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(DAYFLY_SOURCE_DIR "/tests/replay/logs")) {
    if (entry.path().extension() == ".log") {
      names.push_back(entry.path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

void Apply(const std::vector<model::Fact>& facts, const Plans& plans, EngineCore& core) {
  for (const model::Fact& fact : facts) {
    const auto* accepted = std::get_if<model::RunAccepted>(&fact.body);
    core.Apply(fact, accepted == nullptr ? nullptr : plans.at(accepted->plan));
  }
}

class Replay : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const auto log = GoldenLogFromText(support::ReadFile(FileOf(".log")));
    ASSERT_TRUE(log.ok()) << log.status();
    for (const auto& [digest, bytes] : log->plans) {
      ASSERT_EQ(store::codec::DigestOfBytes(bytes), digest);
      const auto plan = store::codec::DecodePlan(bytes);
      ASSERT_TRUE(plan.ok()) << plan.status();
      plans_[digest] = *plan;
    }
    for (const auto& [run, bytes] : log->rows) {
      auto facts = store::codec::DecodeFacts(bytes);
      ASSERT_TRUE(facts.ok()) << facts.status();
      rows_.push_back(*std::move(facts));
    }
    ASSERT_FALSE(rows_.empty());
  }
  std::string FileOf(const std::string& suffix) const {
    return DAYFLY_SOURCE_DIR "/tests/replay/logs/" + GetParam() + suffix;
  }
  Plans plans_;
  std::vector<std::vector<model::Fact>> rows_;
};

TEST_P(Replay, SaysTheFactsThatItSaid) {
  std::string text;
  for (const std::vector<model::Fact>& row : rows_) {
    for (const model::Fact& fact : row) {
      text += base::FormatInstant(fact.at) + " " + ToText(fact) + "\n";
    }
  }
  support::ExpectGolden(FileOf(".facts"), text);
}

TEST_P(Replay, LeadsToTheStateThatItMeant) {
  EngineCore core;
  for (const std::vector<model::Fact>& row : rows_) {
    Apply(row, plans_, core);
  }
  support::ExpectGolden(FileOf(".state"), StateText(core.state()));
}

TEST_P(Replay, ThroughASnapshotAnywhereLeadsToTheSameState) {
  EngineCore straight;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    Apply(rows_[i], plans_, straight);
    if (i + 1 < rows_.size() && rows_[i + 1].front().at == rows_[i].back().at) {
      continue;  // of the same step, which is applied whole
    }
    const auto bytes = store::codec::EncodeSnapshot(straight.TakeSnapshot());
    const auto snapshot = store::codec::DecodeSnapshot(bytes);
    ASSERT_TRUE(snapshot.ok()) << snapshot.status();
    EngineCore loaded;
    Apply(snapshot->facts, plans_, loaded);
    ASSERT_EQ(StateText(loaded.state()), StateText(straight.state()));
  }
}

INSTANTIATE_TEST_SUITE_P(Logs, Replay, testing::ValuesIn(LogNames()),
                         [](const auto& name) { return name.param; });

// A fact that no golden log holds may be changed without anybody noticing.
TEST(GoldenLogs, HoldEveryKindOfFact) {
  std::set<std::size_t> kinds;
  for (const std::string& name : LogNames()) {
    const auto log = GoldenLogFromText(
        support::ReadFile(DAYFLY_SOURCE_DIR "/tests/replay/logs/" + name + ".log"));
    ASSERT_TRUE(log.ok()) << log.status();
    for (const auto& [run, bytes] : log->rows) {
      const auto facts = store::codec::DecodeFacts(bytes);
      ASSERT_TRUE(facts.ok()) << facts.status();
      for (const model::Fact& fact : *facts) {
        kinds.insert(fact.body.index());
      }
    }
  }
  for (std::size_t kind = 0; kind < std::variant_size_v<model::FactBody>; ++kind) {
    EXPECT_TRUE(kinds.contains(kind)) << "no golden log holds fact number " << kind;
  }
}

}  // namespace
}  // namespace tests::replay

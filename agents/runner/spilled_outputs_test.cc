// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/spilled_outputs.h"

#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/runner/read_outputs.h"

namespace agents::runner {
namespace {

namespace base = engine::base;
namespace model = engine::model;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr std::size_t kInline = 64 << 10;

std::string Json(std::size_t bytes, char letter = 'x') {
  return '"' + std::string(bytes - 2, letter) + '"';
}

std::vector<std::string> NamesOf(const auto& outputs) {
  std::vector<std::string> names;
  for (const auto& output : outputs) {
    names.push_back(output.name);
  }
  return names;
}

TEST(SortOutputs, SpillsWhatIsLargerThanTheLimit) {
  const auto sorted =
      SortOutputs({{"small", "1"}, {"fits", Json(kInline)}, {"large", Json(kInline + 1)}}, {});
  ASSERT_TRUE(sorted.ok()) << sorted.status();
  EXPECT_THAT(NamesOf(sorted->kept), ElementsAre("small", "fits"));
  ASSERT_THAT(NamesOf(sorted->spilled), ElementsAre("large"));
  EXPECT_EQ(sorted->spilled[0].bytes, kInline + 1);
  EXPECT_EQ(sorted->texts.at(sorted->spilled[0].document), Json(kInline + 1));
}

TEST(SortOutputs, SpillsTheLargestWhenAllAreTooMuch) {
  std::vector<model::NamedValue> outputs;
  for (int i = 0; i < 33; ++i) {
    outputs.push_back({"o" + std::to_string(i), Json(kInline - static_cast<std::size_t>(i))});
  }
  const auto sorted = SortOutputs(outputs, {});
  ASSERT_TRUE(sorted.ok()) << sorted.status();
  EXPECT_THAT(NamesOf(sorted->spilled), ElementsAre("o0"));
  EXPECT_EQ(sorted->kept.size(), 32U);
}

TEST(SortOutputs, NeverSpillsWhatTheEngineReads) {
  const auto sorted = SortOutputs({{"list", Json(1 << 20)}, {"other", Json(1 << 20)}}, {"list"});
  ASSERT_TRUE(sorted.ok()) << sorted.status();
  EXPECT_THAT(NamesOf(sorted->kept), ElementsAre("list"));
  EXPECT_THAT(NamesOf(sorted->spilled), ElementsAre("other"));
}

TEST(SortOutputs, OfTwoWithOneTextKeepsIt) {
  const auto sorted = SortOutputs({{"a", Json(kInline * 2)}, {"b", Json(kInline * 2)}}, {});
  ASSERT_TRUE(sorted.ok()) << sorted.status();
  EXPECT_THAT(NamesOf(sorted->spilled), UnorderedElementsAre("a", "b"));
  EXPECT_EQ(sorted->texts.size(), 1U);
  for (const model::SpilledOutput& output : sorted->spilled) {
    EXPECT_EQ(sorted->texts.at(output.document), Json(kInline * 2));
  }
}

TEST(SortOutputs, SaysWhatIsTooLarge) {
  const auto chunk = SortOutputs({{"huge", Json((4 << 20) + 1)}}, {});
  EXPECT_EQ(base::Message(chunk.status()),
            "output 'huge' has 4194305 bytes, the limit is 4194304: hand it on as an artifact");
  const auto engine = SortOutputs({{"list", Json((2 << 20) + 1)}}, {"list"});
  EXPECT_THAT(std::string(base::Message(engine.status())),
              HasSubstr("have 2097153 bytes together, the limit is 2097152: read them in steps"));
}

std::shared_ptr<const model::JobResult> Left(std::vector<model::NamedValue> outputs,
                                             std::vector<model::SpilledOutput> spilled) {
  auto result = std::make_shared<model::JobResult>();
  result->outputs = std::move(outputs);
  result->spilled = std::move(spilled);
  return result;
}

/// A job `use` that needs `Make`, of which one cell left the output `version`, and all left `list`
/// and `notes` in the store.
class Wanted : public ::testing::Test {
 protected:
  void Command(const std::string& command) {
    auto plan = std::make_shared<model::Plan>();
    plan->specs.resize(2);
    plan->specs[0].name = "Make";
    plan->specs[1].name = "use";
    plan->specs[1].needs = {{.spec = model::SpecIndex(0)}};
    plan->specs[1].steps.resize(1);
    plan->specs[1].steps[0].run = {.text = command, .has_expression = true};
    plan->jobs = {{.spec = model::SpecIndex(0)}, {.spec = model::SpecIndex(1)}};
    assignment_.plan = plan;
    assignment_.job = model::JobIndex(1);
  }
  void Keep() { KeepReadOutputs(*CompileSpec(assignment_.plan, model::SpecIndex(1)), assignment_); }
  std::vector<std::string> Of(const std::string& command) {
    Command(command);
    const auto left =
        Left({}, {{"list", base::Sha256("l"), 70'000}, {"notes", base::Sha256("n"), 80'000}});
    assignment_.needs = {
        {.spec = model::SpecIndex(0), .results = {Left({{"version", "1"}}, {}), left, left}}};
    Keep();
    return NamesOfWanted();
  }
  std::vector<std::string> NamesOfWanted() const {
    std::vector<std::string> names;
    for (const WantedOutput& each : WantedOutputs(assignment_)) {
      EXPECT_EQ(each.job, "Make");
      names.push_back(each.output.name);
    }
    return names;
  }
  model::Assignment assignment_;
};

TEST_F(Wanted, AreThoseThatExpressionsMayRead) {
  EXPECT_THAT(Of("echo ${{ needs.make.outputs.LIST }}"), ElementsAre("list"));
  EXPECT_THAT(Of("echo ${{ needs['make'].outputs['notes'] }}"), ElementsAre("notes"));
  EXPECT_THAT(Of("echo ${{ toJSON(needs.make.outputs) }}"), ElementsAre("list", "notes"));
  EXPECT_THAT(Of("echo ${{ toJSON(needs) }}"), ElementsAre("list", "notes"));
  EXPECT_THAT(Of("echo ${{ needs[inputs.x].outputs.list }}"), ElementsAre("list", "notes"));
}

TEST_F(Wanted, AreNotTheOthers) {
  EXPECT_THAT(Of("echo ${{ needs.make.result }}"), IsEmpty());
  EXPECT_THAT(Of("echo ${{ needs.make.outputs.version }}"), IsEmpty());
  EXPECT_THAT(Of("echo ${{ needs.other.outputs.list }}"), IsEmpty());
  EXPECT_THAT(Of("echo plain"), IsEmpty());
}

TEST_F(Wanted, AreThoseOfTheLastCellThatHasThem) {
  Command("echo ${{ toJSON(needs) }}");
  const model::SpilledOutput large{"b", base::Sha256("large"), 70'000};
  assignment_.needs = {{.spec = model::SpecIndex(0),
                        .results = {Left({{"a", "1"}, {"b", "1"}, {"c", "1"}}, {}),
                                    Left({{"a", "2"}}, {large}), Left({{"a", "3"}}, {})}}};
  Keep();
  const auto& results = assignment_.needs[0].results;
  EXPECT_EQ(results[0]->outputs, (std::vector<model::NamedValue>{{"c", "1"}}));
  EXPECT_EQ(results[1]->spilled, std::vector<model::SpilledOutput>{large});
  EXPECT_TRUE(results[1]->outputs.empty());
  EXPECT_EQ(results[2]->outputs, (std::vector<model::NamedValue>{{"a", "3"}}));
}

/// 12.5 MiB, all of one text.
std::shared_ptr<const model::JobResult> LeftMuch() {
  std::vector<model::NamedValue> outputs;
  for (int i = 0; i < 200; ++i) {
    outputs.push_back({"o" + std::to_string(i), Json(kInline)});
  }
  return Left(std::move(outputs), {});
}

TEST_F(Wanted, GoWithoutTheirTextWhenTheyAreTooLarge) {
  Command("echo ${{ toJSON(needs) }}");
  assignment_.needs = {{.spec = model::SpecIndex(0), .results = {LeftMuch()}}};
  for (const char* end : {"the server's", "the worker's"}) {
    Keep();
    EXPECT_TRUE(assignment_.needs[0].results[0]->outputs.empty()) << end;
    EXPECT_THAT(std::string(base::Message(CheckReadBytes(assignment_))),
                HasSubstr("have 13107200 bytes together, the limit is 12582912"))
        << end;
  }
}

TEST_F(Wanted, MayBeManyWhenNobodyReadsThem) {
  Command("echo nothing");
  assignment_.needs = {{.spec = model::SpecIndex(0), .results = {LeftMuch()}}};
  Keep();
  EXPECT_TRUE(assignment_.needs[0].results[0]->outputs.empty());
  EXPECT_THAT(NamesOfWanted(), IsEmpty());
  EXPECT_TRUE(CheckReadBytes(assignment_).ok());
}

}  // namespace
}  // namespace agents::runner

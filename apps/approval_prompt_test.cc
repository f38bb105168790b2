// SPDX-License-Identifier: Apache-2.0
#include "apps/approval_prompt.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace apps {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class Prompt : public ::testing::Test {
 protected:
  ApprovalQuestion Question(std::string job) { return {.job = std::move(job), .why = "waits"}; }

  std::vector<std::string> said_;
  std::vector<dsl::GivenDecision> decided_;
  ApprovalPrompt prompt_{
      {.say = [this](std::string_view line) { said_.emplace_back(line); },
       .decided = [this](dsl::GivenDecision given) { decided_.push_back(std::move(given)); }}};
};

TEST_F(Prompt, TakesYesAndNo) {
  prompt_.Ask(Question("a"));
  prompt_.Line("y\n");
  prompt_.Forget("a");
  prompt_.Ask(Question("b"));
  prompt_.Line("no");
  ASSERT_EQ(decided_.size(), 2U);
  EXPECT_TRUE(decided_[0].approve);
  EXPECT_EQ(decided_[1].job, "b");
  EXPECT_FALSE(decided_[1].approve);
}

TEST_F(Prompt, AsksAgainWhenItDoesNotUnderstand) {
  prompt_.Ask(Question("a"));
  prompt_.Line("maybe");
  EXPECT_THAT(said_, ElementsAre(HasSubstr("approve a?"), HasSubstr("approve a?")));
  EXPECT_TRUE(decided_.empty());
}

TEST_F(Prompt, AsksOneAfterTheOther) {
  prompt_.Ask(Question("a"));
  prompt_.Ask(Question("b"));
  EXPECT_EQ(said_.size(), 1U);
  prompt_.Forget("a");
  EXPECT_THAT(said_.back(), HasSubstr("approve b?"));
}

TEST_F(Prompt, AsksForInputs) {
  ApprovalQuestion question = Question("a");
  question.inputs = {{.name = "note", .required = true}, {.name = "mode", .default_value = "1"}};
  prompt_.Ask(std::move(question));
  prompt_.Line("y");
  prompt_.Line("");
  prompt_.Line("go");
  EXPECT_TRUE(decided_.empty());
  prompt_.Line("");
  ASSERT_EQ(decided_.size(), 1U);
  EXPECT_THAT(decided_[0].inputs, ElementsAre(Pair("note", "go")));
}

TEST_F(Prompt, AsksAgainWhatWasRefusedAndSaysWhy) {
  prompt_.Ask(Question("a"));
  prompt_.Line("y");
  EXPECT_TRUE(prompt_.AskAgain("a", "`note` is missing"));
  EXPECT_THAT(said_.back(), HasSubstr("`note` is missing; approve a?"));
  prompt_.Line("n");
  ASSERT_EQ(decided_.size(), 2U);
  EXPECT_FALSE(decided_[1].approve);
  EXPECT_FALSE(prompt_.AskAgain("b", "no"));
}

TEST_F(Prompt, ALineBeforeTheAnswerIsTakenAnswersNothing) {
  prompt_.Ask(Question("a"));
  prompt_.Ask(Question("b"));
  prompt_.Line("y");
  prompt_.Line("y");
  EXPECT_EQ(decided_.size(), 1U);
  EXPECT_EQ(prompt_.Forget("a"), ApprovalPrompt::Forgotten::kAnswered);
  EXPECT_EQ(prompt_.Forget("b"), ApprovalPrompt::Forgotten::kUnanswered);
}

TEST_F(Prompt, SaysWhatIsLeftWhenTheInputEnds) {
  prompt_.Ask(Question("a"));
  prompt_.Close();
  EXPECT_THAT(said_.back(), HasSubstr("dayfly approve latest a"));
  prompt_.Line("y");
  prompt_.Ask(Question("b"));
  EXPECT_TRUE(decided_.empty());
  EXPECT_EQ(said_.size(), 2U);
}

TEST_F(Prompt, IgnoresLinesWhenNobodyAsks) {
  prompt_.Line("y");
  EXPECT_TRUE(said_.empty() && decided_.empty());
}

}  // namespace
}  // namespace apps

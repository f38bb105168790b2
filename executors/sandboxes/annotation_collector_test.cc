// SPDX-License-Identifier: Apache-2.0
// Annotations on their way: cut into pieces anywhere, too many, too long; and out of a real
// command.
#include "executors/sandboxes/annotation_collector.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>

#include "executors/sandboxes/sandbox_fixture.h"

namespace executors::sandboxes {
namespace {

namespace model = engine::model;
using ::testing::ElementsAre;

std::vector<std::string> Messages(const model::Annotations& found) {
  std::vector<std::string> messages;
  for (const model::Annotation& each : found.list) {
    messages.push_back(each.message);
  }
  return messages;
}

TEST(AnnotationCollector, FindsTheSameHoweverTheStreamIsCut) {
  constexpr std::string_view kStream =
      "make\r\n::error file=a.c,line=3::one\r\n ::error::no\n:\n::\n\n::warning::two\n"
      "::group::g\nx ::error::no\n::endgroup::\n::notice::last";
  for (std::size_t size = 1; size <= kStream.size(); ++size) {
    AnnotationCollector collector;
    for (std::size_t at = 0; at < kStream.size(); at += size) {
      collector.Feed(kStream.substr(at, size));
    }
    const model::Annotations found = collector.Finish();
    EXPECT_THAT(Messages(found), ElementsAre("one", "two", "last")) << size;
    EXPECT_EQ(found.counts, (model::AnnotationCounts{1, 1, 1}));
    EXPECT_EQ(found.list[0].line, 3U);
  }
}

TEST(AnnotationCollector, BeginsAnewWithEachStream) {
  AnnotationCollector collector;
  collector.Feed("::error::one\n::err");
  EXPECT_THAT(Messages(collector.Finish()), ElementsAre("one"));
  collector.Feed("or::no\n::error::two");
  EXPECT_THAT(Messages(collector.Finish()), ElementsAre("two"));
  EXPECT_EQ(collector.Finish(), model::Annotations{});
}

TEST(AnnotationCollector, KeepsRoomForErrorsAndCountsWhatItDrops) {
  AnnotationCollector collector;
  for (int i = 0; i < 1000; ++i) {
    collector.Feed("::notice::n\n");
  }
  collector.Feed("::error::e\n");
  const model::Annotations found = collector.Finish();
  EXPECT_EQ(found.counts, (model::AnnotationCounts{1, 0, 1000}));
  EXPECT_EQ(found.list.size(), AnnotationCollector::kOfSeverityMax + 1);
  EXPECT_EQ(found.list.back().message, "e");
}

TEST(AnnotationCollector, CutsLongLinesAndForgetsThoseWithoutAnEnd) {
  AnnotationCollector collector;
  const std::string huge(1 << 20, 'x');
  collector.Feed("::error::" + huge);
  collector.Feed(huge + "\n::error " + huge);
  collector.Feed(huge + "::m\n" + huge + "\n::error::next\n");
  const model::Annotations found = collector.Finish();
  ASSERT_EQ(found.list.size(), 2U);
  EXPECT_TRUE(found.list[0].cut);
  EXPECT_EQ(found.list[0].message.size() + 9, AnnotationCollector::kLineBytesMax);
  EXPECT_FALSE(found.list[1].cut);
  EXPECT_EQ(found.list[1].message, "next");
}

class Annotated : public SandboxTest {};

TEST_F(Annotated, ACommandsEndTellsWhatItSaid) {
  const auto exit = Run("echo a; echo '::error file=x,line=2::one'; echo '::warning::two'; exit 3");
  EXPECT_EQ(exit.exit_code, 3);
  EXPECT_THAT(Messages(exit.annotations), ElementsAre("one", "two"));
  EXPECT_EQ(exit.annotations.list[0].file, "x");
  EXPECT_EQ(LogText(exit.log), "a\n::error file=x,line=2::one\n::warning::two\n")
      << "the log stays as it was written";
  EXPECT_EQ(Run("echo b").annotations, model::Annotations{});
}

TEST_F(Annotated, SecretsAreMasked) {
  auto command = Shell("v=hunter2-hunter2; echo \"::error file=$v::is $v\"");
  command.masks = {"hunter2-hunter2"};
  const auto exit = Run(command);
  ASSERT_EQ(exit.annotations.list.size(), 1U);
  EXPECT_EQ(exit.annotations.list[0].message, "is ***");
  EXPECT_EQ(exit.annotations.list[0].file, "***");
}

TEST_F(Annotated, WhatIsBehindTheEndOfACutLogCounts) {
  auto command = Shell("echo 0123456789; echo ::error::late");
  command.log_limit = 4;
  const auto exit = Run(command);
  EXPECT_TRUE(exit.log.truncated);
  EXPECT_THAT(Messages(exit.annotations), ElementsAre("late"));
}

}  // namespace
}  // namespace executors::sandboxes

// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/attempt_record.h"

#include <gtest/gtest.h>

namespace agents::runner {
namespace {

namespace base = engine::base;
namespace model = engine::model;

StepDone SampleStepDone() {
  StepDone done;
  done.exit.exit_code = 3;
  done.step = model::StepIndex(6);
  done.exit.leftover = 2;
  done.exit.took = std::chrono::milliseconds(5);
  done.exit.log = {.ranges = {{1, 2, 3}}, .checksum = 4, .truncated = true, .lost_bytes = 5};
  done.exit.log_status = base::ResourceExhausted("full");
  done.notes.outputs = {{"a", std::string("b\0c", 3)}};
  done.notes.env = {{"COLOR", "red"}};
  done.notes.summary = "# Done";
  done.notes.masks = {"secret"};
  done.notes.problem = base::InvalidArgument("line 3");
  done.cut = Cut::kStepTimeout;
  return done;
}

std::vector<AttemptRecord> OneOfEach() {
  return {
      AttemptBegun{{model::RunId(1ULL << 60), model::JobIndex(2), 3}, 4},
      WorkspaceReadied{{{base::Sha256("\"l\""), "\"l\""}}, {{"deps-1", true, "restored"}}, {}},
      StepStarting{model::StepIndex(1), 77, 4001},
      SampleStepDone(),
      HashMade{{"a", "b"}, base::OkStatus(), "hash"},
      StopCame{{.code = model::ReasonCode::kCancelRequested, .detail = 1, .subject = "me"}, true},
      BudgetSet{9},
      BudgetEnded{},
      UploadsMade{base::Unavailable("y"),
                  base::NotFound("x"),
                  {{"bin", base::Sha256("m"), 12, 3}},
                  {model::TestTotals{base::Sha256("d"), 5, 2, 1, 1, base::Duration(7), {"a.b"}},
                   {"a note"},
                   {}}},
      StepsOverCame{},
      ServicesCameUp{},
      ServiceWasLate{model::StepIndex(1), "db was not ready"}};
}

TEST(AttemptRecord, EachComesBackAsItWas) {
  const std::vector<AttemptRecord> all = OneOfEach();
  EXPECT_EQ(all.size(), std::variant_size_v<AttemptRecord>);
  for (const AttemptRecord& record : all) {
    const std::string bytes = EncodeRecord(record);
    const auto again = DecodeRecord(bytes);
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->index(), record.index());
    EXPECT_EQ(EncodeRecord(*again), bytes);
  }
  const auto done = DecodeRecord(EncodeRecord(SampleStepDone()));
  const auto& step = std::get<StepDone>(*done);
  EXPECT_EQ(step.step, model::StepIndex(6));
  EXPECT_EQ(step.exit.exit_code, 3);
  EXPECT_EQ(step.exit.log, SampleStepDone().exit.log);
  EXPECT_EQ(step.notes.outputs, SampleStepDone().notes.outputs);
  EXPECT_EQ(step.notes.problem, SampleStepDone().notes.problem);
  EXPECT_EQ(step.cut, Cut::kStepTimeout);
}

TEST(AttemptRecord, WhatIsCutShortOrOfAnotherVersionIsRefused) {
  for (const AttemptRecord& record : OneOfEach()) {
    std::string bytes = EncodeRecord(record);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      EXPECT_FALSE(DecodeRecord(bytes.substr(0, length)).ok());
    }
    bytes[0] = static_cast<char>(bytes[0] + 1);
    EXPECT_EQ(DecodeRecord(bytes).status().code(), absl::StatusCode::kFailedPrecondition);
  }
}

TEST(AttemptRecord, TheFirstMustSayWhoseTheyAre) {
  EXPECT_FALSE(DecodeRecords({}).ok());
  EXPECT_FALSE(DecodeRecords({EncodeRecord(BudgetEnded{})}).ok());
  EXPECT_TRUE(DecodeRecords({EncodeRecord(AttemptBegun{})}).ok());
}

}  // namespace
}  // namespace agents::runner

// SPDX-License-Identifier: Apache-2.0
// What the conversions refuse, and that they name the field.
#include "api/wire/agent_messages.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/base/status.h"

namespace api::wire {
namespace {

namespace pb = dayfly::v1;

pb::AgentMessage GoodHello() {
  pb::AgentMessage message;
  message.mutable_hello()->set_slots(1);
  message.mutable_hello()->set_first_report(1);
  message.mutable_hello()->set_report_life(9);
  return message;
}

void FillKey(pb::AttemptKey* key) {
  key->set_run_id(7);
  key->set_attempt(1);
}

pb::AgentMessage GoodReport() {
  pb::AgentMessage message;
  message.mutable_report()->set_seq(1);
  FillKey(message.mutable_report()->mutable_attempt());
  pb::ReportEnded* ended = message.mutable_report()->add_events()->mutable_ended();
  ended->set_status(pb::STATUS_SUCCEEDED);
  ended->add_artifacts()->set_manifest(std::string(32, 'x'));
  return message;
}

pb::AgentMessage GoodBatch() {
  pb::AgentMessage message;
  FillKey(message.mutable_log_batch()->mutable_attempt());
  message.mutable_log_batch()->set_offset(10);
  message.mutable_log_batch()->set_data("abc");
  return message;
}

pb::ServerMessage GoodOrder() {
  pb::ServerMessage message;
  message.mutable_order()->set_seq(1);
  pb::Assignment* assignment = message.mutable_order()->mutable_assignment();
  FillKey(assignment->mutable_attempt());
  assignment->mutable_job()->set_name("build");
  assignment->mutable_job()->add_needs()->set_job("prepare");
  assignment->mutable_job()->add_steps();
  assignment->add_needs()->set_status(pb::STATUS_SUCCEEDED);
  return message;
}

template <typename Message>
struct Bad {
  const char* name;
  std::function<void(Message&)> spoil;
  const char* field;  ///< the error begins with it
};

TEST(AgentMessages, RefuseWhatAnAgentMustNotSay) {
  const auto report = [](pb::AgentMessage& message) { return message.mutable_report(); };
  const Bad<pb::AgentMessage> cases[] = {
      {"nothing", [](auto& m) { m.Clear(); }, "body"},
      {"no slots", [](auto& m) { (m = GoodHello()).mutable_hello()->set_slots(0); }, "hello.slots"},
      {"many slots", [](auto& m) { (m = GoodHello()).mutable_hello()->set_slots(2000); },
       "hello.slots"},
      {"far ahead", [](auto& m) { (m = GoodHello()).mutable_hello()->set_ahead_max(65); },
       "hello.ahead_max"},
      {"no life", [](auto& m) { (m = GoodHello()).mutable_hello()->clear_report_life(); },
       "hello.report_life"},
      {"too many runs",
       [](auto& m) { (m = GoodHello()).mutable_hello()->mutable_run_ids()->Resize(65'537, 1); },
       "hello.run_ids"},
      {"report 0", [](auto& m) { (m = GoodHello()).mutable_hello()->clear_first_report(); },
       "hello.first_report"},
      {"a long version",
       [](auto& m) { (m = GoodHello()).mutable_hello()->set_version(std::string(65, 'v')); },
       "hello.version"},
      {"seq 0", [&](auto& m) { report(m)->clear_seq(); }, "report.seq"},
      {"no run", [&](auto& m) { report(m)->mutable_attempt()->clear_run_id(); },
       "report.attempt.run_id"},
      {"attempt 0", [&](auto& m) { report(m)->mutable_attempt()->clear_attempt(); },
       "report.attempt.attempt"},
      {"no events", [&](auto& m) { report(m)->clear_events(); }, "report.events"},
      {"an empty event", [&](auto& m) { report(m)->add_events(); }, "report.events[1].body"},
      {"no status", [&](auto& m) { report(m)->mutable_events(0)->mutable_ended()->clear_status(); },
       "report.events[0].ended.status"},
      {"unknown status",
       [&](auto& m) {
         report(m)->mutable_events(0)->mutable_ended()->set_status(static_cast<pb::Status>(77));
       },
       "report.events[0].ended.status"},
      {"unknown reason",
       [&](auto& m) {
         report(m)->mutable_events(0)->mutable_ended()->mutable_reason()->set_code("moon");
       },
       "report.events[0].ended.reason.code"},
      {"a negative time",
       [&](auto& m) { report(m)->mutable_events(0)->mutable_ended()->set_took_us(-1); },
       "report.events[0].ended.took_us"},
      {"a short digest",
       [&](auto& m) {
         report(m)->mutable_events(0)->mutable_ended()->mutable_artifacts(0)->set_manifest("x");
       },
       "report.events[0].ended.artifacts[0].manifest"},
  };
  for (const auto& each : cases) {
    pb::AgentMessage message = GoodReport();
    ASSERT_TRUE(AgentMessageFrom(message).ok());
    each.spoil(message);
    const auto status = AgentMessageFrom(message).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << each.name;
    EXPECT_TRUE(engine::base::Message(status).starts_with(std::string(each.field) + ":"))
        << each.name << ": " << status;
  }
}

TEST(AgentMessages, WhatAWorkerOffersIsChecked) {
  const auto offer_of = [](const std::function<void(pb::WorkerOffer&)>& fill) {
    pb::AgentMessage message = GoodHello();
    fill(*message.mutable_hello()->mutable_offer());
    return AgentMessageFrom(message);
  };
  const auto add = [](pb::WorkerOffer& offer, const std::string& name, const std::string& value) {
    pb::WorkerLabel* label = offer.add_labels();
    label->set_name(name);
    label->set_value(value);
  };
  const auto good = offer_of([&](pb::WorkerOffer& offer) {
    add(offer, "os", "linux");
    add(offer, "arch", "amd64");
    offer.add_sandboxes()->set_kind(pb::SandboxOffer::HOST);
    offer.add_sandboxes()->set_kind(static_cast<pb::SandboxOffer::Kind>(77));
  });
  ASSERT_TRUE(good.ok()) << good.status();
  engine::model::WorkerOffer expected;
  expected.labels = {{"arch", "amd64"}, {"os", "linux"}};
  EXPECT_EQ(std::get<engine::model::AgentHello>(*good).offer, expected);
  EXPECT_EQ(std::get<engine::model::AgentHello>(*AgentMessageFrom(GoodHello())).offer,
            engine::model::WorkerOffer())
      << "an agent of an older version";
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"a b", "c"}, {"a", ""}, {"", "c"}, {"a", "b c"}};
  for (const auto& each : bad) {
    EXPECT_FALSE(
        offer_of([&](pb::WorkerOffer& offer) { add(offer, each.first, each.second); }).ok())
        << each.first;
  }
  EXPECT_FALSE(offer_of([&](pb::WorkerOffer& offer) {
                 add(offer, "a", "b");
                 add(offer, "a", "c");
               }).ok());
  EXPECT_FALSE(offer_of([&](pb::WorkerOffer& offer) {
                 for (int i = 0; i < 65; ++i) {
                   add(offer, "a" + std::to_string(i), "b");
                 }
               }).ok());
}

TEST(AgentMessages, AGreetingNamesTheRunsThatAreRemembered) {
  pb::AgentMessage message = GoodHello();
  message.mutable_hello()->add_run_ids(5);
  message.mutable_hello()->add_run_ids(7);
  const auto hello = AgentMessageFrom(message);
  ASSERT_TRUE(hello.ok()) << hello.status();
  EXPECT_EQ(std::get<engine::model::AgentHello>(*hello).runs,
            (std::vector{engine::model::RunId(5), engine::model::RunId(7)}));
  pb::AgentMessage back;
  ToWire(*hello, &back);
  const auto again = AgentMessageFrom(back);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(std::get<engine::model::AgentHello>(*again),
            std::get<engine::model::AgentHello>(*hello));
}

TEST(AgentMessages, RefuseWhatAServerMustNotSay) {
  const auto job = [](pb::ServerMessage& m) {
    return m.mutable_order()->mutable_assignment()->mutable_job();
  };
  const Bad<pb::ServerMessage> cases[] = {
      {"no job name", [&](auto& m) { job(m)->clear_name(); }, "order.assignment.job.name"},
      {"a need without name", [&](auto& m) { job(m)->mutable_needs(0)->clear_job(); },
       "order.assignment.job.needs[0].job"},
      {"artifacts nobody listed", [&](auto& m) { job(m)->mutable_needs(0)->set_artifacts(2); },
       "order.assignment.job.needs[0].artifacts"},
      {"a result of no need",
       [](auto& m) { m.mutable_order()->mutable_assignment()->mutable_needs(0)->set_need(1); },
       "order.assignment.needs[0].need"},
      {"a cell without a matrix", [&](auto& m) { job(m)->add_cell("1"); },
       "order.assignment.job.cell"},
      {"keys without a matrix", [&](auto& m) { job(m)->add_matrix_keys("k"); },
       "order.assignment.job.matrix_keys"},
      {"a list without a matrix", [&](auto& m) { job(m)->set_for_each(true); },
       "order.assignment.job.for_each"},
      {"a step of a century", [&](auto& m) { job(m)->mutable_steps(0)->set_timeout_us(INT64_MAX); },
       "order.assignment.job.steps[0].timeout_us"},
      {"a session without number", [](auto& m) { m.mutable_welcome()->set_first_order(1); },
       "welcome.session_id"},
      {"a refusal of nothing", [](auto& m) { m.mutable_acknowledged()->add_refusals(); },
       "acknowledged.refusals[0].code"},
  };
  for (const auto& each : cases) {
    pb::ServerMessage message = GoodOrder();
    ASSERT_TRUE(ServerMessageFrom(message).ok()) << ServerMessageFrom(message).status();
    each.spoil(message);
    const auto status = ServerMessageFrom(message).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << each.name;
    EXPECT_TRUE(engine::base::Message(status).starts_with(std::string(each.field) + ":"))
        << each.name << ": " << status;
  }
}

TEST(LogMessages, AreCheckedToo) {
  const Bad<pb::AgentMessage> cases[] = {
      {"no bytes", [](auto& m) { m.mutable_log_batch()->clear_data(); }, "log_batch.data"},
      {"too many bytes",
       [](auto& m) { m.mutable_log_batch()->set_data(std::string(kLogBatchBytesMax + 1, 'x')); },
       "log_batch.data"},
      {"an offset that wraps", [](auto& m) { m.mutable_log_batch()->set_offset(UINT64_MAX); },
       "log_batch.offset"},
      {"lost bytes beyond the end",
       [](auto& m) {
         FillKey(m.mutable_log_end()->mutable_attempt());
         m.mutable_log_end()->set_length(5);
         m.mutable_log_end()->add_lost()->set_offset(4);
         m.mutable_log_end()->mutable_lost(0)->set_length(2);
       },
       "log_end.lost"},
  };
  for (const auto& each : cases) {
    pb::AgentMessage message = GoodBatch();
    ASSERT_TRUE(CheckLogMessage(message).ok()) << CheckLogMessage(message);
    each.spoil(message);
    const auto status = CheckLogMessage(message);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << each.name;
    EXPECT_TRUE(engine::base::Message(status).starts_with(std::string(each.field) + ":"))
        << each.name << ": " << status;
  }
}

}  // namespace
}  // namespace api::wire

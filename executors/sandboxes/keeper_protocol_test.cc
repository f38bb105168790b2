// SPDX-License-Identifier: Apache-2.0
// Every message survives the way over the socket; whatever else comes over it is refused, never
// read beyond its end and never believed about its size.
#include "executors/sandboxes/keeper_protocol.h"

#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace executors::sandboxes {
namespace {

using engine::base::Duration;
using engine::ports::SandboxFacts;
using ::testing::ElementsAre;

constexpr std::size_t kLengthBytes = sizeof(std::uint32_t);

template <typename Message>
std::string Encoded(const Message& message) {
  std::string bytes;
  EXPECT_TRUE(EncodeFrame(message, bytes));
  return bytes;
}

void Receive(FrameBuffer& buffer, std::string_view bytes) {
  const auto room = buffer.Room(bytes.size());
  std::memcpy(room.data(), bytes.data(), bytes.size());
  buffer.Received(bytes.size());
}

/// Over the wire and back. A message of another kind is a failed test.
template <typename Message, typename T>
T Back(const T& sent, engine::base::StatusOr<Message> (*decode)(std::string_view)) {
  FrameBuffer buffer;
  Receive(buffer, Encoded(Message(sent)));
  const auto frame = buffer.Next();
  EXPECT_TRUE(frame.ok());
  auto back = decode(*frame);
  EXPECT_TRUE(back.ok()) << back.status();
  return std::get<T>(*std::move(back));
}
template <typename T>
T OrderBack(const T& order) {
  return Back<Order>(order, DecodeOrder);
}
template <typename T>
T AnswerBack(const T& answer) {
  return Back<Answer>(answer, DecodeAnswer);
}

SandboxFacts SampleFacts() {
  return {.workspace_kind = "overlay",
          .kill_kind = "cgroup",
          .workspace_path = "/w",
          .workspace_view = "/proc/7/root/w",
          .fallbacks = {"one", ""}};
}
void ExpectSampleFacts(const SandboxFacts& facts) {
  EXPECT_EQ(facts.workspace_kind, "overlay");
  EXPECT_EQ(facts.kill_kind, "cgroup");
  EXPECT_EQ(facts.workspace_path, "/w");
  EXPECT_EQ(facts.workspace_view, "/proc/7/root/w");
  EXPECT_THAT(facts.fallbacks, ElementsAre("one", ""));
}

Start SampleStart() {
  return {.serial = std::numeric_limits<Serial>::max(),
          .command = {.lane = 4001,
                      .argv = {"printf", std::string("a\0b\xFF", 4), ""},
                      .env = {"A=1", "B=two words"},
                      .workdir = "/somewhere",
                      .log_limit = 1ULL << 40,
                      .log_tag = {.job = 3, .attempt = 4, .step = 5},
                      .masks = {"secret"},
                      .preface = "[dayfly: x]\n"}};
}

Exited SampleExit() {
  return {.serial = 9,
          .exit = {.started = engine::base::NotFound("no such program"),
                   .exit_code = 200,
                   .signal = 9,
                   .signalled = true,
                   .core_dumped = true,
                   .oom_killed = true,
                   .leftover = 2,
                   .took = Duration(1'234'567),
                   .log = {.ranges = {{1, 2, 3}, {4, 5, 1ULL << 33}},
                           .checksum = 0xDEADBEEF,
                           .truncated = true,
                           .lost_bytes = 77},
                   .log_status = engine::base::ResourceExhausted("disk full"),
                   .annotations = {.counts = {1, 2, 3},
                                   .list = {{.severity = engine::model::Severity::kNotice,
                                             .file = "a",
                                             .line = 1,
                                             .end_line = 2,
                                             .column = 3,
                                             .end_column = 4,
                                             .title = "t",
                                             .message = "m",
                                             .cut = true}}}}};
}

TEST(KeeperProtocol, CarriesSetUp) {
  // Inside of a test `SetUp` alone is gtest's.
  const sandboxes::SetUp back = OrderBack(sandboxes::SetUp{.version = 8,
                                                           .owner_gone = OwnerGone::kGoOn,
                                                           .run_folder = "/runs/x",
                                                           .slot = 6,
                                                           .lane = 4001,
                                                           .segment_bytes_max = 1ULL << 35,
                                                           .allow_cgroup = false,
                                                           .allow_mounts = true});
  EXPECT_EQ(back.version, 8U);
  EXPECT_EQ(back.owner_gone, OwnerGone::kGoOn);
  EXPECT_EQ(back.run_folder, "/runs/x");
  EXPECT_EQ(back.slot, 6U);
  EXPECT_EQ(back.lane, 4001U);
  EXPECT_EQ(back.segment_bytes_max, 1ULL << 35);
  EXPECT_FALSE(back.allow_cgroup);
  EXPECT_TRUE(back.allow_mounts);
}

TEST(KeeperProtocol, CarriesPrepare) {
  const Prepare back = OrderBack(Prepare{.serial = 5, .mount = {.lower = "/tree", .path = "/ws"}});
  EXPECT_EQ(back.serial, 5U);
  EXPECT_EQ(back.mount.lower, "/tree");
  EXPECT_EQ(back.mount.path, "/ws");
}

TEST(KeeperProtocol, CarriesStartWithAnyBytes) {
  const Start sent = SampleStart();
  const Start back = OrderBack(sent);
  EXPECT_EQ(back.serial, sent.serial);
  EXPECT_EQ(back.command.lane, sent.command.lane);
  EXPECT_EQ(back.command.argv, sent.command.argv);
  EXPECT_EQ(back.command.env, sent.command.env);
  EXPECT_EQ(back.command.workdir, "/somewhere");
  EXPECT_EQ(back.command.log_limit, 1ULL << 40);
  EXPECT_EQ(back.command.log_tag, sent.command.log_tag);
  EXPECT_EQ(back.command.masks, sent.command.masks);
  EXPECT_EQ(back.command.preface, sent.command.preface);
}

TEST(KeeperProtocol, CarriesSignalAndKill) {
  const Signal signal = OrderBack(Signal{.lane = 4001, .signal = -15});
  EXPECT_EQ(signal.lane, 4001U);
  EXPECT_EQ(signal.signal, -15);
  EXPECT_EQ(OrderBack(KillAll{.serial = 12}).serial, 12U);
  EXPECT_EQ(AnswerBack(Killed{.serial = 13}).serial, 13U);
}

TEST(KeeperProtocol, CarriesReadyAndPrepared) {
  const Ready ready = AnswerBack(
      Ready{.version = 3, .status = engine::base::InvalidArgument("why"), .facts = SampleFacts()});
  EXPECT_EQ(ready.version, 3U);
  EXPECT_EQ(ready.status, engine::base::InvalidArgument("why"));
  ExpectSampleFacts(ready.facts);
  const Prepared prepared = AnswerBack(Prepared{.serial = 4, .facts = SampleFacts()});
  EXPECT_EQ(prepared.serial, 4U);
  EXPECT_TRUE(prepared.status.ok());
  ExpectSampleFacts(prepared.facts);
}

TEST(KeeperProtocol, CarriesExited) {
  const Exited sent = SampleExit();
  const Exited back = AnswerBack(sent);
  EXPECT_EQ(back.serial, 9U);
  EXPECT_EQ(back.exit.started, sent.exit.started);
  EXPECT_EQ(back.exit.exit_code, 200);
  EXPECT_EQ(back.exit.signal, 9);
  EXPECT_TRUE(back.exit.signalled);
  EXPECT_TRUE(back.exit.core_dumped);
  EXPECT_TRUE(back.exit.oom_killed);
  EXPECT_EQ(back.exit.leftover, 2U);
  EXPECT_EQ(back.exit.took, Duration(1'234'567));
  EXPECT_EQ(back.exit.log, sent.exit.log);
  EXPECT_EQ(back.exit.log_status, sent.exit.log_status);
}

TEST(KeeperProtocol, CarriesWhatTheNextOwnerNeeds) {
  const KeepRecord keep = OrderBack(KeepRecord{std::string("a\0b", 3), std::chrono::minutes(15)});
  EXPECT_EQ(keep.record, std::string("a\0b", 3));
  EXPECT_EQ(keep.offline, std::chrono::minutes(15));
  EXPECT_EQ(OrderBack(Adopt{.version = 9}).version, 9U);
  const Await await = OrderBack(Await{.serial = 4, .lane = 4001});
  EXPECT_EQ(await.serial, 4U);
  EXPECT_EQ(await.lane, 4001U);
  EXPECT_EQ(AnswerBack(KeptRecord{.record = "x"}).record, "x");
  const Adopted adopted = AnswerBack(
      Adopted{.status = engine::base::InvalidArgument("why"), .facts = SampleFacts(), .starts = 7});
  EXPECT_EQ(adopted.status, engine::base::InvalidArgument("why"));
  ExpectSampleFacts(adopted.facts);
  EXPECT_EQ(adopted.starts, 7U);
}

/// One frame of every kind, without its length.
std::vector<std::pair<bool, std::string>> AllFrames() {
  std::vector<std::pair<bool, std::string>> frames;  // is an order, payload
  const auto add = [&frames](const auto& message) {
    constexpr bool is_order = std::is_same_v<std::decay_t<decltype(message)>, Order>;
    frames.emplace_back(is_order, Encoded(message).substr(kLengthBytes));
  };
  add(Order(SetUp{.run_folder = "/runs/x"}));
  add(Order(Prepare{.mount = {.lower = "/tree", .path = "/ws"}}));
  add(Order(SampleStart()));
  add(Order(Signal{.signal = 15}));
  add(Order(KillAll{.serial = 1}));
  add(Answer(Ready{.facts = SampleFacts()}));
  add(Answer(Prepared{.facts = SampleFacts()}));
  add(Answer(SampleExit()));
  add(Answer(Killed{.serial = 1}));
  add(Order(KeepRecord{.record = "what happened", .offline = std::chrono::minutes(15)}));
  add(Order(ForgetRecords{}));
  add(Order(Adopt{}));
  add(Order(Await{.serial = 1}));
  add(Answer(KeptRecord{.record = "what happened"}));
  add(Answer(Adopted{.facts = SampleFacts(), .starts = 3}));
  return frames;
}

bool IsRefused(bool is_order, std::string_view frame) {
  const auto status = is_order ? DecodeOrder(frame).status() : DecodeAnswer(frame).status();
  return status.code() == absl::StatusCode::kInvalidArgument;
}

TEST(KeeperProtocol, RefusesAFrameThatIsCutAnywhere) {
  for (const auto& [is_order, frame] : AllFrames()) {
    ASSERT_FALSE(IsRefused(is_order, frame));
    for (std::size_t length = 0; length < frame.size(); ++length) {
      // A copy of its own, so that a sanitizer sees a read beyond the end.
      const std::string cut = frame.substr(0, length);
      EXPECT_TRUE(IsRefused(is_order, cut)) << "kind " << int{frame[0]} << ", " << length;
    }
  }
}

TEST(KeeperProtocol, RefusesBytesBehindTheLastField) {
  for (const auto& [is_order, frame] : AllFrames()) {
    EXPECT_TRUE(IsRefused(is_order, frame + '\0')) << "kind " << int{frame[0]};
  }
}

TEST(KeeperProtocol, RefusesOrdersAsAnswersAndAnswersAsOrders) {
  for (const auto& [is_order, frame] : AllFrames()) {
    EXPECT_TRUE(IsRefused(!is_order, frame)) << "kind " << int{frame[0]};
  }
  EXPECT_TRUE(IsRefused(true, std::string(20, '\0')));
  EXPECT_TRUE(IsRefused(false, std::string(20, '\x7F')));
}

TEST(KeeperProtocol, SurvivesAnyDamagedByte) {
  for (const auto& [is_order, frame] : AllFrames()) {
    for (std::size_t at = 0; at < frame.size(); ++at) {
      for (const char byte : {'\0', '\x01', '\x7F', '\xFF'}) {
        std::string damaged = frame;
        damaged[at] = byte;
        // Another number or text may stand there now; a size that lies must not be followed.
        IsRefused(is_order, damaged);
      }
    }
  }
}

TEST(KeeperProtocol, DoesNotBelieveACountThatCannotBe) {
  std::string frame = Encoded(Order(SampleStart())).substr(kLengthBytes);
  // Behind kind, serial and lane stands the number of arguments.
  const std::uint32_t lie = 0xFFFFFFFF;
  std::memcpy(frame.data() + 1 + sizeof(Serial) + sizeof(engine::ports::Lane), &lie, sizeof lie);
  EXPECT_TRUE(IsRefused(true, frame));
}

TEST(KeeperProtocol, DoesNotSendWhatIsTooLong) {
  Start start = SampleStart();
  start.command.argv = {std::string(kFrameBytesMax, 'x')};
  std::string bytes = "before";
  EXPECT_FALSE(EncodeFrame(Order(start), bytes));
  EXPECT_EQ(bytes, "before");
}

TEST(FrameBuffer, HandsOutFramesHoweverTheyArrive) {
  const std::string first = Encoded(Order(Signal{.signal = 1}));
  const std::string second = Encoded(Order(SampleStart()));
  const std::string stream = first + second + first;
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, stream.size()}) {
    FrameBuffer buffer;
    std::vector<std::string> frames;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      Receive(buffer, std::string_view(stream).substr(at, piece));
      for (auto frame = buffer.Next(); frame.ok() && !frame->empty(); frame = buffer.Next()) {
        frames.emplace_back(*frame);
      }
    }
    EXPECT_THAT(frames, ElementsAre(first.substr(kLengthBytes), second.substr(kLengthBytes),
                                    first.substr(kLengthBytes)));
  }
}

TEST(FrameBuffer, WaitsForTheRestOfAFrame) {
  const std::string frame = Encoded(Order(SampleStart()));
  FrameBuffer buffer;
  for (std::size_t length = 0; length + 1 < frame.size(); ++length) {
    Receive(buffer, std::string_view(frame).substr(length, 1));
    const auto next = buffer.Next();
    ASSERT_TRUE(next.ok());
    EXPECT_TRUE(next->empty());
  }
}

TEST(FrameBuffer, RefusesLengthsThatCannotBe) {
  for (const std::uint32_t length :
       {std::uint32_t{0}, static_cast<std::uint32_t>(kFrameBytesMax) + 1, 0xFFFFFFFFU}) {
    std::string bytes(kLengthBytes, '\0');
    std::memcpy(bytes.data(), &length, sizeof length);
    FrameBuffer buffer;
    Receive(buffer, bytes);
    EXPECT_EQ(buffer.Next().status().code(), absl::StatusCode::kInvalidArgument) << length;
  }
}

}  // namespace
}  // namespace executors::sandboxes

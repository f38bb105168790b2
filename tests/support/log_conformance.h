// SPDX-License-Identifier: Apache-2.0
// What every `LogSink` with its `LogFeed` promises, as one suite over all of them. A store's own
// test program includes this once and instantiates it, as with `run_store_conformance.h`.
#pragma once

#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/checksum.h"
#include "engine/base/random.h"
#include "engine/ports/log_feed.h"
#include "engine/ports/log_sink.h"

namespace tests::support {

struct LogsUnderTest {
  engine::ports::LogSink* sink = nullptr;
  engine::ports::LogFeed* feed = nullptr;
};

/// One empty place for logs. What is opened again goes on with what was there.
class LogScene {
 public:
  virtual ~LogScene() = default;
  virtual LogsUnderTest Open() = 0;
};
using MakeLogScene = std::function<std::unique_ptr<LogScene>()>;

inline engine::model::LogKey LogOf(std::uint32_t job, std::uint32_t step = 0,
                                   std::uint64_t run = 5) {
  return {.attempt = {.run = engine::model::RunId(run),
                      .job = engine::model::JobIndex(job),
                      .attempt = 1},
          .step = engine::model::StepIndex(step)};
}

inline engine::model::LogEnd EndOf(const std::string& text) {
  return {.length = text.size(), .checksum = engine::base::Crc32(0, text)};
}

using Marks = engine::base::StatusOr<engine::model::LogMarks>;

inline Marks AppendAndWait(engine::ports::LogSink& sink, const engine::model::LogKey& log,
                           std::uint64_t offset, std::string bytes) {
  std::promise<Marks> answer;
  sink.Append(log, offset, std::move(bytes), [&](const Marks& marks) { answer.set_value(marks); });
  return answer.get_future().get();
}
inline Marks EndAndWait(engine::ports::LogSink& sink, const engine::model::LogKey& log,
                        const engine::model::LogEnd& end) {
  std::promise<Marks> answer;
  sink.End(log, end, [&](const Marks& marks) { answer.set_value(marks); });
  return answer.get_future().get();
}

using Piece = engine::base::StatusOr<std::optional<engine::ports::LogPiece>>;
inline std::future<Piece> Ask(engine::ports::LogReader& reader) {
  auto answer = std::make_shared<std::promise<Piece>>();
  reader.Next([answer](Piece piece) { answer->set_value(std::move(piece)); });
  return answer->get_future();
}

/// All that a reader gets, log by log. Checks that each byte comes once and in order.
struct Collected {
  std::map<engine::model::LogKey, std::string> text;
  std::map<engine::model::LogKey, engine::model::LogEnd> ends;
  std::vector<engine::base::Status> missing;

  /// False at the end.
  bool Take(const Piece& piece, const std::map<engine::model::LogKey, std::uint64_t>& from = {}) {
    if (!piece.ok()) {
      missing.push_back(piece.status());
      return missing.size() < 100;
    }
    if (!piece->has_value()) {
      return false;
    }
    const engine::ports::LogPiece& got = **piece;
    std::string& so_far = text[got.log];
    if (const auto at = from.find(got.log); at != from.end() && missing.empty()) {
      EXPECT_EQ(got.offset, at->second + so_far.size());
    }
    so_far += got.bytes;
    if (got.end) {
      ends[got.log] = *got.end;
    }
    return true;
  }
};
inline Collected ReadToTheEnd(engine::ports::LogReader& reader) {
  Collected all;
  while (all.Take(Ask(reader).get())) {
  }
  return all;
}

class LogConformance : public testing::TestWithParam<MakeLogScene> {
 protected:
  using Code = absl::StatusCode;
  void SetUp() override {
    scene_ = GetParam()();
    logs_ = scene_->Open();
  }
  engine::ports::LogSink& sink() { return *logs_.sink; }
  engine::ports::LogFeed& feed() { return *logs_.feed; }

  Marks Append(const engine::model::LogKey& log, std::uint64_t offset, std::string bytes) {
    return AppendAndWait(sink(), log, offset, std::move(bytes));
  }
  Marks End(const engine::model::LogKey& log, const engine::model::LogEnd& end) {
    return EndAndWait(sink(), log, end);
  }
  /// The whole log `text`.
  void Store(const engine::model::LogKey& log, const std::string& text) {
    ASSERT_TRUE(Append(log, 0, text).ok());
    ASSERT_TRUE(End(log, EndOf(text)).ok());
  }
  std::unique_ptr<engine::ports::LogReader> Reader(engine::ports::LogRequest request) {
    request.logs.run = engine::model::RunId(5);
    return feed().Open(std::move(request));
  }
  std::string TextOf(const engine::model::LogKey& log) {
    const auto reader = Reader({});
    return ReadToTheEnd(*reader).text[log];
  }

  std::unique_ptr<LogScene> scene_;
  LogsUnderTest logs_;
};

TEST_P(LogConformance, HandsOutWhatItTookIn) {
  Append(LogOf(0), 0, "one\n").IgnoreError();
  const Marks marks = Append(LogOf(0), 4, "two\n");
  ASSERT_TRUE(marks.ok()) << marks.status();
  EXPECT_EQ(marks->received, 8u);
  EXPECT_FALSE(marks->ended);
  EXPECT_EQ(TextOf(LogOf(0)), "one\ntwo\n");
}

TEST_P(LogConformance, PassesOverWhatIsThereAlready) {
  ASSERT_TRUE(Append(LogOf(0), 0, "abcdef").ok());
  EXPECT_EQ(Append(LogOf(0), 0, "abcdef")->received, 6u);
  EXPECT_EQ(Append(LogOf(0), 2, "cd")->received, 6u);
  EXPECT_EQ(Append(LogOf(0), 4, "efgh")->received, 8u);
  EXPECT_EQ(TextOf(LogOf(0)), "abcdefgh");
}

TEST_P(LogConformance, RefusesAGapAndStaysAsItIs) {
  ASSERT_TRUE(Append(LogOf(0), 0, "abc").ok());
  EXPECT_EQ(Append(LogOf(0), 4, "e").status().code(), Code::kFailedPrecondition);
  EXPECT_EQ(Append(LogOf(1), 1, "b").status().code(), Code::kFailedPrecondition);
  EXPECT_EQ(sink().Marks(LogOf(0))->received, 3u);
  EXPECT_EQ(TextOf(LogOf(0)), "abc");
}

TEST_P(LogConformance, RefusesABatchThatIsTooLarge) {
  const std::string large(engine::ports::kLogBatchBytesMax + 1, 'x');
  EXPECT_EQ(Append(LogOf(0), 0, large).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(Append(LogOf(0), 0, large.substr(1))->received, large.size() - 1);
}

TEST_P(LogConformance, KnowsNothingOfALogThatNobodySent) {
  EXPECT_EQ(*sink().Marks(LogOf(7)), engine::model::LogMarks{});
  EXPECT_EQ(Append(LogOf(7), 0, "")->received, 0u);
}

TEST_P(LogConformance, EndsALogOnce) {
  ASSERT_TRUE(Append(LogOf(0), 0, "abc").ok());
  const auto end = EndOf("abc");
  EXPECT_TRUE(End(LogOf(0), end)->ended);
  EXPECT_TRUE(End(LogOf(0), end).ok());
  EXPECT_TRUE(Append(LogOf(0), 1, "bc").ok());
  EXPECT_EQ(Append(LogOf(0), 3, "d").status().code(), Code::kFailedPrecondition);
  EXPECT_EQ(End(LogOf(0), {.length = 3, .checksum = 1}).status().code(), Code::kAlreadyExists);
  const auto states = feed().List({.run = engine::model::RunId(5)});
  EXPECT_EQ(states->at(LogOf(0)).end, end);
}

TEST_P(LogConformance, DoesNotEndALogBeforeItsBytesAreThere) {
  ASSERT_TRUE(Append(LogOf(0), 0, "ab").ok());
  EXPECT_EQ(End(LogOf(0), EndOf("abc")).status().code(), Code::kFailedPrecondition);
  EXPECT_EQ(End(LogOf(0), EndOf("a")).status().code(), Code::kFailedPrecondition);
  EXPECT_EQ(End(LogOf(0), {.length = 2, .lost = {{1, 1}}}).status().code(), Code::kInvalidArgument);
  EXPECT_FALSE(sink().Marks(LogOf(0))->ended);
}

TEST_P(LogConformance, NamesWhatTheWorkerLost) {
  ASSERT_TRUE(Append(LogOf(0), 0, "abc").ok());
  auto end = EndOf("abc");
  end.length = 10;
  end.lost = {{3, 10}};
  ASSERT_TRUE(End(LogOf(0), end).ok());
  const auto reader = Reader({.follow = true});
  reader->Settle({});
  const Collected all = ReadToTheEnd(*reader);
  EXPECT_EQ(all.text.at(LogOf(0)), "abc");
  EXPECT_EQ(all.ends.at(LogOf(0)), end);
}

TEST_P(LogConformance, MarksALogWhoseChecksumDiffersAsDamaged) {
  ASSERT_TRUE(Append(LogOf(0), 0, "abc").ok());
  const engine::model::LogEnd wrong{.length = 3, .checksum = 1};
  EXPECT_EQ(End(LogOf(0), wrong).status().code(), Code::kDataLoss);
  EXPECT_EQ(End(LogOf(0), wrong).status().code(), Code::kDataLoss);
  EXPECT_TRUE(feed().List({.run = engine::model::RunId(5)})->at(LogOf(0)).end->damaged);
}

TEST_P(LogConformance, CutsLogsOfALostWorkerUntilItComesBack) {
  ASSERT_TRUE(Append(LogOf(0), 0, "abc").ok());
  ASSERT_TRUE(Append(LogOf(0, 1), 0, "whole").ok());
  ASSERT_TRUE(End(LogOf(0, 1), EndOf("whole")).ok());
  sink().Abandon(LogOf(0), 0);
  sink().Abandon(LogOf(0, 1), 5);
  const auto reader = Reader({.follow = true});
  reader->Settle({LogOf(0), LogOf(0, 1)});
  const Collected all = ReadToTheEnd(*reader);
  EXPECT_TRUE(all.ends.at(LogOf(0)).cut);
  EXPECT_EQ(all.ends.at(LogOf(0, 1)), EndOf("whole"));
  ASSERT_TRUE(Append(LogOf(0), 3, "def").ok());
  EXPECT_FALSE(sink().Marks(LogOf(0))->ended);
  ASSERT_TRUE(End(LogOf(0), EndOf("abcdef")).ok());
  EXPECT_EQ(TextOf(LogOf(0)), "abcdef");
}

TEST_P(LogConformance, NamesWhatIsMissingOfALostWorkersLogs) {
  ASSERT_TRUE(Append(LogOf(0), 0, "abc").ok());
  sink().Abandon(LogOf(0), 10);
  sink().Abandon(LogOf(0, 1), 7);
  const auto reader = Reader({.logs = {.job = LogOf(0).attempt.job}, .follow = true});
  reader->Settle({LogOf(0), LogOf(0, 1), LogOf(1)});
  const Collected all = ReadToTheEnd(*reader);
  EXPECT_EQ(all.text.at(LogOf(0)), "abc");
  EXPECT_EQ(all.ends.at(LogOf(0)).lost, (std::vector<engine::model::ByteRange>{{3, 10}}));
  EXPECT_EQ(all.ends.at(LogOf(0, 1)).lost, (std::vector<engine::model::ByteRange>{{0, 7}}));
  ASSERT_TRUE(Append(LogOf(0, 1), 0, "1234567").ok());
  ASSERT_TRUE(End(LogOf(0, 1), EndOf("1234567")).ok());
  EXPECT_EQ(TextOf(LogOf(0, 1)), "1234567");
}

TEST_P(LogConformance, CutsLogsOfALostWorkerThatNobodyNames) {
  ASSERT_TRUE(Append(LogOf(0, 0), 0, "named").ok());
  ASSERT_TRUE(Append(LogOf(0, 1), 0, "not named").ok());
  Store(LogOf(0, 2), "whole");
  ASSERT_TRUE(Append(LogOf(1), 0, "of another job").ok());
  sink().AbandonOthers(LogOf(0).attempt, {LogOf(0).step});
  sink().AbandonOthers(LogOf(7).attempt, {});
  ASSERT_TRUE(End(LogOf(0), EndOf("named")).ok());
  const auto reader = Reader({.logs = {.job = LogOf(0).attempt.job}, .follow = true});
  reader->Settle({});
  const Collected all = ReadToTheEnd(*reader);
  EXPECT_EQ(all.ends.at(LogOf(0)), EndOf("named"));
  EXPECT_TRUE(all.ends.at(LogOf(0, 1)).cut);
  EXPECT_EQ(all.ends.at(LogOf(0, 2)), EndOf("whole"));
  EXPECT_FALSE(sink().Marks(LogOf(1))->ended);
  EXPECT_FALSE(sink().Marks(LogOf(7))->ended);
}

TEST_P(LogConformance, CutsALogBehindWhatIsThereWhenItsSenderSaysSo) {
  const engine::model::LogEnd cut{.length = 3, .cut = true};
  EXPECT_EQ(End(LogOf(0), cut).status().code(), Code::kFailedPrecondition);
  ASSERT_TRUE(Append(LogOf(0), 0, "abc").ok());
  EXPECT_TRUE(End(LogOf(0), cut)->cut);
  EXPECT_TRUE(End(LogOf(0), cut)->cut) << "again";
  EXPECT_EQ(
      feed().List({.run = engine::model::RunId(5)})->at(LogOf(0)).end,
      (engine::model::LogEnd{.length = 3, .checksum = engine::base::Crc32(0, "abc"), .cut = true}));
  ASSERT_TRUE(Append(LogOf(0), 3, "def").ok());
  ASSERT_TRUE(End(LogOf(0), EndOf("abcdef")).ok());
  EXPECT_FALSE(sink().Marks(LogOf(0))->cut);
  EXPECT_EQ(End(LogOf(0), {.length = 6, .cut = true}).status().code(), Code::kAlreadyExists);
}

TEST_P(LogConformance, KeepsBytesOfAnyKind) {
  std::string text("\0\n\r\xff\xfe\xc3(\0", 8);
  text += std::string(1'000'000, 'x') + "\n";
  for (std::size_t at = 0; at < text.size(); at += 100'000) {
    ASSERT_TRUE(Append(LogOf(0), at, text.substr(at, 100'000)).ok());
  }
  ASSERT_TRUE(End(LogOf(0), EndOf(text)).ok());
  EXPECT_TRUE(TextOf(LogOf(0)) == text);
}

TEST_P(LogConformance, ArchivesAndTells) {
  std::promise<void> archived;
  sink().OnArchived([&](const engine::model::LogKey& log, const engine::model::LogMarks& marks) {
    if (log == LogOf(0) && marks.archived == 3 && marks.complete) {
      archived.set_value();
    }
  });
  Store(LogOf(0), "abc");
  archived.get_future().get();
  EXPECT_EQ(sink().Marks(LogOf(0))->archived, 3u);
  EXPECT_EQ(TextOf(LogOf(0)), "abc");
}

TEST_P(LogConformance, AReaderGetsHistoryAndThenWhatComes) {
  ASSERT_TRUE(Append(LogOf(0), 0, "history, ").ok());
  const auto log = LogOf(0);
  const auto reader =
      Reader({.logs = {.job = log.attempt.job, .attempt = 1, .step = log.step}, .follow = true});
  Collected all;
  EXPECT_TRUE(all.Take(Ask(*reader).get()));
  EXPECT_EQ(all.text[log], "history, ");
  auto next = Ask(*reader);
  ASSERT_TRUE(Append(LogOf(1), 0, "of another job").ok());
  ASSERT_TRUE(Append(log, 9, "live").ok());
  EXPECT_TRUE(all.Take(next.get()));
  ASSERT_TRUE(End(log, EndOf("history, live")).ok());
  while (all.Take(Ask(*reader).get())) {
  }
  EXPECT_EQ(all.text[log], "history, live");
  EXPECT_EQ(all.ends.at(log), EndOf("history, live"));
  EXPECT_EQ(all.text.size(), 1u);
}

TEST_P(LogConformance, AReaderWithoutFollowEndsWithWhatThereIs) {
  EXPECT_TRUE(ReadToTheEnd(*Reader({})).text.empty());
  ASSERT_TRUE(Append(LogOf(0), 0, "abc").ok());
  Store(LogOf(1), "def");
  const Collected all = ReadToTheEnd(*Reader({}));
  EXPECT_EQ(all.text.at(LogOf(0)), "abc");
  EXPECT_EQ(all.text.at(LogOf(1)), "def");
  EXPECT_EQ(all.ends.size(), 1u);
}

TEST_P(LogConformance, AReaderGoesOnWhereItWasCutOff) {
  Store(LogOf(0), "abcdef");
  Store(LogOf(1), "ghi");
  const std::map<engine::model::LogKey, std::uint64_t> from = {{LogOf(0), 4}, {LogOf(1), 3}};
  const auto reader = Reader({.from = from});
  Collected all;
  while (all.Take(Ask(*reader).get(), from)) {
  }
  EXPECT_EQ(all.text[LogOf(0)], "ef");
  EXPECT_EQ(all.text[LogOf(1)], "");
  EXPECT_EQ(all.ends.size(), 2u);
}

TEST_P(LogConformance, AReaderBeginsAtTheLastLines) {
  const struct {
    const char* text;
    std::uint64_t lines;
    const char* tail;
  } cases[] = {{"a\nb\nc\n", 2, "b\nc\n"}, {"a\nb\nc", 2, "b\nc"}, {"a\nb\n", 9, "a\nb\n"},
               {"a\nb\n", 0, ""},          {"\n\n\n", 1, "\n"},    {"no break", 1, "no break"}};
  std::uint32_t job = 0;
  for (const auto& c : cases) {
    const auto log = LogOf(job++);
    Append(log, 0, std::string(c.text).substr(0, 3)).IgnoreError();
    Store(log, c.text);
    const auto reader = Reader({.logs = {.job = log.attempt.job}, .tail_lines = c.lines});
    EXPECT_EQ(ReadToTheEnd(*reader).text[log], c.tail) << c.text;
  }
}

TEST_P(LogConformance, AReaderOfARunEndsWhenItIsSettled) {
  const auto reader = Reader({.follow = true});
  auto next = Ask(*reader);
  Store(LogOf(0), "abc");
  Collected all;
  EXPECT_TRUE(all.Take(next.get()));
  reader->Settle({LogOf(0), LogOf(1)});
  Store(LogOf(1), "late");
  while (all.Take(Ask(*reader).get())) {
  }
  EXPECT_EQ(all.text[LogOf(0)], "abc");
  EXPECT_EQ(all.text[LogOf(1)], "late");
}

TEST_P(LogConformance, ManyReadersGetTheSame) {
  constexpr std::uint32_t kLogs = 3;
  std::vector<std::unique_ptr<engine::ports::LogReader>> readers;
  std::vector<std::future<Collected>> results;
  for (int i = 0; i < 8; ++i) {
    readers.push_back(Reader({.follow = true}));
    readers.back()->Settle({LogOf(0), LogOf(1), LogOf(2)});
    results.push_back(std::async(std::launch::async,
                                 [&reader = *readers.back()] { return ReadToTheEnd(reader); }));
  }
  engine::base::Random random(3);
  std::map<engine::model::LogKey, std::string> texts;
  for (int round = 0; round < 120; ++round) {
    const auto log = LogOf(static_cast<std::uint32_t>(random.Below(kLogs)));
    const std::string bytes(1 + random.Below(2000), static_cast<char>('a' + round % 26));
    ASSERT_TRUE(Append(log, texts[log].size(), bytes).ok());
    texts[log] += bytes;
  }
  for (const auto& [log, text] : texts) {
    ASSERT_TRUE(End(log, EndOf(text)).ok());
  }
  for (auto& result : results) {
    EXPECT_TRUE(result.get().text == texts);
  }
}

TEST_P(LogConformance, AReaderThatLeavesIsNotCalled) {
  auto reader = Reader({.follow = true});
  auto next = Ask(*reader);
  reader.reset();
  Store(LogOf(0), "abc");
  EXPECT_EQ(TextOf(LogOf(0)), "abc");
  EXPECT_THROW(std::ignore = next.get(), std::future_error);
}

TEST_P(LogConformance, ANewOwnerGoesOnWithWhatWasReceived) {
  ASSERT_TRUE(Append(LogOf(0), 0, "abc").ok());
  Store(LogOf(1), "ended");
  logs_ = scene_->Open();
  EXPECT_EQ(sink().Marks(LogOf(0))->received, 3u);
  ASSERT_TRUE(Append(LogOf(0), 3, "def").ok());
  EXPECT_TRUE(End(LogOf(0), EndOf("abcdef")).ok());
  EXPECT_EQ(End(LogOf(1), EndOf("other")).status().code(), Code::kAlreadyExists);
  EXPECT_EQ(TextOf(LogOf(0)), "abcdef");
  EXPECT_EQ(TextOf(LogOf(1)), "ended");
}

}  // namespace tests::support

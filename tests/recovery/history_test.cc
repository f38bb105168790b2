// SPDX-License-Identifier: Apache-2.0
// The judge of histories is judged: a good one passes, and each way of breaking it is found.
#include "tests/recovery/history.h"

#include <functional>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tests::recovery {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr model::RunId kRun{1000};
constexpr model::RunId kOther{1001};
constexpr model::JobIndex kJob{0};

model::Fact Accepted(model::RunId run, const char* key) {
  model::RunAccepted accepted;
  accepted.run = run;
  accepted.idempotency_key = key;
  accepted.context = std::make_shared<model::RunContext>();
  return {{}, accepted};
}
model::AttemptKey Attempt(model::RunId run, model::AttemptNumber number) {
  return {run, kJob, number};
}
model::Fact Assigned(model::RunId run, model::AttemptNumber number) {
  return {{},
          model::AttemptAssigned{{Attempt(run, number), model::WorkerId(1), model::SessionId(1)}}};
}
model::Fact Ended(model::RunId run, model::AttemptNumber number,
                  model::Status status = model::Status::kSucceeded) {
  model::AttemptEnded ended;
  ended.key = Attempt(run, number);
  ended.status = status;
  ended.infra = status != model::Status::kSucceeded;
  return {{}, ended};
}
model::Fact JobEnded(model::RunId run) {
  auto result = std::make_shared<model::JobResult>();
  result->status = model::Status::kSucceeded;
  return {{}, model::JobEnded{run, kJob, result}};
}
model::Fact RunEnded(model::RunId run) {
  model::RunEnded ended;
  ended.run = run;
  ended.counts[static_cast<std::size_t>(model::Status::kSucceeded)] = 1;
  return {{}, ended};
}
model::Fact Closed(model::RunId run) {
  return {{}, model::RunClosed{run}};
}

// Two runs. The first loses an attempt with its worker, the second is taken over by a new owner.
History Good() {
  History history;
  const auto add = [&](std::uint64_t epoch, std::vector<model::Fact> facts) {
    const std::uint64_t before = history.log.empty() ? 0 : history.log.back().seq;
    history.log.push_back({before + facts.size(), model::Epoch(epoch), std::move(facts)});
  };
  add(1, {Accepted(kRun, "a"), Assigned(kRun, 1)});
  add(1, {Ended(kRun, 1, model::Status::kFailed), Assigned(kRun, 2)});
  add(1, {Accepted(kOther, "b"), Assigned(kOther, 1)});
  add(1, {Ended(kRun, 2), JobEnded(kRun), RunEnded(kRun)});
  add(2, {Closed(kRun)});
  add(2, {Ended(kOther, 1), JobEnded(kOther), RunEnded(kOther), Closed(kOther)});
  history.submitted = {{"a", kRun, model::Status::kSucceeded},
                       {"b", kOther, model::Status::kSucceeded},
                       {"c", {}, {}}};
  history.executed = {Attempt(kRun, 1), Attempt(kRun, 2), Attempt(kOther, 1)};
  history.claimed = {{"first", model::Epoch(1)}, {"second", model::Epoch(2)}};
  return history;
}

// Puts `fact` behind the facts of a row, and moves the numbers of all rows on.
void Add(History& history, std::size_t row, const model::Fact& fact) {
  history.log.at(row).facts.push_back(fact);
  for (std::size_t i = row; i < history.log.size(); ++i) {
    ++history.log[i].seq;
  }
}
void Remove(History& history, std::size_t row, std::size_t fact) {
  auto& facts = history.log.at(row).facts;
  facts.erase(facts.begin() + static_cast<std::ptrdiff_t>(fact));
  for (std::size_t i = row; i < history.log.size(); ++i) {
    --history.log[i].seq;
  }
}

TEST(History, ThatIsGoodPasses) {
  EXPECT_THAT(Judge(Good()), IsEmpty());
}

struct BadHistory {
  const char* name;
  std::function<void(History&)> spoil;
  const char* finding;
};
void PrintTo(const BadHistory& bad, std::ostream* out) {
  *out << bad.name;
}

class Bad : public ::testing::TestWithParam<BadHistory> {};

TEST_P(Bad, IsFoundAndNothingElse) {
  History history = Good();
  GetParam().spoil(history);
  EXPECT_THAT(Judge(history), ElementsAre(HasSubstr(GetParam().finding)));
}

const BadHistory kBad[] = {
    {"LostRun",
     [](History& h) {
       h.submitted.push_back({"c", model::RunId(7), {}});
     },
     "was acknowledged and is lost"},
    {"RunAcceptedTwice", [](History& h) { Add(h, 2, Accepted(kRun, "a")); }, "accepted twice"},
    {"KeyThatStartsTwoRuns",
     [](History& h) {
       h.log[2].facts[0] = Accepted(kOther, "a");
       h.submitted[1] = {"a", kOther, model::Status::kSucceeded};
     },
     "started two runs"},
    {"AnotherRunForTheKey",
     [](History& h) {
       std::swap(h.submitted[0].run, h.submitted[1].run);
       h.submitted.pop_back();
       h.submitted.erase(h.submitted.begin());
       h.submitted.push_back({"a", {}, {}});
     },
     "which has key"},
    {"RunOfNobody", [](History& h) { h.submitted.erase(h.submitted.begin()); },
     "submitted by nobody"},
    {"RunThatNeverEnds",
     [](History& h) {
       Remove(h, 5, 3);
       Remove(h, 5, 2);
       h.submitted[1].told.reset();
     },
     "never ended"},
    {"WatcherToldOtherwise", [](History& h) { h.submitted[0].told = model::Status::kFailed; },
     "not what is stored"},
    {"EffectTwiceWithoutANewAttempt", [](History& h) { h.executed.push_back(Attempt(kOther, 1)); },
     "took effect twice"},
    {"EffectOfNoAttempt", [](History& h) { h.executed.push_back(Attempt(kOther, 2)); },
     "assigned to nobody"},
    {"SuccessWithoutEffect", [](History& h) { h.executed.pop_back(); }, "without any effect"},
    {"TwoOwnersWithOneEpoch",
     [](History& h) {
       h.claimed.push_back({"third", model::Epoch(2)});
     },
     "both owned"},
    {"WriterWithoutAClaim",
     [](History& h) {
       h.claimed.pop_back();
       h.log.pop_back();
       h.log.pop_back();
       h.log.push_back({13,
                        model::Epoch(3),
                        {Closed(kRun), Ended(kOther, 1), JobEnded(kOther), RunEnded(kOther)}});
       h.log.back().seq = h.log[3].seq + 4;
     },
     "without an owner"},
    {"DeposedOwnerWrites", [](History& h) { h.log.back().epoch = model::Epoch(1); },
     "epoch 1 wrote"},
    {"AttemptNeitherEndedNorOutstanding", [](History& h) { Remove(h, 5, 0); },
     "neither ended nor is outstanding"},
    {"AttemptEndsTwice", [](History& h) { Add(h, 3, Ended(kRun, 2)); }, "ended twice"},
    {"ResultOfAnOldAttempt",
     [](History& h) {
       Add(h, 1, {{}, model::AttemptStarted{Attempt(kRun, 1), 0, {}}});
     },
     "not under way"},
    {"TwoAttemptsAtOnce",
     [](History& h) {
       Add(h, 2, Assigned(kOther, 2));
       h.log[5].facts[0] = Ended(kOther, 2);
       h.executed.push_back(Attempt(kOther, 2));
     },
     "had not ended"},
    {"AttemptNumberLeftOut",
     [](History& h) {
       h.log[2].facts[1] = Assigned(kOther, 2);
       h.log[5].facts[0] = Ended(kOther, 2);
       h.executed.back() = Attempt(kOther, 2);
     },
     "was assigned after attempt 0"},
    {"JobEndsTwice", [](History& h) { Add(h, 3, JobEnded(kRun)); }, "job 0 ended twice"},
    {"RunEndsTwice",
     [](History& h) {
       model::RunEnded again;
       again.run = kRun;
       Add(h, 3, {{}, again});
     },
     "ended twice"},
    {"JobMissingAtTheEnd", [](History& h) { Remove(h, 3, 1); }, "counts 1 jobs, 0 ended"},
    {"FactAfterTheClose",
     [](History& h) {
       Add(h, 4, {{}, model::RunCancelRequested{kRun, false, {}}});
     },
     "was closed, and yet"},
    {"FactOfAnUnknownRun", [](History& h) { Add(h, 4, Closed(model::RunId(9))); },
     "never accepted, and yet"},
    {"GapInTheLog",
     [](History& h) {
       for (std::size_t i = 2; i < h.log.size(); ++i) {
         ++h.log[i].seq;
       }
     },
     "has a gap"},
};

INSTANTIATE_TEST_SUITE_P(History, Bad, ::testing::ValuesIn(kBad),
                         [](const auto& param_info) { return std::string(param_info.param.name); });

}  // namespace
}  // namespace tests::recovery

// SPDX-License-Identifier: Apache-2.0
#include "agents/core/ledger.h"

#include <set>

#include <gtest/gtest.h>

namespace agents::core {
namespace {

namespace model = engine::model;

model::Lease LeaseFor(std::uint32_t job, std::uint64_t session = 1) {
  return {.key = {.run = model::RunId(7), .job = model::JobIndex(job), .attempt = 1},
          .worker = model::WorkerId(1),
          .session = model::SessionId(session)};
}

Input InputAt(std::size_t position, const model::Lease& lease) {
  switch (position) {
    case 0:
      return AssignmentReceived{lease};
    case 1:
      return StopReceived{lease, false};
    case 2:
      return SlotTook{lease.key};
    case 3:
      return AttemptFinished{lease.key};
    case 4:
      return ResultAcknowledged{lease.key};
    default:
      return ResultDropped{lease.key};
  }
}

// A ledger that has the attempt in `state`.
Ledger LedgerIn(AttemptState state, const model::Lease& lease) {
  Ledger ledger;
  if (state != AttemptState::kNew) {
    ledger.Apply(AttemptMoved{.lease = lease, .to = state});
  }
  return ledger;
}

TEST(Ledger, FollowsItsTableInEveryStateForEveryInput) {
  const model::Lease lease = LeaseFor(1);
  for (std::size_t input = 0; input < 6; ++input) {
    for (int from = 0; from < kAttemptStateCount; ++from) {
      const auto state = static_cast<AttemptState>(from);
      Ledger ledger = LedgerIn(state, lease);
      const Decisions decisions = ledger.Step(InputAt(input, lease));
      AttemptState to = state;
      Order order = Order::kNothing;
      for (const Transition& row : Transitions()) {
        if (row.input == input && row.from == state) {
          to = row.to;
          order = row.order;
        }
      }
      EXPECT_EQ(ledger.StateOf(lease.key), to) << input << " in " << from;
      EXPECT_EQ(decisions.effect.order, order) << input << " in " << from;
      EXPECT_EQ(decisions.fact.has_value(), to != state) << input << " in " << from;
    }
  }
}

TEST(Ledger, HasOneRowForAStateAndAnInput) {
  std::set<std::pair<std::size_t, AttemptState>> seen;
  for (const Transition& row : Transitions()) {
    EXPECT_TRUE(seen.emplace(row.input, row.from).second);
  }
  EXPECT_EQ(seen.size(), Transitions().size());
}

TEST(Ledger, RefusesADispatchThatComesAfterItsStop) {
  Ledger ledger;
  const model::Lease lease = LeaseFor(3);
  EXPECT_EQ(ledger.Step(StopReceived{lease, false}).effect.order, Order::kRefuse);
  EXPECT_EQ(ledger.Step(AssignmentReceived{lease}).effect.order, Order::kSendResult);
  ledger.Step(ResultAcknowledged{lease.key});
  EXPECT_EQ(ledger.Step(AssignmentReceived{lease}).effect.order, Order::kRefuseRepeated);
}

TEST(Ledger, NeverBeginsAnAttemptTwice) {
  Ledger ledger;
  const model::Lease lease = LeaseFor(3);
  EXPECT_EQ(ledger.Step(AssignmentReceived{lease}).effect.order, Order::kEnqueue);
  ledger.Step(SlotTook{lease.key});
  EXPECT_EQ(ledger.Step(AssignmentReceived{lease}).effect.order, Order::kNothing);
  ledger.Step(AttemptFinished{lease.key});
  ledger.Step(ResultDropped{lease.key});
  EXPECT_EQ(ledger.Step(AssignmentReceived{lease}).effect.order, Order::kRefuseRepeated);
}

TEST(Ledger, AnswersToTheNewestSession) {
  Ledger ledger;
  ledger.Step(AssignmentReceived{LeaseFor(3, 1)});
  ledger.Step(SlotTook{LeaseFor(3).key});
  const Decisions adopted = ledger.Step(AssignmentReceived{LeaseFor(3, 2)});
  ASSERT_TRUE(adopted.fact.has_value());
  EXPECT_EQ(ledger.Step(AttemptFinished{LeaseFor(3).key}).effect.lease, LeaseFor(3, 2));
  EXPECT_EQ(ledger.Step(AssignmentReceived{LeaseFor(3, 1)}).effect.lease, LeaseFor(3, 2));
}

TEST(Ledger, IsRebuiltFromItsJournal) {
  Ledger ledger;
  Ledger recovered;
  const auto feed = [&](const Input& input) {
    if (const Decisions decisions = ledger.Step(input); decisions.fact.has_value()) {
      recovered.Apply(*decisions.fact);
    }
  };
  for (std::uint32_t job = 0; job < 6; ++job) {
    feed(AssignmentReceived{LeaseFor(job)});
    for (std::size_t input = 2; input < 2 + job && input < 5; ++input) {
      feed(InputAt(input, LeaseFor(job)));
    }
  }
  for (int state = 0; state < kAttemptStateCount; ++state) {
    const auto at = static_cast<AttemptState>(state);
    EXPECT_EQ(recovered.In(at), ledger.In(at));
  }
  EXPECT_EQ(ledger.In(AttemptState::kQueued).size(), 1u);
  EXPECT_EQ(ledger.In(AttemptState::kRunning).size(), 1u);
  EXPECT_EQ(ledger.In(AttemptState::kHeld).size(), 1u);
  EXPECT_EQ(ledger.In(AttemptState::kDone).size(), 3u);
}

TEST(Ledger, ForgetsARunWhole) {
  Ledger ledger;
  ledger.Step(AssignmentReceived{LeaseFor(1)});
  ledger.Step(StopReceived{LeaseFor(2), true});
  ledger.Step(RunForgotten{model::RunId(8)});
  EXPECT_EQ(ledger.size(), 2u);
  ledger.Step(RunForgotten{model::RunId(7)});
  EXPECT_EQ(ledger.size(), 0u);
}

}  // namespace
}  // namespace agents::core

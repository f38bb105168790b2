// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/replay.h"

#include <utility>

#include "engine/base/overloaded.h"

namespace agents::runner {
namespace {

namespace base = engine::base;
namespace model = engine::model;

class Replayer {
 public:
  Replayer(Attempt& attempt, std::span<const AttemptRecord> records)
      : attempt_(attempt), left_(records) {}

  base::StatusOr<Replayed> Run() {
    while (!stopped_) {
      TakeOrders();
      NextAction action = attempt_.Next();
      if (!std::holds_alternative<WantHash>(action)) {
        DropUnwantedHashes();
      }
      RETURN_IF_ERROR(
          std::visit(base::Overloaded{[&](StartCommand& start) { return Step(std::move(start)); },
                                      [&](WantHash& want) { return Hash(std::move(want)); },
                                      [&](AwaitServices& await) { return Await(std::move(await)); },
                                      [&](StepsOver&) { return EndSteps(); },
                                      [&](AllOver&) { return Pause(AllOver{}); }},
                     action));
    }
    if (!left_.empty()) {
      return Unfit();
    }
    return std::move(replayed_);
  }

 private:
  template <typename Record>
  const Record* Front() const {
    return left_.empty() ? nullptr : std::get_if<Record>(&left_.front());
  }
  /// The next record, if it is of this kind.
  template <typename Record>
  const Record* Take() {
    const Record* record = Front<Record>();
    if (record != nullptr) {
      left_ = left_.subspan(1);
    }
    return record;
  }
  static base::Status Unfit() {
    return base::Internal("what is on record of the attempt does not fit its job");
  }
  base::Status Pause(NextAction next) {
    replayed_.next = std::move(next);
    stopped_ = true;
    return base::OkStatus();
  }

  /// Stops, budgets and ends of background steps may stand anywhere.
  void TakeOrders() {
    for (;;) {
      const auto* done = Front<StepDone>();
      if (done != nullptr && attempt_.background().contains(done->step)) {
        BackgroundDone(*done);
        left_ = left_.subspan(1);
      } else if (const auto* stop = Take<StopCame>()) {
        stop->kill ? attempt_.Kill(stop->reason) : attempt_.Stop(stop->reason);
      } else if (const auto* budget = Take<BudgetSet>()) {
        replayed_.budget_ends_at = budget->ends_at;
      } else if (Take<BudgetEnded>() != nullptr) {
        attempt_.EndBudget();
      } else {
        return;
      }
    }
  }

  void BackgroundDone(const StepDone& done) {
    std::erase_if(replayed_.background, [&](const RunningBackground& running) {
      return running.start.step == done.step;
    });
    replayed_.left_over = true;  // its lane
    attempt_.BackgroundEnded(done.step, done.exit, done.notes, done.cut);
    attempt_.summary_of_last_step();  // was kept when it ended
  }

  base::Status Background(StartCommand start) {
    const auto* starting = Take<StepStarting>();
    if (starting == nullptr) {
      return left_.empty() ? Pause(std::move(start)) : Unfit();
    }
    if (starting->step != start.step) {
      return Unfit();
    }
    ++replayed_.starts;
    replayed_.last_started = start.step;
    replayed_.background.push_back(
        {.start = std::move(start), .lane = starting->lane, .since = starting->at});
    return base::OkStatus();
  }

  /// A stop came while they were made, and then nobody needed them.
  void DropUnwantedHashes() {
    while (Take<HashMade>() != nullptr) {
      TakeOrders();
    }
  }

  base::Status Step(StartCommand start) {
    if (start.background) {
      return Background(std::move(start));
    }
    const StepStarting* starting = Take<StepStarting>();
    if (starting == nullptr) {
      return left_.empty() ? Pause(std::move(start)) : Unfit();
    }
    SteadyMicros since = starting->at;
    while (starting != nullptr) {
      if (starting->step != start.step) {
        return Unfit();
      }
      since = starting->at;
      ++replayed_.starts;
      replayed_.last_started = start.step;
      TakeOrders();
      starting = Take<StepStarting>();
      if (starting != nullptr) {
        start = attempt_.ThroughShell();
      }
    }
    if (const auto* done = Take<StepDone>()) {
      replayed_.left_over = replayed_.left_over || done->exit.leftover > 0;
      attempt_.StepEnded(done->exit, done->notes, done->cut);
      attempt_.summary_of_last_step();  // was kept when it ended
      return base::OkStatus();
    }
    replayed_.running = std::move(start);
    replayed_.running_since = since;
    stopped_ = true;
    return base::OkStatus();
  }

  base::Status Await(AwaitServices await) {
    if (Take<ServicesCameUp>() != nullptr) {
      attempt_.ServicesReady();
    } else if (const auto* late = Take<ServiceWasLate>()) {
      attempt_.ServiceLate(late->step, late->why);
    } else {
      return left_.empty() ? Pause(std::move(await)) : Unfit();
    }
    return base::OkStatus();
  }

  base::Status Hash(WantHash want) {
    const auto* made = Take<HashMade>();
    if (made == nullptr) {
      return Pause(std::move(want));
    }
    attempt_.GiveHash(made->patterns, made->status.ok()
                                          ? base::StatusOr<std::string>(made->hash)
                                          : base::StatusOr<std::string>(made->status));
    return base::OkStatus();
  }

  base::Status EndSteps() {
    if (!attempt_.background().empty()) {
      if (Take<StepsOverCame>() == nullptr) {
        return left_.empty() ? Pause(StepsOver{}) : Unfit();
      }
      TakeOrders();
      if (!attempt_.background().empty()) {
        replayed_.ending = true;
        stopped_ = true;
        return base::OkStatus();
      }
    }
    Closing closing = attempt_.EndSteps();
    TakeOrders();
    if (const auto* made = Take<UploadsMade>()) {
      attempt_.TakeClosed(
          {.spilled = made->spilled,
           .artifacts = made->status.ok()
                            ? base::StatusOr<std::vector<model::Artifact>>(made->artifacts)
                            : base::StatusOr<std::vector<model::Artifact>>(made->status),
           .remarks = made->remarks});
    } else if (!closing.empty()) {
      replayed_.closing = std::move(closing);
      stopped_ = true;
    }
    return base::OkStatus();
  }

  Attempt& attempt_;
  std::span<const AttemptRecord> left_;
  Replayed replayed_;
  bool stopped_ = false;
};

}  // namespace

base::StatusOr<Replayed> Replay(Attempt& attempt, std::span<const AttemptRecord> records) {
  return Replayer(attempt, records).Run();
}

}  // namespace agents::runner

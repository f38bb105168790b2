// SPDX-License-Identifier: Apache-2.0
#include "tests/crash/recorded_facts.h"

#include <gtest/gtest.h>

#include "engine/base/overloaded.h"
#include "store/sqlite/sqlite_run_store.h"

namespace tests::crash {
namespace model = engine::model;

namespace {

class Counter {
 public:
  Counter(engine::ports::RunStore& store, RecordedFacts& facts) : store_(store), facts_(facts) {}

  void Count(const model::Fact& fact) {
    if (const auto* accepted = std::get_if<model::RunAccepted>(&fact.body)) {
      auto plan = store_.LoadPlan(accepted->plan);
      ASSERT_TRUE(plan.ok());
      plan_ = *plan;
    } else if (const auto* job = std::get_if<model::JobEnded>(&fact.body)) {
      ++facts_.job_ends[Name(job->job)];
    } else if (const auto* assigned = std::get_if<model::AttemptAssigned>(&fact.body)) {
      ++facts_.attempts[Name(assigned->lease.key.job)];
    } else if (const auto* attempt = std::get_if<model::AttemptEnded>(&fact.body)) {
      ++facts_.attempt_ends[attempt->key];
    } else if (std::holds_alternative<model::RunEnded>(fact.body)) {
      ++facts_.run_ends;
    }
  }

 private:
  std::string Name(model::JobIndex job) const {
    return plan_ ? model::JobName(*plan_, job) : std::string("before the run was accepted");
  }

  engine::ports::RunStore& store_;
  RecordedFacts& facts_;
  model::PlanRef plan_;
};

}  // namespace

RecordedFacts ReadFacts(const std::string& run_folder) {
  RecordedFacts facts;
  auto store = store::sqlite::OpenSqliteRunStore(run_folder + "/facts.db", {.read_only = true});
  if (!store.ok()) {
    return facts;
  }
  Counter counter(**store, facts);
  facts.readable = (*store)
                       ->ReadAll([&](const engine::ports::FactRow& row) {
                         for (const model::Fact& fact : row.facts) {
                           counter.Count(fact);
                         }
                         return true;
                       })
                       .ok();
  return facts;
}

}  // namespace tests::crash

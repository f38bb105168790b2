// SPDX-License-Identifier: Apache-2.0
#include "bench/server/runs.h"

#include <chrono>
#include <functional>
#include <map>
#include <random>
#include <thread>
#include <variant>

#include <fmt/format.h>

#include "api/client/run_client.h"
#include "engine/base/check.h"

namespace bench::server {

namespace model = engine::model;

std::string PipelineOf(std::uint32_t jobs) {
  std::string text = "name: bench\njobs:\n";
  for (std::uint32_t i = 0; i < jobs; ++i) {
    text += fmt::format("  j{}: {{ checkout: false, steps: ['true'] }}\n", i);
  }
  return text;
}

model::RunId Submit(api::client::Connection& connection, const std::string& pipeline) {
  static std::mt19937_64 random{std::random_device{}()};
  api::wire::Submission submission;
  submission.request_key = fmt::format("{:016x}{:016x}", random(), random());
  submission.pipeline_file = "bench.yml";
  submission.pipeline_text = pipeline;
  submission.event = "manual";
  const auto answer = api::client::RunClient(connection).Submit(submission);
  CHECK_MSG(answer.ok(), answer.status().ToString().c_str());
  CHECK(answer->diagnostics.empty());
  return answer->run;
}

bool AwaitEnd(api::client::Connection& connection, model::RunId run) {
  for (;;) {
    const auto row = api::client::RunClient(connection).Get(model::ToText(run));
    CHECK_MSG(row.ok(), row.status().ToString().c_str());
    if (model::IsFinal(row->status)) {
      return row->status == model::Status::kSucceeded;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

namespace {

/// All that happened in the run.
void EachFact(api::client::Connection& connection, model::RunId run,
              const std::function<void(const model::Fact&)>& take) {
  api::client::WatchHandlers handlers;
  handlers.outlined = [](const api::wire::OutlinedRun&) {};
  handlers.happened = [&](const model::Fact& fact) {
    take(fact);
    return true;
  };
  const auto watched =
      api::client::RunClient(connection).Watch(model::ToText(run), /*history_only=*/true, handlers);
  CHECK_MSG(watched.ok(), watched.ToString().c_str());
}

}  // namespace

std::vector<double> WaitsOf(api::client::Connection& connection, model::RunId run,
                            const NoopAgents& agents) {
  std::map<model::JobIndex, engine::base::Instant> ready;
  std::vector<double> waits;
  EachFact(connection, run, [&](const model::Fact& fact) {
    if (const auto* readied = std::get_if<model::JobReadied>(&fact.body)) {
      ready[readied->job] = fact.at;
    } else if (const auto* assigned = std::get_if<model::AttemptAssigned>(&fact.body)) {
      const auto& key = assigned->lease.key;
      waits.push_back(
          std::chrono::duration<double>(agents.TakenAt(key) - ready.at(key.job)).count());
    }
  });
  return waits;
}

engine::base::Instant AwaitFact(api::client::Connection& connection, model::RunId run,
                                const std::function<bool(const model::Fact&)>& is) {
  engine::base::Instant at;
  api::client::WatchHandlers handlers;
  handlers.outlined = [](const api::wire::OutlinedRun&) {};
  handlers.happened = [&](const model::Fact& fact) {
    if (!is(fact)) {
      return true;
    }
    at = fact.at;
    return false;
  };
  const auto watched = api::client::RunClient(connection)
                           .Watch(model::ToText(run), /*history_only=*/false, handlers);
  CHECK_MSG(watched.ok(), watched.ToString().c_str());
  CHECK(at != engine::base::Instant());
  return at;
}

engine::base::Instant ReadyAt(api::client::Connection& connection, model::RunId run) {
  engine::base::Instant ready;
  EachFact(connection, run, [&](const model::Fact& fact) {
    if (std::holds_alternative<model::JobReadied>(fact.body) && ready == engine::base::Instant()) {
      ready = fact.at;
    }
  });
  return ready;
}

double StepTook(api::client::Connection& connection, model::RunId run) {
  double took = 0;
  EachFact(connection, run, [&](const model::Fact& fact) {
    if (const auto* ended = std::get_if<model::StepEnded>(&fact.body);
        ended != nullptr && took == 0) {
      took = std::chrono::duration<double>(ended->took).count();
    }
  });
  return took;
}

}  // namespace bench::server

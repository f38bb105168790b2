// SPDX-License-Identifier: Apache-2.0
// Runs of jobs that do nothing, as a client submits and awaits them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "api/client/connection.h"
#include "bench/server/noop_agents.h"
#include "engine/model/fact.h"
#include "engine/model/ids.h"

namespace bench::server {

/// A pipeline of `jobs` independent jobs of one step without source.
std::string PipelineOf(std::uint32_t jobs);
engine::model::RunId Submit(api::client::Connection& connection, const std::string& pipeline);
/// Until it has ended; false: not well.
bool AwaitEnd(api::client::Connection& connection, engine::model::RunId run);
/// Per job, seconds from ready until an agent of `agents`, which notes times, had it.
std::vector<double> WaitsOf(api::client::Connection& connection, engine::model::RunId run,
                            const NoopAgents& agents);

/// Watches the run until `is` says so of something that happened; when that was.
engine::base::Instant AwaitFact(api::client::Connection& connection, engine::model::RunId run,
                                const std::function<bool(const engine::model::Fact&)>& is);

/// When the run's first job became ready.
engine::base::Instant ReadyAt(api::client::Connection& connection, engine::model::RunId run);
/// Seconds of the run's first step, by its worker.
double StepTook(api::client::Connection& connection, engine::model::RunId run);

}  // namespace bench::server

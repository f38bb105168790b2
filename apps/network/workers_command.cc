// SPDX-License-Identifier: Apache-2.0
#include "apps/network/workers_command.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <utility>

#include "api/client/worker_client.h"
#include "apps/exit_code.h"
#include "apps/network/server_runs.h"
#include "apps/standard_streams.h"
#include "apps/state_dir.h"
#include "apps/view/json_text.h"
#include "apps/view/utf8.h"

namespace apps::network {
namespace {

namespace base = engine::base;
namespace client = api::client;
namespace model = engine::model;
namespace pb = dayfly::v1;

// Numbers of workers are shown as ids of runs are: both sort by age.
std::string WorkerName(std::uint64_t worker) {
  return model::ToText(model::RunId(worker));
}

std::optional<model::WorkerId> WorkerFrom(const std::string& text) {
  const auto id = model::RunIdFromText(text);
  return id ? std::optional(model::WorkerId(id->value())) : std::nullopt;
}

std::string_view PresenceText(const pb::WorkerSummary& worker) {
  if (worker.draining()) {
    return "draining";
  }
  return worker.presence() == pb::WorkerSummary::CONNECTED   ? "connected"
         : worker.presence() == pb::WorkerSummary::SUSPECTED ? "suspected"
                                                             : "unconfirmed";
}

std::string LabelsJson(const pb::WorkerSummary& worker) {
  std::string out;
  view::JsonObject object(out);
  for (const std::string& label : worker.labels()) {
    const std::size_t equals = std::min(label.find('='), label.size());
    object.Text(label.substr(0, equals), label.substr(std::min(equals + 1, label.size())));
  }
  object.End();
  return out;
}

std::string WorkerLine(const pb::WorkerSummary& worker, bool json) {
  if (!json) {
    const std::string labels = fmt::format("{}", fmt::join(worker.labels(), " "));
    return fmt::format("{}  {:<11}  {}/{}  {}  {}{}{}\n", WorkerName(worker.worker_id()),
                       PresenceText(worker), worker.attempts(), worker.slots(),
                       view::Sanitise(worker.pool()), view::Sanitise(worker.host()),
                       labels.empty() ? "" : "  ", view::Sanitise(labels));
  }
  std::string out;
  view::JsonObject object(out);
  object.Text("worker", WorkerName(worker.worker_id()));
  object.Text("pool", worker.pool());
  object.Text("host", worker.host());
  object.Text("presence", PresenceText(worker));
  object.Number("slots", worker.slots());
  object.Number("attempts", worker.attempts());
  object.Text("version", worker.version());
  object.Raw("labels", LabelsJson(worker));
  object.End();
  return out + "\n";
}

std::string PoolLine(const pb::PoolSummary& pool, bool json) {
  if (!json) {
    const std::string range =
        pool.workers_max() == 0
            ? "come by themselves"
            : fmt::format("at least {}, at most {}", pool.workers_wanted(), pool.workers_max());
    return fmt::format("{:<16}  {} worker{} ({})  {}/{} slots busy{}{}\n",
                       view::Sanitise(pool.pool()), pool.workers(), pool.workers() == 1 ? "" : "s",
                       range, pool.attempts(), pool.slots(), pool.outlook().empty() ? "" : "  ",
                       view::Sanitise(pool.outlook()));
  }
  std::string out;
  view::JsonObject object(out);
  object.Text("pool", pool.pool());
  object.Number("workers", pool.workers());
  object.Number("min", pool.workers_min());
  object.Number("max", pool.workers_max());
  object.Number("wanted", pool.workers_wanted());
  object.Number("coming", pool.workers_coming());
  object.Number("slots", pool.slots());
  object.Number("attempts", pool.attempts());
  object.End();
  return out + "\n";
}

std::string FreshId() {
  return fmt::format("{:016x}{:016x}", DrawRandom(), DrawRandom());
}

int List(client::WorkerClient& server, const WorkersOptions& options) {
  const auto workers = server.Workers(options.pool);
  if (!workers.ok()) {
    return Fail(workers.status());
  }
  for (const pb::WorkerSummary& worker : *workers) {
    Print(WorkerLine(worker, options.format == "json"));
  }
  if (workers->empty() && options.format == "text") {
    Print(fmt::format("no worker is there\n"));
  }
  return kExitOk;
}

int PrintToken(client::WorkerClient& server, const WorkersOptions& options) {
  const auto token = server.MakeJoinToken(options.pool.empty() ? "default" : options.pool);
  if (!token.ok()) {
    return Fail(token.status());
  }
  Print(fmt::format("{}\n", *token));
  return kExitOk;
}

int Drain(client::WorkerClient& server, const WorkersOptions& options) {
  const auto worker = WorkerFrom(options.worker);
  if (!worker) {
    return Fail(kExitInvalid,
                fmt::format("'{}' is no worker; dayfly workers lists them", options.worker));
  }
  const base::Status drained = server.Drain(*worker, options.stop, FreshId());
  if (!drained.ok()) {
    return Fail(drained);
  }
  Print(fmt::format("worker {} takes no more work and leaves when it is done\n", options.worker));
  return kExitOk;
}

int Scale(client::WorkerClient& server, const PoolsOptions& options) {
  const auto before = server.Scale(options.pool, options.workers, FreshId());
  if (!before.ok()) {
    return Fail(before.status());
  }
  Print(fmt::format("pool {}: at least {} workers, {} before\n", options.pool, options.workers,
                    *before));
  return kExitOk;
}

}  // namespace

int WorkersCommand(const WorkersOptions& options) {
  auto target = ChooseTarget(options.server);
  if (!target.ok()) {
    return Fail(target.status());
  }
  client::Connection connection(*std::move(target));
  client::WorkerClient server(connection);
  return options.order == "token"   ? PrintToken(server, options)
         : options.order == "drain" ? Drain(server, options)
                                    : List(server, options);
}

int PoolsCommand(const PoolsOptions& options) {
  auto target = ChooseTarget(options.server);
  if (!target.ok()) {
    return Fail(target.status());
  }
  client::Connection connection(*std::move(target));
  client::WorkerClient server(connection);
  if (options.order == "scale") {
    return Scale(server, options);
  }
  const auto pools = server.Pools();
  if (!pools.ok()) {
    return Fail(pools.status());
  }
  for (const pb::PoolSummary& pool : *pools) {
    Print(PoolLine(pool, options.format == "json"));
  }
  return kExitOk;
}

}  // namespace apps::network

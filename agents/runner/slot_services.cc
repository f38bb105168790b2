// SPDX-License-Identifier: Apache-2.0
// How a slot waits for the services of an attempt, which run like background steps.
#include <csignal>
#include <utility>

#include <boost/asio/post.hpp>

#include "agents/runner/slot.h"
#include "agents/runner/slot_handlers.h"
#include "executors/sandboxes/running_log.h"

namespace agents::runner {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;
using executors::sandboxes::RunningLog;

void Slot::Await(std::vector<ServiceToAwait> services) {
  phase_ = Phase::kStepping;
  std::vector<ReadyWatch::Service> watched;
  for (const ServiceToAwait& service : services) {
    auto checks = MakeReadyChecks(service.ready, ToolsFor(service));
    if (!checks.ok()) {
      ServicesAnswered(
          ReadyWatch::Late{.step = service.step,
                           .why = fmt::format("{} cannot be asked whether it is ready: {}",
                                              service.name, base::Message(checks.status()))});
      return;
    }
    watched.push_back({.step = service.step,
                       .name = service.name,
                       .checks = *std::move(checks),
                       .timeout = service.ready.timeout});
  }
  watch_ = std::make_unique<ReadyWatch>(
      *shop_.io, std::move(watched),
      Guarded([this](const std::optional<ReadyWatch::Late>& late) { ServicesAnswered(late); }));
}

ReadyTools Slot::ToolsFor(const ServiceToAwait& service) {
  const auto found = background_.find(service.step);
  const ports::Lane lane = found == background_.end() ? ports::kOwnLane : found->second.lane;
  const model::AttemptKey& key = attempt_->assignment().lease.key;
  auto log = std::make_shared<RunningLog>(
      shop_.options->logs_folder, lane,
      model::LogTag{.job = key.job.value(), .attempt = key.attempt, .step = service.step.value()});
  return {.io = shop_.io,
          .run =
              [this, command = service.command](
                  const std::string& script, std::function<void(const ports::CommandExit&)> done) {
                ports::Command full = command;
                full.argv.back() += script;
                AskByCommand(full, std::move(done));
              },
          .read_log = [log] { return log->ReadOn(); }};
}

// In the slot's own lane, which is free until the steps begin. Services take turns.
void Slot::AskByCommand(const ports::Command& command,
                        std::function<void(const ports::CommandExit&)> done) {
  if (asks_by_command_) {
    ports::CommandExit busy;
    busy.started = base::Unavailable("another service is asked just now");
    return done(busy);
  }
  asks_by_command_ = true;
  sandbox_->Start(command, Guarded([this, done = std::move(done)](const ports::CommandExit& exit) {
                    asks_by_command_ = false;
                    done(exit);
                  }));
}

void Slot::ServicesAnswered(const std::optional<ReadyWatch::Late>& late) {
  EndWatch();
  if (late.has_value()) {
    Keep(ServiceWasLate{late->step, late->why});
    attempt_->ServiceLate(late->step, late->why);
  } else {
    Keep(ServicesCameUp{});
    attempt_->ServicesReady();
  }
  Advance();
}

void Slot::EndWatch() {
  watch_.reset();
  if (asks_by_command_) {
    sandbox_->Signal(ports::kOwnLane, SIGKILL);
  }
}

}  // namespace agents::runner

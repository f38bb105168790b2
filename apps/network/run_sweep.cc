// SPDX-License-Identifier: Apache-2.0
#include "apps/network/run_sweep.h"

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include <boost/asio/post.hpp>

#include "api/services/archive.h"
#include "apps/terminal.h"
#include "engine/base/log.h"
#include "engine/core/core.h"
#include "engine/core/state.h"
#include "store/codec/history.h"

namespace apps::network {

namespace base = engine::base;
namespace fs = std::filesystem;
namespace model = engine::model;
namespace ports = engine::ports;
namespace services = api::services;

namespace {

std::int64_t DayOf(base::Instant at) {
  return base::ToMicros(at) / base::Duration(std::chrono::hours(24)).count();
}

}  // namespace

base::StatusOr<std::uint64_t> RemoveArchives(const std::string& folder, std::int64_t day,
                                             const std::set<std::int64_t>& kept) {
  std::error_code error;
  std::vector<fs::path> old;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::optional<model::RunId> run = model::RunIdFromText(entry.path().filename().string());
    if (!run.has_value()) {
      continue;
    }
    const std::int64_t accepted = store::codec::DayOf({.run = *run, .facts = {}});
    if (accepted < day && !kept.contains(accepted)) {
      old.push_back(entry.path());
    }
  }
  for (const fs::path& path : old) {
    if (!error) {
      fs::remove_all(path, error);
    }
  }
  return error && error != std::errc::no_such_file_or_directory
             ? base::StatusOr<std::uint64_t>(
                   base::FromErrno(error.value(), "remove old logs in " + folder))
             : old.size();
}

RunSweep::RunSweep(boost::asio::io_context& io, services::Seat& seat,
                   std::unique_ptr<ports::RunRetention> retention, RunSweepOptions options)
    : seat_(seat), retention_(std::move(retention)), options_(std::move(options)), timer_(io) {}

RunSweep::~RunSweep() {
  End();
  pool_.join();
}

void RunSweep::Begin(engine::loop::EngineLoop& loop) {
  loop_ = &loop;
  Arm(base::Duration(0));
}

void RunSweep::End() {
  timer_.cancel();
  loop_ = nullptr;
}

void RunSweep::Arm(base::Duration time) {
  timer_.expires_after(time);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && loop_ != nullptr) {
      Look();
    }
  });
}

// Runs only leave the old days, so the list may be older than what is dropped by it.
void RunSweep::Look() {
  Arm(options_.every);
  loop_->Read([this](const engine::core::EngineCore& core, base::Instant) {
    std::vector<model::RunId> open;
    for (const auto& [run, state] : core.state().runs) {
      open.push_back(run);
    }
    boost::asio::post(pool_, [this, open = std::move(open)] { Sweep(open); });
  });
}

// On the pool. The logs go after the runs: what a crash leaves of them the next time removes.
void RunSweep::Sweep(const std::vector<model::RunId>& open) {
  const std::int64_t day = DayOf(WallClock() - options_.keep);
  const auto days = retention_->DropDays(day, open);
  if (!days.ok()) {
    spdlog::warn("old runs are not dropped: {}", base::Message(days.status()));
    return;
  }
  const auto removed = RemoveArchives(options_.archives, day, days->kept);
  if (!removed.ok()) {
    spdlog::warn("{}", base::Message(removed.status()));
  }
  if (days->dropped == 0) {
    return;
  }
  spdlog::info("{} days of runs dropped, older than {}", days->dropped,
               base::FormatDuration(options_.keep));
  seat_.OnEngine([](services::Shard* shard) {
    if (shard != nullptr) {
      shard->archive->Do([](ports::RunHistory& history, ports::RunStore&) { history.Refresh(); })
          .IgnoreError();
    }
  });
}

}  // namespace apps::network

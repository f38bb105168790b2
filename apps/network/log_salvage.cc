// SPDX-License-Identifier: Apache-2.0
#include "apps/network/log_salvage.h"

#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "agents/session/identity.h"
#include "apps/network/agent_logs.h"

namespace apps::network {
namespace {

namespace asio = boost::asio;
namespace base = engine::base;
namespace model = engine::model;
namespace pb = dayfly::v1;

/// The agent's end of a stream that has no agent. Answers come on any thread, also when this is
/// over: they find it gone then.
class Delivery : public std::enable_shared_from_this<Delivery> {
 public:
  Delivery(const LogSalvageOptions& options, model::WorkerId worker)
      : gate_(*options.gate), worker_(worker) {
    AgentLogsOptions logs;
    logs.spool = options.folder + "/logs";
    logs.notes = options.folder + "/unshipped";
    logs.send = [this](const pb::AgentMessage& message) { Send(message); };
    logs.send_cut = [this](const pb::LogEnd& end) { gate_.OnCut(worker_, end, Answer()); };
    logs.on_done = [this] { io_.stop(); };
    logs_ = std::make_unique<AgentLogs>(io_, std::move(logs));
  }

  base::Status Run(std::chrono::milliseconds patience, const std::stop_token& stop) {
    RETURN_IF_ERROR(logs_->Open());
    logs_->CutWhatRan();
    const std::stop_callback end(stop, [this] { io_.stop(); });
    if (!logs_->IsDone()) {
      logs_->Live(true);
      io_.run_for(patience);
    }
    const bool is_done = logs_->IsDone();
    logs_.reset();
    if (is_done) {
      return base::OkStatus();
    }
    return stop.stop_requested()
               ? base::Cancelled("the server leaves")
               : base::Unavailable("no server took the rest of the logs of worker {}",
                                   worker_.value());
  }

 private:
  void Send(const pb::AgentMessage& message) {
    if (message.has_log_batch()) {
      gate_.OnBatch(worker_, message.log_batch(), Answer());
    } else if (message.has_log_end()) {
      gate_.OnEnd(worker_, message.log_end(), Answer());
    }
  }

  LogGate::Answer Answer() {
    return [weak = weak_from_this()](const pb::LogAcknowledged& told) {
      if (const auto self = weak.lock()) {
        asio::post(self->io_, [weak, told] {
          if (const auto still = weak.lock(); still != nullptr && still->logs_ != nullptr) {
            still->logs_->Acknowledged(told);
          }
        });
      }
    };
  }

  LogGate& gate_;
  const model::WorkerId worker_;
  asio::io_context io_{1};
  std::unique_ptr<AgentLogs> logs_;
};

}  // namespace

base::Status SalvageLogs(const LogSalvageOptions& options, const std::stop_token& stop) {
  std::error_code error;
  if (!std::filesystem::exists(options.folder + "/logs", error)) {
    return base::OkStatus();
  }
  const auto identity = agents::session::LoadIdentity(options.folder + "/identity");
  if (!identity.ok()) {
    return base::OkStatus();  // it never joined: it ran nothing
  }
  return std::make_shared<Delivery>(options, identity->worker)->Run(options.patience, stop);
}

}  // namespace apps::network

// SPDX-License-Identifier: Apache-2.0
// Jobs of a local run that ask: a prompt where somebody sits at a terminal, a no at once with
// `--no-approve`; elsewhere they wait for `dayfly approve`. On the engine's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/streambuf.hpp>

#include "apps/approval_prompt.h"
#include "apps/view/board.h"
#include "engine/loop/engine_loop.h"
#include "engine/loop/observer.h"

namespace apps {

struct LocalApprovalParts {
  engine::loop::EngineLoop* loop = nullptr;
  const view::Board* board = nullptr;  ///< its facts are applied before this observer sees them
  std::string user;
  bool reject_all = false;
  bool may_prompt = false;  ///< standard input and output are a terminal
  std::function<void(std::string_view)> notice;
  std::function<void()> typed;  ///< a line was, on the terminal
};

class LocalApprovals final : public engine::loop::Observer {
 public:
  LocalApprovals(boost::asio::io_context& io, LocalApprovalParts parts);

  /// Jobs that asked an earlier process of the run.
  void Resumed();
  void OnDurable(std::uint64_t first_seq, std::span<const engine::model::Fact> facts) override;

 private:
  void OnAsked(engine::model::JobIndex job);
  void Decide(dsl::GivenDecision given);
  void Post(engine::model::DecideApproval decision);
  void Refuse(std::string_view job, std::string_view why);
  void Settle(engine::model::JobIndex job);
  void ReadLine();

  boost::asio::io_context& io_;
  LocalApprovalParts parts_;
  ApprovalPrompt prompt_;
  std::optional<boost::asio::posix::stream_descriptor> terminal_;
  boost::asio::streambuf typed_;
};

}  // namespace apps

// SPDX-License-Identifier: Apache-2.0
#include "apps/local_approvals.h"

#include <istream>
#include <termios.h>
#include <unistd.h>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <fmt/format.h>

#include "engine/model/status.h"

namespace apps {
namespace {

namespace asio = boost::asio;
namespace base = engine::base;
namespace model = engine::model;

}  // namespace

LocalApprovals::LocalApprovals(asio::io_context& io, LocalApprovalParts parts)
    : io_(io),
      parts_(std::move(parts)),
      prompt_({.say = [this](std::string_view line) { parts_.notice(line); },
               .decided = [this](dsl::GivenDecision given) { Decide(std::move(given)); }}) {}

void LocalApprovals::Resumed() {
  for (std::uint32_t i = 0; i < parts_.board->job_count(); ++i) {
    if (parts_.board->job(model::JobIndex(i)).asks) {
      OnAsked(model::JobIndex(i));
    }
  }
}

void LocalApprovals::OnDurable(std::uint64_t, std::span<const model::Fact> facts) {
  for (const model::Fact& fact : facts) {
    if (const auto* asked = std::get_if<model::ApprovalRequested>(&fact.body)) {
      OnAsked(asked->job);
    } else if (const auto* decided = std::get_if<model::ApprovalDecided>(&fact.body)) {
      Settle(decided->job);
    } else if (const auto* ended = std::get_if<model::JobEnded>(&fact.body)) {
      Settle(ended->job);
    }
  }
}

// What was typed for this job while somebody else answered is not the answer to the next question.
void LocalApprovals::Settle(model::JobIndex job) {
  if (prompt_.Forget(parts_.board->job_name(job)) == ApprovalPrompt::Forgotten::kUnanswered) {
    tcflush(STDIN_FILENO, TCIFLUSH);
    typed_.consume(typed_.size());
  }
}

void LocalApprovals::OnAsked(model::JobIndex job) {
  if (parts_.reject_all) {
    model::DecideApproval no;
    no.run = parts_.board->run();
    no.job = job;
    no.by = "--no-approve";
    return Post(std::move(no));
  }
  if (!parts_.may_prompt) {
    return;
  }
  if (!terminal_) {
    terminal_.emplace(io_, dup(STDIN_FILENO));
    ReadLine();
  }
  const model::Reason& why = parts_.board->job(job).reason;
  const auto& approval = model::RareOf(model::SpecOf(parts_.board->plan(), job)).approval;
  const bool asks_inputs = approval && why.code == model::ReasonCode::kWaitsForApproval;
  prompt_.Ask({.job = parts_.board->job_name(job),
               .why = model::Describe(why),
               .inputs = asks_inputs ? approval->inputs : std::vector<model::InputSpec>()});
}

void LocalApprovals::Decide(dsl::GivenDecision given) {
  given.by = parts_.user;
  auto decision = dsl::ReadDecision(parts_.board->run(), parts_.board->plan(), given);
  if (!decision.ok()) {
    return Refuse(given.job, base::Message(decision.status()));
  }
  Post(*std::move(decision));
}

void LocalApprovals::Refuse(std::string_view job, std::string_view why) {
  if (!prompt_.AskAgain(job, why)) {
    parts_.notice(why);
  }
}

void LocalApprovals::Post(model::DecideApproval decision) {
  const std::string job = parts_.board->job_name(decision.job);
  const base::Status posted =
      parts_.loop->Post(std::move(decision), [this, job](const engine::loop::Answer& answer) {
        if (!answer.refused.empty()) {
          Refuse(job, answer.refused.front().message);
        }
      });
  if (!posted.ok()) {
    Refuse(job, base::Message(posted));
  }
}

void LocalApprovals::ReadLine() {
  asio::async_read_until(*terminal_, typed_, '\n',
                         [this](const boost::system::error_code& error, std::size_t) {
                           if (error == asio::error::operation_aborted) {
                             return;
                           }
                           if (error) {
                             prompt_.Close();
                             return;
                           }
                           parts_.typed();
                           std::istream in(&typed_);
                           std::string line;
                           std::getline(in, line);
                           prompt_.Line(line);
                           ReadLine();
                         });
}

}  // namespace apps

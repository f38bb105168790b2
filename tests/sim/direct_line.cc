// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/direct_line.h"

#include <utility>

namespace tests::sim {

using engine::base::Duration;
using engine::model::AttemptReported;
using std::chrono::milliseconds;

void DirectLine::Push(const AttemptReported& report) {
  // Reports of one attempt that wait behind the head travel together.
  if (outbox_.size() > 1 && outbox_.back().lease == report.lease) {
    outbox_.back().reports.insert(outbox_.back().reports.end(), report.reports.begin(),
                                  report.reports.end());
    return;
  }
  outbox_.push_back(report);
  if (outbox_.size() == 1) {
    SendHead();
  }
}

void DirectLine::SendHead() {
  if (!parts_.alive() || outbox_.empty()) {
    return;
  }
  const std::uint64_t turn = ++head_sent_;
  const AttemptReported message = outbox_.front();
  const auto resend_when_unanswered = [this, turn] {
    if (parts_.alive() && turn == head_sent_) {
      SendHead();
    }
  };
  parts_.schedule->After(milliseconds(500 + parts_.random->Below(1500)), resend_when_unanswered);
  if (parts_.cut_off() || parts_.random->OneIn(parts_.faults->message_lost, 1000)) {
    return;
  }
  const auto deliver = [this, message, turn] {
    if (!parts_.alive()) {
      return;
    }
    parts_.send(message, [this, turn](const engine::loop::Answer& answer) {
      if (parts_.alive() && turn == head_sent_ && answer.status.ok()) {
        outbox_.pop_front();
        ++head_sent_;
        SendHead();
      }
    });
  };
  parts_.schedule->After(Duration(parts_.random->Below(2000)), deliver);
  if (parts_.random->OneIn(parts_.faults->message_repeated, 1000)) {
    parts_.schedule->After(milliseconds(parts_.random->Below(5000)),
                           [this, message] { parts_.send(message, {}); });
  }
}

}  // namespace tests::sim

// SPDX-License-Identifier: Apache-2.0
// The conversation on a terminal about jobs that ask: one question after the other, lines in, texts
// and answers out. Reads and writes nothing itself.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "dsl/approval.h"
#include "engine/model/plan.h"

namespace apps {

struct ApprovalQuestion {
  std::string job;
  std::string why;                               ///< for people
  std::vector<engine::model::InputSpec> inputs;  ///< asked after a yes
};

class ApprovalPrompt {
 public:
  struct Parts {
    std::function<void(std::string_view)> say;        ///< one line
    std::function<void(dsl::GivenDecision)> decided;  ///< `by` is left empty
  };
  explicit ApprovalPrompt(Parts parts) : parts_(std::move(parts)) {}

  /// Asked when those before it are answered. A job that is asked about already is not asked again.
  void Ask(ApprovalQuestion question);
  /// `kUnanswered`: it was the question under way, and nothing said here settled it.
  enum class Forgotten : std::uint8_t { kNotAsked, kAnswered, kUnanswered };
  /// Nobody need answer any more: somebody did, or the job has ended.
  Forgotten Forget(std::string_view job);
  /// The answer to the question under way was not taken; false when that is not about `job`.
  bool AskAgain(std::string_view job, std::string_view why);
  void Line(std::string_view line);
  /// No more lines will come; says what is left to do.
  void Close();

 private:
  void Begin(std::string_view remark = {});
  void AnswerFirst(std::string_view line);
  void AnswerInput(std::string_view line);
  void AskInput();
  void Finish();

  Parts parts_;
  std::deque<ApprovalQuestion> questions_;  ///< the first is under way
  std::optional<dsl::GivenDecision> yes_;   ///< said; its inputs are being asked for
  std::size_t next_input_ = 0;
  bool answered_ = false;  ///< the first question is, and the answer not yet taken
  bool closed_ = false;
};

}  // namespace apps

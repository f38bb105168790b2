// SPDX-License-Identifier: Apache-2.0
#include "apps/approval_prompt.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace apps {
namespace {

std::string_view Trimmed(std::string_view line) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = line.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) {
    return {};
  }
  return line.substr(begin, line.find_last_not_of(kSpace) - begin + 1);
}

std::string InputText(const engine::model::InputSpec& input) {
  std::string text = input.name;
  if (!input.options.empty()) {
    text += fmt::format(" ({})", fmt::join(input.options, ", "));
  }
  if (!input.description.empty()) {
    text += fmt::format(", {}", input.description);
  }
  if (!input.required) {
    text += fmt::format(", Enter for {}", input.default_value.value_or("nothing"));
  }
  return text;
}

}  // namespace

void ApprovalPrompt::Ask(ApprovalQuestion question) {
  if (closed_ ||
      std::ranges::find(questions_, question.job, &ApprovalQuestion::job) != questions_.end()) {
    return;
  }
  questions_.push_back(std::move(question));
  if (questions_.size() == 1) {
    Begin();
  }
}

ApprovalPrompt::Forgotten ApprovalPrompt::Forget(std::string_view job) {
  const auto found = std::ranges::find(questions_, job, &ApprovalQuestion::job);
  if (found == questions_.end()) {
    return Forgotten::kNotAsked;
  }
  if (found != questions_.begin()) {
    questions_.erase(found);
    return Forgotten::kNotAsked;
  }
  const bool answered = answered_;
  questions_.pop_front();
  Begin();
  return answered ? Forgotten::kAnswered : Forgotten::kUnanswered;
}

bool ApprovalPrompt::AskAgain(std::string_view job, std::string_view why) {
  if (questions_.empty() || questions_.front().job != job) {
    return false;
  }
  Begin(why);
  return true;
}

void ApprovalPrompt::Begin(std::string_view remark) {
  yes_.reset();
  next_input_ = 0;
  answered_ = false;
  if (questions_.empty()) {
    return;
  }
  // The question first: what does not fit into the line is cut.
  const ApprovalQuestion& question = questions_.front();
  parts_.say(fmt::format("{}{}approve {}? y or n, then Enter ({})", remark,
                         remark.empty() ? "" : "; ", question.job, question.why));
}

void ApprovalPrompt::Close() {
  closed_ = true;
  if (!questions_.empty()) {
    parts_.say(fmt::format("no answer is read here any more; elsewhere: dayfly approve latest {}",
                           questions_.front().job));
  }
  questions_.clear();
  yes_.reset();
}

void ApprovalPrompt::Line(std::string_view line) {
  if (questions_.empty() || answered_) {
    return;
  }
  yes_.has_value() ? AnswerInput(Trimmed(line)) : AnswerFirst(Trimmed(line));
}

void ApprovalPrompt::AnswerFirst(std::string_view line) {
  const bool approve = line == "y" || line == "yes";
  if (!approve && line != "n" && line != "no") {
    return Begin();
  }
  yes_ =
      dsl::GivenDecision{.job = questions_.front().job, .approve = approve, .by = {}, .inputs = {}};
  if (!approve) {
    return Finish();
  }
  AskInput();
}

void ApprovalPrompt::AskInput() {
  const auto& inputs = questions_.front().inputs;
  if (next_input_ == inputs.size()) {
    return Finish();
  }
  parts_.say(fmt::format("{}: {}", questions_.front().job, InputText(inputs[next_input_])));
}

void ApprovalPrompt::AnswerInput(std::string_view line) {
  const engine::model::InputSpec& input = questions_.front().inputs[next_input_];
  if (line.empty() && input.required) {
    return AskInput();
  }
  if (!line.empty()) {
    yes_->inputs.emplace_back(input.name, line);
  }
  ++next_input_;
  AskInput();
}

// The question stays until the engine has taken the answer: a refused one is asked again.
void ApprovalPrompt::Finish() {
  answered_ = true;
  parts_.decided(*std::exchange(yes_, std::nullopt));
}

}  // namespace apps

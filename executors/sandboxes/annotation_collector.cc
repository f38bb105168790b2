// SPDX-License-Identifier: Apache-2.0
#include "executors/sandboxes/annotation_collector.h"

#include <optional>
#include <utility>

#include "engine/model/log_command.h"

namespace executors::sandboxes {

namespace model = engine::model;

void AnnotationCollector::Feed(std::string_view bytes) {
  if (bytes.empty()) {
    return;
  }
  // Nearly all that is printed: no command in it, nor around it.
  const bool begins_as_text = is_text_ || (line_.empty() && bytes.front() != ':');
  if (begins_as_text && bytes.find("\n:") == std::string_view::npos) {
    is_text_ = bytes.back() != '\n';
    return;
  }
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    AddPiece(bytes.substr(0, end));
    if (end == std::string_view::npos) {
      return;
    }
    EndLine();
    bytes.remove_prefix(end + 1);
  }
}

model::Annotations AnnotationCollector::Finish() {
  EndLine();
  return std::exchange(found_, {});
}

void AnnotationCollector::AddPiece(std::string_view piece) {
  if (is_text_ || piece.empty()) {
    return;
  }
  if (line_.empty() && piece.front() != ':') {
    is_text_ = true;
    return;
  }
  const std::string_view fits = piece.substr(0, kLineBytesMax - line_.size());
  is_longer_ = is_longer_ || fits.size() < piece.size();
  line_ += fits;
}

void AnnotationCollector::EndLine() {
  std::optional<model::LogCommand> command;
  if (!line_.empty()) {
    command = model::ParseLogCommand(line_);
  }
  if (command && command->kind == model::LogCommand::Kind::kAnnotation) {
    std::uint32_t& count = found_.counts.Of(command->annotation.severity);
    if (++count <= kOfSeverityMax) {
      command->annotation.cut = is_longer_;
      found_.list.push_back(std::move(command->annotation));
    }
  }
  line_.clear();
  is_text_ = is_longer_ = false;
}

}  // namespace executors::sandboxes

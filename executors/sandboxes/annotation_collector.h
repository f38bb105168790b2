// SPDX-License-Identifier: Apache-2.0
// Picks annotations out of what a command prints, as it passes by: masked, in pieces of any size.
// What holds no line that begins like a command is looked over once. Memory is bounded, whatever is
// printed.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "engine/model/annotation.h"

namespace executors::sandboxes {

class AnnotationCollector {
 public:
  /// Of a command; what is behind is cut off its message.
  static constexpr std::size_t kLineBytesMax = 8 << 10;
  /// So many of each severity are kept; more are counted.
  static constexpr std::uint32_t kOfSeverityMax = 100;

  void Feed(std::string_view bytes);
  /// The stream has ended; what is fed next is another one.
  engine::model::Annotations Finish();

 private:
  void AddPiece(std::string_view piece);
  void EndLine();

  std::string line_;        ///< of the present line, while it may be a command
  bool is_text_ = false;    ///< the present line is none
  bool is_longer_ = false;  ///< than what `line_` has of it
  engine::model::Annotations found_;
};

}  // namespace executors::sandboxes

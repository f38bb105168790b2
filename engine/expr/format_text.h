// SPDX-License-Identifier: Apache-2.0
// The text of `format`: `{0}` is the first value after it, `{{` and `}}` are braces. Internal to
// `engine/expr`.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/expr/value.h"

namespace engine::expr {

struct FormattedText {
  std::string text;
  std::string error;      ///< empty when all went well
  bool too_long = false;  ///< over `kStringBytesMax`; `text` is cut
};

FormattedText FormatText(std::string_view format, std::span<const Value> values);

}  // namespace engine::expr

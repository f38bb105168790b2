// SPDX-License-Identifier: Apache-2.0
// Text of unknown origin, made fit to be kept. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace agents::reports {

/// At most `bytes_max` bytes of `text`, cut between characters and then marked with an ellipsis;
/// what is no UTF-8 becomes U+FFFD; blanks at both ends go.
std::string Tidy(std::string_view text, std::size_t bytes_max);

}  // namespace agents::reports

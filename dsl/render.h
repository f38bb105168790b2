// SPDX-License-Identifier: Apache-2.0
// Diagnostics as text for people and as JSON for tools. Pure.
#pragma once

#include <string>
#include <vector>

#include "dsl/diagnostic.h"

namespace dsl {

/// `file:line:column: error[code]: message`, the line with the place underlined, the hint, the
/// related places. Several lines, the last one ended. `color` adds ANSI colours.
std::string RenderText(const Diagnostic& diagnostic, bool color = false);
/// All of them, and a last line that counts errors and warnings; empty when there are none.
std::string RenderText(const std::vector<Diagnostic>& diagnostics, bool color = false);

/// One line as `validate --format json` prints it, without the line's end:
/// `{"code","severity","message","file","line","column","end_line","end_column","hint","related":[]}`.
std::string RenderJson(const Diagnostic& diagnostic);

}  // namespace dsl

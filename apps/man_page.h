// SPDX-License-Identifier: Apache-2.0
// The manual page `docs/dayfly.1`, made from the tree of commands.
#pragma once

#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace apps {

/// troff (man macros).
std::string ManPage(const CLI::App& app, std::string_view version);

}  // namespace apps

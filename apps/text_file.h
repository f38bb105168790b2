// SPDX-License-Identifier: Apache-2.0
// Small files that a command is given by name, and lines of the form NAME=VALUE.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/status.h"

namespace apps {

using NameValue = std::pair<std::string, std::string>;

/// The whole file; `InvalidArgument` names it when it cannot be read or is larger than `bytes_max`.
engine::base::StatusOr<std::string> ReadTextFile(const std::string& path,
                                                 std::uint64_t bytes_max = 16 << 20);

/// `name=value` as given on the command line to `option`. `InvalidArgument` when there is no `=` or
/// no name.
engine::base::StatusOr<NameValue> SplitNameValue(std::string_view text, std::string_view option);

/// Lines of an env file: `NAME=value`, `export NAME=value`, values bare, in single quotes (as they
/// are) or in double quotes (with `\n \t \" \\ \$`); blank lines and `#` comments.
/// `InvalidArgument` names `path` and the line.
engine::base::StatusOr<std::vector<NameValue>> ParseEnvFile(std::string_view text,
                                                            std::string_view path);

}  // namespace apps

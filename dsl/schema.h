// SPDX-License-Identifier: Apache-2.0
// The language as a JSON Schema, for editors. It says less than the compiler: no names, no order,
// no expressions; but what the compiler takes, it takes.
#pragma once

#include <string>

namespace dsl {

/// Draft 7, made of the table of keys.
std::string JsonSchema();

}  // namespace dsl

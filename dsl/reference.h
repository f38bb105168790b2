// SPDX-License-Identifier: Apache-2.0
// The tables of keys in docs/language.md, made of the table that the compiler reads.
#pragma once

#include <string>
#include <string_view>

#include "dsl/keys.h"

namespace dsl {

/// A Markdown table: key, value, meaning, default, example.
std::string KeyTable(Level level);
/// `document` with every table between `<!-- keys: NAME -->` and `<!-- end -->` made anew; NAME as
/// in `LevelNamed`. What stands outside is left as it is.
std::string WithKeyTables(std::string_view document);
/// A whole pipeline that shows the row's example where its key stands.
std::string ExamplePipeline(const KeyRow& row);

}  // namespace dsl

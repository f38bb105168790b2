// SPDX-License-Identifier: Apache-2.0
// Checks a value by its key's type alone: shapes, simple values, keys of the maps inside. For what
// nothing else reads yet: keys of later builds, templates that no job uses.
#pragma once

#include "dsl/compile.h"
#include "dsl/document.h"
#include "dsl/keys.h"
#include "dsl/reporter.h"

namespace dsl {

/// The value has a shape that the key accepts. Texts with expressions are passed over where
/// `expressions` may still become values.
void CheckValue(NodeRef value, const KeyRow& row, bool expressions, Purpose purpose,
                Reporter& reporter);

}  // namespace dsl

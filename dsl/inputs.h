// SPDX-License-Identifier: Apache-2.0
// Declared inputs, of a pipeline and of a template: how they are read, and how a value is held
// against one.
#pragma once

#include <optional>
#include <string>

#include "dsl/compilation.h"
#include "engine/model/plan.h"

namespace dsl {

/// The input that an entry of `inputs` declares; what is wrong with it is reported.
engine::model::InputSpec ReadInput(const Entry& entry, Compilation& compilation);

struct ValueFault {
  std::string message;
  std::string hint;
};
/// What is wrong with `text` as a value of `input` and how to mend it; nothing when it is right,
/// then `json` is set. `number`: what it stands for where numbers are known by their spelling.
std::optional<ValueFault> CheckInputValue(const engine::model::InputSpec& input,
                                          const std::string& text, std::optional<double> number,
                                          engine::model::JsonText& json);
/// Of an input that was neither given nor has a default.
engine::model::JsonText EmptyInputValue(engine::model::InputType type);

}  // namespace dsl

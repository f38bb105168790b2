// SPDX-License-Identifier: Apache-2.0
// The transition tables as the page docs/state-machines.md.
#pragma once

#include <string>

namespace engine::core {

std::string StateMachinesPage();

}  // namespace engine::core

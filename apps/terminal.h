// SPDX-License-Identifier: Apache-2.0
// How text for people may look on a descriptor.
#pragma once

#include "apps/view/summary.h"

namespace apps {

/// Colours on a terminal unless NO_COLOR is set; marks beyond ASCII where the locale is UTF-8.
view::Look LookOf(int descriptor);
/// A terminal that can move its cursor.
bool IsLiveTerminal(int descriptor);
/// The wall clock, for commands that only look.
engine::base::Instant WallClock();

}  // namespace apps

// SPDX-License-Identifier: Apache-2.0
// How often tests repeat what differs little from time to time. An instrumented program is ten
// times slower, and what it looks for shows in the first few.
#pragma once

namespace tests::support {

#ifdef DAYFLY_SANITIZED
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace tests::support

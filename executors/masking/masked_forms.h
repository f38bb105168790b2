// SPDX-License-Identifier: Apache-2.0
// The forms in which a secret's value shows up in a log without anybody meaning to hide it:
//  - itself; without the line break at its end; each line of at least eight bytes of several;
//  - base64, plain and for URLs, wherever in the encoded text it begins (three alignments), and in
//    lines of 64 and 76 characters when it is encoded by itself. Characters that also hold bits of
//    its neighbours are left out: at most six bits of it remain on either side;
//  - percent-encoded: all but the unreserved characters, `/` encoded or not, digits of either case,
//    a blank as `%20` or `+`;
//  - with the escapes of a log command's message, or of its properties (docs/steps.md);
//  - as the inside of a JSON string: shortest, with `\/`, in ASCII only, and safe for HTML;
//  - in a shell's single quotes (what `set -x` prints).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace executors::masking {

/// A shorter value is not looked for inside other text: it would tear apart what has nothing to do
/// with it.
inline constexpr std::size_t kValueBytesMin = 4;
inline constexpr std::size_t kLineBytesMin = 8;

/// Each form once, in order; none when the value, without the line break at its end, is shorter
/// than `kValueBytesMin`.
std::vector<std::string> MaskedForms(std::string_view value);

}  // namespace executors::masking

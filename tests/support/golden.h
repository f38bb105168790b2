// SPDX-License-Identifier: Apache-2.0
// Files that hold what a program is expected to print. A test program started with `--rewrite`
// writes them anew; the difference is then read in review.
#pragma once

#include <string>
#include <string_view>

namespace tests::support {

/// This process was started with `--rewrite`.
bool RewriteRequested();

/// The whole file; empty when there is none.
std::string ReadFile(const std::string& path);

/// A test failure when the file at `path` does not hold exactly `text`; with `--rewrite` the file
/// is written instead.
void ExpectGolden(const std::string& path, std::string_view text);

}  // namespace tests::support

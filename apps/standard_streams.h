// SPDX-License-Identifier: Apache-2.0
// The three streams a program is born with, when they are not as they should be.
#pragma once

#include <string_view>

namespace apps {

/// A stream that is closed becomes `/dev/null`: otherwise the next file that is opened would take
/// its number, and what is meant for people would be written into it. First of all in `main`.
void OpenMissingStreams();

/// Writes to standard output; whether it worked is told by `FlushOutput`.
void Print(std::string_view text);

/// Writes out what is still held back of standard output. `exit_code`, or, when something could not
/// be written and nobody heard of it yet, a message and `kExitEngine`. A reader that has gone away
/// (`| head`) has what it wanted.
int FlushOutput(int exit_code);

}  // namespace apps

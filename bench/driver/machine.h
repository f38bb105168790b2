// SPDX-License-Identifier: Apache-2.0
// What the figures were measured on; without it they say nothing.
#pragma once

#include <string>

namespace bench::driver {

/// Processor, cores, kernel, file system of `folder` and what a flush costs there.
std::string DescribeMachine(const std::string& folder);

}  // namespace bench::driver

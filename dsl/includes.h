// SPDX-License-Identifier: Apache-2.0
// The pipeline's file and all that it includes, as one map.
#pragma once

#include <string>

#include "dsl/compilation.h"
#include "dsl/source_loader.h"

namespace dsl {

/// Reads `path` and, first, what it includes; each file once, where it is first named. The maps are
/// merged in that order, so that a file wins over what it includes. Empty when there is nothing
/// that could be checked; what is wrong is reported either way.
NodeRef LoadPipeline(const std::string& path, SourceLoader& loader, Compilation& compilation);

}  // namespace dsl

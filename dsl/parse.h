// SPDX-License-Identifier: Apache-2.0
// Reads one YAML document; the only part that knows yaml-cpp, whose exceptions end here.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "dsl/document.h"
#include "dsl/reporter.h"

namespace dsl {

/// The document, or null when it cannot be read on; `reporter` then holds why. A document with
/// smaller faults (a duplicate key) is returned without them, so that the rest is checked, too.
std::unique_ptr<Document> Parse(std::string path, std::string text, std::uint32_t file_index,
                                Reporter& reporter, const Inclusion& inclusion = {});

}  // namespace dsl

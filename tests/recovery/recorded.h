// SPDX-License-Identifier: Apache-2.0
// A site's history as it lies about when all servers have left: in the database, in the file to
// which steps wrote, and in what servers said.
#pragma once

#include <string>

#include "tests/recovery/history.h"
#include "tests/recovery/site.h"

namespace tests::recovery {

/// All but `submitted`, which only the clients know. `marks`: lines of run, job and attempt.
History ReadHistory(const Site& site, const std::string& marks);

}  // namespace tests::recovery

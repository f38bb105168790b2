// SPDX-License-Identifier: Apache-2.0
// Keys and certificates on disk: `<name>.pem` and `<name>.key`, 0600, replaced whole.
#pragma once

#include <string>
#include <string_view>

#include "api/wire/certificates.h"
#include "engine/base/status.h"

namespace api::wire {

/// Writes `<folder>/<name>.key`, then `<folder>/<name>.pem`, each flushed and renamed into place.
engine::base::Status SaveKeyPair(const std::string& folder, std::string_view name,
                                 const KeyPair& pair);
/// `NotFound` when one is missing; `FailedPrecondition` when others than its owner may read the
/// key.
engine::base::StatusOr<KeyPair> LoadKeyPair(const std::string& folder, std::string_view name);

/// One file, 0600, flushed and renamed into place.
engine::base::Status SavePrivateFile(const std::string& path, std::string_view bytes);
engine::base::StatusOr<std::string> LoadFile(const std::string& path);

}  // namespace api::wire

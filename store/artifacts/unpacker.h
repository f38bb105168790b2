// SPDX-License-Identifier: Apache-2.0
// Writes the files of a manifest below a folder.
#pragma once

#include "engine/base/status.h"
#include "engine/ports/artifact_archive.h"
#include "engine/ports/artifact_store.h"
#include "store/artifacts/manifest.h"

namespace store::artifacts {

/// See `ArtifactArchive::Unpack`. Files that exist are replaced, folders are merged; a link where a
/// folder is needed is refused, so nothing is ever written through one.
engine::base::Status UnpackManifest(engine::ports::ArtifactStore& chunks, const Manifest& manifest,
                                    int root, unsigned threads,
                                    const engine::ports::Transfer& transfer);

}  // namespace store::artifacts

// SPDX-License-Identifier: Apache-2.0
// Writes the files of a manifest below a folder, all or none: into a folder beside them first, and
// from there, once every chunk was read and checked, by renaming.
#pragma once

#include <string>

#include "engine/base/status.h"
#include "engine/ports/artifact_archive.h"
#include "engine/ports/artifact_store.h"
#include "store/artifacts/manifest.h"

namespace store::artifacts {

/// See `ArtifactArchive::UnpackWhole`. Only a disk that fails between two renames can leave a part.
engine::base::Status UnpackWholeManifest(engine::ports::ArtifactStore& chunks,
                                         const Manifest& manifest, const std::string& root,
                                         unsigned threads, const engine::ports::Transfer& transfer);

}  // namespace store::artifacts

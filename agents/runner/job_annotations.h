// SPDX-License-Identifier: Apache-2.0
// What a job's steps said about places in files goes into the store as one document; totals and the
// first errors go to whoever started the run. Never fails a job. Blocks; any thread.
#pragma once

#include <string>
#include <vector>

#include "engine/model/annotation.h"
#include "engine/model/run_context.h"
#include "engine/ports/artifact_archive.h"

namespace agents::runner {

struct AnnotationsRequest {
  engine::model::Annotations annotations;
  std::string workspace;           ///< where the steps found it
  std::vector<std::string> masks;  ///< values that become `***`
};

/// `archive` null: there is no store. What could not be kept is told in a note.
engine::model::JobRemarks KeepAnnotations(engine::ports::ArtifactArchive* archive,
                                          AnnotationsRequest request);

}  // namespace agents::runner

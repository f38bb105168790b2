// SPDX-License-Identifier: Apache-2.0
// A job's test reports, read in its workspace: the results go into the store as one document, the
// totals to whoever started the run. Never fails a job: what is wrong with a report is told in the
// results, what is wrong with the store in a note. Blocks; any thread.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "engine/model/run_context.h"
#include "engine/ports/artifact_archive.h"

namespace agents::runner {

struct ReportsRequest {
  std::string root;       ///< where this process finds the workspace
  std::string workspace;  ///< where the steps found it
  std::vector<std::string> junit;
  std::vector<std::string> masks;  ///< values that become `***`
};

struct ReportsRead {
  engine::model::JobRemarks remarks;
  std::string document;  ///< the results as they were kept; empty: they were not
};

ReportsRead ReadReports(engine::ports::ArtifactArchive& archive, const ReportsRequest& request,
                        std::stop_token stop);

}  // namespace agents::runner

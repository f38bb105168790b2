// SPDX-License-Identifier: Apache-2.0
// Artifacts as a job sees them: files of a workspace, packed under a name and unpacked again in
// another workspace with modes, symlinks and times kept. Threads: safe to call from several; calls
// block, so keep them off the engine's thread.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/run_context.h"

namespace engine::ports {

/// `root` is where this process sees the workspace (`SandboxFacts::workspace_view`). Paths are
/// relative to it: a file, a folder (with all in it), or a glob: `*` and `?` stop at `/`, `**` does
/// not; `!` in front takes out again.
struct PackRequest {
  std::string root;
  std::string name;
  std::vector<std::string> paths;
};

class ArtifactArchive {
 public:
  virtual ~ArtifactArchive() = default;

  /// The author's mistakes: `NotFound` names the path that matches no file; `InvalidArgument` a
  /// path that leaves the workspace, or something that is neither file, folder nor link. `Aborted`:
  /// a file changed while it was read. `Cancelled` once `stop` asks. Any other error is the
  /// store's.
  virtual base::StatusOr<model::Artifact> Pack(const PackRequest& request,
                                               std::stop_token stop) = 0;

  /// Replaces files that exist; never writes outside `root`, whatever the artifact or the workspace
  /// holds. `NotFound` and `DataLoss`: the store has lost it; `InvalidArgument`: it would leave the
  /// workspace.
  virtual base::Status Unpack(const model::Artifact& artifact, const std::string& root,
                              std::stop_token stop) = 0;

  /// What `hashFiles` gives: 64 hexadecimal digits over the matching files' contents, in the order
  /// of their paths; empty when nothing matches. Links are not followed.
  virtual base::StatusOr<std::string> HashFiles(const std::string& root,
                                                const std::vector<std::string>& paths) = 0;
};

}  // namespace engine::ports

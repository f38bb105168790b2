// SPDX-License-Identifier: Apache-2.0
// Artifacts as a job sees them: files of a workspace, packed under a name and unpacked again in
// another workspace with modes, symlinks and times kept. Threads: safe to call from several; calls
// block, so keep them off the engine's thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/run_context.h"

namespace engine::ports {

/// `root` is where this process sees the workspace (`SandboxFacts::workspace_view`). Paths are
/// relative to it: a file, a folder (with all in it), or a glob: `*` and `?` stop at `/`, `**` does
/// not; `!` in front takes out again.
/// How whoever wants a transfer ends it, and sees that it moves.
struct Transfer {
  // NOLINTNEXTLINE(google-explicit-constructor): most only want to end it
  Transfer(std::stop_token stop_token = {}, std::atomic<std::uint64_t>* moved_bytes = nullptr)
      : stop(std::move(stop_token)), moved(moved_bytes) {}
  std::stop_token stop;
  std::atomic<std::uint64_t>* moved;  ///< goes up with each chunk that is done; may be null
};

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
                                               const Transfer& transfer) = 0;

  /// Of artifacts with the same name: `AlreadyExists` names the first path at which two of them
  /// hold what is not the same.
  virtual base::Status CheckSameFiles(const std::vector<model::Artifact>& artifacts) = 0;

  /// Replaces files that exist; never writes outside `root`, whatever the artifact or the workspace
  /// holds. `NotFound` and `DataLoss`: the store has lost it; `InvalidArgument`: it would leave the
  /// workspace.
  virtual base::Status Unpack(const model::Artifact& artifact, const std::string& root,
                              const Transfer& transfer) = 0;

  /// As `Unpack`, but when it fails the workspace is as it was: files come in only once all of them
  /// are there.
  virtual base::Status UnpackWhole(const model::Artifact& artifact, const std::string& root,
                                   const Transfer& transfer) = 0;

  /// What `hashFiles` gives: 64 hexadecimal digits over the matching files' contents, in the order
  /// of their paths; empty when nothing matches. Links are not followed.
  virtual base::StatusOr<std::string> HashFiles(const std::string& root,
                                                const std::vector<std::string>& paths) = 0;

  /// 64 hexadecimal digits over the matching files' and links' paths, whether they may be executed,
  /// contents and targets; empty when nothing matches.
  virtual base::StatusOr<std::string> HashTree(const std::string& root,
                                               const std::vector<std::string>& paths) = 0;

  using FileHandler =
      std::function<void(const std::string& path, base::StatusOr<std::string> content)>;
  /// Hands out each matching file, in the order of their paths; links are not followed. One of more
  /// than `bytes_max` is `OutOfRange`. Returns the first path that matches nothing, or an empty
  /// text.
  virtual base::StatusOr<std::string> ReadFiles(const std::string& root,
                                                const std::vector<std::string>& paths,
                                                std::uint64_t bytes_max, std::stop_token stop,
                                                const FileHandler& each) = 0;

  /// Keeps at most a chunk.
  virtual base::StatusOr<base::Digest> PutDocument(std::string_view bytes) = 0;
  /// `NotFound` and `DataLoss`: the store has lost it.
  virtual base::StatusOr<std::string> GetDocument(const base::Digest& document) = 0;
};

}  // namespace engine::ports

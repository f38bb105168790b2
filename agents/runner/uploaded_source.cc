// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/uploaded_source.h"

#include <optional>
#include <utility>

#include "engine/model/uploaded_tree.h"

namespace agents::runner {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

// The tree's name is the digest of its manifest, so what arrives is what was sent; and an archive
// writes through no link and into no other folder, whatever the manifest says.
base::StatusOr<std::string> UnfoldSource(ports::GitSource& git, const ports::TreeRequest& request,
                                         const std::shared_ptr<ports::ArtifactArchive>& archive,
                                         std::stop_token stop) {
  const std::optional<base::Digest> manifest = model::UploadedTree(request.tree);
  if (!manifest.has_value()) {
    return git.UnfoldTree(request);
  }
  if (archive == nullptr) {
    return base::FailedPrecondition("there is no store to get the uploaded tree {} from",
                                    request.tree);
  }
  return git.UnfoldFilled(request.tree, [&](const std::string& folder) {
    const model::Artifact tree = {.name = "tree", .manifest = *manifest};
    return base::Annotate(archive->Unpack(tree, folder, stop),
                          "uploaded tree " + request.tree.substr(0, 12));
  });
}

}  // namespace agents::runner

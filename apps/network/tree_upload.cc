// SPDX-License-Identifier: Apache-2.0
#include "apps/network/tree_upload.h"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

#include "api/client/upload_client.h"
#include "apps/state_dir.h"
#include "engine/base/digest.h"
#include "engine/ports/git_source.h"
#include "store/artifacts/archive.h"
#include "store/git/local_git.h"

namespace apps::network {

namespace base = engine::base;
namespace ports = engine::ports;

// The recorded tree, unfolded, is what gets packed: it does not change meanwhile, and its times and
// modes follow from the tree and the commit (once that is a second old), so the same tree is the
// same upload.
base::StatusOr<SubmitSource> UploadWorkingTree(api::client::Connection& connection) {
  ASSIGN_OR_RETURN(const StateDir state, StateDir::Open());
  ASSIGN_OR_RETURN(const std::unique_ptr<store::git::LocalGit> git,
                   store::git::LocalGit::Open(
                       {.objects_folder = state.objects(), .trees_folder = state.trees()}));
  std::error_code error;
  const std::string here = std::filesystem::current_path(error);
  if (error) {
    return base::FromErrno(error.value(), "find the current folder");
  }
  ASSIGN_OR_RETURN(const ports::WorkingTree tree, git->WriteWorkingTree(here));
  for (const std::string& warning : tree.warnings) {
    fmt::print(stderr, "dayfly: {}\n", warning);
  }
  if (tree.files == 0) {
    return base::InvalidArgument("there is no file in {} to upload", tree.root);
  }
  ASSIGN_OR_RETURN(
      const std::string folder,
      git->UnfoldTree(
          {.tree = tree.tree, .commit = tree.commit, .branch = tree.branch, .source = tree.root}));
  api::client::UploadClient chunks(connection);
  store::artifacts::Archive archive(chunks, /*threads=*/1);
  const auto packed = archive.Pack({.root = folder, .name = "tree", .paths = {"**"}}, {});
  RETURN_IF_ERROR(base::Annotate(packed.status(), "upload of " + tree.root));
  if (const auto removed = git->RemoveOldTrees(); !removed.ok()) {
    fmt::print(stderr, "dayfly: {}\n", base::Message(removed.status()));
  }
  SubmitSource source;
  source.repository = OriginHere();
  source.tree = base::ToHex(packed->manifest);
  source.commit = tree.commit;
  source.branch = tree.branch;
  source.default_branch = tree.default_branch;
  return source;
}

}  // namespace apps::network

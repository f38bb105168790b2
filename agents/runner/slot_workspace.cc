// SPDX-License-Identifier: Apache-2.0
// How a slot gets what its steps begin with: the workspace with the run's tree, artifacts, and
// large outputs of its needs.
#include <utility>

#include <boost/asio/post.hpp>

#include "agents/runner/read_outputs.h"
#include "agents/runner/slot.h"
#include "agents/runner/slot_handlers.h"
#include "agents/runner/spilled_outputs.h"
#include "agents/runner/uploaded_source.h"
#include "agents/runner/wanted_artifacts.h"
#include "engine/model/uploaded_tree.h"

namespace agents::runner {

namespace asio = boost::asio;
namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

namespace {

base::Status MayMeet(ports::ArtifactArchive& archive,
                     const std::vector<model::Artifact>& artifacts) {
  const base::Status status = archive.CheckSameFiles(artifacts);
  return status.code() != absl::StatusCode::kAlreadyExists
             ? status
             : base::AlreadyExists(
                   "{}: give each a name of its own (with an expression in it, as `{}`), or take "
                   "that of one cell (`needs`, `cell`)",
                   base::Message(status), "${{ matrix.os }}");
}

base::Status UnpackAll(ports::ArtifactArchive& archive,
                       const std::vector<model::Artifact>& artifacts, const std::string& root,
                       const std::stop_token& stop) {
  RETURN_IF_ERROR(MayMeet(archive, artifacts));
  for (const model::Artifact& artifact : artifacts) {
    const base::Status status = archive.Unpack(artifact, root, stop);
    if (!status.ok()) {
      return base::Annotate(status, "artifact '" + artifact.name + "'");
    }
  }
  return base::OkStatus();
}

}  // namespace

void Slot::PrepareWorkspace(bool may_replace) {
  if (sandbox_broken_ && may_replace) {
    return ReplaceAndPrepare();
  }
  if (sandbox_ == nullptr) {
    return Fail(model::ReasonCode::kSetupFailed, base::Unavailable("the slot has no sandbox"),
                true);
  }
  const std::optional<ports::TreeRequest> request = TreeOf(attempt_->assignment());
  if (!attempt_->spec().rare->checkout.enabled || !request.has_value()) {
    return Mount("", may_replace);
  }
  if (shop_.options->git == nullptr) {
    return Fail(model::ReasonCode::kSetupFailed,
                base::FailedPrecondition("nobody can unfold tree {}", request->tree), true);
  }
  TakeTree(*request, [this, may_replace](const base::StatusOr<std::string>& folder) {
    if (!folder.ok()) {
      // On an agent: the repository or the commit is not there, and no other worker would find it.
      const bool not_there =
          folder.status().code() == absl::StatusCode::kNotFound && shop_.options->source_by_commit;
      const bool authors =
          not_there || folder.status().code() == absl::StatusCode::kInvalidArgument;
      return Fail(model::ReasonCode::kSetupFailed, folder.status(), !authors);
    }
    Mount(*folder, may_replace);
  });
}

// What the run starts from: nothing, a tree, or on an agent the tree of a commit or one that was
// uploaded to the server.
std::optional<ports::TreeRequest> Slot::TreeOf(const model::Assignment& assignment) const {
  const model::RunContext& context = *assignment.context;
  const bool by_commit = shop_.options->source_by_commit && !context.commit.empty();
  if (context.tree.empty() && !by_commit) {
    return std::nullopt;
  }
  const model::CheckoutSpec& checkout = attempt_->spec().rare->checkout;
  return ports::TreeRequest{.tree = context.tree,
                            .commit = context.commit,
                            .branch = context.branch,
                            .source = context.source,
                            .depth = checkout.depth,
                            .submodules = checkout.submodules,
                            .lfs = checkout.lfs};
}

// The slot's last tree is given back only now: its keeper may have it mounted until it mounts
// another.
void Slot::TakeTree(const ports::TreeRequest& request,
                    std::function<void(base::StatusOr<std::string>)> done) {
  const auto take = [this](const std::string& folder) {
    const std::string last = std::exchange(tree_folder_, folder);
    shop_.trees->Return(last);
  };
  if (const std::optional<std::string> folder = shop_.trees->Borrow(request)) {
    take(*folder);
    return done(*folder);
  }
  const bool is_uploaded = model::UploadedTree(request.tree).has_value();
  OnPool([git = shop_.options->git, request, archive = is_uploaded ? Archive() : nullptr,
          stop = pool_stop_.get_token()] { return UnfoldSource(*git, request, archive, stop); },
         [this, request, take, done = std::move(done)](base::StatusOr<std::string> folder) {
           if (folder.ok()) {
             shop_.trees->Add(request, *folder);
             take(*folder);
           }
           done(std::move(folder));
         });
}

// Not from inside a handler of the sandbox that is to be destroyed.
void Slot::ReplaceAndPrepare() {
  asio::post(*shop_.io, Guarded([this] {
    ReplaceSandbox();
    Keep(AttemptBegun{lease_.key, MicrosOf(started_)});
    PrepareWorkspace(false);
  }));
}

void Slot::Mount(const std::string& lower, bool may_replace) {
  const std::string& path = attempt_->assignment().context->workspace;
  sandbox_->PrepareWorkspace(
      {.lower = lower, .path = path.empty() ? shop_.options->workspace : path},
      Guarded([this, may_replace](const base::Status& status) {
        WorkspaceReady(status, may_replace);
      }));
}

void Slot::WorkspaceReady(const base::Status& status, bool may_replace) {
  if (status.code() == absl::StatusCode::kUnavailable && may_replace) {
    // The keeper died while nothing ran: nothing has begun, so another one may do it.
    return ReplaceAndPrepare();
  }
  if (!status.ok()) {
    sandbox_broken_ = status.code() == absl::StatusCode::kUnavailable;
    return Fail(model::ReasonCode::kSetupFailed, status, true);
  }
  if (attempt_->is_stopped()) {
    return End();
  }
  const ports::SandboxFacts facts = sandbox_->facts();
  workspace_view_ = facts.workspace_view.empty() ? facts.workspace_path : facts.workspace_view;
  place_ = {.workspace = facts.workspace_path,
            .script_path = scratch_.script_path(),
            .background_folder = scratch_.background_folder(),
            .environment = &environment_};
  Download();
}

std::shared_ptr<ports::ArtifactArchive> Slot::Archive() {
  const RunnerOptions& options = *shop_.options;
  if (archive_ == nullptr && options.archive_of) {
    archive_ = options.archive_of(lease_.key, pool_stop_.get_token());
  } else if (archive_ == nullptr && options.archive != nullptr) {
    archive_ = {options.archive, [](ports::ArtifactArchive*) {}};
  }
  return archive_;
}

void Slot::Download() {
  if (const base::Status fits = CheckReadBytes(attempt_->assignment()); !fits.ok()) {
    return Fail(model::ReasonCode::kSetupFailed, fits, false);
  }
  base::StatusOr<std::vector<model::Artifact>> wanted = WantedArtifacts(attempt_->assignment());
  if (!wanted.ok()) {
    return Fail(model::ReasonCode::kArtifactMissing, wanted.status(), false);
  }
  std::vector<WantedOutput> outputs = WantedOutputs(attempt_->assignment());
  if (wanted->empty() && outputs.empty()) {
    return BeginSteps();
  }
  const std::shared_ptr<ports::ArtifactArchive> archive = Archive();
  if (archive == nullptr) {
    // Another worker of the kind has none either.
    return Fail(model::ReasonCode::kSetupFailed,
                base::FailedPrecondition("there is no artifact store"), false);
  }
  phase_ = Phase::kDownloading;
  OnPool(
      [archive, artifacts = *std::move(wanted), outputs = std::move(outputs),
       root = workspace_view_, stop = pool_stop_.get_token()]() -> base::StatusOr<SpilledTexts> {
        RETURN_IF_ERROR(UnpackAll(*archive, artifacts, root, stop));
        return FetchOutputs(*archive, outputs, stop);
      },
      [this](base::StatusOr<SpilledTexts> fetched) {
        if (attempt_->is_stopped()) {
          return End();
        }
        if (!fetched.ok()) {
          const absl::StatusCode code = fetched.status().code();
          const bool authors = code == absl::StatusCode::kAlreadyExists ||
                               code == absl::StatusCode::kFailedPrecondition;
          return Fail(model::ReasonCode::kSetupFailed, fetched.status(), !authors);
        }
        attempt_->OutputsFetched(*std::move(fetched));
        BeginSteps();
      });
}

}  // namespace agents::runner

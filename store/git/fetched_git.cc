// SPDX-License-Identifier: Apache-2.0
#include "store/git/fetched_git.h"

#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>
#include <string_view>
#include <sys/stat.h>
#include <utility>
#include <vector>

#include "engine/base/digest.h"
#include "store/git/git_handle.h"

namespace store::git {
namespace {

namespace base = engine::base;
namespace fs = std::filesystem;
namespace ports = engine::ports;

constexpr std::string_view kSchemes[] = {"https://", "http://", "ssh://", "git://", "file://"};

/// `git@host:path`: everything before the first slash, with a colon in it.
bool IsScpLike(std::string_view url) {
  const std::string_view host = url.substr(0, url.find('/'));
  return host.find(':') != std::string_view::npos && host.find("::") == std::string_view::npos;
}

/// The tree of a commit that the repository has.
base::StatusOr<std::string> TreeOf(const std::string& repository, const std::string& commit) {
  ASSIGN_OR_RETURN(const git_oid id, OidFromHex(commit));
  Repository opened;
  int error = Take(opened, [&](git_repository** out) {
    return git_repository_open_bare(out, repository.c_str());
  });
  if (error < 0) {
    return FromGit(error, "open " + repository);
  }
  Commit found;
  error = Take(found, [&](git_commit** out) { return git_commit_lookup(out, opened.get(), &id); });
  if (error < 0) {
    return FromGit(error, "commit " + commit);
  }
  return ToHex(*git_commit_tree_id(found.get()));
}

base::Status MakeFolder(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  return error ? base::FromErrno(error.value(), "make folder " + folder) : base::OkStatus();
}

}  // namespace

base::Status CheckRepositoryUrl(const std::string& url) {
  if (url.empty() || url[0] == '-' || url.find('\0') != std::string::npos ||
      url.find('\n') != std::string::npos) {
    return base::InvalidArgument("the repository's address is empty or malformed");
  }
  if (url[0] == '/') {
    return base::OkStatus();
  }
  for (const std::string_view scheme : kSchemes) {
    if (!url.starts_with(scheme)) {
      continue;
    }
    const std::string host =
        url.substr(scheme.size(), url.find('/', scheme.size()) - scheme.size());
    const std::size_t at = host.rfind('@');
    if (at != std::string::npos && host.find(':') < at) {
      return base::InvalidArgument(
          "the address of the repository at {} holds a password: give it apart from the address",
          host.substr(at + 1));
    }
    return base::OkStatus();
  }
  return IsScpLike(url) ? base::OkStatus()
                        : base::InvalidArgument("'{}' is no address of a repository", url);
}

/// One lock a repository: who comes second finds what the first has fetched.
struct FetchedGit::Fetching {
  std::mutex mutex;
  std::map<std::string, std::unique_ptr<std::mutex>> by_repository;
  std::atomic<std::uint64_t> fetches{0};
  std::atomic<bool> released{false};  ///< a tree, since old ones were removed
  /// Of unfolded trees, once for each time; what a step's `git` reads is borrowed from there.
  std::multimap<std::string, std::string> repository_of;

  std::mutex& Of(const std::string& repository) {
    const std::lock_guard lock(mutex);
    std::unique_ptr<std::mutex>& found = by_repository[repository];
    if (found == nullptr) {
      found = std::make_unique<std::mutex>();
    }
    return *found;
  }
};

FetchedGit::FetchedGit(FetchedGitOptions options)
    : options_(std::move(options)),
      shelf_(std::make_unique<RepositoryShelf>(options_.folder + "/repositories",
                                               options_.repositories)),
      fetching_(std::make_unique<Fetching>()) {}

FetchedGit::~FetchedGit() = default;

base::StatusOr<std::unique_ptr<FetchedGit>> FetchedGit::Open(FetchedGitOptions options) {
  StartLibgit2();
  RETURN_IF_ERROR(MakeFolder(options.folder + "/repositories"));
  chmod(options.folder.c_str(), 0700);
  std::unique_ptr<FetchedGit> git(new FetchedGit(std::move(options)));
  const FetchedGitOptions& own = git->options_;
  LocalGitOptions local;
  local.objects_folder = own.folder + "/objects";
  local.trees_folder = own.folder + "/trees";
  local.trees_kept = own.trees_kept;
  ASSIGN_OR_RETURN(git->local_, LocalGit::Open(std::move(local)));
  return git;
}

base::StatusOr<ports::WorkingTree> FetchedGit::WriteWorkingTree(const std::string& /*folder*/) {
  return base::Unimplemented("an agent records no working trees");
}

base::StatusOr<std::string> FetchedGit::UnfoldTree(const ports::TreeRequest& request) {
  RETURN_IF_ERROR(CheckRepositoryUrl(request.source));
  if (!OidFromHex(request.commit).ok()) {
    return base::InvalidArgument("'{}' is no full commit id", request.commit);
  }
  const std::string name = base::ToHex(base::Sha256(request.source)).substr(0, 24);
  const std::string repository = shelf_->PathOf(name);
  shelf_->Hold(repository);
  base::StatusOr<std::string> folder = UnfoldHeld(request, repository);
  if (!folder.ok()) {
    shelf_->LetGo(repository);
    return folder;
  }
  const std::lock_guard lock(fetching_->mutex);
  fetching_->repository_of.emplace(*folder, repository);
  return folder;
}

base::StatusOr<std::string> FetchedGit::UnfoldHeld(const ports::TreeRequest& request,
                                                   const std::string& repository) {
  RETURN_IF_ERROR(EnsureCommit(request.source, request.commit, repository));
  ports::TreeRequest local = request;
  local.source = repository;
  if (local.tree.empty()) {
    ASSIGN_OR_RETURN(local.tree, TreeOf(repository, request.commit));
  }
  MakeRoomForTree();
  return local_->UnfoldTree(local);
}

base::StatusOr<std::string> FetchedGit::UnfoldFilled(const std::string& name, const Fill& fill) {
  MakeRoomForTree();
  return local_->UnfoldFilled(name, fill);
}

// Trees that nobody holds any more make room; what cannot be removed is tried another time.
void FetchedGit::MakeRoomForTree() {
  if (fetching_->released.exchange(false)) {
    local_->RemoveOldTrees().status().IgnoreError();
  }
}

void FetchedGit::ReleaseTree(const std::string& folder) {
  local_->ReleaseTree(folder);
  fetching_->released = true;
  const std::lock_guard lock(fetching_->mutex);
  const auto held = fetching_->repository_of.find(folder);
  if (held != fetching_->repository_of.end()) {
    shelf_->LetGo(held->second);
    fetching_->repository_of.erase(held);
  }
}

std::uint64_t FetchedGit::fetches() const {
  return fetching_->fetches;
}

base::Status FetchedGit::EnsureCommit(const std::string& url, const std::string& commit,
                                      const std::string& repository) {
  const std::lock_guard lock(fetching_->Of(repository));
  if (!fs::exists(repository + "/HEAD")) {
    RETURN_IF_ERROR(Git(url, "", {"init", "--quiet", "--bare", repository}).status());
  } else if (TreeOf(repository, commit).ok()) {
    return base::OkStatus();
  }
  shelf_->MakeRoom();
  return Fetch(url, commit, repository);
}

base::Status FetchedGit::Fetch(const std::string& url, const std::string& commit,
                               const std::string& repository) {
  ++fetching_->fetches;
  // References of ours keep the objects; `gc` never runs, so that nothing vanishes under a tree.
  const auto fetch = [&](std::vector<std::string> specs) {
    std::vector<std::string> arguments = {"-c",           "gc.auto=0", "fetch", "--quiet",
                                          "--no-auto-gc", "--force",   "--",    url};
    arguments.insert(arguments.end(), specs.begin(), specs.end());
    return Git(url, repository, std::move(arguments)).status();
  };
  const base::Status alone = fetch({"+" + commit + ":refs/dayfly/" + commit});
  if (alone.ok() && TreeOf(repository, commit).ok()) {
    return base::OkStatus();
  }
  if (alone.code() == absl::StatusCode::kFailedPrecondition ||
      alone.code() == absl::StatusCode::kDeadlineExceeded) {
    return base::Annotate(alone, "repository " + url);
  }
  // Some servers give no single commits: everything then, and the commit may be among it.
  const base::Status all = fetch({"+refs/heads/*:refs/dayfly/heads/*", "+refs/tags/*:refs/tags/*"});
  if (!all.ok()) {
    const std::string_view why = base::Message(all);
    const bool gone =
        why.find("not found") != std::string_view::npos ||
        why.find("does not appear to be a git repository") != std::string_view::npos ||
        why.find("does not exist") != std::string_view::npos ||
        why.find("not exported") != std::string_view::npos;
    const bool refused = why.find("Authentication failed") != std::string_view::npos ||
                         why.find("could not read Username") != std::string_view::npos;
    if (refused) {
      return base::InvalidArgument(
          "repository {} wants another user or password than the server has for it (`git` in "
          "server.yml): {}",
          url, why);
    }
    return gone ? base::NotFound("repository {} is not there (for commit {}): {}", url, commit, why)
                : base::Unavailable("repository {} cannot be read (for commit {}): {}", url, commit,
                                    why);
  }
  return TreeOf(repository, commit).ok()
             ? base::OkStatus()
             : base::NotFound("commit {} does not exist in repository {}", commit, url);
}

base::StatusOr<std::string> FetchedGit::Git(const std::string& url, const std::string& repository,
                                            std::vector<std::string> arguments) const {
  GitCommand command;
  command.program = options_.git_program;
  command.arguments = std::move(arguments);
  command.folder = repository;
  command.timeout = options_.timeout;
  if (options_.credential && !repository.empty()) {
    ASSIGN_OR_RETURN(command.credential, options_.credential(url));
  }
  return RunGit(command);
}

}  // namespace store::git

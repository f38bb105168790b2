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
#include "store/git/history.h"
#include "store/git/object_folder.h"

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

/// How deep submodules may stand in each other.
constexpr std::uint32_t kLevelsMax = 8;

/// The tree of a commit that the repository has, with `depth` commits of history (0: all).
base::StatusOr<git_oid> TreeOf(const std::string& repository, const std::string& commit,
                               std::uint32_t depth) {
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
  if (depth > 0) {
    ASSIGN_OR_RETURN(const History history, LastCommits(opened.get(), id, depth));
    if (history.is_short) {
      return base::NotFound("commit {} is here with less than {} commits", commit, depth);
    }
  }
  return *git_commit_tree_id(found.get());
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
  std::multimap<std::string, Held> repositories_of;

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
  Held held;
  base::StatusOr<std::string> folder = UnfoldHolding(request, held);
  if (!folder.ok()) {
    LetGo(held);
    return folder;
  }
  const std::lock_guard lock(fetching_->mutex);
  fetching_->repositories_of.emplace(*folder, std::move(held));
  return folder;
}

base::StatusOr<std::string> FetchedGit::UnfoldHolding(const ports::TreeRequest& request,
                                                      Held& held) {
  ASSIGN_OR_RETURN(const Wanted wanted, Take({.url = request.source,
                                              .commit = request.commit,
                                              .depth = request.depth,
                                              .lfs = request.lfs,
                                              .repository = ""},
                                             held));
  ports::TreeRequest local = request;
  local.source = wanted.repository;
  if (local.tree.empty()) {
    ASSIGN_OR_RETURN(git_oid tree, TreeOf(wanted.repository, request.commit, 0));
    if (request.submodules) {
      ASSIGN_OR_RETURN(tree, TreeWithSubmodules(wanted, tree, 1, held));
    }
    local.tree = ToHex(tree);
  }
  MakeRoomForTree();
  LocalGit::Elsewhere elsewhere;
  for (const std::string& repository : held) {
    if (repository != wanted.repository) {
      elsewhere.objects.push_back(repository + "/objects");
    }
    if (request.lfs) {
      elsewhere.large_files.push_back(repository + "/lfs/objects");
    }
  }
  return local_->UnfoldTree(local, elsewhere);
}

// Histories of different lengths stand apart: what is cut off in a repository is cut off for all.
base::StatusOr<FetchedGit::Wanted> FetchedGit::Take(Wanted wanted, Held& held) {
  RETURN_IF_ERROR(CheckRepositoryUrl(wanted.url));
  if (!OidFromHex(wanted.commit).ok()) {
    return base::InvalidArgument("'{}' is no full commit id", wanted.commit);
  }
  const std::string kind =
      wanted.depth == 0 ? wanted.url : fmt::format("{}\ndepth {}", wanted.url, wanted.depth);
  wanted.repository = shelf_->PathOf(base::ToHex(base::Sha256(kind)).substr(0, 24));
  shelf_->Hold(wanted.repository);
  held.push_back(wanted.repository);
  const std::lock_guard lock(fetching_->Of(wanted.repository));
  if (!fs::exists(wanted.repository + "/HEAD")) {
    RETURN_IF_ERROR(Git(wanted.url, "", {"init", "--quiet", "--bare", wanted.repository}).status());
  }
  if (!TreeOf(wanted.repository, wanted.commit, wanted.depth).ok()) {
    shelf_->MakeRoom();
    RETURN_IF_ERROR(Fetch(wanted));
  }
  if (wanted.lfs) {
    RETURN_IF_ERROR(FetchLargeFiles(wanted));
  }
  return wanted;
}

// Asks nobody when all of them are here.
base::Status FetchedGit::FetchLargeFiles(const Wanted& wanted) {
  // To git-lfs a path is the name of a remote.
  const std::string url = wanted.url.starts_with('/') ? "file://" + wanted.url : wanted.url;
  const base::Status status =
      Git(wanted.url, wanted.repository, {"lfs", "fetch", url, wanted.commit}).status();
  if (base::Message(status).find("'lfs' is not a git command") != std::string_view::npos) {
    return base::FailedPrecondition("`lfs` needs the program git-lfs, which this worker lacks");
  }
  const std::string whose =
      fmt::format("large files of commit {} of {}", wanted.commit, wanted.url);
  // Asked again it would say the same.
  return SaysObjectIsGone(base::Message(status))
             ? base::NotFound("{}: {}", whose, base::Message(status))
             : base::Annotate(status, whose);
}

base::StatusOr<git_oid> FetchedGit::TreeWithSubmodules(const Wanted& wanted, const git_oid& tree,
                                                       std::uint32_t level, Held& held) {
  ASSIGN_OR_RETURN(ObjectFolder objects, ObjectFolder::Open(options_.folder + "/objects",
                                                            {wanted.repository + "/objects"}));
  ASSIGN_OR_RETURN(const std::string file, FindModulesFile(objects, tree));
  if (file.empty()) {
    return tree;
  }
  const base::StatusOr<std::string> config =
      Git(wanted.url, wanted.repository, {"config", "--blob", file, "--list", "-z"});
  if (!config.ok()) {
    return base::InvalidArgument("`.gitmodules` of commit {} cannot be read: {}", wanted.commit,
                                 base::Message(config.status()));
  }
  ASSIGN_OR_RETURN(const std::vector<Submodule> submodules, ReadSubmodules(objects, tree, *config));
  std::map<std::string, git_oid> trees;
  for (const Submodule& submodule : submodules) {
    const base::StatusOr<git_oid> inner = TreeOfSubmodule(wanted, submodule, level, held);
    if (!inner.ok()) {
      return base::Annotate(inner.status(), "submodule '" + submodule.path + "'");
    }
    trees.emplace(submodule.path, *inner);
  }
  ASSIGN_OR_RETURN(const git_oid whole, WithSubmodules(objects, tree, trees));
  RETURN_IF_ERROR(objects.Flush());
  return whole;
}

base::StatusOr<git_oid> FetchedGit::TreeOfSubmodule(const Wanted& parent,
                                                    const Submodule& submodule, std::uint32_t level,
                                                    Held& held) {
  if (level > kLevelsMax) {
    return base::InvalidArgument("submodules stand in each other more than {} deep", kLevelsMax);
  }
  ASSIGN_OR_RETURN(const std::string url, SubmoduleUrl(parent.url, submodule.url));
  ASSIGN_OR_RETURN(const Wanted wanted, Take({.url = url,
                                              .commit = ToHex(submodule.commit),
                                              .depth = 1,
                                              .lfs = parent.lfs,
                                              .repository = ""},
                                             held));
  ASSIGN_OR_RETURN(const git_oid tree, TreeOf(wanted.repository, wanted.commit, 0));
  return TreeWithSubmodules(wanted, tree, level + 1, held);
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
  Held held;
  {
    const std::lock_guard lock(fetching_->mutex);
    const auto found = fetching_->repositories_of.find(folder);
    if (found == fetching_->repositories_of.end()) {
      return;
    }
    held = std::move(found->second);
    fetching_->repositories_of.erase(found);
  }
  LetGo(held);
}

void FetchedGit::LetGo(const Held& held) {
  for (const std::string& repository : held) {
    shelf_->LetGo(repository);
  }
}

std::uint64_t FetchedGit::fetches() const {
  return fetching_->fetches;
}

base::Status FetchedGit::Fetch(const Wanted& wanted) {
  ++fetching_->fetches;
  // References of ours keep the objects; `gc` never runs, so that nothing vanishes under a tree.
  const auto fetch = [&](std::uint32_t depth, std::vector<std::string> specs) {
    std::vector<std::string> arguments = {"-c",      "gc.auto=0",    "fetch",
                                          "--quiet", "--no-auto-gc", "--force"};
    if (depth > 0) {
      arguments.push_back(fmt::format("--depth={}", depth));
    }
    arguments.insert(arguments.end(), {"--", wanted.url});
    arguments.insert(arguments.end(), specs.begin(), specs.end());
    return Git(wanted.url, wanted.repository, std::move(arguments)).status();
  };
  const std::string& url = wanted.url;
  const std::string& commit = wanted.commit;
  const base::Status alone = fetch(wanted.depth, {"+" + commit + ":refs/dayfly/" + commit});
  if (alone.ok() && TreeOf(wanted.repository, commit, 0).ok()) {
    return base::OkStatus();
  }
  if (alone.code() == absl::StatusCode::kFailedPrecondition ||
      alone.code() == absl::StatusCode::kDeadlineExceeded) {
    return base::Annotate(alone, "repository " + url);
  }
  if (alone.code() == absl::StatusCode::kPermissionDenied) {
    return base::InvalidArgument(
        "the server keeps the password of {} from this run: submodules are read with the password "
        "of the run's own repository, or with none",
        url);
  }
  // Some servers give no single commits: everything then, and the commit may be among it.
  const base::Status all =
      fetch(0, {"+refs/heads/*:refs/dayfly/heads/*", "+refs/tags/*:refs/tags/*"});
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
  return TreeOf(wanted.repository, commit, 0).ok()
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

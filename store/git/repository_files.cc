// SPDX-License-Identifier: Apache-2.0
#include "store/git/repository_files.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <string_view>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "engine/base/digest.h"
#include "store/git/fetched_git.h"
#include "store/git/git_command.h"
#include "store/git/git_handle.h"
#include "store/git/repository_shelf.h"

namespace store::git {
namespace {

namespace base = engine::base;
namespace fs = std::filesystem;

constexpr std::size_t kRefBytesMax = 256;

/// Held by one process of the machine, until it is gone.
class FileLock {
 public:
  explicit FileLock(const std::string& path)
      : fd_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    while (fd_ >= 0 && flock(fd_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  ~FileLock() {
    if (fd_ >= 0) {
      close(fd_);
    }
  }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int fd_;
};

/// What git takes for a name and nothing else: no range, no pattern, no option.
base::Status CheckRef(const std::string& ref) {
  const bool spelled = std::ranges::all_of(ref, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-/+#").find(c) != std::string_view::npos;
  });
  const bool is_ref = spelled && !ref.empty() && ref.size() <= kRefBytesMax && ref[0] != '-' &&
                      ref[0] != '/' && ref[0] != '+' && ref.find("..") == std::string::npos;
  return is_ref ? base::OkStatus() : base::InvalidArgument("'{}' is no branch, tag or commit", ref);
}

base::StatusOr<Repository> OpenBare(const std::string& path) {
  Repository repository;
  const int error = Take(repository, [&](git_repository** out) {
    return git_repository_open_bare(out, path.c_str());
  });
  return error < 0 ? base::StatusOr<Repository>(FromGit(error, "open " + path))
                   : base::StatusOr<Repository>(std::move(repository));
}

/// The commit that `name` means in the repository.
base::StatusOr<std::string> Lookup(const std::string& repository, const std::string& name) {
  ASSIGN_OR_RETURN(const Repository opened, OpenBare(repository));
  Object object;
  const int error = Take(object, [&](git_object** out) {
    return git_revparse_single(out, opened.get(), (name + "^{commit}").c_str());
  });
  return error < 0 ? base::StatusOr<std::string>(FromGit(error, name))
                   : ToHex(*git_object_id(object.get()));
}

base::Status Fault(const base::Status& fetched, const std::string& ref) {
  const std::string_view why = base::Message(fetched);
  const auto says = [&](std::string_view words) {
    return why.find(words) != std::string_view::npos;
  };
  if (says("couldn't find remote ref") || says("not our ref") || says("no such remote ref")) {
    return base::NotFound("there is no branch, tag or commit '{}'", ref);
  }
  if (says("not found") || says("does not appear to be a git repository") ||
      says("does not exist") || says("not exported")) {
    return base::NotFound("there is no such repository: {}", why);
  }
  return base::MakeStatus(fetched.code(), fmt::format("the repository cannot be read: {}", why));
}

base::StatusOr<std::string> BlobAt(const std::string& repository, const std::string& commit,
                                   const std::string& path, std::uint64_t bytes_max) {
  ASSIGN_OR_RETURN(const Repository opened, OpenBare(repository));
  Object object;
  const int error = Take(object, [&](git_object** out) {
    return git_revparse_single(out, opened.get(), (commit + ":" + path).c_str());
  });
  if (error < 0) {
    return base::NotFound("there is no such file");
  }
  if (git_object_type(object.get()) != GIT_OBJECT_BLOB) {
    return base::FailedPrecondition("this is a folder, not a file");
  }
  const auto* blob = reinterpret_cast<const git_blob*>(object.get());
  const auto size = static_cast<std::uint64_t>(git_blob_rawsize(blob));
  if (size > bytes_max) {
    return base::ResourceExhausted("the file is larger than {} bytes, the limit", bytes_max);
  }
  return std::string(static_cast<const char*>(git_blob_rawcontent(blob)), size);
}

}  // namespace

base::StatusOr<std::string> RepositoryFiles::Read(const std::string& url, const std::string& ref,
                                                  const std::string& path) {
  RETURN_IF_ERROR(CheckRepositoryUrl(url));
  RETURN_IF_ERROR(CheckRef(ref));
  StartLibgit2();
  const std::string repository =
      fmt::format("{}/{}.git", options_.folder, base::ToHex(base::Sha256(url)).substr(0, 24));
  std::string& commit = commits_[{url, ref}];
  if (commit.empty()) {
    ASSIGN_OR_RETURN(commit, CommitOf(url, ref, repository));
  }
  return BlobAt(repository, commit, path, options_.file_bytes_max);
}

base::StatusOr<std::string> RepositoryFiles::CommitOf(const std::string& url,
                                                      const std::string& ref,
                                                      const std::string& repository) {
  const bool is_commit = OidFromHex(ref).ok();
  const bool is_there = fs::exists(repository + "/HEAD");
  if (is_there && is_commit) {
    if (base::StatusOr<std::string> known = Lookup(repository, ref); known.ok()) {
      return known;
    }
  }
  std::error_code error;
  fs::create_directories(options_.folder, error);
  if (error) {
    return base::FromErrno(error.value(), "make folder " + options_.folder);
  }
  GitCommand command{
      .program = options_.git_program, .timeout = options_.timeout, .as_caller = true};
  if (!is_there) {
    command.arguments = {"init", "--quiet", "--bare", repository};
    RETURN_IF_ERROR(RunGit(command).status());
  }
  RepositoryShelf shelf(options_.folder, {});
  shelf.Hold(repository);
  shelf.MakeRoom();
  command.folder = repository;
  const FileLock alone(options_.folder + "/lock");  // git itself waits for no other's lock
  const std::string kept = "refs/dayfly/" + base::ToHex(base::Sha256(ref)).substr(0, 16);
  const auto fetch = [&](std::vector<std::string> specs) {
    command.arguments = {"-c",        "gc.auto=0", "fetch",   "--quiet", "--no-auto-gc",
                         "--no-tags", "--depth=1", "--force", "--",      url};
    command.arguments.insert(command.arguments.end(), specs.begin(), specs.end());
    return RunGit(command).status();
  };
  base::Status fetched = fetch({fmt::format("+{}:{}", ref, kept)});
  if (!fetched.ok() && is_commit) {
    // Some servers give no single commits: their branches and tags then, it may be one of them.
    const base::Status all =
        fetch({"+refs/heads/*:refs/dayfly/heads/*", "+refs/tags/*:refs/dayfly/tags/*"});
    if (all.ok()) {
      base::StatusOr<std::string> among = Lookup(repository, ref);
      return among.ok() ? among : base::NotFound("there is no commit '{}'", ref);
    }
  }
  if (!fetched.ok()) {
    return Fault(fetched, ref);
  }
  return Lookup(repository, kept);
}

}  // namespace store::git

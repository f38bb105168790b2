// SPDX-License-Identifier: Apache-2.0
#include "store/git/repository_files.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
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

/// Our copy is broken: cut short, or damaged on the disk. Another fetch may do.
bool IsOurFault(const base::Status& status) {
  static constexpr std::string_view kSignsOfAFetch[] = {"not a git repository: ",
                                                        "File exists",
                                                        "cannot lock",
                                                        "loose object",
                                                        "corrupt",
                                                        "bad object",
                                                        "inflate",
                                                        "shallow"};
  const std::string_view why = base::Message(status);
  return status.code() == absl::StatusCode::kDataLoss ||
         std::ranges::any_of(kSignsOfAFetch, [&](std::string_view sign) {
           return why.find(sign) != std::string_view::npos;
         });
}

}  // namespace

/// One bare repository of ours and what is asked of it. The `git` program reads it, too: it notices
/// damage that a library may trip over.
class RepositoryFiles::Clone {
 public:
  Clone(const RepositoryFilesOptions& options, std::string url)
      : options_(options),
        url_(std::move(url)),
        path_(fmt::format("{}/{}", options.folder, base::ToHex(base::Sha256(url_)).substr(0, 24))) {
  }

  base::StatusOr<std::string> CommitOf(const std::string& ref);
  base::StatusOr<std::string> BlobAt(const std::string& commit, const std::string& path);
  std::string folder() const { return path_ + ".git"; }
  std::string lock() const { return path_ + ".lock"; }

 private:
  base::StatusOr<std::string> Git(std::vector<std::string> arguments, bool in_it = true) const {
    return RunGit({.program = options_.git_program,
                   .arguments = std::move(arguments),
                   .folder = in_it ? folder() : "",
                   .credential = {},
                   .timeout = options_.timeout,
                   .as_caller = true});
  }
  /// A question that needs no network: when it fails, the copy is damaged.
  base::StatusOr<std::string> Ask(std::vector<std::string> arguments) const {
    base::StatusOr<std::string> answer = Git(std::move(arguments));
    return answer.ok() ? std::move(answer) : base::DataLoss("{}", base::Message(answer.status()));
  }
  base::StatusOr<std::string> Lookup(const std::string& name) const;
  base::Status Fetch(std::vector<std::string> specs) const;

  const RepositoryFilesOptions& options_;
  const std::string url_;
  const std::string path_;
};

/// The commit that `name` means.
base::StatusOr<std::string> RepositoryFiles::Clone::Lookup(const std::string& name) const {
  ASSIGN_OR_RETURN(std::string id, Ask({"rev-parse", "--verify", "--quiet", name + "^{commit}"}));
  return id.substr(0, id.find('\n'));
}

base::Status RepositoryFiles::Clone::Fetch(std::vector<std::string> specs) const {
  std::vector<std::string> arguments = {"-c",           "gc.auto=0", "fetch",     "--quiet",
                                        "--no-auto-gc", "--no-tags", "--depth=1", "--force",
                                        "--",           url_};
  arguments.insert(arguments.end(), specs.begin(), specs.end());
  return Git(std::move(arguments)).status();
}

base::StatusOr<std::string> RepositoryFiles::Clone::CommitOf(const std::string& ref) {
  const bool is_commit = OidFromHex(ref).ok();
  const bool is_there = fs::exists(folder() + "/HEAD");
  if (is_there && is_commit) {
    if (base::StatusOr<std::string> known = Lookup(ref); known.ok()) {
      return known;
    }
  }
  if (!is_there) {
    RETURN_IF_ERROR(
        Git({"init", "--quiet", "--bare", "--object-format=sha1", folder()}, false).status());
  }
  RepositoryShelf shelf(options_.folder, {});
  shelf.Hold(folder());
  shelf.MakeRoom();
  const std::string kept = "refs/dayfly/" + base::ToHex(base::Sha256(ref)).substr(0, 16);
  const base::Status fetched = Fetch({fmt::format("+{}:{}", ref, kept)});
  if (fetched.ok()) {
    return Lookup(kept);
  }
  if (is_commit) {
    // Some servers give no single commits: their branches and tags then, it may be one of them.
    const base::Status all =
        Fetch({"+refs/heads/*:refs/dayfly/heads/*", "+refs/tags/*:refs/dayfly/tags/*"});
    if (all.ok()) {
      base::StatusOr<std::string> among = Lookup(ref);
      return among.ok() ? among : base::NotFound("there is no commit '{}'", ref);
    }
  }
  return fetched;
}

base::StatusOr<std::string> RepositoryFiles::Clone::BlobAt(const std::string& commit,
                                                           const std::string& path) {
  // `MODE TYPE ID SIZE<tab>PATH`
  ASSIGN_OR_RETURN(const std::string line, Ask({"--literal-pathspecs", "ls-tree", "-z", "--long",
                                                "--full-tree", commit, "--", path}));
  if (line.empty()) {
    return base::NotFound("there is no such file");
  }
  const std::string_view mode = std::string_view(line).substr(0, 6);
  if (!mode.starts_with("100")) {
    return base::FailedPrecondition("this is a {}, not a file", mode == "120000"   ? "link"
                                                                : mode == "160000" ? "submodule"
                                                                                   : "folder");
  }
  const std::string id = line.substr(12, line.find(' ', 12) - 12);
  std::uint64_t size = 0;
  const std::size_t at = line.find_first_not_of(' ', 12 + id.size());
  std::from_chars(line.data() + std::min(at, line.size()), line.data() + line.size(), size);
  if (size > options_.file_bytes_max) {
    return base::ResourceExhausted("the file is larger than {} bytes, the limit",
                                   options_.file_bytes_max);
  }
  ASSIGN_OR_RETURN(std::string text, Ask({"cat-file", "blob", id}));
  return text.size() == size ? base::StatusOr<std::string>(std::move(text))
                             : base::StatusOr<std::string>(base::DataLoss("{} cannot be read", id));
}

base::StatusOr<std::string> RepositoryFiles::Read(const std::string& url, const std::string& ref,
                                                  const std::string& path) {
  RETURN_IF_ERROR(CheckRepositoryUrl(url));
  RETURN_IF_ERROR(CheckRef(ref));
  std::error_code error;
  fs::create_directories(options_.folder, error);
  if (error) {
    return base::FromErrno(error.value(), "make folder " + options_.folder);
  }
  Clone clone(options_, url);
  const FileLock alone(clone.lock());  // git itself waits for nobody's lock
  base::StatusOr<std::string> text = ReadLocked(clone, url, ref, path);
  if (!text.ok() && IsOurFault(text.status())) {
    fs::remove_all(clone.folder(), error);
    commits_.erase({url, ref});
    text = ReadLocked(clone, url, ref, path);
  }
  return text;
}

base::StatusOr<std::string> RepositoryFiles::ReadLocked(Clone& clone, const std::string& url,
                                                        const std::string& ref,
                                                        const std::string& path) {
  std::string& commit = commits_[{url, ref}];
  if (commit.empty()) {
    base::StatusOr<std::string> found = clone.CommitOf(ref);
    if (!found.ok()) {
      return IsOurFault(found.status()) ? found.status() : Fault(found.status(), ref);
    }
    commit = *std::move(found);
  }
  return clone.BlobAt(commit, path);
}

}  // namespace store::git

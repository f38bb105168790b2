// SPDX-License-Identifier: Apache-2.0
#include "store/git/working_scan.h"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace store::git {
namespace {

namespace base = engine::base;

constexpr std::int64_t kBillion = 1'000'000'000;
constexpr int kNestingMax = 16;  // of repositories in repositories

std::int64_t Nanoseconds(const timespec& time) {
  return time.tv_sec * kBillion + time.tv_nsec;
}

FileStamp StampOf(const struct stat& status) {
  return {.inode = status.st_ino,
          .size = static_cast<std::uint64_t>(status.st_size),
          .mtime_ns = Nanoseconds(status.st_mtim),
          .ctime_ns = Nanoseconds(status.st_ctim),
          .mode = status.st_mode};
}

bool SameTime(const git_index_time& known, std::int64_t seen_ns) {
  // An index written without nanoseconds has 0 there.
  return known.seconds == static_cast<std::int32_t>(seen_ns / kBillion) &&
         (known.nanoseconds == 0 || known.nanoseconds == seen_ns % kBillion);
}

class Scanner {
 public:
  Scanner(git_repository* repository, const ScanLimits& limits, IgnoreMemory& ignored, Scan& scan,
          std::string prefix, int nesting)
      : repository_(repository),
        limits_(limits),
        ignored_(ignored),
        scan_(scan),
        prefix_(std::move(prefix)),
        nesting_(nesting) {}

  base::Status Run();

 private:
  base::Status LoadIndex();
  base::Status Walk(int folder, const std::string& path, bool is_ignored);
  base::Status Visit(int folder, const std::string& name, const std::string& path, bool is_ignored);
  base::Status VisitFolder(int folder, const std::string& name, const std::string& path,
                           const struct stat& status, bool is_ignored);
  base::Status VisitRepository(const std::string& path);
  base::Status AddFile(const std::string& path, const struct stat& status, bool is_ignored);
  base::StatusOr<bool> IsIgnored(const std::string& path);
  const git_index_entry* EntryOf(const std::string& path) const;
  bool HasTrackedBelow(const std::string& path) const;
  bool IsBarred(const struct stat& status) const;
  bool IsUnchanged(const git_index_entry& entry, const FileStamp& stamp, git_filemode_t mode) const;

  git_repository* repository_;
  const ScanLimits& limits_;
  IgnoreMemory& ignored_;
  Scan& scan_;
  const std::string prefix_;  ///< of a nested repository, with `/` at the end
  const int nesting_;
  Index index_;
  std::vector<const git_index_entry*> entries_;  ///< by path
  std::int64_t index_time_ns_ = 0;
  std::uint64_t found_ = 0;  ///< entries that are here
  bool trusts_mode_ = true;
};

base::Status Scanner::Run() {
  RETURN_IF_ERROR(LoadIndex());
  const char* root = git_repository_workdir(repository_);
  const int folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) {
    return base::FromErrno(errno, fmt::format("open folder {}", root));
  }
  const base::Status status = Walk(folder, "", false);
  close(folder);
  scan_.index_entries += entries_.size();
  scan_.missing += entries_.size() - std::min<std::uint64_t>(found_, entries_.size());
  return status;
}

base::Status Scanner::LoadIndex() {
  int error = Take(index_, [&](git_index** out) { return git_repository_index(out, repository_); });
  if (error < 0) {
    return FromGit(error, "read the index");
  }
  struct stat status {};
  const char* path = git_index_path(index_.get());
  if (path != nullptr && stat(path, &status) == 0) {
    index_time_ns_ = Nanoseconds(status.st_mtim);
  }
  const std::size_t count = git_index_entrycount(index_.get());
  entries_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const git_index_entry* entry = git_index_get_byindex(index_.get(), i);
    // A path in conflict stands there up to three times.
    if (entries_.empty() || std::string_view(entries_.back()->path) != entry->path) {
      entries_.push_back(entry);
    }
    const std::string_view name(entry->path);
    scan_.may_filter =
        scan_.may_filter || name == ".gitattributes" || name.ends_with("/.gitattributes");
  }
  std::ranges::sort(entries_, [](const git_index_entry* a, const git_index_entry* b) {
    return std::string_view(a->path) < std::string_view(b->path);
  });
  Config config;
  int trusts = 1;
  if (Take(config, [&](git_config** out) {
        return git_repository_config_snapshot(out, repository_);
      }) == 0) {
    if (git_config_get_bool(&trusts, config.get(), "core.filemode") == 0) {
      trusts_mode_ = trusts != 0;
    }
    const char* crlf = nullptr;
    scan_.may_filter = scan_.may_filter ||
                       git_config_get_string(&crlf, config.get(), "core.autocrlf") == 0 ||
                       git_config_get_string(&crlf, config.get(), "core.attributesfile") == 0;
  }
  return base::OkStatus();
}

const git_index_entry* Scanner::EntryOf(const std::string& path) const {
  const auto at = std::ranges::lower_bound(
      entries_, std::string_view(path), {},
      [](const git_index_entry* entry) { return std::string_view(entry->path); });
  return at != entries_.end() && path == (*at)->path ? *at : nullptr;
}

bool Scanner::HasTrackedBelow(const std::string& path) const {
  const std::string below = path + "/";
  const auto at = std::ranges::lower_bound(
      entries_, std::string_view(below), {},
      [](const git_index_entry* entry) { return std::string_view(entry->path); });
  return at != entries_.end() && std::string_view((*at)->path).starts_with(below);
}

bool Scanner::IsBarred(const struct stat& status) const {
  return std::ranges::any_of(limits_.barred, [&](const auto& barred) {
    return barred.first == status.st_dev && barred.second == status.st_ino;
  });
}

base::StatusOr<bool> Scanner::IsIgnored(const std::string& path) {
  const std::string key = prefix_ + path;
  if (const auto known = ignored_.find(key); known != ignored_.end()) {
    return known->second;
  }
  int answer = 0;
  const int error = git_ignore_path_is_ignored(&answer, repository_, path.c_str());
  if (error < 0) {
    return FromGit(error, "read .gitignore for '" + key + "'");
  }
  ignored_.emplace(key, answer != 0);
  return answer != 0;
}

base::Status Scanner::Walk(int folder, const std::string& path, bool is_ignored) {
  std::vector<std::string> names;
  const int copy = fcntl(folder, F_DUPFD_CLOEXEC, 0);
  DIR* const listing = copy < 0 ? nullptr : fdopendir(copy);
  if (listing == nullptr) {
    return base::FromErrno(errno, "list folder '" + prefix_ + path + "'");
  }
  for (const dirent* entry = readdir(listing); entry != nullptr; entry = readdir(listing)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != ".." && name != ".git") {
      names.emplace_back(name);
    }
  }
  closedir(listing);
  for (const std::string& name : names) {
    RETURN_IF_ERROR(Visit(folder, name, path.empty() ? name : path + "/" + name, is_ignored));
  }
  return base::OkStatus();
}

base::Status Scanner::Visit(int folder, const std::string& name, const std::string& path,
                            bool is_ignored) {
  struct stat status {};
  if (fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? base::OkStatus()
                           : base::FromErrno(errno, "look at '" + prefix_ + path + "'");
  }
  if (S_ISDIR(status.st_mode)) {
    return VisitFolder(folder, name, path, status, is_ignored);
  }
  if (S_ISREG(status.st_mode) || S_ISLNK(status.st_mode)) {
    return AddFile(path, status, is_ignored);
  }
  return base::OkStatus();
}

base::Status Scanner::VisitFolder(int folder, const std::string& name, const std::string& path,
                                  const struct stat& status, bool is_ignored) {
  if (IsBarred(status)) {
    return base::OkStatus();
  }
  const git_index_entry* entry = EntryOf(path);
  const bool is_submodule = entry != nullptr && entry->mode == GIT_FILEMODE_COMMIT;
  if (is_submodule) {
    ++found_;
    scan_.has_submodules = true;
  }
  const bool has_tracked = is_submodule || HasTrackedBelow(path);
  if (!is_ignored) {
    ASSIGN_OR_RETURN(is_ignored, IsIgnored(path));
  }
  if (is_ignored && !has_tracked) {
    return base::OkStatus();
  }
  const int inner = openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (inner < 0) {
    return base::FromErrno(errno, "open folder '" + prefix_ + path + "'");
  }
  struct stat git {};
  const bool is_repository = fstatat(inner, ".git", &git, AT_SYMLINK_NOFOLLOW) == 0;
  base::Status walked;
  if (is_repository && !is_ignored) {
    walked = VisitRepository(path);
  } else if (is_submodule) {
    scan_.warnings.push_back(
        fmt::format("submodule '{}{}' is not checked out: it is left out", prefix_, path));
  } else {
    walked = Walk(inner, path, is_ignored);
  }
  close(inner);
  return walked;
}

// A repository in the repository, a submodule or not: its files as they are there.
base::Status Scanner::VisitRepository(const std::string& path) {
  const std::string folder = std::string(git_repository_workdir(repository_)) + path;
  Repository nested;
  const int error = Take(nested, [&](git_repository** out) {
    return git_repository_open_ext(out, folder.c_str(), GIT_REPOSITORY_OPEN_NO_SEARCH, nullptr);
  });
  if (error < 0 || git_repository_workdir(nested.get()) == nullptr || nesting_ >= kNestingMax) {
    scan_.warnings.push_back(fmt::format(
        "'{}{}' holds a repository that cannot be opened: it is left out", prefix_, path));
    return base::OkStatus();
  }
  Scanner inner(nested.get(), limits_, ignored_, scan_, prefix_ + path + "/", nesting_ + 1);
  return inner.Run();
}

bool Scanner::IsUnchanged(const git_index_entry& entry, const FileStamp& stamp,
                          git_filemode_t mode) const {
  const bool is_racy = stamp.mtime_ns >= index_time_ns_;
  return !is_racy && GIT_INDEX_ENTRY_STAGE(&entry) == 0 &&
         (entry.flags_extended & GIT_INDEX_ENTRY_INTENT_TO_ADD) == 0 &&
         entry.mode == static_cast<std::uint32_t>(mode) &&
         entry.file_size == static_cast<std::uint32_t>(stamp.size) &&
         SameTime(entry.mtime, stamp.mtime_ns) && SameTime(entry.ctime, stamp.ctime_ns) &&
         (entry.ino == 0 || entry.ino == static_cast<std::uint32_t>(stamp.inode));
}

base::Status Scanner::AddFile(const std::string& path, const struct stat& status, bool is_ignored) {
  const std::string full = prefix_ + path;
  if (full == ".dayfly/secrets" || full.ends_with("/.dayfly/secrets")) {
    return base::OkStatus();
  }
  const git_index_entry* entry = EntryOf(path);
  if (entry == nullptr) {
    if (is_ignored) {
      return base::OkStatus();
    }
    ASSIGN_OR_RETURN(const bool ignored, IsIgnored(path));
    if (ignored) {
      return base::OkStatus();
    }
  }
  if (scan_.files.size() >= limits_.files_max) {
    return base::ResourceExhausted(
        "the working tree has more than {} files (the newest seen: '{}')", limits_.files_max, full);
  }
  WorkingFile file = {.path = full, .stamp = StampOf(status)};
  file.mode = S_ISLNK(status.st_mode)           ? GIT_FILEMODE_LINK
              : (status.st_mode & S_IXUSR) != 0 ? GIT_FILEMODE_BLOB_EXECUTABLE
                                                : GIT_FILEMODE_BLOB;
  file.is_new = entry == nullptr;
  file.is_foreign = nesting_ > 0;
  if (entry != nullptr) {
    ++found_;
    if (!trusts_mode_ && file.mode != GIT_FILEMODE_LINK && entry->mode != GIT_FILEMODE_LINK) {
      file.mode = static_cast<git_filemode_t>(entry->mode);
    }
    file.is_known = IsUnchanged(*entry, file.stamp, file.mode);
    file.is_new = entry->mode != static_cast<std::uint32_t>(file.mode);
    file.indexed = entry->id;
  }
  scan_.files.push_back(std::move(file));
  return base::OkStatus();
}

}  // namespace

base::StatusOr<Scan> ScanWorkingTree(git_repository* repository, const ScanLimits& limits,
                                     IgnoreMemory& ignored) {
  Scan scan;
  Scanner scanner(repository, limits, ignored, scan, "", 0);
  RETURN_IF_ERROR(scanner.Run());
  std::ranges::sort(scan.files, {}, &WorkingFile::path);
  return scan;
}

}  // namespace store::git

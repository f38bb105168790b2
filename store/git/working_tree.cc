// SPDX-License-Identifier: Apache-2.0
#include "store/git/working_tree.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "store/git/git_handle.h"
#include "store/git/object_folder.h"
#include "store/git/tree_writer.h"
#include "store/git/working_scan.h"

namespace store::git {
namespace {

namespace base = engine::base;
namespace ports = engine::ports;

constexpr int kTries = 4;
constexpr std::string_view kHint =
    "; ignore what is not needed (.gitignore), or set `checkout: false`";

struct Source {
  Repository repository;
  bool has_repository = false;
};

// Without a repository the same code looks at the folder through an empty one of ours.
base::StatusOr<Source> OpenWithout(const LocalGitOptions& options, const std::string& folder) {
  Source source;
  const std::string ours = options.objects_folder + "/no-repository";
  const auto open_ours = [&](git_repository** out) {
    return git_repository_open_bare(out, ours.c_str());
  };
  int error = Take(source.repository, open_ours);
  if (error < 0) {
    // Another process may make it at the same moment.
    Take(source.repository,
         [&](git_repository** out) { return git_repository_init(out, ours.c_str(), 1); });
    error = Take(source.repository, open_ours);
  }
  if (error == 0) {
    error = git_repository_set_workdir(source.repository.get(), folder.c_str(), 0);
  }
  if (error < 0) {
    return FromGit(error, "look at folder " + folder);
  }
  return source;
}

base::StatusOr<Source> OpenSource(const LocalGitOptions& options, const std::string& folder) {
  StartLibgit2();
  std::error_code missing;
  if (!std::filesystem::is_directory(folder, missing)) {
    return base::NotFound("there is no folder {}", folder);
  }
  Source source;
  const int error = Take(source.repository, [&](git_repository** out) {
    return git_repository_open_ext(out, folder.c_str(), 0, nullptr);
  });
  if (error == GIT_ENOTFOUND) {
    return OpenWithout(options, folder);
  }
  if (error < 0) {
    return FromGit(error, "open the repository of " + folder);
  }
  if (git_repository_is_bare(source.repository.get()) != 0) {
    return base::InvalidArgument("{} is a bare repository: it has no working tree",
                                 git_repository_path(source.repository.get()));
  }
  source.has_repository = true;
  return source;
}

// The barred folders: Dayfly's own state may lie inside the repository.
ScanLimits LimitsOf(const LocalGitOptions& options, const Source& source) {
  ScanLimits limits;
  limits.files_max = source.has_repository ? options.files_max : options.files_max_plain;
  const std::string home = std::filesystem::path(options.objects_folder).parent_path();
  struct stat root {};
  const bool has_root = stat(git_repository_workdir(source.repository.get()), &root) == 0;
  for (const std::string& folder : {home, options.objects_folder, options.trees_folder}) {
    struct stat status {};
    const bool is_root = has_root && stat(folder.c_str(), &status) == 0 &&
                         status.st_dev == root.st_dev && status.st_ino == root.st_ino;
    if (!is_root && stat(folder.c_str(), &status) == 0) {
      limits.barred.emplace_back(status.st_dev, status.st_ino);
    }
  }
  return limits;
}

class Recorder {
 public:
  Recorder(const LocalGitOptions& options, ObjectFolder& objects, git_repository* repository)
      : options_(options),
        objects_(objects),
        repository_(repository),
        root_(git_repository_workdir(repository)) {}

  base::StatusOr<git_oid> Record(const Scan& scan) {
    changed_ = 0;
    std::vector<TreeFile> files;
    files.reserve(scan.files.size());
    for (const WorkingFile& file : scan.files) {
      ASSIGN_OR_RETURN(const git_oid id, ObjectOf(scan, file));
      changed_ += IsAsIndexed(scan, file, id) ? 0 : 1;
      files.push_back({.path = file.path, .mode = file.mode, .id = id});
    }
    return WriteTrees(objects_, files);
  }
  /// Files that were not as the index has them, the last time.
  std::uint64_t changed() const { return changed_; }

 private:
  // Workspaces get files as they are here, so a blob that a filter made (line ends, large file
  // storage) does not do. A blob with other line ends has another length; what a filter program
  // makes need not have.
  bool CanUse(const Scan& scan, const WorkingFile& file) const {
    if (!file.is_known) {
      return false;
    }
    if (file.is_foreign) {
      return objects_.HasOwn(file.indexed);
    }
    if (!scan.may_filter) {
      return true;
    }
    const base::StatusOr<std::uint64_t> size = objects_.SizeOf(file.indexed);
    return size.ok() && *size == file.stamp.size && !MayKeepLength(file.path);
  }

  // Whether the path's attributes name a filter that may store other bytes of the same length.
  bool MayKeepLength(const std::string& path) const {
    std::array<const char*, 3> names = {"filter", "ident", "working-tree-encoding"};
    std::array<const char*, names.size()> values{};
    return git_attr_get_many(values.data(), repository_, GIT_ATTR_CHECK_FILE_THEN_INDEX,
                             path.c_str(), names.size(), names.data()) < 0 ||
           std::ranges::any_of(values, [](const char* value) {
             const git_attr_value_t kind = git_attr_value(value);
             return kind == GIT_ATTR_VALUE_TRUE || kind == GIT_ATTR_VALUE_STRING;
           });
  }

  // As `git status` sees it: after filters. Hashed again only where that can make a difference.
  bool IsAsIndexed(const Scan& scan, const WorkingFile& file, const git_oid& id) const {
    if (file.is_new || file.is_known || id == file.indexed) {
      return !file.is_new;
    }
    git_oid filtered;
    return scan.may_filter && !file.is_foreign && file.mode != GIT_FILEMODE_LINK &&
           git_repository_hashfile(&filtered, repository_, (root_ + file.path).c_str(),
                                   GIT_OBJECT_BLOB, file.path.c_str()) == 0 &&
           filtered == file.indexed;
  }

  base::StatusOr<git_oid> ObjectOf(const Scan& scan, const WorkingFile& file) {
    if (CanUse(scan, file)) {
      return file.indexed;
    }
    const std::string path = root_ + file.path;
    if (file.mode == GIT_FILEMODE_LINK) {
      std::string target(file.stamp.size + 1, '\0');
      const ssize_t length = readlink(path.c_str(), target.data(), target.size());
      if (length < 0 || static_cast<std::uint64_t>(length) != file.stamp.size) {
        return base::Aborted("'{}' changed while it was read", file.path);
      }
      return objects_.Write(GIT_OBJECT_BLOB,
                            std::string_view(target).substr(0, static_cast<std::size_t>(length)));
    }
    if (objects_.bytes_written() + file.stamp.size > options_.new_bytes_max) {
      return base::ResourceExhausted("more than {} bytes are in no commit ('{}' is too many){}",
                                     options_.new_bytes_max, file.path, kHint);
    }
    const int fd = open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
      return errno == ENOENT || errno == ELOOP
                 ? base::Aborted("'{}' changed while it was read", file.path)
                 : base::FromErrno(errno, "open '" + file.path + "'");
    }
    base::StatusOr<git_oid> id = objects_.WriteFile(fd, file.stamp.size, file.path);
    close(fd);
    return id;
  }

  const LocalGitOptions& options_;
  ObjectFolder& objects_;
  git_repository* repository_;
  const std::string root_;
  std::uint64_t changed_ = 0;
};

// The first path at which the two differ; empty: none.
std::string FirstDifference(const Scan& a, const Scan& b) {
  for (std::size_t i = 0; i < a.files.size() && i < b.files.size(); ++i) {
    if (a.files[i].path != b.files[i].path) {
      return std::min(a.files[i].path, b.files[i].path);
    }
    if (a.files[i].stamp != b.files[i].stamp) {
      return a.files[i].path;
    }
  }
  if (a.files.size() == b.files.size()) {
    return {};
  }
  const Scan& longer = a.files.size() > b.files.size() ? a : b;
  return longer.files[std::min(a.files.size(), b.files.size())].path;
}

std::string ShortBranch(git_repository* repository) {
  Reference head;
  if (Take(head,
           [&](git_reference** out) { return git_reference_lookup(out, repository, "HEAD"); }) <
          0 ||
      git_reference_type(head.get()) != GIT_REFERENCE_SYMBOLIC) {
    return {};
  }
  const std::string target = git_reference_symbolic_target(head.get());
  const std::string_view heads = "refs/heads/";
  return target.starts_with(heads) ? target.substr(heads.size()) : std::string();
}

// What a clone knows of origin's; without one the branch that is usually called so.
std::string DefaultBranch(git_repository* repository) {
  constexpr std::string_view kOrigin = "refs/remotes/origin/";
  Reference head;
  if (Take(head,
           [&](git_reference** out) {
             return git_reference_lookup(out, repository, "refs/remotes/origin/HEAD");
           }) == 0 &&
      git_reference_type(head.get()) == GIT_REFERENCE_SYMBOLIC) {
    const std::string target = git_reference_symbolic_target(head.get());
    return target.starts_with(kOrigin) ? target.substr(kOrigin.size()) : std::string();
  }
  for (const char* const usual : {"main", "master"}) {
    Reference branch;
    if (Take(branch, [&](git_reference** out) {
          return git_reference_lookup(out, repository,
                                      (std::string("refs/heads/") + usual).c_str());
        }) == 0) {
      return usual;
    }
  }
  return {};
}

// The last by name of the tags that name `commit`.
std::string TagOf(git_repository* repository, const git_oid& commit) {
  std::string found;
  ReferenceIterator tags;
  if (Take(tags, [&](git_reference_iterator** out) {
        return git_reference_iterator_glob_new(out, repository, "refs/tags/*");
      }) < 0) {
    return found;
  }
  Reference tag;
  while (Take(tag, [&](git_reference** out) { return git_reference_next(out, tags.get()); }) == 0) {
    Object object;
    const int error = Take(object, [&](git_object** out) {
      return git_reference_peel(out, tag.get(), GIT_OBJECT_COMMIT);
    });
    if (error == 0 && *git_object_id(object.get()) == commit) {
      found = std::max(found, std::string(git_reference_shorthand(tag.get())));
    }
  }
  return found;
}

base::Status DescribeHead(git_repository* repository, ports::WorkingTree& tree,
                          std::optional<git_oid>& head_tree) {
  tree.branch = ShortBranch(repository);
  tree.default_branch = DefaultBranch(repository);
  git_oid id;
  const int error = git_reference_name_to_id(&id, repository, "HEAD");
  if (error == GIT_ENOTFOUND) {
    return base::OkStatus();  // no commit yet
  }
  if (error < 0) {
    return FromGit(error, "read HEAD");
  }
  Commit commit;
  if (const int lookup =
          Take(commit, [&](git_commit** out) { return git_commit_lookup(out, repository, &id); });
      lookup < 0) {
    return FromGit(lookup, "read commit " + ToHex(id));
  }
  tree.commit = ToHex(id);
  tree.tag = TagOf(repository, id);
  tree.time = base::InstantFromMicros(git_commit_time(commit.get()) * 1'000'000);
  head_tree = *git_commit_tree_id(commit.get());
  return base::OkStatus();
}

// Whether what is staged differs from the commit; only asked when nothing else does.
bool IsStagedClean(git_repository* repository, const git_oid& head_tree) {
  Tree tree;
  Diff diff;
  Index index;
  git_diff_options options = GIT_DIFF_OPTIONS_INIT;
  options.ignore_submodules = GIT_SUBMODULE_IGNORE_ALL;
  return Take(tree, [&](git_tree** out) { return git_tree_lookup(out, repository, &head_tree); }) ==
             0 &&
         Take(index, [&](git_index** out) { return git_repository_index(out, repository); }) == 0 &&
         Take(diff,
              [&](git_diff** out) {
                return git_diff_tree_to_index(out, repository, tree.get(), index.get(), &options);
              }) == 0 &&
         git_diff_num_deltas(diff.get()) == 0;
}

}  // namespace

std::string ObjectsOf(const std::string& common_folder) {
  return (std::filesystem::path(common_folder) / "objects").string();
}

base::StatusOr<ports::WorkingTree> RecordWorkingTree(const LocalGitOptions& options,
                                                     const std::string& folder) {
  ASSIGN_OR_RETURN(Source source, OpenSource(options, folder));
  git_repository* const repository = source.repository.get();
  ports::WorkingTree tree = {.root = git_repository_workdir(repository),
                             .has_repository = source.has_repository};
  std::optional<git_oid> head_tree;
  std::vector<std::string> alternates;
  if (source.has_repository) {
    RETURN_IF_ERROR(DescribeHead(repository, tree, head_tree));
    alternates.push_back(ObjectsOf(git_repository_commondir(repository)));
  }
  ASSIGN_OR_RETURN(ObjectFolder objects, ObjectFolder::Open(options.objects_folder, alternates));
  const ScanLimits limits = LimitsOf(options, source);
  IgnoreMemory ignored;
  Recorder recorder(options, objects, repository);
  const auto scan_now = [&]() -> base::StatusOr<Scan> {
    base::StatusOr<Scan> scan = ScanWorkingTree(repository, limits, ignored);
    return scan.status().code() == absl::StatusCode::kResourceExhausted
               ? base::MakeStatus(scan.status().code(),
                                  std::string(base::Message(scan.status())).append(kHint))
               : std::move(scan);
  };
  if (tree.root.size() > 1) {
    tree.root.pop_back();  // the slash
  }
  ASSIGN_OR_RETURN(Scan before, scan_now());
  std::string changed;
  for (int i = 0; i < kTries; ++i) {
    base::StatusOr<git_oid> id = recorder.Record(before);
    if (!id.ok() && id.status().code() != absl::StatusCode::kAborted) {
      return id.status();
    }
    if (options.after_reading) {
      options.after_reading();
    }
    ASSIGN_OR_RETURN(Scan after, scan_now());
    changed = FirstDifference(before, after);
    if (id.ok() && changed.empty()) {
      RETURN_IF_ERROR(objects.Flush());
      tree.tree = ToHex(*id);
      tree.files = after.files.size();
      tree.warnings = std::move(after.warnings);
      const bool as_index = recorder.changed() == 0 && after.missing == 0;
      tree.dirty = head_tree.has_value() && !(*id == *head_tree) &&
                   !(as_index && IsStagedClean(repository, *head_tree));
      tree.dirty = tree.dirty || (!head_tree.has_value() && !after.files.empty());
      return tree;
    }
    ignored.clear();
    ASSIGN_OR_RETURN(before, scan_now());
  }
  return base::Aborted("the working tree kept changing while it was read: '{}'", changed);
}

}  // namespace store::git

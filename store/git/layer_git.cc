// SPDX-License-Identifier: Apache-2.0
#include "store/git/layer_git.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <utility>

#include "store/git/history.h"
#include "store/git/layer_files.h"
#include "store/git/working_tree.h"

namespace store::git {
namespace {

namespace base = engine::base;
namespace fs = std::filesystem;
namespace ports = engine::ports;

// Inodes and change times of a workspace are not those of the layer: only sizes and times of
// content say whether a file changed. Nothing is packed or pruned in a folder that lives minutes.
constexpr std::string_view kConfig =
    "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n"
    "\tcheckStat = minimal\n\ttrustctime = false\n[gc]\n\tauto = 0\n";

std::string ReadText(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

base::Status WriteText(const std::string& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  return file.good() ? base::OkStatus() : base::FromErrno(errno, "write " + path);
}

// `known`, if not null: only commits that are among them.
bool PointsTo(git_reference* reference, const CommitIds* known) {
  Object commit;
  return known == nullptr || (Take(commit,
                                   [&](git_object** out) {
                                     return git_reference_peel(out, reference, GIT_OBJECT_COMMIT);
                                   }) == 0 &&
                              known->contains(*git_object_id(commit.get())));
}

// Direct references by name, with what an annotated tag stands for.
base::StatusOr<std::string> PackedRefs(git_repository* repository, const std::string& branch,
                                       const git_oid& commit, const CommitIds* known) {
  std::map<std::string, std::string> lines;
  ReferenceIterator all;
  int error = Take(all, [&](git_reference_iterator** out) {
    return git_reference_iterator_new(out, repository);
  });
  if (error < 0) {
    return FromGit(error, "read references");
  }
  Reference reference;
  while ((error = Take(reference, [&](git_reference** out) {
            return git_reference_next(out, all.get());
          })) == 0) {
    const git_oid* target = git_reference_target(reference.get());
    const std::string name = git_reference_name(reference.get());
    // Those of ours only keep fetched objects; they are no part of the repository.
    if (target == nullptr || !name.starts_with("refs/") || name.starts_with("refs/dayfly/") ||
        !PointsTo(reference.get(), known)) {
      continue;
    }
    std::string& line = lines[name];
    line = ToHex(*target) + " " + name + "\n";
    Object peeled;
    if (name.starts_with("refs/tags/") &&
        Take(peeled,
             [&](git_object** out) {
               return git_reference_peel(out, reference.get(), GIT_OBJECT_ANY);
             }) == 0 &&
        !(*git_object_id(peeled.get()) == *target)) {
      line += "^" + ToHex(*git_object_id(peeled.get())) + "\n";
    }
  }
  if (error != GIT_ITEROVER) {
    return FromGit(error, "read references");
  }
  if (!branch.empty()) {
    // As it was recorded: the user may have moved on since.
    const std::string name = "refs/heads/" + branch;
    lines[name] = ToHex(commit) + " " + name + "\n";
  }
  std::string text = "# pack-refs with: peeled fully-peeled sorted \n";
  for (const auto& [name, line] : lines) {
    text += line;
  }
  return text;
}

class IndexWriter {
 public:
  IndexWriter(const ObjectFolder& objects, git_index* index, std::int64_t mtime, std::string folder)
      : objects_(objects), index_(index), mtime_(mtime), folder_(std::move(folder)) {}

  // Entries of the commit's tree; where the recorded tree has the same file, it counts as looked
  // at, so that `git status` need not read it.
  base::Status Add(const git_oid& commit_tree, const git_oid* tree, const std::string& prefix) {
    ASSIGN_OR_RETURN(const std::vector<TreeEntry> entries, ReadTree(objects_, commit_tree));
    std::vector<TreeEntry> here;
    if (tree != nullptr) {
      ASSIGN_OR_RETURN(here, ReadTree(objects_, *tree));
    }
    for (const TreeEntry& entry : entries) {
      const auto like = std::ranges::find(here, entry.name, &TreeEntry::name);
      const bool is_here = like != here.end() && like->mode == entry.mode;
      const std::string path = prefix + entry.name;
      if ((entry.mode & S_IFMT) == S_IFDIR) {
        RETURN_IF_ERROR(Add(entry.id, is_here ? &like->id : nullptr, path + "/"));
      } else {
        RETURN_IF_ERROR(AddFile(entry, path, is_here && like->id == entry.id));
        if (entry.mode == GIT_FILEMODE_COMMIT) {
          RETURN_IF_ERROR(MakePlace(path));
        }
      }
    }
    return base::OkStatus();
  }

 private:
  // To git a submodule without a folder is one that was removed; an empty one was not taken.
  base::Status MakePlace(const std::string& path) {
    std::error_code error;
    fs::path place = folder_ + "/" + path;
    if (fs::exists(fs::symlink_status(place, error))) {
      return base::OkStatus();
    }
    if (fs::create_directories(place, error); error) {
      return base::FromErrno(error.value(), "make folder " + path);
    }
    const timespec times[2] = {{.tv_sec = mtime_, .tv_nsec = 0}, {.tv_sec = mtime_, .tv_nsec = 0}};
    for (; place != fs::path(folder_); place = place.parent_path()) {
      if (utimensat(AT_FDCWD, place.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) {
        return base::FromErrno(errno, "date " + place.string());
      }
    }
    return base::OkStatus();
  }

  base::Status AddFile(const TreeEntry& entry, const std::string& path, bool same) {
    git_index_entry added{};
    added.mode = entry.mode;
    added.id = entry.id;
    added.path = path.c_str();
    struct stat status {};
    if (same && lstat((folder_ + "/" + path).c_str(), &status) == 0) {
      added.mtime.seconds = added.ctime.seconds = static_cast<std::int32_t>(mtime_);
      added.file_size = static_cast<std::uint32_t>(status.st_size);
    }
    const int error = git_index_add(index_, &added);
    return error < 0 ? FromGit(error, "index '" + path + "'") : base::OkStatus();
  }

  const ObjectFolder& objects_;
  git_index* index_;
  const std::int64_t mtime_;
  const std::string folder_;
};

base::Status WriteIndex(const LayerGit& git, const ObjectFolder& objects, const git_oid& tree,
                        std::int64_t mtime, const std::string& folder) {
  Index index;
  const std::string path = folder + "/.git/index";
  int error = Take(index, [&](git_index** out) { return git_index_open(out, path.c_str()); });
  if (error < 0) {
    return FromGit(error, "make an index");
  }
  RETURN_IF_ERROR(IndexWriter(objects, index.get(), mtime, folder).Add(git.commit_tree, &tree, ""));
  error = git_index_write(index.get());
  return error < 0 ? FromGit(error, "write an index") : base::OkStatus();
}

base::Status DescribeCommit(git_repository* repository, const ports::TreeRequest& request,
                            LayerGit& git) {
  ASSIGN_OR_RETURN(const git_oid id, OidFromHex(request.commit));
  Commit commit;
  const int error =
      Take(commit, [&](git_commit** out) { return git_commit_lookup(out, repository, &id); });
  if (error < 0) {
    return FromGit(error, fmt::format("commit {} of {}", request.commit, request.source));
  }
  git.commit_time = git_commit_time(commit.get());
  git.commit_tree = *git_commit_tree_id(commit.get());
  History history;
  if (request.depth > 0) {
    ASSIGN_OR_RETURN(history, LastCommits(repository, id, request.depth));
    git.shallow = ShallowFile(history);
  }
  ASSIGN_OR_RETURN(git.packed_refs, PackedRefs(repository, request.branch, id,
                                               request.depth > 0 ? &history.commits : nullptr));
  return base::OkStatus();
}

}  // namespace

base::StatusOr<LayerGit> DescribeLayerGit(const ports::TreeRequest& request,
                                          const std::string& own_objects) {
  StartLibgit2();
  LayerGit git;
  git.objects = {own_objects};
  Repository repository;
  const int error =
      request.source.empty() ? GIT_ENOTFOUND : Take(repository, [&](git_repository** out) {
        return git_repository_open_ext(out, request.source.c_str(), 0, nullptr);
      });
  if (error == GIT_ENOTFOUND) {
    return git;
  }
  if (error < 0) {
    return FromGit(error, "open the repository of " + request.source);
  }
  const fs::path common = git_repository_commondir(repository.get());
  git.objects.insert(git.objects.begin(), ObjectsOf(common));
  git.exists = true;
  git.shallow = ReadText(common / "shallow");
  git.exclude = ReadText(common / "info" / "exclude");
  git.head =
      request.branch.empty() ? request.commit + "\n" : "ref: refs/heads/" + request.branch + "\n";
  if (!request.commit.empty()) {
    RETURN_IF_ERROR(DescribeCommit(repository.get(), request, git));
  } else if (request.branch.empty()) {
    git.head = "ref: refs/heads/main\n";
  }
  return git;
}

std::string Fingerprint(const LayerGit& git) {
  std::string text = git.exists ? "git\n" : "none\n";
  for (const std::string* part : {&git.head, &git.packed_refs, &git.shallow, &git.exclude}) {
    text += fmt::format("{} {}\n", part->size(), *part);
  }
  for (const std::string& folder : git.objects) {
    text += folder + "\n";
  }
  return text;
}

base::Status WriteLayerGit(const LayerGit& git, const ObjectFolder& objects, const git_oid& tree,
                           std::int64_t mtime, const std::string& folder) {
  if (!git.exists) {
    return base::OkStatus();
  }
  const std::string own = folder + "/.git";
  std::error_code error;
  for (const char* part :
       {"/objects/info", "/objects/pack", "/refs/heads", "/refs/tags", "/info"}) {
    fs::create_directories(own + part, error);
    if (error) {
      return base::FromErrno(error.value(), "make folder " + own + part);
    }
  }
  std::string alternates;
  for (const std::string& objects_folder : git.objects) {
    alternates += objects_folder + "\n";
  }
  RETURN_IF_ERROR(WriteText(own + "/HEAD", git.head));
  RETURN_IF_ERROR(WriteText(own + "/config", kConfig));
  RETURN_IF_ERROR(WriteText(own + "/objects/info/alternates", alternates));
  RETURN_IF_ERROR(WriteText(own + "/info/exclude", git.exclude));
  if (!git.packed_refs.empty()) {
    RETURN_IF_ERROR(WriteText(own + "/packed-refs", git.packed_refs));
  }
  if (!git.shallow.empty()) {
    RETURN_IF_ERROR(WriteText(own + "/shallow", git.shallow));
  }
  return git.commit_time == 0 ? base::OkStatus() : WriteIndex(git, objects, tree, mtime, folder);
}

}  // namespace store::git

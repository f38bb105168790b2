// SPDX-License-Identifier: Apache-2.0
#include "store/git/submodules.h"

#include <algorithm>
#include <cstdint>
#include <sys/stat.h>
#include <utility>

#include <fmt/format.h>

#include "store/git/layer_files.h"
#include "store/git/tree_writer.h"

namespace store::git {
namespace {

namespace base = engine::base;

constexpr std::string_view kModulesFile = ".gitmodules";

struct Written {
  std::string path;
  std::string url;
};

// `submodule.NAME.path` and `.url`, each followed by a line end and the value; NAME may hold dots.
std::map<std::string, Written> ByName(std::string_view config) {
  std::map<std::string, Written> all;
  while (!config.empty()) {
    const std::string_view entry = config.substr(0, config.find('\0'));
    config.remove_prefix(std::min(config.size(), entry.size() + 1));
    const std::size_t end = entry.find('\n');
    const std::string_view key = entry.substr(0, end);
    const std::size_t name_end = key.rfind('.');
    constexpr std::string_view kSection = "submodule.";
    if (end == std::string_view::npos || !key.starts_with(kSection) || name_end < kSection.size()) {
      continue;
    }
    Written& written = all[std::string(key.substr(kSection.size(), name_end - kSection.size()))];
    const std::string_view variable = key.substr(name_end + 1);
    if (variable == "path") {
      written.path = entry.substr(end + 1);
    } else if (variable == "url") {
      written.url = entry.substr(end + 1);
    }
  }
  return all;
}

// The commit at a submodule's place; nothing: the path leads elsewhere.
base::StatusOr<const git_oid*> CommitAt(const ObjectFolder& objects, git_oid tree,
                                        std::string_view path, git_oid& out) {
  for (;;) {
    const std::string_view name = path.substr(0, path.find('/'));
    ASSIGN_OR_RETURN(const std::vector<TreeEntry> entries, ReadTree(objects, tree));
    const auto entry = std::ranges::find(entries, name, &TreeEntry::name);
    if (entry == entries.end()) {
      return nullptr;
    }
    out = entry->id;
    if (name.size() == path.size()) {
      return entry->mode == GIT_FILEMODE_COMMIT ? &out : nullptr;
    }
    if (entry->mode != GIT_FILEMODE_TREE) {
      return nullptr;
    }
    tree = entry->id;
    path.remove_prefix(name.size() + 1);
  }
}

bool IsOfThisMachine(std::string_view url) {
  return url.starts_with('/') || url.starts_with("file://");
}

// Where the part that `../` may take away begins: behind the host.
std::size_t TopOf(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme != std::string_view::npos) {
    return std::min(url.size(), url.find('/', scheme + 3));
  }
  const std::size_t colon = url.find(':');
  return colon == std::string_view::npos || url.starts_with('/') ? 0 : colon;
}

class Replacing {
 public:
  Replacing(ObjectFolder& objects, const std::map<std::string, git_oid>& trees)
      : objects_(objects), trees_(trees) {}

  base::StatusOr<git_oid> Replace(const git_oid& tree, const std::string& prefix) {
    ASSIGN_OR_RETURN(std::vector<TreeEntry> entries, ReadTree(objects_, tree));
    for (TreeEntry& entry : entries) {
      const std::string path = prefix + entry.name;
      if (const auto found = trees_.find(path);
          found != trees_.end() && entry.mode == GIT_FILEMODE_COMMIT) {
        entry.mode = GIT_FILEMODE_TREE;
        entry.id = found->second;
      } else if (entry.mode == GIT_FILEMODE_TREE && HasBelow(path + "/")) {
        ASSIGN_OR_RETURN(entry.id, Replace(entry.id, path + "/"));
      }
    }
    return Write(std::move(entries));
  }

 private:
  bool HasBelow(const std::string& folder) const {
    const auto next = trees_.lower_bound(folder);
    return next != trees_.end() && next->first.starts_with(folder);
  }

  // What became a folder may have to move.
  base::StatusOr<git_oid> Write(std::vector<TreeEntry> entries) {
    std::ranges::sort(entries, {}, [](const TreeEntry& entry) {
      return entry.mode == GIT_FILEMODE_TREE ? entry.name + "/" : entry.name;
    });
    std::string bytes;
    for (const TreeEntry& entry : entries) {
      PutTreeEntry(fmt::format("{:o}", entry.mode), entry.name, entry.id, bytes);
    }
    return objects_.Write(GIT_OBJECT_TREE, bytes);
  }

  ObjectFolder& objects_;
  const std::map<std::string, git_oid>& trees_;
};

}  // namespace

base::StatusOr<std::string> FindModulesFile(const ObjectFolder& objects, const git_oid& tree) {
  ASSIGN_OR_RETURN(const std::vector<TreeEntry> entries, ReadTree(objects, tree));
  const auto file = std::ranges::find(entries, kModulesFile, &TreeEntry::name);
  const bool is_file = file != entries.end() && (file->mode & S_IFMT) == S_IFREG;
  return is_file ? ToHex(file->id) : std::string();
}

base::StatusOr<std::vector<Submodule>> ReadSubmodules(const ObjectFolder& objects,
                                                      const git_oid& tree,
                                                      std::string_view config) {
  std::vector<Submodule> found;
  for (const auto& [name, written] : ByName(config)) {
    git_oid id{};
    ASSIGN_OR_RETURN(const git_oid* commit, CommitAt(objects, tree, written.path, id));
    if (commit != nullptr && !written.url.empty()) {
      found.push_back({.path = written.path, .url = written.url, .commit = *commit});
    }
  }
  return found;
}

base::StatusOr<std::string> SubmoduleUrl(const std::string& parent, const std::string& url) {
  std::string_view rest = url;
  if (!rest.starts_with("./") && !rest.starts_with("../")) {
    if (IsOfThisMachine(url) && !IsOfThisMachine(parent)) {
      return base::InvalidArgument("its address {} is a folder of the worker", url);
    }
    return url;
  }
  std::string_view base_url = parent;
  while (base_url.ends_with('/')) {
    base_url.remove_suffix(1);
  }
  char joint = '/';
  for (;;) {
    if (rest.starts_with("./")) {
      rest.remove_prefix(2);
    } else if (rest.starts_with("../")) {
      rest.remove_prefix(3);
      const std::size_t top = TopOf(base_url);
      const std::size_t cut = base_url.find_last_of("/:");
      if (cut == std::string_view::npos || cut < top || base_url.size() <= top) {
        return base::InvalidArgument("its address {} leads above that of {}", url, parent);
      }
      joint = base_url[cut];
      base_url = base_url.substr(0, cut);
    } else {
      return fmt::format("{}{}{}", base_url, joint, rest);
    }
  }
}

base::StatusOr<git_oid> WithSubmodules(ObjectFolder& objects, const git_oid& tree,
                                       const std::map<std::string, git_oid>& trees) {
  return Replacing(objects, trees).Replace(tree, "");
}

}  // namespace store::git

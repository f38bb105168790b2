// SPDX-License-Identifier: Apache-2.0
#include "store/git/tree_writer.h"

#include <cstddef>

namespace store::git {
namespace {

namespace base = engine::base;

std::string_view ModeText(git_filemode_t mode) {
  switch (mode) {
    case GIT_FILEMODE_BLOB_EXECUTABLE:
      return "100755";
    case GIT_FILEMODE_LINK:
      return "120000";
    case GIT_FILEMODE_BLOB:
    case GIT_FILEMODE_TREE:
    case GIT_FILEMODE_COMMIT:
    case GIT_FILEMODE_UNREADABLE:
      break;
  }
  return "100644";
}

// Git orders a tree's entries as if folders ended in `/`, which is the order of whole paths: so the
// files come in exactly the order in which trees want them.
class Writer {
 public:
  Writer(ObjectFolder& objects, const std::vector<TreeFile>& files)
      : objects_(objects), files_(files) {}

  // The tree of the files from `next_` on whose path begins with the `depth` bytes of the first.
  base::StatusOr<git_oid> Write(std::size_t depth) {
    std::string bytes;
    const std::string_view folder = next_ < files_.size()
                                        ? std::string_view(files_[next_].path).substr(0, depth)
                                        : std::string_view();
    while (next_ < files_.size() && std::string_view(files_[next_].path).starts_with(folder)) {
      const TreeFile& file = files_[next_];
      const std::size_t slash = file.path.find('/', depth);
      if (slash == std::string::npos) {
        PutTreeEntry(ModeText(file.mode), std::string_view(file.path).substr(depth), file.id,
                     bytes);
        ++next_;
        continue;
      }
      const std::string_view name = std::string_view(file.path).substr(depth, slash - depth);
      ASSIGN_OR_RETURN(const git_oid inner, Write(slash + 1));
      PutTreeEntry("40000", name, inner, bytes);
    }
    return objects_.Write(GIT_OBJECT_TREE, bytes);
  }

 private:
  ObjectFolder& objects_;
  const std::vector<TreeFile>& files_;
  std::size_t next_ = 0;
};

}  // namespace

void PutTreeEntry(std::string_view mode, std::string_view name, const git_oid& id,
                  std::string& out) {
  out.append(mode).append(1, ' ').append(name).append(1, '\0');
  out.append(reinterpret_cast<const char*>(id.id), GIT_OID_RAWSZ);
}

base::StatusOr<git_oid> WriteTrees(ObjectFolder& objects, const std::vector<TreeFile>& files) {
  return Writer(objects, files).Write(0);
}

}  // namespace store::git

// SPDX-License-Identifier: Apache-2.0
#include "store/git/local_git.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "engine/base/digest.h"
#include "store/git/git_handle.h"
#include "store/git/layer_files.h"
#include "store/git/layer_git.h"
#include "store/git/layer_names.h"
#include "store/git/object_folder.h"
#include "store/git/working_tree.h"

namespace store::git {
namespace {

namespace base = engine::base;
namespace fs = std::filesystem;
namespace ports = engine::ports;

// 2000-01-01: of files that no commit dates. Also the earliest time given, since some archive
// formats cannot hold earlier ones.
constexpr std::int64_t kEarliest = 946'684'800;

std::string BootId() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  file >> id;
  return id.empty() ? "unknown" : id;
}

base::Status MakeFolder(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  return error ? base::FromErrno(error.value(), "make folder " + folder) : base::OkStatus();
}

// All files get the commit's time: stable from run to run, older than whatever a step makes, and
// newer than what an older commit's build left in a cache.
std::int64_t TimeOfFiles(const LayerGit& git) {
  const auto now = static_cast<std::int64_t>(::time(nullptr));
  return std::clamp(git.commit_time, kEarliest, std::max(kEarliest, now - 1));
}

// Under a temporary name first, so that a name that exists holds a whole tree. Whoever is first
// wins; the other's is as good.
base::Status MakeLayer(const std::string& trees_folder, const std::string& name,
                       const ports::GitSource::Fill& fill) {
  const std::string folder = trees_folder + "/" + name;
  const std::string made = trees_folder + "/" + TemporaryName();
  base::Status status = MakeFolder(made);
  if (status.ok()) {
    status = fill(made);
  }
  std::error_code ignored;
  if (status.ok() && rename(made.c_str(), folder.c_str()) != 0 &&
      !fs::is_directory(folder, ignored)) {
    status = base::FromErrno(errno, "rename to " + folder);
  }
  fs::remove_all(made, ignored);
  return status;
}

}  // namespace

/// One tree to unfold.
class LocalGit::Unfolding {
 public:
  Unfolding(const LocalGitOptions& options, git_oid tree, LayerGit git,
            std::vector<std::string> large_files)
      : options_(options), tree_(tree), git_(std::move(git)), large_files_(std::move(large_files)) {
    origin_ = {.tree = ToHex(tree),
               .boot = BootId(),
               .mtime = TimeOfFiles(git_),
               .is_filled = !large_files_.empty()};
    const std::string all = Fingerprint(git_) + ToText(origin_);
    name_ = origin_.tree + "-" + base::ToHex(base::Sha256(all)).substr(0, 12);
  }

  const std::string& name() const { return name_; }
  std::string folder() const { return options_.trees_folder + "/" + name_; }
  bool is_there() const {
    std::error_code ignored;
    return fs::is_directory(folder(), ignored);
  }

  base::Status Make(LayerLock& lock) {
    RETURN_IF_ERROR(lock.Write(origin_));
    return MakeLayer(options_.trees_folder, name_,
                     [this](const std::string& folder) { return Fill(folder); });
  }

 private:
  base::Status Fill(const std::string& folder) {
    std::vector<std::string> borrowed = git_.objects;
    ASSIGN_OR_RETURN(const ObjectFolder objects,
                     ObjectFolder::Open(options_.objects_folder, borrowed));
    LayerLock similar_lock;
    const std::optional<SimilarLayer> similar = FindSimilar(similar_lock);
    RETURN_IF_ERROR(WriteLayerFiles({.objects = &objects,
                                     .mtime = origin_.mtime,
                                     .similar = similar.has_value() ? &*similar : nullptr,
                                     .large_files = large_files_},
                                    tree_, folder));
    RETURN_IF_ERROR(WriteLayerGit(git_, objects, tree_, origin_.mtime, folder));
    const timespec times[2] = {{.tv_sec = origin_.mtime, .tv_nsec = 0},
                               {.tv_sec = origin_.mtime, .tv_nsec = 0}};
    return utimensat(AT_FDCWD, folder.c_str(), times, 0) == 0
               ? base::OkStatus()
               : base::FromErrno(errno, "date " + folder);
  }

  // The layer used last whose files bear the same time.
  std::optional<SimilarLayer> FindSimilar(LayerLock& lock) const {
    for (const KnownLayer& layer : ListLayers(options_.trees_folder)) {
      const std::string folder = options_.trees_folder + "/" + layer.name;
      std::error_code ignored;
      if (layer.name == name_ || layer.origin.boot != origin_.boot ||
          layer.origin.mtime != origin_.mtime || layer.origin.is_filled != origin_.is_filled ||
          !fs::is_directory(folder, ignored)) {
        continue;
      }
      base::StatusOr<LayerLock> held = LayerLock::Hold(options_.trees_folder, layer.name);
      const base::StatusOr<git_oid> tree = OidFromHex(layer.origin.tree);
      if (held.ok() && tree.ok() && fs::is_directory(folder, ignored)) {
        lock = *std::move(held);
        return SimilarLayer{.folder = folder, .tree = *tree};
      }
    }
    return std::nullopt;
  }

  const LocalGitOptions& options_;
  const git_oid tree_;
  const LayerGit git_;
  const std::vector<std::string> large_files_;
  LayerOrigin origin_;
  std::string name_;
};

struct LocalGit::Locks {
  std::mutex making;
  std::mutex filling;  ///< apart: it may wait for a network
  std::mutex mutex;
  struct Held {
    LayerLock lock;
    std::uint32_t users = 0;
  };
  std::map<std::string, Held> held;  ///< by layer

  /// One user more.
  void Hold(const std::string& name, LayerLock lock) {
    const std::lock_guard<std::mutex> guard(mutex);
    Held& layer = held[name];
    layer.lock = std::move(lock);
    ++layer.users;
  }
};

LocalGit::LocalGit(LocalGitOptions options)
    : options_(std::move(options)), locks_(std::make_unique<Locks>()) {}

LocalGit::~LocalGit() = default;

base::StatusOr<std::unique_ptr<LocalGit>> LocalGit::Open(LocalGitOptions options) {
  StartLibgit2();
  RETURN_IF_ERROR(MakeFolder(options.objects_folder));
  RETURN_IF_ERROR(MakeFolder(options.trees_folder));
  return std::unique_ptr<LocalGit>(new LocalGit(std::move(options)));
}

base::StatusOr<ports::WorkingTree> LocalGit::WriteWorkingTree(const std::string& folder) {
  return RecordWorkingTree(options_, folder);
}

base::StatusOr<std::string> LocalGit::UnfoldTree(const ports::TreeRequest& request,
                                                 const Elsewhere& elsewhere) {
  ASSIGN_OR_RETURN(const git_oid tree, OidFromHex(request.tree));
  ASSIGN_OR_RETURN(LayerGit git, DescribeLayerGit(request, options_.objects_folder));
  git.objects.insert(git.objects.end(), elsewhere.objects.begin(), elsewhere.objects.end());
  Unfolding unfolding(options_, tree, std::move(git), elsewhere.large_files);
  ASSIGN_OR_RETURN(LayerLock lock, LayerLock::Use(options_.trees_folder, unfolding.name()));
  {
    // All slots of a run ask at once: one makes it, the others wait.
    const std::lock_guard<std::mutex> one_at_a_time(locks_->making);
    if (!unfolding.is_there()) {
      RETURN_IF_ERROR(unfolding.Make(lock));
    }
  }
  locks_->Hold(unfolding.name(), std::move(lock));
  return unfolding.folder();
}

base::StatusOr<std::string> LocalGit::UnfoldFilled(const std::string& name, const Fill& fill) {
  const LayerOrigin origin = {.tree = name, .boot = BootId(), .mtime = 0};
  const std::string layer = name + "-" + base::ToHex(base::Sha256(ToText(origin))).substr(0, 12);
  const std::string folder = options_.trees_folder + "/" + layer;
  ASSIGN_OR_RETURN(LayerLock lock, LayerLock::Use(options_.trees_folder, layer));
  {
    const std::lock_guard<std::mutex> one_at_a_time(locks_->filling);
    std::error_code ignored;
    if (!fs::is_directory(folder, ignored)) {
      RETURN_IF_ERROR(lock.Write(origin));
      RETURN_IF_ERROR(MakeLayer(options_.trees_folder, layer, fill));
    }
  }
  locks_->Hold(layer, std::move(lock));
  return folder;
}

void LocalGit::ReleaseTree(const std::string& folder) {
  const std::lock_guard<std::mutex> guard(locks_->mutex);
  const auto held = locks_->held.find(folder.substr(folder.rfind('/') + 1));
  if (held != locks_->held.end() && --held->second.users == 0) {
    locks_->held.erase(held);
  }
}

base::StatusOr<std::uint32_t> LocalGit::RemoveOldTrees() {
  RemoveAbandoned(options_.trees_folder);
  std::uint32_t removed = 0;
  for (const std::string& name :
       LayersToRemove(ListLayers(options_.trees_folder), options_.trees_kept, BootId())) {
    removed += RemoveLayer(options_.trees_folder, name) ? 1 : 0;
  }
  return removed;
}

}  // namespace store::git

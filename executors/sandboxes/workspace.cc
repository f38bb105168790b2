// SPDX-License-Identifier: Apache-2.0
#include "executors/sandboxes/workspace.h"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <string_view>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "executors/sandboxes/tree_files.h"

namespace executors::sandboxes {
namespace {

using engine::base::FromErrno;
using engine::base::InvalidArgument;
using engine::base::OkStatus;
using engine::base::Status;
using engine::base::StatusOr;
using engine::ports::SandboxFacts;
using engine::ports::WorkspaceMount;

/// Makes `path` and what is missing above it.
Status MakeFolders(const std::string& path) {
  for (auto slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const auto part = path.substr(0, slash);
    if (mkdir(part.c_str(), 0755) != 0 && errno != EEXIST) {
      return FromErrno(errno, part);
    }
    if (slash == std::string::npos) {
      return OkStatus();
    }
  }
}

bool IsEmpty(int folder_fd) {
  alignas(dirent64) char entries[1024];
  if (lseek(folder_fd, 0, SEEK_SET) != 0) {
    return false;
  }
  for (;;) {
    const auto bytes = getdents64(folder_fd, entries, sizeof entries);
    if (bytes <= 0) {
      return bytes == 0;
    }
    for (ssize_t at = 0; at < bytes;) {
      const auto* entry = reinterpret_cast<const dirent64*>(entries + at);
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") {
        return false;
      }
      at += entry->d_reclen;
    }
  }
}

std::string Sentence(std::string_view refused, const Status& why, std::string_view instead) {
  return fmt::format("{} refused ({}): {}", refused, engine::base::Message(why), instead);
}

/// How long the end of a run waits for its layers to be removed; what is left then is removed
/// beside whatever comes next.
constexpr std::chrono::milliseconds kRemovalPatience{100};

constexpr std::string_view kSetUserIdLost =
    "workspaces are mounted in a user namespace: set-user-id programs such as sudo get no rights "
    "in steps";

}  // namespace

std::string LayersFolder(const std::string& run_folder) {
  return run_folder + "/layers";
}

Workspace::Workspace(std::string run_folder, std::uint32_t slot, bool allow_mounts)
    : run_folder_(std::move(run_folder)),
      slot_(slot),
      allow_mounts_(allow_mounts),
      layers_(fmt::format("{}/{}-{}", LayersFolder(run_folder_), slot, getpid())) {}

Status Workspace::Prepare(const WorkspaceMount& mount, SandboxFacts& facts) {
  if (!mount.path.starts_with('/') || mount.path.size() < 2) {
    return InvalidArgument("the workspace's path {} is not absolute", mount.path);
  }
  if (kind_ == Kind::kUndecided) {
    RETURN_IF_ERROR(MakeFolders(layers_));
    Decide(facts);
  }
  const bool same = mount_.lower == mount.lower && mount_.path == mount.path;
  if (same && Untouched()) {
    return OkStatus();
  }
  Discard();
  mount_ = mount;
  ASSIGN_OR_RETURN(const std::string lower, LowerOrEmpty());
  if (access(lower.c_str(), R_OK | X_OK) != 0) {
    return FromErrno(errno, "the workspace's tree " + lower);
  }
  if (kind_ == Kind::kOverlay) {
    const auto status = MakeOverlay(lower);
    // Only the first try can tell what the machine refuses; later it is a failure like others.
    if (!status.ok() && facts.workspace_kind.empty()) {
      kind_ = Kind::kBoundCopy;
      facts.fallbacks.push_back(Sentence("overlay", status, "each workspace is a copy"));
      Discard();
    } else {
      RETURN_IF_ERROR(status);
    }
  }
  if (kind_ != Kind::kOverlay) {
    RETURN_IF_ERROR(MakeCopy(lower, facts));
  }
  if (namespace_entered_) {
    watch_.Accept(mounted_ ? mount_.path : "");
  }
  Describe(facts);
  return OkStatus();
}

void Workspace::Decide(SandboxFacts& facts) {
  kind_ = Kind::kCopy;
  if (!allow_mounts_) {
    facts.fallbacks.emplace_back(
        "mounts are switched off: each slot's workspace is a copy at a path of its own");
    return;
  }
  const auto entered = EnterMountNamespace(layers_ + "/probe");
  if (!entered.ok()) {
    facts.fallbacks.push_back(
        Sentence("a mount namespace", entered.status(),
                 "each slot's workspace is a copy at a path of its own, not the same in all"));
    return;
  }
  namespace_entered_ = true;
  in_user_namespace_ = *entered == NamespaceKind::kUser;
  if (in_user_namespace_) {
    facts.fallbacks.emplace_back(kSetUserIdLost);
  }
  overlays_.emplace(*entered);
  kind_ = Kind::kOverlay;
  watch_.Accept("");
}

/// True when the next job may take the workspace over as it is. About 10 µs.
bool Workspace::Untouched() {
  if (!mounted_ || !layer_) {
    return false;
  }
  struct stat stat {};
  return !watch_.Restore() && fstat(layer_->upper.get(), &stat) == 0 &&
         stat.st_mode == layer_->mode && stat.st_uid == layer_->owner &&
         stat.st_gid == layer_->group && IsEmpty(layer_->upper.get());
}

void Workspace::Discard() {
  if (namespace_entered_) {
    watch_.Restore();
  }
  if (mounted_) {
    umount2(mount_.path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
    mounted_ = false;
  }
  if (layer_) {
    const auto folder = layer_->folder;
    layer_.reset();
    janitor_.Remove(folder);
  }
  if (!copy_.empty()) {
    const auto used = FreshFolder();
    if (rename(copy_.c_str(), used.c_str()) == 0) {
      janitor_.Remove(used);
    } else {
      RemoveTree(copy_);
    }
    copy_.clear();
  }
}

Status Workspace::MakeOverlay(const std::string& lower) {
  Layer layer{.folder = FreshFolder()};
  const auto upper = layer.folder + "/upper";
  const auto work = layer.folder + "/work";
  if (mkdir(layer.folder.c_str(), 0700) != 0 || mkdir(upper.c_str(), 0755) != 0 ||
      mkdir(work.c_str(), 0700) != 0) {
    return FromErrno(errno, layer.folder);
  }
  RETURN_IF_ERROR(MakeFolders(mount_.path));
  RETURN_IF_ERROR(overlays_->Mount({.lower = lower, .upper = upper, .work = work}, mount_.path));
  mounted_ = true;
  layer.upper = FileDescriptor(open(upper.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat stat {};
  if (!layer.upper.valid() || fstat(layer.upper.get(), &stat) != 0) {
    return FromErrno(errno, upper);
  }
  layer.mode = stat.st_mode;
  layer.owner = stat.st_uid;
  layer.group = stat.st_gid;
  layer_ = std::move(layer);
  return OkStatus();
}

Status Workspace::MakeCopy(const std::string& lower, SandboxFacts& facts) {
  copy_ = fmt::format("{}/ws-{}", run_folder_, slot_);
  // A keeper that was killed may have left one.
  RemoveTree(copy_);
  if (mkdir(copy_.c_str(), 0755) != 0) {
    return FromErrno(errno, copy_);
  }
  ASSIGN_OR_RETURN(const TreeCopy copied, CopyTree(lower, copy_));
  if (!reported_copies_ && (copied.cloned_any || copied.copied_any)) {
    reported_copies_ = true;
    facts.workspace_kind = copied.copied_any ? "copy" : "reflink";
    if (copied.copied_any) {
      facts.fallbacks.emplace_back(
          "sharing file blocks (reflink) is not possible here: workspaces are copied byte by byte");
    }
  }
  if (kind_ == Kind::kBoundCopy) {
    if (auto status = Bind(copy_); !status.ok()) {
      kind_ = Kind::kCopy;
      facts.fallbacks.push_back(
          Sentence("a bind mount", status,
                   "each slot's workspace has a path of its own, not the same in all"));
    }
  }
  return OkStatus();
}

Status Workspace::Bind(const std::string& folder) {
  RETURN_IF_ERROR(MakeFolders(mount_.path));
  if (::mount(folder.c_str(), mount_.path.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    return FromErrno(errno, mount_.path);
  }
  mounted_ = true;
  return OkStatus();
}

StatusOr<std::string> Workspace::LowerOrEmpty() {
  if (!mount_.lower.empty()) {
    return mount_.lower;
  }
  const auto empty = layers_ + "/empty";
  if (mkdir(empty.c_str(), 0755) != 0 && errno != EEXIST) {
    return FromErrno(errno, empty);
  }
  return empty;
}

void Workspace::Describe(SandboxFacts& facts) const {
  if (kind_ == Kind::kOverlay) {
    facts.workspace_kind = "overlay";
  } else if (facts.workspace_kind.empty()) {
    facts.workspace_kind = "copy";
  }
  facts.workspace_path = mounted_ ? mount_.path : copy_;
  facts.workspace_view = mounted_ ? fmt::format("/proc/{}/root{}", getpid(), mount_.path) : copy_;
}

std::string Workspace::FreshFolder() {
  return fmt::format("{}/{}", layers_, ++folders_);
}

void Workspace::TearDown() {
  if (kind_ == Kind::kUndecided) {
    return;
  }
  if (mounted_) {
    umount2(mount_.path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
    mounted_ = false;
  }
  layer_.reset();
  if (!copy_.empty()) {
    rename(copy_.c_str(), FreshFolder().c_str());
    copy_.clear();
  }
  if (!RemoveTree(layers_, kRemovalPatience)) {
    janitor_.Remove(layers_);
  }
  rmdir(LayersFolder(run_folder_).c_str());  // The last slot's keeper succeeds.
}

}  // namespace executors::sandboxes

// SPDX-License-Identifier: Apache-2.0
// The folder of unfolded trees: which there are, who uses them, which may go. For each tree
// `<name>/` there is `<name>.use`: locked (shared) by every process that works with the tree, its
// time renewed at each use, its text what the tree was made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/status.h"

namespace store::git {

/// What an unfolded tree was made of. Trees of an earlier boot are never used again: a crash of the
/// machine may have left their files empty, and flushing each file would cost more than unfolding.
struct LayerOrigin {
  std::string tree;
  std::string boot;
  std::int64_t mtime = 0;  ///< of all its files, in seconds
  bool is_filled = false;  ///< large files stand in the place of their pointers
  friend bool operator==(const LayerOrigin&, const LayerOrigin&) = default;
};
std::string ToText(const LayerOrigin& origin);
std::optional<LayerOrigin> LayerOriginFromText(const std::string& text);

struct KnownLayer {
  std::string name;
  std::int64_t used_ns = 0;
  LayerOrigin origin;
};

/// Newest use first.
std::vector<KnownLayer> ListLayers(const std::string& trees_folder);

/// The names of layers to remove: all but the `kept` newest, and all of another boot.
std::vector<std::string> LayersToRemove(const std::vector<KnownLayer>& newest_first,
                                        std::uint32_t kept, const std::string& boot);

/// An open, locked `.use` file. Unlocks when closed.
class LayerLock {
 public:
  LayerLock() = default;
  LayerLock(LayerLock&& other) noexcept;
  LayerLock& operator=(LayerLock&& other) noexcept;
  ~LayerLock();
  /// Waits for a remover that is at work; makes the file when it is missing.
  static engine::base::StatusOr<LayerLock> Use(const std::string& trees_folder,
                                               const std::string& name);
  /// The same, but it does not count as a use: what is only copied from may grow old.
  static engine::base::StatusOr<LayerLock> Hold(const std::string& trees_folder,
                                                const std::string& name);
  /// Nothing when the layer is in use or gone.
  static std::optional<LayerLock> ForRemoval(const std::string& trees_folder,
                                             const std::string& name);
  engine::base::Status Write(const LayerOrigin& origin);
  bool is_held() const { return fd_ >= 0; }

 private:
  explicit LayerLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

/// Removes the layer unless somebody uses it.
bool RemoveLayer(const std::string& trees_folder, const std::string& name);

/// Removes what processes that are gone were making or removing.
void RemoveAbandoned(const std::string& trees_folder);

/// A name in the folder that nobody else uses, for what is being made.
std::string TemporaryName();

}  // namespace store::git

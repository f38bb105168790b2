// SPDX-License-Identifier: Apache-2.0
#include "store/artifacts/layout.h"

#include <algorithm>

#include "engine/ports/artifact_store.h"

namespace store::artifacts {
namespace {

using engine::ports::kChunkBytesMax;

class Planner {
 public:
  explicit Planner(std::size_t files) { layout_.pieces.resize(files); }

  void AddShared(std::size_t file, std::uint64_t size) {
    if (shared_ == kNone || shared_bytes_ + size > kChunkBytesMax) {
      shared_ = layout_.chunks.size();
      shared_bytes_ = 0;
      layout_.chunks.emplace_back();
    }
    Put(shared_, shared_bytes_, {.file = file, .file_offset = 0, .length = size});
    shared_bytes_ += size;
  }

  void AddSplit(std::size_t file, std::uint64_t size) {
    for (std::uint64_t at = 0; at < size; at += kChunkBytesMax) {
      layout_.chunks.emplace_back();
      Put(layout_.chunks.size() - 1, 0,
          {.file = file, .file_offset = at, .length = std::min(kChunkBytesMax, size - at)});
    }
  }

  Layout Take() { return std::move(layout_); }

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  void Put(std::size_t chunk, std::uint64_t offset, const ChunkPart& part) {
    layout_.chunks[chunk].push_back(part);
    layout_.pieces[part.file].push_back(
        {.chunk = static_cast<std::uint32_t>(chunk), .offset = offset, .length = part.length});
  }

  Layout layout_;
  std::size_t shared_ = kNone;
  std::uint64_t shared_bytes_ = 0;
};

}  // namespace

Layout PlanLayout(const std::vector<FoundFile>& files) {
  Planner planner(files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (files[i].kind != FileKind::kFile || files[i].size == 0) {
      continue;
    }
    if (files[i].size <= kSharedFileMax) {
      planner.AddShared(i, files[i].size);
    } else {
      planner.AddSplit(i, files[i].size);
    }
  }
  return planner.Take();
}

}  // namespace store::artifacts

// SPDX-License-Identifier: Apache-2.0
// Where each file's bytes go before any is read: small files share chunks, large ones are split.
// Pure, so the same files always make the same chunks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "store/artifacts/file_selection.h"
#include "store/artifacts/manifest.h"

namespace store::artifacts {

/// Files up to this size share chunks; flushing thousands of small chunks is what makes a naive
/// store slow.
inline constexpr std::uint64_t kSharedFileMax = 1U << 20;

struct ChunkPart {
  std::size_t file = 0;           ///< index into the selection
  std::uint64_t file_offset = 0;  ///< where in the file it begins
  std::uint64_t length = 0;
};

struct Layout {
  std::vector<std::vector<ChunkPart>> chunks;  ///< what each is made of, in order
  std::vector<std::vector<Piece>> pieces;      ///< like the selection's files
};

Layout PlanLayout(const std::vector<FoundFile>& files);

}  // namespace store::artifacts

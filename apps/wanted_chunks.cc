// SPDX-License-Identifier: Apache-2.0
#include "apps/wanted_chunks.h"

#include <charconv>

#include <fmt/format.h>

#include "store/artifacts/manifest.h"

namespace apps {

namespace base = engine::base;
namespace model = engine::model;

void AddWanted(const model::JobSpec& job, const model::JobResult& result, base::Instant ended_at,
               std::vector<WantedChunk>& wanted) {
  const base::Duration own = model::RareOf(job).artifacts_expire;
  const base::Instant until =
      ended_at + (own.count() > 0 ? own : model::DefaultSettings().artifacts_expire);
  for (const model::Artifact& artifact : result.artifacts) {
    wanted.push_back({.root = artifact.manifest, .is_document = false, .until = until});
  }
  for (const model::SpilledOutput& output : result.spilled) {
    wanted.push_back({.root = output.document, .is_document = true, .until = until});
  }
  if (result.remarks.tests) {
    wanted.push_back({.root = result.remarks.tests->document, .is_document = true, .until = until});
  }
  if (result.remarks.annotations) {
    wanted.push_back(
        {.root = result.remarks.annotations->document, .is_document = true, .until = until});
  }
}

base::Status MarkWanted(engine::ports::ArtifactStore& chunks, const WantedChunk& wanted,
                        std::set<base::Digest>& keep) {
  if (!keep.insert(wanted.root).second || wanted.is_document) {
    return base::OkStatus();
  }
  const auto parts = store::artifacts::ListChunks(chunks, wanted.root);
  const absl::StatusCode code = parts.status().code();
  if (code == absl::StatusCode::kNotFound || code == absl::StatusCode::kDataLoss ||
      code == absl::StatusCode::kInvalidArgument) {
    return base::OkStatus();
  }
  RETURN_IF_ERROR(parts.status());
  keep.insert(parts->begin(), parts->end());
  return base::OkStatus();
}

std::string EncodeWanted(const WantedChunk& wanted) {
  return fmt::format("{} {} {}", base::ToHex(wanted.root), wanted.is_document ? 1 : 0,
                     base::ToMicros(wanted.until));
}

std::optional<WantedChunk> DecodeWanted(std::string_view line) {
  constexpr std::size_t kHex = 64;
  constexpr std::size_t kUntil = kHex + 3;
  if (line.size() <= kUntil) {
    return std::nullopt;
  }
  const std::optional<base::Digest> root = base::DigestFromHex(line.substr(0, kHex));
  std::int64_t until = 0;
  const char* const end = line.data() + line.size();
  const auto [stop, error] = std::from_chars(line.data() + kUntil, end, until);
  if (!root || error != std::errc() || stop != end) {
    return std::nullopt;
  }
  return WantedChunk{
      .root = *root, .is_document = line[kHex + 1] == '1', .until = base::InstantFromMicros(until)};
}

}  // namespace apps

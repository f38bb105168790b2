// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/pattern.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include "engine/base/check.h"
#include "engine/expr/limits.h"
#include "engine/expr/utf8.h"

namespace engine::expr {
namespace {

constexpr std::int64_t kProgramBytesMax = std::int64_t{1} << 20;

re2::StringPiece Piece(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

Pattern::Pattern(std::string_view text) {
  if (text.size() > kPatternBytesMax) {
    error_ = fmt::format("it is {} bytes long, more than {}", text.size(), kPatternBytesMax);
    return;
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kProgramBytesMax);
  options.set_never_capture(true);
  auto compiled = std::make_unique<re2::RE2>(Piece(text), options);
  if (!compiled->ok()) {
    error_ = Excerpt(compiled->error(), 200);
    return;
  }
  compiled_ = std::move(compiled);
}

Pattern::~Pattern() = default;

std::string Pattern::error() const {
  return error_;
}

bool Pattern::FoundIn(std::string_view text) const {
  CHECK(compiled_ != nullptr);
  return re2::RE2::PartialMatch(Piece(text), *compiled_);
}

}  // namespace engine::expr

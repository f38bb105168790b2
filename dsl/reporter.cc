// SPDX-License-Identifier: Apache-2.0
#include "dsl/reporter.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace dsl {
namespace {

auto SortKey(const Diagnostic& d) {
  return std::tie(d.file, d.line, d.column, d.severity, d.code, d.message);
}

void Locate(const Place& place, Diagnostic& diagnostic) {
  const SourceText& source = place.document->source;
  const LineColumn begin = source.At(place.span.begin);
  const LineColumn end = source.At(std::max(place.span.begin, place.span.end));
  Excerpt excerpt = source.ExcerptAt(place.span.begin);
  diagnostic.file = source.path();
  diagnostic.line = begin.line;
  diagnostic.column = begin.column;
  diagnostic.end_line = end.line;
  diagnostic.end_column = end.column;
  diagnostic.source_line = std::move(excerpt.text);
  diagnostic.source_line_column = excerpt.column;
  if (place.alias != nullptr) {
    const LineColumn used = source.At(place.alias->offset);
    diagnostic.related.push_back({"used here", source.path(), used.line, used.column});
  }
}

}  // namespace

RelatedPlace Related(const Place& place, std::string message) {
  const LineColumn at = place.document->source.At(place.span.begin);
  return {std::move(message), place.document->source.path(), at.line, at.column};
}

Diagnostic& Reporter::Add(std::string_view code, Severity severity, std::string message) {
  has_errors_ = has_errors_ || severity == Severity::kError;
  Diagnostic* target = &beyond_;
  // Room for twice the limit: what is reported again through an alias falls out later.
  if (diagnostics_.size() < 2ULL * diagnostics_max_) {
    target = &diagnostics_.emplace_back();
  } else {
    ++dropped_;
    beyond_ = Diagnostic();
  }
  target->code = code;
  target->severity = severity;
  target->message = std::move(message);
  return *target;
}

Diagnostic& Reporter::Error(std::string_view code, const Place& place, std::string message) {
  Diagnostic& diagnostic = Add(code, Severity::kError, std::move(message));
  Locate(place, diagnostic);
  return diagnostic;
}

Diagnostic& Reporter::Warning(std::string_view code, const Place& place, std::string message) {
  Diagnostic& diagnostic = Add(code, Severity::kWarning, std::move(message));
  Locate(place, diagnostic);
  return diagnostic;
}

Diagnostic& Reporter::FileError(std::string_view code, const std::string& path,
                                std::string message) {
  Diagnostic& diagnostic = Add(code, Severity::kError, std::move(message));
  diagnostic.file = path;
  return diagnostic;
}

std::vector<Diagnostic> Reporter::Take() {
  std::vector<Diagnostic> sorted(std::make_move_iterator(diagnostics_.begin()),
                                 std::make_move_iterator(diagnostics_.end()));
  diagnostics_.clear();
  const auto before = [](const Diagnostic& a, const Diagnostic& b) {
    return SortKey(a) < SortKey(b);
  };
  const auto same = [](const Diagnostic& a, const Diagnostic& b) {
    return SortKey(a) == SortKey(b);
  };
  std::stable_sort(sorted.begin(), sorted.end(), before);
  sorted.erase(std::unique(sorted.begin(), sorted.end(), same), sorted.end());
  if (sorted.size() > diagnostics_max_ || dropped_ > 0) {
    const std::size_t shown = std::min<std::size_t>(sorted.size(), diagnostics_max_);
    const std::uint64_t more = sorted.size() - shown + dropped_;
    sorted.resize(shown);
    Diagnostic last;
    last.code = "too-many-problems";
    last.severity = has_errors_ ? Severity::kError : Severity::kWarning;
    last.file = sorted.empty() ? "" : sorted.back().file;
    last.message =
        fmt::format("{} more problems are not shown (the limit is {})", more, diagnostics_max_);
    sorted.push_back(std::move(last));
  }
  return sorted;
}

}  // namespace dsl

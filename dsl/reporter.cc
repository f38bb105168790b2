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

RelatedPlace RelatedAt(const Document& document, std::uint32_t offset, std::string message) {
  const LineColumn at = document.source.At(offset);
  return {std::move(message), document.source.path(), at.line, at.column};
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
  AddWay(place, diagnostic.related);
}

}  // namespace

RelatedPlace Related(const Place& place, std::string message) {
  return RelatedAt(*place.document, place.span.begin, std::move(message));
}

void AddWay(const Place& place, std::vector<RelatedPlace>& way) {
  if (place.alias != nullptr) {
    way.push_back(RelatedAt(*place.document, place.alias->offset, "used here"));
  }
  const Document* outermost = place.document;
  for (const Trail* trail = place.trail; trail != nullptr; trail = trail->outer) {
    way.push_back(RelatedAt(*trail->document, trail->span.begin,
                            trail->via == Via::kExtends ? "extended here" : "used here"));
    outermost = trail->document;
  }
  for (Inclusion at = outermost->inclusion; at.document != nullptr; at = at.document->inclusion) {
    way.push_back(RelatedAt(*at.document, at.span.begin, "included here"));
  }
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

bool Reporter::IsRepeated(std::string_view code, const Place& place, const std::string& message) {
  if (place.alias == nullptr && place.trail == nullptr) {
    return false;
  }
  return !shared_
              .insert(
                  fmt::format("{} {}:{} {}", code, place.document->file, place.span.begin, message))
              .second;
}

Diagnostic& Reporter::Error(std::string_view code, const Place& place, std::string message) {
  if (IsRepeated(code, place, message)) {
    return beyond_ = Diagnostic();
  }
  Diagnostic& diagnostic = Add(code, Severity::kError, std::move(message));
  Locate(place, diagnostic);
  return diagnostic;
}

Diagnostic& Reporter::Warning(std::string_view code, const Place& place, std::string message) {
  if (IsRepeated(code, place, message)) {
    return beyond_ = Diagnostic();
  }
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

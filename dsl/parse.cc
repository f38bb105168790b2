// SPDX-License-Identifier: Apache-2.0
#include "dsl/parse.h"

#include <algorithm>
#include <exception>
#include <istream>
#include <streambuf>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "dsl/tree_builder.h"

namespace dsl {
namespace {

constexpr std::string_view kStringTag = "tag:yaml.org,2002:str";

Place At(const Document& document, std::size_t offset, std::size_t length = 1) {
  const auto begin = static_cast<std::uint32_t>(std::min(offset, document.source.text().size()));
  const std::uint32_t line_end = document.source.LineEnd(begin);
  const auto end = static_cast<std::uint32_t>(begin + length);
  return {&document, {begin, std::max(begin, std::min(line_end, end))}, nullptr};
}

std::uint32_t OffsetOf(const YAML::Mark& mark) {
  return mark.pos < 0 ? 0 : static_cast<std::uint32_t>(mark.pos);
}

/// yaml-cpp's events into the tree; what it would let pass and we do not take is reported here.
class EventReader final : public YAML::EventHandler {
 public:
  EventReader(Document& document, Reporter& reporter)
      : document_(document), reporter_(reporter), tree_(document, reporter) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    ++documents_;
    if (documents_ == 2) {
      reporter_
          .Error("second-document", At(document_, OffsetOf(mark)),
                 "a second YAML document begins here")
          .hint = "a file holds one pipeline: give the other a file of its own";
    }
  }
  void OnDocumentEnd() override {
    if (documents_ == 1) {
      usable_ = tree_.Finish();
    }
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (documents_ == 1) {
      tree_.Null(OffsetOf(mark), static_cast<std::uint32_t>(anchor));
    }
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (documents_ == 1) {
      tree_.Alias(OffsetOf(mark), static_cast<std::uint32_t>(anchor));
    }
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (documents_ == 1) {
      const bool known = tag == "?" || tag == "!" || tag == kStringTag;
      CheckTag(mark, tag, known);
      CheckText(mark, value);
      tree_.Scalar(OffsetOf(mark), static_cast<std::uint32_t>(anchor), value, tag == "?");
    }
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    if (documents_ == 1) {
      CheckTag(mark, tag, tag == "?" || tag == "!");
      tree_.OpenSequence(OffsetOf(mark), static_cast<std::uint32_t>(anchor));
    }
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    if (documents_ == 1) {
      CheckTag(mark, tag, tag == "?" || tag == "!");
      tree_.OpenMap(OffsetOf(mark), static_cast<std::uint32_t>(anchor));
    }
  }
  void OnMapEnd() override { Close(); }

  int documents() const { return documents_; }
  bool too_deep() const { return tree_.too_deep(); }
  /// The tree may be looked at.
  bool usable() const { return usable_; }

 private:
  void Close() {
    if (documents_ == 1) {
      tree_.Close();
    }
  }
  void CheckTag(const YAML::Mark& mark, const std::string& tag, bool known) {
    if (!known) {
      reporter_
          .Error("yaml-tag", At(document_, OffsetOf(mark), 2),
                 fmt::format("the tag `{}` has no meaning here", tag))
          .hint = "leave the tag out; quotes make a value text";
    }
  }

  // Written as an escape; no program could be given it.
  void CheckText(const YAML::Mark& mark, const std::string& value) {
    if (value.find('\0') != std::string::npos) {
      reporter_.Error("control-character", At(document_, OffsetOf(mark), 2),
                      "a text cannot hold U+0000");
    }
  }

  Document& document_;
  Reporter& reporter_;
  TreeBuilder tree_;
  int documents_ = 0;
  bool usable_ = true;
};

/// Lets yaml-cpp read the text where it is.
class ViewBuffer final : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    // A streambuf wants mutable pointers; reading never writes through them.
    char* begin = const_cast<char*>(text.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    setg(begin, begin, begin + text.size());
  }
};

/// What helps with the faults that people make.
std::string_view SyntaxHint(std::string_view message, std::string_view lines) {
  const auto has = [&](std::string_view part) {
    return message.find(part) != std::string_view::npos;
  };
  if (lines.find("${{") != std::string_view::npos && has("flow")) {
    return "inside of `[ ]` and `{ }` a value with `${{ }}` must be quoted";
  }
  if (has("end of map not found") || has("end of sequence not found")) {
    return "check the indentation of this line, and that a key is followed by `: `";
  }
  if (has("illegal map value")) {
    return "text that holds `: ` must be quoted";
  }
  if (has("flow")) {
    return "a `[` or `{` before this is not closed, or a comma is missing";
  }
  if (has("unknown token") || has("character")) {
    return "text that begins with a special character must be quoted";
  }
  if (has("anchor")) {
    return "an anchor (`&name`) must stand before its alias (`*name`)";
  }
  return "";
}

void ReportSyntax(const Document& document, std::size_t offset, std::string_view message,
                  Reporter& reporter) {
  // yaml-cpp stumbles over what follows a tab; the tab is what must be told.
  const std::string_view text = document.source.text();
  const std::size_t begin = std::min(offset, text.size());
  const std::size_t line = begin == 0 ? 0 : text.rfind('\n', begin - 1) + 1;
  // yaml-cpp often stumbles a line late.
  const std::size_t before = line < 2 ? 0 : text.rfind('\n', line - 2) + 1;
  const std::size_t indent_end = text.find_first_not_of(" \t", line);
  const std::size_t tab = text.find('\t', line);
  if (tab < std::min(indent_end, text.size())) {
    reporter.Error("yaml-syntax", At(document, tab), "not valid YAML: a tab cannot indent").hint =
        "use spaces";
    return;
  }
  reporter.Error("yaml-syntax", At(document, offset), fmt::format("not valid YAML: {}", message))
      .hint = SyntaxHint(
      message,
      text.substr(before, document.source.LineEnd(static_cast<std::uint32_t>(begin)) - before));
}

/// Runs yaml-cpp over the document; the one place where its exceptions are translated. False: it
/// cannot be looked at further.
bool ReadEvents(Document& document, Reporter& reporter) {
  EventReader events(document, reporter);
  try {
    ViewBuffer buffer(document.source.text());
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    // The second document is only looked for, however many follow.
    while (events.documents() < 2 && parser.HandleNextDocument(events)) {
    }
    return events.usable();
  } catch (const YAML::Exception& e) {
    // Deeper than yaml-cpp recurses, which is far deeper than we follow.
    if (!events.too_deep()) {
      ReportSyntax(document, OffsetOf(e.mark), e.msg, reporter);
    }
  } catch (const std::exception& e) {
    ReportSyntax(document, 0, e.what(), reporter);
  }
  return false;
}

/// Where brackets (wherever they stand, so this is only a bound) are open far deeper than we
/// follow; the size when nowhere. yaml-cpp would keep a token for each before it gave up.
std::size_t FindDeepBrackets(std::string_view text) {
  constexpr int kOpenMax = 10'000;
  int open = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    open += c == '[' || c == '{' ? 1 : 0;
    open -= (c == ']' || c == '}') && open > 0 ? 1 : 0;
    if (open > kOpenMax) {
      return at;
    }
  }
  return text.size();
}

/// What yaml-cpp would replace, cut off, misread or choke on.
bool CheckBytes(const Document& document, Reporter& reporter) {
  const std::string_view text = document.source.text();
  if (const std::size_t at = FindInvalidUtf8(text); at < text.size()) {
    reporter.Error("not-utf-8", At(document, at), "the file is not valid UTF-8 from here").hint =
        "save it as UTF-8";
    return false;
  }
  if (const std::size_t at = FindControlCharacter(text); at < text.size()) {
    reporter.Error("control-character", At(document, at),
                   fmt::format("the control character U+{:04X} is not allowed in YAML",
                               static_cast<unsigned char>(text[at])));
    return false;
  }
  if (const std::size_t at = FindDeepBrackets(text); at < text.size()) {
    reporter.Error("yaml-too-deep", At(document, at),
                   fmt::format("nested more than {} levels deep", kDepthMax));
    return false;
  }
  return true;
}

}  // namespace

std::unique_ptr<Document> Parse(std::string path, std::string text, std::uint32_t file_index,
                                Reporter& reporter, const Inclusion& inclusion) {
  if (text.starts_with("\xEF\xBB\xBF")) {
    text.erase(0, 3);
  }
  auto document = std::make_unique<Document>(std::move(path), std::move(text), file_index);
  document->inclusion = inclusion;
  if (!CheckBytes(*document, reporter) || !ReadEvents(*document, reporter)) {
    return nullptr;
  }
  return document;
}

}  // namespace dsl

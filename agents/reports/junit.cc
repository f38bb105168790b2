// SPDX-License-Identifier: Apache-2.0
#include "agents/reports/junit.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <utility>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "agents/reports/text.h"

namespace agents::reports {
namespace {

namespace base = engine::base;
namespace model = engine::model;
using model::TestCase;
using model::TestOutcome;

constexpr std::size_t kNameBytesMax = 1024;
constexpr std::size_t kMessageBytesMax = 2048;
constexpr std::size_t kDetailsBytesMax = 16 << 10;
constexpr std::size_t kSuiteDepthMax = 64;
constexpr double kSecondsMax = 10.0 * 366 * 24 * 3600;

// ---- memory of the parser: its functions are global, the budget is the thread's

thread_local std::uint64_t tree_bytes_left = 0;

/// In front of each block; keeps what follows aligned.
constexpr std::size_t kHeader = alignof(std::max_align_t);

void* Allocate(std::size_t size) {
  if (size > tree_bytes_left) {
    return nullptr;
  }
  char* const block = static_cast<char*>(std::malloc(size + kHeader));
  if (block == nullptr) {
    return nullptr;
  }
  std::memcpy(block, &size, sizeof size);
  tree_bytes_left -= size;
  return block + kHeader;
}

void Release(void* place) {
  if (place == nullptr) {
    return;
  }
  char* const block = static_cast<char*>(place) - kHeader;
  std::size_t size = 0;
  std::memcpy(&size, block, sizeof size);
  tree_bytes_left += size;
  std::free(block);
}

void BoundTrees() {
  static std::once_flag once;
  std::call_once(once, [] { pugi::set_memory_management_functions(Allocate, Release); });
  tree_bytes_left = kTreeBytesMax;
}

// ---- values

base::Duration DurationOf(std::string_view seconds) {
  std::string digits;
  // Some programs group thousands.
  std::ranges::copy_if(seconds, std::back_inserter(digits), [](char c) { return c != ','; });
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool fits = error == std::errc() && value >= 0 && value <= kSecondsMax;
  return fits ? base::Duration(static_cast<std::int64_t>(value * 1e6)) : base::Duration(0);
}

std::uint32_t LineOf(std::string_view text) {
  std::uint32_t line = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), line);
  return error == std::errc() ? line : 0;
}

std::string_view LineOfText(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

bool IsPathCharacter(char c) {
  return c > ' ' && std::string_view("\"'()<>[]{},;:|").find(c) == std::string_view::npos;
}

// ---- the tree

class Walker {
 public:
  Walker(std::string_view path, std::string_view workspace, model::TestResults& results)
      : path_(path), workspace_(workspace), results_(results) {}

  void Walk(const pugi::xml_document& document) {
    const pugi::xml_node root = document.document_element();
    const std::string_view name = root.name();
    if (name != "testsuites" && name != "testsuite" && name != "testcase") {
      AddProblem(fmt::format("{}: is no report in JUnit's form: it begins with <{}>", path_,
                             Tidy(name, 60)),
                 results_);
      return;
    }
    if (name == "testcase") {
      Take(root, "", "");
    } else {
      Suites(root);
    }
  }

 private:
  struct Place {
    pugi::xml_node next;  ///< child to look at
    std::string_view suite;
    std::string_view file;
  };

  static Place Inside(pugi::xml_node suite, const Place& outer) {
    const std::string_view name = suite.attribute("name").value();
    const std::string_view file = suite.attribute("file").value();
    return {suite.first_child(), name.empty() ? outer.suite : name,
            file.empty() ? outer.file : file};
  }

  void Suites(pugi::xml_node root) {
    std::vector<Place> open = {Inside(root, {})};
    while (!open.empty()) {
      const pugi::xml_node node = open.back().next;
      if (!node) {
        open.pop_back();
        continue;
      }
      open.back().next = node.next_sibling();
      const std::string_view name = node.name();
      if (name == "testcase") {
        if (!Take(node, open.back().suite, open.back().file)) {
          return;
        }
      } else if (name == "testsuite" && open.size() < kSuiteDepthMax) {
        open.push_back(Inside(node, open.back()));
      } else if (name == "testsuite" && !std::exchange(told_depth_, true)) {
        AddProblem(
            fmt::format("{}: suites nested deeper than {} are left out", path_, kSuiteDepthMax),
            results_);
      }
    }
  }

  bool Take(pugi::xml_node node, std::string_view suite, std::string_view file) {
    if (results_.totals.tests >= kCasesMax) {
      AddProblem(fmt::format("{}: more than {} tests; the rest is left out", path_, kCasesMax),
                 results_);
      return false;
    }
    TestCase test;
    const std::string_view class_name = node.attribute("classname").value();
    test.suite = Tidy(class_name.empty() ? suite : class_name, kNameBytesMax);
    test.name = Tidy(node.attribute("name").value(), kNameBytesMax);
    test.took = DurationOf(node.attribute("time").value());
    const std::string_view own_file = node.attribute("file").value();
    Judge(node, test);
    SetPlace(own_file.empty() ? file : own_file, LineOf(node.attribute("line").value()), test);
    Count(test);
    results_.cases.push_back(std::move(test));
    return true;
  }

  static void Judge(pugi::xml_node node, TestCase& test) {
    const auto outcome_of = [](std::string_view name) {
      return name == "failure"   ? TestOutcome::kFailed
             : name == "error"   ? TestOutcome::kError
             : name == "skipped" ? TestOutcome::kSkipped
                                 : TestOutcome::kPassed;
    };
    for (const pugi::xml_node child : node.children()) {
      const TestOutcome outcome = outcome_of(child.name());
      // A failure counts more than a skip that stands beside it; of equals the first.
      const bool counts =
          outcome != TestOutcome::kPassed &&
          (test.outcome == TestOutcome::kPassed ||
           (test.outcome == TestOutcome::kSkipped && outcome != TestOutcome::kSkipped));
      if (counts) {
        test.outcome = outcome;
        Describe(child, test);
      }
    }
    const std::string_view status = node.attribute("status").value();
    if (test.outcome == TestOutcome::kPassed && (status == "notrun" || status == "skipped")) {
      test.outcome = TestOutcome::kSkipped;
    }
  }

  static void Describe(pugi::xml_node child, TestCase& test) {
    std::string text;
    for (const pugi::xml_node part : child.children()) {
      const bool is_text = part.type() == pugi::node_pcdata || part.type() == pugi::node_cdata;
      if (is_text && text.size() < kDetailsBytesMax) {
        text += std::string_view(part.value()).substr(0, kDetailsBytesMax);
      }
    }
    const std::string_view message = child.attribute("message").value();
    test.message = Tidy(message, kMessageBytesMax);
    std::string_view rest = text;
    while (test.message.empty() && !rest.empty()) {
      test.message = Tidy(LineOfText(rest), kMessageBytesMax);
    }
    if (test.message.empty()) {
      test.message = Tidy(child.attribute("type").value(), kMessageBytesMax);
    }
    if (test.outcome != TestOutcome::kSkipped) {
      test.details = Tidy(text, kDetailsBytesMax);
    }
  }

  /// Where it failed is worth more than where it is written.
  void SetPlace(std::string_view file, std::uint32_t line, TestCase& test) const {
    if (HasFailed(test)) {
      Location found = FindLocation(test.details);
      found = found.line != 0 ? found : FindLocation(test.message);
      if (found.line != 0) {
        test.file = Relative(found.file);
        test.line = found.line;
        return;
      }
    }
    test.file = Relative(Tidy(file, kNameBytesMax));
    test.line = test.file.empty() ? 0 : line;
  }

  std::string Relative(std::string file) const {
    const bool inside = !workspace_.empty() && file.size() > workspace_.size() + 1 &&
                        file.starts_with(workspace_) && file[workspace_.size()] == '/';
    return inside ? file.substr(workspace_.size() + 1) : file;
  }

  void Count(const TestCase& test) {
    model::TestTotals& totals = results_.totals;
    ++totals.tests;
    totals.failed += HasFailed(test) ? 1 : 0;
    totals.skipped += test.outcome == TestOutcome::kSkipped ? 1 : 0;
    totals.took += test.took;
  }

  std::string_view path_;
  std::string_view workspace_;
  model::TestResults& results_;
  bool told_depth_ = false;
};

std::string WhyUnread(const pugi::xml_parse_result& parsed, std::string_view head) {
  if (parsed.status == pugi::status_out_of_memory) {
    return fmt::format("would take more than {} MiB to read", kTreeBytesMax >> 20);
  }
  if (parsed.status == pugi::status_no_document_element) {
    return "holds nothing";
  }
  const auto offset = static_cast<std::size_t>(std::max<std::ptrdiff_t>(parsed.offset, 0));
  const std::string_view before = head.substr(0, std::min(offset, head.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  return fmt::format("is not XML: line {}: {}", line, parsed.description());
}

}  // namespace

void AddProblem(std::string problem, model::TestResults& results) {
  ++results.totals.problems;
  if (results.problems.size() < kProblemsMax) {
    results.problems.push_back(std::move(problem));
  }
}

void AddJUnit(std::string_view path, std::string content, std::string_view workspace,
              model::TestResults& results) {
  if (content.size() > kReportBytesMax) {
    return AddProblem(
        fmt::format("{}: has {} bytes; the most are {}", path, content.size(), kReportBytesMax),
        results);
  }
  BoundTrees();
  pugi::xml_document document;
  const unsigned flags = pugi::parse_cdata | pugi::parse_escapes | pugi::parse_eol;
  // Not in place: what is wrong is told with the line, for which the text is needed as it was.
  const pugi::xml_parse_result parsed = document.load_buffer(content.data(), content.size(), flags);
  if (!parsed) {
    return AddProblem(fmt::format("{}: {}", path, WhyUnread(parsed, content)), results);
  }
  Walker(path, workspace, results).Walk(document);
}

Location FindLocation(std::string_view text) {
  for (std::size_t at = text.find(':'); at != std::string_view::npos; at = text.find(':', at + 1)) {
    std::size_t begin = at;
    while (begin > 0 && IsPathCharacter(text[begin - 1])) {
      --begin;
    }
    const std::string_view file = text.substr(begin, at - begin);
    const std::size_t end = std::min(text.find_first_not_of("0123456789", at + 1), text.size());
    const std::string_view digits = text.substr(at + 1, end - at - 1);
    const bool is_line = !digits.empty() && digits.size() < 8;
    // A time or an address has no letter after a dot.
    const std::size_t dot = file.rfind('.');
    const bool is_file = file.size() < kNameBytesMax && dot != std::string_view::npos && dot > 0 &&
                         dot + 1 < file.size() &&
                         std::isalpha(static_cast<unsigned char>(file[dot + 1])) != 0 &&
                         file.substr(0, 2) != "//";
    if (is_line && is_file) {
      return {std::string(file), LineOf(digits)};
    }
  }
  return {};
}

}  // namespace agents::reports

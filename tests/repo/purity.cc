// SPDX-License-Identifier: Apache-2.0
#include "tests/repo/purity.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>

#include <fmt/format.h>

#include "tests/repo/code_text.h"
#include "tests/repo/search.h"

namespace tests::repo {
namespace {

struct Ban {
  const char* pattern;  ///< RE2, searched in code without comments and literals
  const char* replacement;
};

constexpr std::array kPureBans = {
    Ban{R"(\b(system|steady|high_resolution)_clock\b)",
        "take `now` (base::Instant) as an argument"},
    Ban{R"(\b(clock_gettime|gettimeofday|localtime|gmtime|mktime)\s*\()",
        "take `now` (base::Instant) as an argument"},
    Ban{R"(\btime\s*\(\s*(nullptr|NULL|0|&))", "take `now` (base::Instant) as an argument"},
    Ban{R"(\brandom_device\b|\bmt19937|\b(s?rand|random|getrandom|arc4random)\s*\()",
        "use base::Random with a seed, or base::StableHash of an id"},
    Ban{R"(#include <(thread|mutex|shared_mutex|condition_variable|future|semaphore|latch|barrier|stop_token)>)",
        "threads and locks belong to engine/loop and the adapters"},
    Ban{R"(\bstd::(j?thread|mutex|lock_guard|unique_lock|scoped_lock|atomic|async)\b)",
        "threads and locks belong to engine/loop and the adapters"},
    Ban{R"(#include <(fstream|iostream|filesystem|cstdio|unistd\.h|fcntl\.h|sys/[a-z]+\.h)>)",
        "I/O belongs behind a seam of engine/ports"},
    Ban{R"(\b(fopen|fread|fwrite|printf|fprintf|puts)\s*\(|\bstd::(cout|cerr|clog|ifstream|ofstream)\b)",
        "I/O belongs behind a seam of engine/ports"},
    Ban{R"(\bspdlog\b|#include "engine/base/log\.h")",
        "return a typed reason or a refusal instead of logging"},
    Ban{R"(\b(secure_)?getenv\s*\()", "pass the value in"},
    Ban{R"(\bthrow\b)", "return absl::Status through engine/base/status.h"},
};

constexpr std::array kTestBans = {
    Ban{R"(\bsleep_(for|until)\b|\b(u|nano)?sleep\s*\()",
        "wait for the thing itself: a descriptor, a condition, the fake clock"},
};

constexpr std::array kBansEverywhere = {
    Ban{R"(\bstd::format\b|#include <format>)", "fmt::format (g++ 12 has no std::format)"},
    Ban{R"(#include <source_location>)",
        "CHECK, which knows its place (clang-tidy 14 cannot read it)"},
    Ban{R"(\bviews::|#include <ranges>)",
        "a loop or std::ranges::sort and its like (clang-tidy 14)"},
    Ban{R"(#include <boost/asio\.hpp>|#include <boost/beast\.hpp>)",
        "the narrow header: the umbrella costs seconds a file"},
};

constexpr Ban kWaitForAny = {
    R"(\bwaitpid\s*\(\s*-1\b|\bwait\s*\(\s*(nullptr|NULL|&)|\bwaitid\s*\(\s*P_ALL)",
    "wait for one process, by its pidfd: waiting for any steals another's exit"};

constexpr Ban kOwnStringView = {R"(\babsl::string_view\b)",
                                "std::string_view; engine/base/status.h converts"};

constexpr std::array kPureFolders = {"engine/base/",  "engine/model/",     "engine/expr/",
                                     "engine/graph/", "engine/placement/", "engine/core/",
                                     "agents/core/"};

/// The process's own diagnostics live in base, for those who may log.
constexpr std::array kNotPure = {"engine/base/log.h", "engine/base/log.cc", "engine/base/check.cc"};

bool IsPure(std::string_view path) {
  return !path.ends_with("_test.cc") &&
         std::find(kNotPure.begin(), kNotPure.end(), path) == kNotPure.end() &&
         std::any_of(kPureFolders.begin(), kPureFolders.end(),
                     [&](std::string_view folder) { return path.starts_with(folder); });
}

/// Includes are blanked with the literals, so they are looked at in the text itself.
std::string CodeWithIncludes(const SourceFile& file) {
  std::string code;
  const std::string blank = BlankCommentsAndLiterals(file.text);
  const auto blanked = SplitLines(blank);
  const auto written = SplitLines(file.text);
  for (std::size_t i = 0; i < blanked.size(); ++i) {
    code.append(blanked[i].starts_with("#include") ? written[i] : blanked[i]).append("\n");
  }
  return code;
}

/// Compiling a pattern costs more than searching a file with it.
const re2::RE2& Compiled(const std::string& pattern) {
  static std::map<std::string, re2::RE2> compiled;
  return compiled.try_emplace(pattern, pattern).first->second;
}

void Search(const SourceFile& file, std::string_view code, const Ban& ban, Findings& findings) {
  const re2::RE2& pattern = Compiled(ban.pattern);
  std::size_t number = 0;
  for (const std::string_view line : SplitLines(code)) {
    ++number;
    const std::string_view match = FirstMatch(line, pattern);
    if (match.data() != nullptr) {
      findings.push_back(
          {file.path, number, fmt::format("`{}` is banned here: {}", match, ban.replacement)});
    }
  }
}

/// Names declared as a hash container anywhere in the pure folders: walking one is a decision by
/// hash order.
std::set<std::string> HashContainers(const Tree& tree) {
  static const re2::RE2 declaration(R"(\bunordered_\w+<[^;(){}]*>\s*&?\s*(\w+)\s*[;={])");
  std::set<std::string> names;
  for (const SourceFile& file : tree.files) {
    if (!IsSource(file.path) || !IsPure(file.path)) {
      continue;
    }
    const std::string code = BlankCommentsAndLiterals(file.text);
    const std::vector<std::string> declared = GroupOfAllMatches(code, declaration);
    names.insert(declared.begin(), declared.end());
  }
  return names;
}

}  // namespace

Findings CheckPurity(const Tree& tree) {
  Findings findings;
  const std::set<std::string> hashed = HashContainers(tree);
  for (const SourceFile& file : tree.files) {
    if (!IsSource(file.path) || !IsPure(file.path)) {
      continue;
    }
    const std::string code = CodeWithIncludes(file);
    for (const Ban& ban : kPureBans) {
      Search(file, code, ban, findings);
    }
    for (const std::string& name : hashed) {
      const std::string walk = fmt::format(R"(:\s*\w*(\.|->)?{0}\s*\)|\b{0}\.c?begin\s*\()", name);
      Search(file, code, {walk.c_str(), "walk a std::map or a sorted vector"}, findings);
    }
  }
  return findings;
}

Findings CheckBannedCalls(const Tree& tree) {
  Findings findings;
  for (const SourceFile& file : tree.files) {
    if (!IsSource(file.path)) {
      continue;
    }
    const std::string code = CodeWithIncludes(file);
    for (const Ban& ban : kBansEverywhere) {
      Search(file, code, ban, findings);
    }
    if (!file.path.starts_with("engine/base/status.")) {
      Search(file, code, kOwnStringView, findings);
    }
    if (IsTest(file.path)) {
      for (const Ban& ban : kTestBans) {
        Search(file, code, ban, findings);
      }
    } else if (!file.path.starts_with("executors/sandboxes/keeper")) {
      // A keeper is the reaper of all that its steps leave; collecting everybody is its work.
      Search(file, code, kWaitForAny, findings);
    }
  }
  return findings;
}

}  // namespace tests::repo

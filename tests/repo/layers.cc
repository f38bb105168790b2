// SPDX-License-Identifier: Apache-2.0
#include "tests/repo/layers.h"

#include <algorithm>
#include <array>
#include <functional>
#include <vector>

#include <fmt/format.h>

#include "tests/repo/code_text.h"

namespace tests::repo {
namespace {

std::string_view Trim(std::string_view text) {
  const std::size_t from = text.find_first_not_of(' ');
  return from == std::string_view::npos ? std::string_view()
                                        : text.substr(from, text.find_last_not_of(' ') - from + 1);
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(Trim(text.substr(0, end)));
    if (end == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

/// `engine/{base,model}` is two folders; what has no braces is itself.
std::vector<std::string> ExpandBraces(std::string_view text) {
  const std::size_t open = text.find('{');
  const std::size_t close = text.find('}');
  if (open == std::string_view::npos || close == std::string_view::npos) {
    return {std::string(text)};
  }
  std::vector<std::string> names;
  for (const std::string_view part : Split(text.substr(open + 1, close - open - 1), ',')) {
    names.push_back(fmt::format("{}{}{}", text.substr(0, open), part, text.substr(close + 1)));
  }
  return names;
}

/// The texts between pairs of backticks.
std::vector<std::string> Quoted(std::string_view cell) {
  std::vector<std::string> names;
  const std::vector<std::string_view> parts = Split(cell, '`');
  for (std::size_t i = 1; i < parts.size(); i += 2) {
    for (std::string& name : ExpandBraces(parts[i])) {
      names.push_back(std::move(name));
    }
  }
  return names;
}

Layer ParseLayer(std::string_view may_include, std::string_view third_parties) {
  Layer layer;
  layer.any_of_ours = may_include == "anything";
  for (std::string& name : Quoted(may_include)) {
    layer.may_include.insert(std::move(name));
  }
  layer.any_third_party = third_parties == "anything";
  if (!layer.any_third_party && !third_parties.empty()) {
    for (const std::string_view name : Split(third_parties, ',')) {
      layer.third_parties.emplace(name);
    }
  }
  return layer;
}

struct KnownHeader {
  std::string_view prefix;
  std::string_view third_party;
};

/// Longest prefix first where one contains another.
constexpr std::array kKnownHeaders = {
    KnownHeader{"absl/", "absl"},
    KnownHeader{"benchmark/", "benchmark"},
    KnownHeader{"boost/asio", "asio"},
    KnownHeader{"boost/system/", "asio"},
    KnownHeader{"boost/graph/", "boost-graph"},
    KnownHeader{"boost/property_map/", "boost-graph"},
    KnownHeader{"boost/range/", "boost-graph"},
    KnownHeader{"boost/iterator/", "boost-graph"},
    KnownHeader{"CLI/", "cli11"},
    KnownHeader{"fmt/", ""},
    KnownHeader{"git2", "libgit2"},
    KnownHeader{"gmock/", "gtest"},
    KnownHeader{"google/protobuf/", "protobuf"},
    KnownHeader{"grpc/", "grpc"},
    KnownHeader{"grpcpp/", "grpc"},
    KnownHeader{"gtest/", "gtest"},
    KnownHeader{"archive.h", "libarchive"},
    KnownHeader{"archive_entry.h", "libarchive"},
    KnownHeader{"libpq-fe.h", "libpqxx"},
    KnownHeader{"nlohmann/", "nlohmann-json"},
    KnownHeader{"pugixml.hpp", "pugixml"},
    KnownHeader{"openssl/", "openssl"},
    KnownHeader{"pqxx/", "libpqxx"},
    KnownHeader{"re2/", "re2"},
    KnownHeader{"spdlog/", "spdlog"},
    KnownHeader{"sqlite3.h", "sqlite"},
    KnownHeader{"yaml-cpp/", "yaml-cpp"},
    KnownHeader{"zlib.h", "zlib"},
    KnownHeader{"zstd.h", "zstd"},
};

constexpr std::array kSystemFolders = {"sys/", "linux/", "netinet/", "arpa/", "asm/", "net/"};
constexpr std::array kSystemHeaders = {
    "dirent.h",    "errno.h",     "fcntl.h",    "fnmatch.h", "getopt.h", "glob.h",      "grp.h",
    "immintrin.h", "immintrin.h", "langinfo.h", "limits.h",  "locale.h", "malloc.h",    "netdb.h",
    "poll.h",      "pthread.h",   "pty.h",      "pwd.h",     "sched.h",  "semaphore.h", "signal.h",
    "spawn.h",     "stdint.h",    "stdio.h",    "stdlib.h",  "string.h", "strings.h",   "syscall.h",
    "termios.h",   "time.h",      "unistd.h",   "utime.h",   "wchar.h"};

bool IsSystemHeader(std::string_view header) {
  return header.find_first_of("./") == std::string_view::npos ||
         std::any_of(kSystemFolders.begin(), kSystemFolders.end(),
                     [&](std::string_view folder) { return header.starts_with(folder); }) ||
         std::find(kSystemHeaders.begin(), kSystemHeaders.end(), header) != kSystemHeaders.end();
}

std::optional<std::string> ComplaintAboutOurs(const Layers& layers, const Include& include,
                                              bool is_test, const std::string& from) {
  if (include.path.find('/') == std::string::npos) {
    // A generated header stands beside its source and is included by its own name.
    return include.path.ends_with(".pb.h")
               ? std::nullopt
               : std::optional<std::string>("write the include from the top of the repository");
  }
  const std::optional<std::string> to = LayerOf(layers, include.path);
  if (!to) {
    return fmt::format("{} lies in a folder without a row in ARCHITECTURE.md", include.path);
  }
  const Layer& layer = layers.find(from)->second;
  if (*to == from || layer.any_of_ours || layer.may_include.contains(*to) || is_test) {
    return std::nullopt;
  }
  return fmt::format("{} may not include {} (ARCHITECTURE.md)", from, *to);
}

/// Headers that only tests include, directly or through each other: fixtures and tables of cases.
std::set<std::string, std::less<>> HeadersOfTests(const Tree& tree) {
  std::map<std::string, std::vector<std::string>, std::less<>> includers;
  for (const SourceFile& file : tree.files) {
    if (IsSource(file.path)) {
      for (const Include& include : IncludesOf(file.text)) {
        includers[include.path].push_back(file.path);
      }
    }
  }
  std::set<std::string, std::less<>> found;
  for (bool grown = true; grown;) {
    grown = false;
    for (const auto& [header, paths] : includers) {
      const bool only_tests = std::all_of(paths.begin(), paths.end(), [&](const auto& path) {
        return IsTest(path) || found.contains(path);
      });
      grown = (only_tests && found.insert(header).second) || grown;
    }
  }
  return found;
}

std::optional<std::string> ComplaintAboutOthers(const Layer& layer, const Include& include,
                                                bool is_test, const std::string& from) {
  const std::optional<std::string> name = ThirdPartyOf(include.path);
  if (!name) {
    return fmt::format("<{}> belongs to no third party known to tests/repo/layers.cc",
                       include.path);
  }
  if (name->empty() || layer.any_third_party || layer.third_parties.contains(*name) ||
      (*name == "gtest" && is_test)) {
    return std::nullopt;
  }
  return fmt::format("{} may not include {} (<{}>); ARCHITECTURE.md says which folder does", from,
                     *name, include.path);
}

}  // namespace

Layers ParseLayers(std::string_view document) {
  Layers layers;
  bool inside = false;
  for (const std::string_view line : SplitLines(document)) {
    if (line.starts_with("| folder | is | may include | third parties |")) {
      inside = true;
      continue;
    }
    if (!inside || line.starts_with("|---")) {
      continue;
    }
    const std::vector<std::string_view> cells = Split(line, '|');
    if (cells.size() < 6) {
      break;
    }
    for (const std::string& folder : Quoted(cells[1])) {
      layers[folder] = ParseLayer(cells[3], cells[4]);
    }
  }
  return layers;
}

std::optional<std::string> LayerOf(const Layers& layers, std::string_view path) {
  for (std::string_view folder = FolderOf(path); !folder.empty(); folder = FolderOf(folder)) {
    if (layers.find(folder) != layers.end()) {
      return std::string(folder);
    }
  }
  return std::nullopt;
}

std::optional<std::string> ThirdPartyOf(std::string_view header) {
  if (IsSystemHeader(header)) {
    return "";
  }
  for (const KnownHeader& known : kKnownHeaders) {
    if (header.starts_with(known.prefix)) {
      return std::string(known.third_party);
    }
  }
  return std::nullopt;
}

Findings CheckLayers(const Tree& tree, const Layers& layers) {
  Findings findings;
  const auto headers_of_tests = HeadersOfTests(tree);
  for (const SourceFile& file : tree.files) {
    if (!IsSource(file.path)) {
      continue;
    }
    const bool is_test = IsTest(file.path) || headers_of_tests.contains(file.path);
    const std::optional<std::string> from = LayerOf(layers, file.path);
    if (!from) {
      findings.push_back({file.path, 0, "its folder has no row in ARCHITECTURE.md"});
      continue;
    }
    for (const Include& include : IncludesOf(file.text)) {
      const auto complaint =
          include.ours ? ComplaintAboutOurs(layers, include, is_test, *from)
                       : ComplaintAboutOthers(layers.find(*from)->second, include, is_test, *from);
      if (complaint) {
        findings.push_back({file.path, include.line, *complaint});
      }
    }
  }
  return findings;
}

Findings CheckCycles(const Layers& layers) {
  Findings findings;
  enum class Mark { kInProgress, kDone };
  std::map<std::string, Mark, std::less<>> marks;
  std::vector<std::string> path;
  const std::function<void(const std::string&)> visit = [&](const std::string& folder) {
    const auto layer = layers.find(folder);
    if (layer == layers.end()) {
      findings.push_back({"ARCHITECTURE.md", 0, fmt::format("no row for {}", folder)});
      return;
    }
    const auto mark = marks.find(folder);
    if (mark != marks.end()) {
      if (mark->second == Mark::kInProgress) {
        findings.push_back({"ARCHITECTURE.md", 0,
                            fmt::format("cycle: {} -> {}", fmt::join(path, " -> "), folder)});
      }
      return;
    }
    marks[folder] = Mark::kInProgress;
    path.push_back(folder);
    for (const std::string& next : layer->second.may_include) {
      visit(next);
    }
    path.pop_back();
    marks[folder] = Mark::kDone;
  };
  for (const auto& [folder, layer] : layers) {
    visit(folder);
  }
  return findings;
}

}  // namespace tests::repo

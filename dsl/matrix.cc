// SPDX-License-Identifier: Apache-2.0
#include "dsl/matrix.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "dsl/values.h"

namespace dsl {
namespace {

using engine::model::JsonText;

/// Comparisons that `include` and `exclude` may cost.
constexpr std::uint64_t kComparisonsMax = 50'000'000;

struct Axis {
  std::string_view name;
  std::vector<NodeRef> values;
  std::vector<std::string> comparable;  // equal values are equal texts
};

/// An entry of `include` or `exclude`: what it says about axes, and the rest.
struct Pattern {
  NodeRef node;
  std::vector<std::pair<std::size_t, std::string>> axes;  // position, comparable value
  std::vector<Entry> entries;
};

/// A combination of axis values, and what `include` added to it.
struct Cell {
  std::vector<std::uint32_t> choice;  // of each axis; empty: made by `include` alone
  std::map<std::string_view, NodeRef> added;
};

class Expansion {
 public:
  explicit Expansion(Compilation& compilation) : compilation_(compilation) {}
  CompiledMatrix Run(NodeRef node);

 private:
  Reporter& reporter() { return compilation_.reporter; }
  void ReadAxis(const Entry& entry);
  void ReadValue(NodeRef value, Axis& axis);
  std::vector<Pattern> ReadPatterns(NodeRef list, std::string_view what);
  bool WithinLimits(NodeRef node, std::size_t patterns);
  void Multiply();
  void Exclude(const std::vector<Pattern>& patterns);
  void Include(const std::vector<Pattern>& patterns);
  bool Matches(const Cell& cell, const Pattern& pattern) const;
  bool IsAxis(std::string_view name) const;
  std::vector<std::string> KeysWith(const std::vector<Pattern>& includes) const;
  std::vector<JsonText> ValuesOf(const Cell& cell, const std::vector<std::string>& keys) const;
  void CheckDistinct(const CompiledMatrix& matrix, NodeRef node);

  Compilation& compilation_;
  std::vector<Axis> axes_;
  std::vector<Cell> cells_;
  bool failed_ = false;
};

/// `3.10` reads as the number 3.1, which no one who writes it means.
void WarnSpelling(NodeRef value, Reporter& reporter) {
  const std::optional<double> number = NumberOf(value);
  const std::string_view text = value.text();
  if (!number || text.find('.') == std::string_view::npos ||
      text.find_first_of("eE") != std::string_view::npos) {
    return;
  }
  const std::string shown = fmt::format("{}", *number);
  if (shown != text) {
    reporter
        .Warning("number-spelling", value.place(),
                 fmt::format("`{}` is the number {}", text, shown))
        .hint = fmt::format("quote it to keep it as it is written: \"{}\"", text);
  }
}

/// A matrix is known before the run, so nothing in it can be evaluated.
void RefuseExpressions(NodeRef value, std::string_view what, Reporter& reporter) {
  if (JsonOf(value).find("${{") != std::string::npos) {
    reporter
        .Error("expression-not-here", value.place(),
               fmt::format("`{}` takes no expression: it must be known before a run", what))
        .hint = "values known only at run time are `for_each`";
  }
}

void Expansion::ReadValue(NodeRef value, Axis& axis) {
  std::string comparable = ComparableOf(value);
  const auto same = std::find(axis.comparable.begin(), axis.comparable.end(), comparable);
  if (same != axis.comparable.end()) {
    const auto first = static_cast<std::size_t>(same - axis.comparable.begin());
    reporter()
        .Error("duplicate-value", value.place(),
               fmt::format("the axis `{}` has this value twice", axis.name))
        .related.push_back(Related(axis.values[first].place(), "first here"));
    failed_ = true;
  }
  WarnSpelling(value, reporter());
  RefuseExpressions(value, axis.name, reporter());
  axis.values.push_back(value);
  axis.comparable.push_back(std::move(comparable));
}

void Expansion::ReadAxis(const Entry& entry) {
  Axis axis{entry.key.text(), {}, {}};
  if (!IsWord(axis.name)) {
    reporter()
        .Error("bad-name", entry.key.place(), fmt::format("`{}` is no name for an axis", axis.name))
        .hint = "a name has letters, digits, `_` and `-`, and begins with a letter or `_`";
    failed_ = true;
  }
  if (!entry.value.is_sequence() || entry.value.size() == 0) {
    const NodeRef at = entry.value.is_null() ? entry.key : entry.value;
    Diagnostic& diagnostic = reporter().Error(
        entry.value.is_sequence() ? "empty-axis" : "wrong-type", at.place(),
        fmt::format("the axis `{}` takes a list of values, not {}", axis.name,
                    entry.value.is_sequence() ? "an empty one" : Describe(entry.value.kind())));
    diagnostic.hint = ForeignKeyHint(Level::kMatrix, axis.name);
    if (entry.value.text().find("${{") != std::string_view::npos) {
      diagnostic.hint = "values known only at run time are `for_each`";
    }
    failed_ = true;
    return;
  }
  if (entry.value.size() > compilation_.options.jobs_max) {
    reporter().Error("matrix-too-large", entry.value.place(),
                     fmt::format("the axis `{}` has {} values; a run holds at most {} jobs",
                                 axis.name, entry.value.size(), compilation_.options.jobs_max));
    failed_ = true;
    return;
  }
  for (std::uint32_t i = 0; i < entry.value.size(); ++i) {
    ReadValue(entry.value[i], axis);
  }
  axes_.push_back(std::move(axis));
}

std::vector<Pattern> Expansion::ReadPatterns(NodeRef list, std::string_view what) {
  std::vector<Pattern> patterns;
  for (std::uint32_t i = 0; list && i < list.size(); ++i) {
    if (!list[i].is_map() || list[i].entries() == 0) {
      reporter().Error("wrong-type", list[i].place(),
                       fmt::format("`{}` takes maps, not {}", what,
                                   list[i].is_map() ? "an empty one" : Describe(list[i].kind())));
      failed_ = true;
      continue;
    }
    Pattern pattern{list[i], {}, EntriesOf(list[i], reporter())};
    for (const Entry& entry : pattern.entries) {
      RefuseExpressions(entry.value, entry.key.text(), reporter());
      const auto axis = std::find_if(axes_.begin(), axes_.end(), [&](const Axis& known) {
        return known.name == entry.key.text();
      });
      if (axis != axes_.end()) {
        pattern.axes.emplace_back(axis - axes_.begin(), ComparableOf(entry.value));
      } else if (what == "exclude" && !failed_) {
        reporter().Warning(
            "unknown-matrix-key", entry.key.place(),
            fmt::format("no axis is called `{}`, so nothing is excluded here", entry.key.text()));
      } else if (what == "include" && !IsWord(entry.key.text())) {
        reporter().Error("bad-name", entry.key.place(),
                         fmt::format("`{}` is no name for a matrix key", entry.key.text()));
      }
    }
    patterns.push_back(std::move(pattern));
  }
  return patterns;
}

bool Expansion::WithinLimits(NodeRef node, std::size_t patterns) {
  std::uint64_t count = axes_.empty() ? 0 : 1;
  for (const Axis& axis : axes_) {
    const std::uint64_t size = axis.values.size();
    count = count > std::numeric_limits<std::uint64_t>::max() / size
                ? std::numeric_limits<std::uint64_t>::max()
                : count * size;
  }
  const std::uint64_t limit = compilation_.options.jobs_max;
  if (count > limit || patterns > limit) {
    reporter()
        .Error("matrix-too-large", node.place(),
               fmt::format(
                   "the matrix has {}{} cells; a run holds at most {} jobs",
                   count > 1'000'000'000 ? "more than " : "",
                   std::min<std::uint64_t>(std::max<std::uint64_t>(count, patterns), 1'000'000'000),
                   limit))
        .hint = "`exclude` comes after the multiplication; use fewer values or split the job";
    return false;
  }
  if (count * patterns > kComparisonsMax) {
    reporter().Error("matrix-too-large", node.place(),
                     fmt::format("{} cells times {} entries of `include` and `exclude` are more "
                                 "than {} comparisons",
                                 count, patterns, kComparisonsMax));
    return false;
  }
  return true;
}

void Expansion::Multiply() {
  if (axes_.empty()) {
    return;
  }
  Cell cell;
  cell.choice.assign(axes_.size(), 0);
  for (bool more = true; more;) {
    cells_.push_back(cell);
    more = false;
    for (std::size_t axis = axes_.size(); axis-- > 0 && !more;) {
      more = ++cell.choice[axis] < axes_[axis].values.size();
      cell.choice[axis] = more ? cell.choice[axis] : 0;
    }
  }
}

bool Expansion::Matches(const Cell& cell, const Pattern& pattern) const {
  return std::all_of(pattern.axes.begin(), pattern.axes.end(), [&](const auto& wanted) {
    return axes_[wanted.first].comparable[cell.choice[wanted.first]] == wanted.second;
  });
}

void Expansion::Exclude(const std::vector<Pattern>& patterns) {
  std::vector<bool> excluded(cells_.size(), false);
  for (const Pattern& pattern : patterns) {
    std::size_t matched = 0;
    std::size_t fresh = 0;
    const bool can_match = pattern.axes.size() == pattern.entries.size();
    for (std::size_t i = 0; can_match && i < cells_.size(); ++i) {
      if (Matches(cells_[i], pattern)) {
        ++matched;
        fresh += excluded[i] ? 0 : 1;
        excluded[i] = true;
      }
    }
    if (can_match && matched == 0) {
      reporter().Warning("exclude-matches-nothing", pattern.node.place(),
                         "no cell has these values, so nothing is excluded here");
    } else if (can_match && fresh == 0) {
      reporter().Warning("excluded-twice", pattern.node.place(),
                         "what this excludes is excluded already");
    }
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    if (!excluded[i]) {
      std::swap(cells_[kept++], cells_[i]);
    }
  }
  cells_.resize(kept);
}

void Expansion::Include(const std::vector<Pattern>& patterns) {
  const std::size_t combinations = cells_.size();
  for (const Pattern& pattern : patterns) {
    bool merged = false;
    for (std::size_t i = 0; i < combinations; ++i) {
      if (!Matches(cells_[i], pattern)) {
        continue;
      }
      merged = true;
      for (const Entry& entry : pattern.entries) {
        if (!IsAxis(entry.key.text())) {
          cells_[i].added[entry.key.text()] = entry.value;
        }
      }
    }
    if (!merged) {
      Cell& cell = cells_.emplace_back();
      for (const Entry& entry : pattern.entries) {
        cell.added[entry.key.text()] = entry.value;
      }
    }
  }
}

bool Expansion::IsAxis(std::string_view name) const {
  return std::any_of(axes_.begin(), axes_.end(),
                     [&](const Axis& axis) { return axis.name == name; });
}

std::vector<std::string> Expansion::KeysWith(const std::vector<Pattern>& includes) const {
  std::vector<std::string> keys;
  std::set<std::string_view> seen;
  const auto add = [&](std::string_view key) {
    if (seen.insert(key).second) {
      keys.emplace_back(key);
    }
  };
  for (const Axis& axis : axes_) {
    add(axis.name);
  }
  for (const Pattern& pattern : includes) {
    for (const Entry& entry : pattern.entries) {
      add(entry.key.text());
    }
  }
  return keys;
}

std::vector<JsonText> Expansion::ValuesOf(const Cell& cell,
                                          const std::vector<std::string>& keys) const {
  std::vector<JsonText> values(keys.size());
  for (std::size_t i = 0; i < cell.choice.size(); ++i) {
    values[i] = JsonOf(axes_[i].values[cell.choice[i]]);
  }
  if (!cell.added.empty()) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (const auto found = cell.added.find(keys[i]); found != cell.added.end()) {
        values[i] = JsonOf(found->second);
      }
    }
  }
  return values;
}

/// Cells are known by their values, as text: `1` and `"1"` would be one name.
void Expansion::CheckDistinct(const CompiledMatrix& matrix, NodeRef node) {
  std::vector<std::string> names;
  names.reserve(matrix.cells.size());
  for (const std::vector<JsonText>& cell : matrix.cells) {
    std::string name;
    for (const JsonText& value : cell) {
      const bool quoted =
          value.size() > 1 && value.front() == '"' && value.find('\\') == std::string::npos;
      const std::string_view text(value);
      name += value.empty() || name.empty() ? "" : ", ";
      name += quoted ? text.substr(1, text.size() - 2) : text;
    }
    names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) {
    reporter().Error("duplicate-cell", node.place(),
                     fmt::format("two cells have the same name [{}]", *twice));
  }
}

CompiledMatrix Expansion::Run(NodeRef node) {
  CompiledMatrix matrix;
  std::vector<Entry> axes;
  const Fields fields =
      Fields::CheckOpen(node, Level::kMatrix, compilation_.options.purpose, reporter(), axes);
  auto spec = std::make_unique<engine::model::MatrixSpec>();
  spec->max_parallel = static_cast<std::uint32_t>(
      ReadInteger(fields.Get("max_parallel"), "max_parallel", 1, 1'000'000, reporter())
          .value_or(0));
  spec->fail_fast = ReadBoolean(fields.Get("fail_fast"), "fail_fast", reporter()).value_or(true);
  for (const Entry& entry : axes) {
    ReadAxis(entry);
  }
  const std::vector<Pattern> excludes = ReadPatterns(fields.Get("exclude"), "exclude");
  const std::vector<Pattern> includes = ReadPatterns(fields.Get("include"), "include");
  spec->keys = KeysWith(includes);
  matrix.spec = std::move(spec);
  if (failed_ || !WithinLimits(node, excludes.size() + includes.size())) {
    return matrix;
  }
  Multiply();
  Exclude(excludes);
  Include(includes);
  if (cells_.empty()) {
    reporter().Error("empty-matrix", node.place(), "the matrix has no cells");
  }
  matrix.cells.reserve(cells_.size());
  for (const Cell& cell : cells_) {
    matrix.cells.push_back(ValuesOf(cell, matrix.spec->keys));
  }
  CheckDistinct(matrix, node);
  return matrix;
}

}  // namespace

CompiledMatrix CompileMatrix(NodeRef node, Compilation& compilation) {
  return Expansion(compilation).Run(node);
}

CompiledMatrix CompileParallel(NodeRef node, Compilation& compilation) {
  CompiledMatrix matrix;
  matrix.spec = std::make_unique<engine::model::MatrixSpec>();
  matrix.spec->keys = {"index", "total"};
  const auto count =
      ReadInteger(node, "parallel", 1, compilation.options.jobs_max, compilation.reporter);
  for (std::int64_t i = 1; i <= count.value_or(0); ++i) {
    matrix.cells.push_back({fmt::format("{}", i), fmt::format("{}", *count)});
  }
  return matrix;
}

CompiledMatrix CompileForEach(NodeRef node, const JobNames& names, Compilation& compilation) {
  CompiledMatrix matrix;
  matrix.spec = std::make_unique<engine::model::MatrixSpec>();
  matrix.spec->keys = {"value", "index", "name"};
  matrix.cells.emplace_back(matrix.spec->keys.size());
  engine::model::EachSpec& each = matrix.spec->each.emplace();
  NodeRef list = node;
  if (node.is_map()) {
    const Fields fields = compilation.Check(node, Level::kForEach);
    Reporter& reporter = compilation.reporter;
    matrix.spec->max_parallel = static_cast<std::uint32_t>(
        ReadInteger(fields.Get("max_parallel"), "max_parallel", 1, 1'000'000, reporter)
            .value_or(0));
    matrix.spec->fail_fast =
        ReadBoolean(fields.Get("fail_fast"), "fail_fast", reporter).value_or(true);
    list = fields.Get("values");
    if (!list && fields.Lacks("values")) {
      reporter.Error("missing-key", node.place(), "`for_each` has no `values`").hint =
          "for example `for_each: { values: \"${{ fromJSON(needs.list.outputs.names) }}\" }`";
    }
  }
  if (list) {
    engine::model::Condition read = ReadList(list, &names, compilation);
    each.list = std::move(read.text);
    each.at = read.at;
  }
  return matrix;
}

}  // namespace dsl

// SPDX-License-Identifier: Apache-2.0
#include "dsl/fields.h"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "dsl/value_check.h"
#include "engine/base/did_you_mean.h"

namespace dsl {
namespace {

constexpr std::string_view kMergeKey = "<<";

void AddMerged(NodeRef source, std::vector<Entry>& entries,
               std::unordered_set<std::string_view>& seen, Reporter& reporter);

/// The value of `<<`: a map or a list of maps, earlier ones first.
void AddMergeValue(NodeRef value, std::vector<Entry>& entries,
                   std::unordered_set<std::string_view>& seen, Reporter& reporter) {
  if (value.is_map()) {
    AddMerged(value, entries, seen, reporter);
    return;
  }
  bool all_maps = value.is_sequence();
  for (std::uint32_t i = 0; i < value.size(); ++i) {
    all_maps = all_maps && value[i].is_map();
    if (value[i].is_map()) {
      AddMerged(value[i], entries, seen, reporter);
    }
  }
  if (!all_maps) {
    reporter
        .Error("bad-merge", value.place(),
               fmt::format("`<<` takes a map or a list of maps, not {}", Describe(value.kind())))
        .hint = "write `<<: *anchor` where the anchor names a map";
  }
}

void AddMerged(NodeRef source, std::vector<Entry>& entries,
               std::unordered_set<std::string_view>& seen, Reporter& reporter) {
  NodeRef merge;
  for (std::uint32_t i = 0; i < source.entries(); ++i) {
    const NodeRef key = source.key(i);
    if (key.text() == kMergeKey && key.plain()) {
      merge = source.value(i);
    } else if (seen.insert(key.text()).second) {
      entries.push_back({key, source.value(i)});
    }
  }
  // A merged map may merge others: the tree's depth, aliases followed, bounds the recursion.
  if (merge) {
    AddMergeValue(merge, entries, seen, reporter);
  }
}

/// Gives what was probably meant, if anything.
const KeyRow* ReportUnknown(NodeRef key, Level level, Reporter& reporter) {
  Diagnostic& diagnostic = reporter.Error(
      "unknown-key", key.place(), fmt::format("{} has no key `{}`", ToText(level), key.text()));
  diagnostic.hint = ForeignKeyHint(level, key.text());
  if (!diagnostic.hint.empty()) {
    return nullptr;
  }
  std::vector<std::string_view> known;
  for (const KeyRow* row : KeysOf(level)) {
    known.push_back(row->key);
  }
  diagnostic.hint = engine::base::DidYouMean(key.text(), known);
  const auto meant = engine::base::NearestOf(key.text(), known);
  return meant ? FindKey(level, *meant) : nullptr;
}

void ReportLater(NodeRef key, const KeyRow& row, Purpose purpose, Reporter& reporter) {
  std::string message = fmt::format("`{}` ({}) comes in a later build", row.key, row.meaning);
  if (purpose == Purpose::kRun) {
    reporter.Error("later-key", key.place(), std::move(message)).hint =
        "take it out to run the pipeline with this build";
  } else {
    reporter.Warning("later-key", key.place(), std::move(message)).hint =
        "`validate` and `plan` leave it out; `run` refuses it";
  }
}

void ReportShape(const Entry& entry, const KeyRow& row, Reporter& reporter) {
  const NodeKind kind = entry.value.kind();
  if (kind == NodeKind::kNull) {
    reporter.Error("empty-value", entry.key.place(), fmt::format("`{}` has no value", row.key))
        .hint = fmt::format("it takes {}, such as `{}: {}`; or leave the key out",
                            Describe(row.type), row.key, row.example);
    return;
  }
  reporter
      .Error("wrong-type", entry.value.place(),
             fmt::format("`{}` takes {}, not {}", row.key, Describe(row.type), Describe(kind)))
      .hint = fmt::format("for example `{}: {}`", row.key, row.example);
}

}  // namespace

std::vector<Entry> EntriesOf(NodeRef map, Reporter& reporter) {
  std::vector<Entry> entries;
  entries.reserve(map.entries());
  bool merges = false;
  for (std::uint32_t i = 0; i < map.entries(); ++i) {
    entries.push_back({map.key(i), map.value(i)});
    merges = merges || (entries.back().key.text() == kMergeKey && entries.back().key.plain());
  }
  if (merges) {
    std::unordered_set<std::string_view> seen;
    entries.clear();
    AddMerged(map, entries, seen, reporter);
  }
  return entries;
}

NodeRef ValueOf(NodeRef map, std::string_view key) {
  for (std::uint32_t i = 0; i < map.entries(); ++i) {
    if (map.key(i).text() == key) {
      return map.value(i);
    }
  }
  for (std::uint32_t i = 0; i < map.entries(); ++i) {
    if (map.key(i).text() != kMergeKey || !map.key(i).plain()) {
      continue;
    }
    const NodeRef merged = map.value(i);
    NodeRef found = ValueOf(merged, key);
    for (std::uint32_t each = 0; each < merged.size() && !found; ++each) {
      found = ValueOf(merged[each], key);
    }
    return found;
  }
  return {};
}

Fields Fields::Check(NodeRef map, Level level, Purpose purpose, Reporter& reporter,
                     const Fields* beneath) {
  std::vector<Entry> others;
  Fields fields = CheckOpen(map, level, purpose, reporter, others, beneath);
  for (const Entry& entry : others) {
    fields.has_unknown_ = true;
    const KeyRow* meant = ReportUnknown(entry.key, level, reporter);
    // Taken for what was meant, so that the mistakes beneath it are told in the same pass.
    if (meant != nullptr && meant->since == Since::kNow && !fields.Wrote(meant->key) &&
        Accepts(meant->type.kind, entry.value.kind())) {
      fields.fields_.push_back({meant, entry.value});
    }
  }
  return fields;
}

Fields Fields::CheckOpen(NodeRef map, Level level, Purpose purpose, Reporter& reporter,
                         std::vector<Entry>& others, const Fields* beneath) {
  Fields fields;
  fields.map_ = map;
  for (const Entry& entry : EntriesOf(map, reporter)) {
    const KeyRow* row = FindKey(level, entry.key.text());
    if (row == nullptr) {
      others.push_back(entry);
      continue;
    }
    const bool is_later = row->since == Since::kLater;
    if (is_later) {
      ReportLater(entry.key, *row, purpose, reporter);
    }
    // In a template an empty value takes away what the template builds on.
    const bool takes_away =
        entry.value.is_null() &&
        (level == Level::kTemplate || (beneath != nullptr && beneath->Wrote(entry.key.text())));
    const bool fits = takes_away || Accepts(row->type.kind, entry.value.kind());
    if (!fits) {
      ReportShape(entry, *row, reporter);
    } else if (is_later) {
      CheckValue(entry.value, *row, true, purpose, reporter);
    }
    fields.fields_.push_back({row, fits && !is_later && !takes_away ? entry.value : NodeRef()});
  }
  return fields;
}

NodeRef Fields::Get(std::string_view key) const {
  for (const Field& field : fields_) {
    if (field.row->key == key) {
      return field.value;
    }
  }
  return {};
}

bool Fields::Wrote(std::string_view key) const {
  return std::any_of(fields_.begin(), fields_.end(),
                     [&](const Field& field) { return field.row->key == key; });
}

}  // namespace dsl

// SPDX-License-Identifier: Apache-2.0
// `on`: which events start the pipeline.
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "dsl/compilation.h"
#include "dsl/cron.h"
#include "dsl/glob.h"
#include "dsl/values.h"
#include "engine/base/did_you_mean.h"

namespace dsl {
namespace {

using engine::model::EventFilter;
using engine::model::Triggers;

std::vector<std::string> ReadGlobs(NodeRef node, std::string_view what, Compilation& compilation) {
  std::vector<std::string> globs;
  bool takes_in = false;
  for (const NodeRef item : ReadScalars(node, what, compilation.reporter)) {
    std::optional<std::string> glob = ReadText(item, what, compilation.reporter);
    if (!glob) {
      continue;
    }
    const bool inverted = glob->starts_with('!');
    if (const auto fault = GlobFault(std::string_view(*glob).substr(inverted ? 1 : 0))) {
      compilation.reporter.Error("bad-glob", item.place(),
                                 fmt::format("not a pattern: {}", *fault));
      takes_in = true;
      continue;
    }
    takes_in = takes_in || !inverted;
    globs.push_back(std::move(*glob));
  }
  if (!globs.empty() && !takes_in) {
    compilation.reporter
        .Error("only-negative-globs", node.place(),
               fmt::format("`{}` only takes out and never takes in", what))
        .hint = "put \"**\" in front, or use the `_ignore` key";
  }
  return globs;
}

struct FilterPair {
  std::string_view key;
  std::string_view ignore_key;
  std::vector<std::string> EventFilter::*taken;
  std::vector<std::string> EventFilter::*ignored;
};
constexpr FilterPair kFilterPairs[] = {
    {"branches", "branches_ignore", &EventFilter::branches, &EventFilter::branches_ignore},
    {"tags", "tags_ignore", &EventFilter::tags, &EventFilter::tags_ignore},
    {"paths", "paths_ignore", &EventFilter::paths, &EventFilter::paths_ignore},
};

EventFilter ReadFilter(NodeRef node, Compilation& compilation) {
  EventFilter filter;
  if (!node.is_map()) {
    return filter;
  }
  const Fields fields = compilation.Check(node, Level::kFilter);
  for (const FilterPair& pair : kFilterPairs) {
    const NodeRef taken = fields.Get(pair.key);
    const NodeRef ignored = fields.Get(pair.ignore_key);
    filter.*pair.taken = ReadGlobs(taken, pair.key, compilation);
    filter.*pair.ignored = ReadGlobs(ignored, pair.ignore_key, compilation);
    if (taken && ignored) {
      compilation.reporter
          .Error("conflicting-filters", ignored.place(),
                 fmt::format("`{}` and `{}` cannot stand together", pair.key, pair.ignore_key))
          .hint = fmt::format("take out with `!` inside of `{}`", pair.key);
    }
  }
  return filter;
}

void ReadSchedule(NodeRef node, Compilation& compilation) {
  if (!node.is_map()) {
    compilation.reporter
        .Error("wrong-type", node.place(),
               fmt::format("a schedule is a map, not {}", Describe(node.kind())))
        .hint = "for example `- cron: \"0 3 * * *\"`";
    return;
  }
  const Fields fields = compilation.Check(node, Level::kSchedule);
  engine::model::ScheduleSpec schedule;
  const NodeRef cron = fields.Get("cron");
  if (fields.Lacks("cron")) {
    compilation.reporter.Error("missing-key", node.place(), "a schedule needs `cron`");
  } else if (std::optional<std::string> text = ReadText(cron, "cron", compilation.reporter)) {
    if (const auto fault = CronFault(*text)) {
      compilation.reporter
          .Error("bad-cron", cron.PlaceInside(fault->offset, fault->length), fault->message)
          .hint = "minute hour day month weekday, as in \"30 3 * * 1-5\"";
    }
    schedule.cron = std::move(*text);
  }
  schedule.timezone =
      ReadText(fields.Get("timezone"), "timezone", compilation.reporter).value_or("");
  compilation.plan.on.schedule.push_back(std::move(schedule));
}

void ReadEvent(std::string_view event, NodeRef value, Compilation& compilation) {
  Triggers& on = compilation.plan.on;
  if (event == "push") {
    on.push = ReadFilter(value, compilation);
  } else if (event == "pull_request") {
    on.pull_request = ReadFilter(value, compilation);
  } else if (event == "tag") {
    on.tag = ReadFilter(value, compilation);
  } else if (event == "webhook") {
    on.webhook = true;
  } else if (event == "manual") {
    on.manual = true;
  } else if (event == "run") {
    on.run = ReadTexts(value, "run", compilation.reporter);
  } else if (event == "schedule" && value.is_sequence()) {
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      ReadSchedule(value[i], compilation);
    }
  } else if (event == "schedule") {
    ReadSchedule(value, compilation);
  }
  if (event == "webhook" || event == "manual") {
    for (const Entry& entry : EntriesOf(value, compilation.reporter)) {
      compilation.reporter.Error("unknown-key", entry.key.place(),
                                 fmt::format("`{}` has no keys yet", event));
    }
  }
}

/// An event that stands alone, as a word.
void ReadEventWord(NodeRef node, Compilation& compilation) {
  const KeyRow* row = FindKey(Level::kOn, node.text());
  if (node.is_scalar() && row != nullptr && Accepts(row->type.kind, NodeKind::kNull)) {
    ReadEvent(row->key, node, compilation);
    return;
  }
  if (row != nullptr) {
    compilation.reporter
        .Error("missing-key", node.place(), fmt::format("`{}` does not say when", row->key))
        .hint = fmt::format("write `{}: {}`", row->key, row->example);
    return;
  }
  std::vector<std::string_view> known;
  for (const KeyRow* event : KeysOf(Level::kOn)) {
    known.push_back(event->key);
  }
  Diagnostic& diagnostic = compilation.reporter.Error(
      "unknown-event", node.place(),
      node.is_scalar() ? fmt::format("there is no event `{}`", node.text())
                       : fmt::format("an event is a word, not {}", Describe(node.kind())));
  diagnostic.hint = engine::base::DidYouMean(node.text(), known);
  if (diagnostic.hint.empty()) {
    diagnostic.hint = fmt::format("events are {}", fmt::join(known, ", "));
  }
}

}  // namespace

void CompileTriggers(NodeRef node, Compilation& compilation) {
  Triggers& on = compilation.plan.on;
  if (!node) {
    on.push.emplace();
    on.pull_request.emplace();
    return;
  }
  on.manual = false;
  if (node.is_scalar()) {
    ReadEventWord(node, compilation);
  }
  for (std::uint32_t i = 0; i < node.size(); ++i) {
    ReadEventWord(node[i], compilation);
  }
  if (node.is_map()) {
    const Fields fields = compilation.Check(node, Level::kOn);
    for (const KeyRow* row : KeysOf(Level::kOn)) {
      if (const NodeRef value = fields.Get(row->key)) {
        ReadEvent(row->key, value, compilation);
      }
    }
  }
}

}  // namespace dsl

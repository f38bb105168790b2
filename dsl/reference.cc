// SPDX-License-Identifier: Apache-2.0
#include "dsl/reference.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace dsl {
namespace {

constexpr std::array<std::string_view, kLevelCount> kNames = {
    "document", "include",       "template",    "on",       "event",       "schedule",  "input",
    "defaults", "job",           "extends",     "need",     "matrix",      "for_each",  "retry",
    "backoff",  "allow_failure", "concurrency", "approval", "environment", "resources", "service",
    "ready",    "artifacts",     "upload",      "reports",  "cache",       "reuse",     "checkout",
    "step"};

/// A `|` would end the cell.
std::string Cell(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    cell += c == '|' ? "\\|" : std::string(1, c);
  }
  return cell;
}

std::string ValueCell(const KeyRow& row) {
  std::string text;
  for (const std::string_view word : WordsOf(row.type)) {
    text += fmt::format("{}`{}`", text.empty() ? "" : ", ", word);
  }
  return text.empty() ? Describe(row.type) : text;
}

/// Where the keys of a level stand: the pipeline around `@`.
std::string_view AroundOf(Level level) {
  static constexpr std::array<std::string_view, kLevelCount> kAround = {
      "@\njobs: { a: { steps: [make] } }",
      "include: [{ @ }]\njobs: { a: { steps: [make] } }",
      "templates: { t: { @ } }\njobs: { a: { steps: [make] } }",
      "on: { @ }\njobs: { a: { steps: [make] } }",
      "on: { push: { @ } }\njobs: { a: { steps: [make] } }",
      "on: { schedule: [{ @ }] }\njobs: { a: { steps: [make] } }",
      "inputs: { i: { @ } }\njobs: { a: { steps: [make] } }",
      "defaults: { @ }\njobs: { a: { steps: [make] } }",
      "jobs: { a: { steps: [make], @ } }",
      "templates: { base: { inputs: { suite: {} }, steps: [make] } }\n"
      "jobs: { a: { extends: [{ @ }] } }",
      "jobs: { build: { steps: [make], artifacts: { upload: [{ name: bin, paths: [b] }] } }, "
      "a: { needs: [{ @ }], steps: [make] } }",
      "jobs: { a: { matrix: { os: [a, b], suite: [net, core], @ }, steps: [make] } }",
      "jobs: { list: { steps: [{ id: l, run: ./list.sh }], outputs: { names: \"${{ "
      "steps.l.outputs.names }}\" } }, a: { needs: [list], for_each: { @ }, steps: [make] } }",
      "jobs: { a: { retry: { @ }, steps: [make] } }",
      "jobs: { a: { retry: { max: 1, backoff: { @ } }, steps: [make] } }",
      "jobs: { a: { allow_failure: { @ }, steps: [make] } }",
      "jobs: { a: { concurrency: { @ }, steps: [make] } }",
      "jobs: { a: { approval: { @ }, steps: [make] } }",
      "jobs: { a: { environment: { @ }, steps: [make] } }",
      "jobs: { a: { resources: { @ }, steps: [make] } }",
      "jobs: { a: { services: { s: { @ } }, steps: [make] } }",
      "jobs: { a: { services: { s: { run: ./server, ready: { @ } } }, steps: [make] } }",
      "jobs: { a: { artifacts: { @ }, steps: [make] } }",
      "jobs: { a: { artifacts: { upload: [{ @ }] }, steps: [make] } }",
      "jobs: { a: { artifacts: { reports: { @ } }, steps: [make] } }",
      "jobs: { a: { cache: { @ }, steps: [make] } }",
      "jobs: { a: { reuse: { @ }, steps: [make] } }",
      "jobs: { a: { checkout: { @ }, steps: [make] } }",
      "jobs: { a: { steps: [{ @ }] } }",
  };
  return kAround[static_cast<std::size_t>(level)];
}

/// What must stand beside a key, or around the whole, for it to make sense.
struct Companion {
  Level level;
  std::string_view key;
  std::string_view beside;
  std::string_view above = "";
};
constexpr Companion kCompanions[] = {
    {Level::kDocument, "stages", "",
     "stages: [build, test]\njobs: { a: { stage: build, steps: [make] }, b: { stage: test, steps: "
     "[make] } }"},
    {Level::kDocument, "jobs", "", "jobs: { build: { steps: [make] } }"},
    {Level::kInclude, "repo", "ref: v3, file: a.yml, "},
    {Level::kInclude, "ref", "repo: r, file: a.yml, "},
    {Level::kSchedule, "timezone", "cron: \"0 3 * * *\", "},
    {Level::kSchedule, "catch_up", "cron: \"0 3 * * *\", "},
    {Level::kInput, "options", "type: choice, "},
    {Level::kJob, "steps", "", "jobs: { a: { steps: [{ run: make test }] } }"},
    {Level::kJob, "extends", "",
     "templates: { base: {} }\njobs: { a: { extends: base, steps: [make] } }"},
    {Level::kJob, "stage", "", "stages: [test]\njobs: { a: { stage: test, steps: [make] } }"},
    {Level::kJob, "needs", "",
     "jobs: { build: { steps: [make] }, a: { needs: [build], steps: [make] } }"},
    {Level::kJob, "for_each", "",
     "jobs: { list: { steps: [{ id: l, run: ./list.sh }], outputs: { names: \"${{ "
     "steps.l.outputs.names }}\" } }, a: { needs: [list], for_each: \"${{ "
     "fromJSON(needs.list.outputs.names) }}\", steps: [\"make ${{ each.value }}\"] } }"},
    {Level::kForEach, "max_parallel", "values: \"${{ fromJSON(needs.list.outputs.names) }}\", "},
    {Level::kForEach, "fail_fast", "values: \"${{ fromJSON(needs.list.outputs.names) }}\", "},
    {Level::kJob, "outputs", "",
     "jobs: { a: { steps: [{ id: v, run: ./version.sh }], outputs: { version: \"${{ "
     "steps.v.outputs.version }}\" } } }"},
    {Level::kExtends, "with", "template: base, "},
    {Level::kService, "shell", "run: ./server, "},
    {Level::kService, "env", "run: ./server, "},
    {Level::kService, "ready", "run: ./server, "},
    {Level::kReady, "timeout", "tcp: 5432, "},
    {Level::kStep, "background", "",
     "jobs: { a: { steps: [{ run: ./watch.sh, background: true }, make test] } }"},
    {Level::kNeed, "on", "job: build, "},
    {Level::kNeed, "optional", "job: build, "},
    {Level::kNeed, "artifacts", "job: build, "},
    {Level::kNeed, "cell", "",
     "jobs: { build: { matrix: { os: [linux, mac] }, steps: [make] }, "
     "a: { needs: [{ job: build, cell: { os: linux } }], steps: [make] } }"},
    {Level::kConcurrency, "max", "group: production, "},
    {Level::kConcurrency, "policy", "group: production, "},
    {Level::kEnvironment, "url", "name: production, "},
    {Level::kArtifacts, "download", "",
     "jobs: { build: { artifacts: { upload: [{ name: bin, paths: [b] }] }, steps: [make] }, "
     "a: { needs: [build], artifacts: { download: [bin] }, steps: [make] } }"},
    {Level::kCache, "key", "paths: [deps], "},
    {Level::kCache, "restore_keys", "key: deps-1, paths: [deps], "},
    {Level::kCache, "paths", "key: deps, "},
    {Level::kStep, "effect_check", "run: ./deploy.sh, effects: once, "},
    {Level::kRetry, "on", "max: 1, "},
    {Level::kRetry, "backoff", "max: 1, "},
    {Level::kUpload, "name", "paths: [b], "},
    {Level::kUpload, "paths", "name: b, "},
    {Level::kStep, "use", "",
     "templates: { setup: { steps: [./setup.sh] } }\njobs: { a: { steps: [{ use: setup }] } }"},
    {Level::kStep, "with", "",
     "templates: { t: { inputs: { suite: {} }, steps: [\"make ${{ inputs.suite }}\"] } }\n"
     "jobs: { a: { steps: [{ use: t, with: { suite: core } }] } }"},
};

std::string Replaced(std::string_view text, std::string_view mark, std::string_view with) {
  const std::size_t at = text.find(mark);
  return fmt::format("{}{}{}", text.substr(0, at), with, text.substr(at + mark.size()));
}

}  // namespace

std::string KeyTable(Level level) {
  std::string table = "| key | value | meaning | default | example |\n|---|---|---|---|---|\n";
  for (const KeyRow& row : AllKeys()) {
    if (row.level == level) {
      table += fmt::format("| `{}` | {} | {}{} | {} | `{}` |\n", row.key, ValueCell(row),
                           Cell(row.meaning), row.since == Since::kLater ? " *(later)*" : "",
                           Cell(row.fallback), Cell(row.example));
    }
  }
  return table;
}

std::string WithKeyTables(std::string_view document) {
  constexpr std::string_view kBegin = "<!-- keys: ";
  constexpr std::string_view kEnd = "<!-- end -->";
  std::string made;
  for (;;) {
    const std::size_t begin = document.find(kBegin);
    const std::size_t line_end = document.find('\n', begin);
    const std::size_t end = document.find(kEnd, begin);
    if (begin == std::string_view::npos || end == std::string_view::npos) {
      return made + std::string(document);
    }
    std::string_view name = document.substr(begin + kBegin.size());
    name = name.substr(0, name.find(' '));
    const auto found = std::find(kNames.begin(), kNames.end(), name);
    made += document.substr(0, line_end + 1);
    if (found != kNames.end()) {
      made += KeyTable(static_cast<Level>(found - kNames.begin()));
    }
    made += kEnd;
    document.remove_prefix(end + kEnd.size());
  }
}

std::string ExamplePipeline(const KeyRow& row) {
  const bool needs_quotes = row.example.find("${{") != std::string_view::npos &&
                            row.example.front() != '{' && row.example.front() != '[';
  const std::string entry = needs_quotes ? fmt::format("{}: \"{}\"", row.key, row.example)
                                         : fmt::format("{}: {}", row.key, row.example);
  const auto companion = std::find_if(
      std::begin(kCompanions), std::end(kCompanions),
      [&](const Companion& each) { return each.level == row.level && each.key == row.key; });
  if (companion == std::end(kCompanions)) {
    // A step without a command, and an include without its file, are none.
    const bool step = row.level == Level::kStep && row.key != "run";
    return Replaced(AroundOf(row.level), "@", step ? "run: make, " + entry : entry);
  }
  if (!companion->above.empty()) {
    return std::string(companion->above);
  }
  return Replaced(AroundOf(row.level), "@", std::string(companion->beside) + entry);
}

}  // namespace dsl

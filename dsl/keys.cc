// SPDX-License-Identifier: Apache-2.0
#include "dsl/keys.h"

#include <algorithm>
#include <array>

namespace dsl {
namespace {

using enum ValueKind;
using enum Since;

// clang-format off
constexpr KeyRow kRows[] = {
  {Level::kDocument, "name", kText, kNow, "what the pipeline is called", "ci", "the file's name without its ending"},
  {Level::kDocument, "on", kTextListOrMap, kNow, "which events start it", "{ push: { branches: [main] } }", "push, pull_request, manual"},
  {Level::kDocument, "inputs", kMap, kNow, "what is asked for before a run starts", "{ level: { type: choice, options: [quick, full], default: quick } }"},
  {Level::kDocument, "env", kTextMap, kNow, "environment of every step", "{ MODE: fast }"},
  {Level::kDocument, "defaults", kMap, kNow, "keys that every job takes unless it says otherwise", "{ timeout: 10m }"},
  {Level::kDocument, "stages", kList, kNow, "groups of jobs, one after the other", "[build, test, deploy]"},
  {Level::kDocument, "jobs", kMap, kNow, "the jobs by name", "{ build: { steps: [make] } }"},
  {Level::kDocument, "timeout", kDuration, kNow, "how long a run may take", "2h", "24h"},
  {Level::kDocument, "include", kAny, kLater, "other files to take in", "[common.yml]"},
  {Level::kDocument, "templates", kAny, kLater, "jobs and steps to build on", "{ base: { steps: [make] } }"},
  {Level::kDocument, "finally", kAny, kLater, "jobs after all others, however the run ended", "{ report: { steps: [make report] } }"},
  {Level::kDocument, "concurrency", kAny, kLater, "how many runs at once", "{ group: main }"},

  {Level::kOn, "push", kMapOrEmpty, kNow, "commits were pushed", "{ branches: [main] }"},
  {Level::kOn, "pull_request", kMapOrEmpty, kNow, "a pull request was opened or changed", "{ paths: [\"src/**\"] }"},
  {Level::kOn, "tag", kMapOrEmpty, kNow, "a tag was pushed", "{ tags: [\"v*\"] }"},
  {Level::kOn, "schedule", kListOrMap, kNow, "at times", "[{ cron: \"0 3 * * *\" }]"},
  {Level::kOn, "webhook", kMapOrEmpty, kNow, "a call from outside", "{}"},
  {Level::kOn, "manual", kMapOrEmpty, kNow, "somebody asked for it", "{}"},
  {Level::kOn, "run", kTextOrList, kNow, "runs of these pipelines ended", "[build]"},

  {Level::kFilter, "branches", kTextOrList, kNow, "branches that count", "[main, \"release/**\"]"},
  {Level::kFilter, "branches_ignore", kTextOrList, kNow, "branches that do not count", "[\"tmp/**\"]"},
  {Level::kFilter, "tags", kTextOrList, kNow, "tags that count", "[\"v*\"]"},
  {Level::kFilter, "tags_ignore", kTextOrList, kNow, "tags that do not count", "[\"*-rc\"]"},
  {Level::kFilter, "paths", kTextOrList, kNow, "changed files of which one must match", "[\"src/**\", \"!**/*.md\"]"},
  {Level::kFilter, "paths_ignore", kTextOrList, kNow, "changed files that do not count", "[\"docs/**\"]"},

  {Level::kSchedule, "cron", kText, kNow, "minute, hour, day, month, weekday", "\"0 3 * * *\""},
  {Level::kSchedule, "timezone", kText, kNow, "whose midnight", "Europe/Berlin", "UTC"},
  {Level::kSchedule, "catch_up", kText, kLater, "what to do about missed times", "latest"},

  {Level::kInput, "type", kText, kNow, "string, number, boolean or choice", "number", "string"},
  {Level::kInput, "default", kScalar, kNow, "the value when none is given", "3"},
  {Level::kInput, "required", kBoolean, kNow, "must be given", "true", "false"},
  {Level::kInput, "options", kList, kNow, "the values of a choice", "[quick, full]"},
  {Level::kInput, "pattern", kText, kNow, "RE2 regular expression for the whole text", "\"[a-z]+\""},
  {Level::kInput, "description", kText, kNow, "for people", "How much to test"},

  {Level::kDefaults, "shell", kText, kNow, "shell of steps that name none", "bash", "sh -e"},
  {Level::kDefaults, "workdir", kTemplate, kNow, "folder of steps that name none", "src", "the workspace"},

  {Level::kJob, "stage", kText, kNow, "the stage it belongs to", "test", "", false},
  {Level::kJob, "needs", kTextListOrMap, kNow, "the jobs it waits for", "[build]", "all jobs of earlier stages", false},
  {Level::kJob, "if", kCondition, kNow, "whether it runs", "${{ branch == 'main' }}", "success()", false},
  {Level::kJob, "matrix", kMap, kNow, "one job for each combination of values", "{ os: [a, b], max_parallel: 2 }", "", false},
  {Level::kJob, "before", kTextOrList, kNow, "steps before the job's own", "[./setup.sh]"},
  {Level::kJob, "steps", kTextOrList, kNow, "the commands, in order", "[{ run: make test }]"},
  {Level::kJob, "after", kTextOrList, kNow, "steps after the job's own, when those went well", "[./check.sh]"},
  {Level::kJob, "finally", kTextOrList, kNow, "steps at the end, however the others ended", "[./unlock.sh]"},
  {Level::kJob, "env", kTextMap, kNow, "environment of its steps", "{ MODE: fast }"},
  {Level::kJob, "timeout", kDuration, kNow, "how long its steps may take, `finally` left out", "10m", "1h"},
  {Level::kJob, "queue_timeout", kDuration, kNow, "how long it may wait for a worker", "1h", "24h"},
  {Level::kJob, "retry", kWordOrMap, kNow, "further attempts after a failure", "{ max: 2, on: [timeout, 75] }", "0"},
  {Level::kJob, "allow_failure", kWordOrMap, kNow, "a failure is only a warning", "true", "false"},
  {Level::kJob, "priority", kInteger, kNow, "higher goes first among the jobs that could start", "10", "0"},
  {Level::kJob, "log_limit", kSize, kNow, "how much of a step's log is kept", "64MiB", "256MiB"},
  {Level::kJob, "checkout", kWordOrMap, kNow, "whether and how the source is put into the workspace", "{ depth: 1 }", "true"},
  {Level::kJob, "outputs", kTextMap, kNow, "values for the jobs that need this one", "{ version: \"${{ steps.v.outputs.version }}\" }"},
  {Level::kJob, "artifacts", kMap, kNow, "files for the jobs that need this one", "{ upload: [{ name: bin, paths: [build/app] }] }"},
  {Level::kJob, "extends", kAny, kLater, "templates it builds on", "base"},
  {Level::kJob, "parallel", kAny, kLater, "so many equal jobs", "4"},
  {Level::kJob, "for_each", kAny, kLater, "one job for each value known at run time", "${{ fromJSON(needs.list.outputs.names) }}"},
  {Level::kJob, "delay", kAny, kLater, "a time to wait before it starts", "30m"},
  {Level::kJob, "pool", kAny, kLater, "where it runs", "large"},
  {Level::kJob, "requires", kAny, kLater, "labels its worker must have", "{ arch: arm64 }"},
  {Level::kJob, "resources", kAny, kLater, "cpu, memory, disk, gpu", "{ cpu: 2 }"},
  {Level::kJob, "image", kAny, kLater, "container image of its steps", "gcc:13"},
  {Level::kJob, "sandbox", kAny, kLater, "how its steps are isolated", "container"},
  {Level::kJob, "network", kAny, kLater, "what its steps may reach", "none"},
  {Level::kJob, "services", kAny, kLater, "programs that run beside it", "{ db: { image: \"postgres:15\" } }"},
  {Level::kJob, "concurrency", kAny, kLater, "how many at once across runs", "{ group: production }", "", false},
  {Level::kJob, "approval", kAny, kLater, "who must say yes first", "{ timeout: 7d }", "", false},
  {Level::kJob, "environment", kAny, kLater, "what it deploys to", "{ name: production }"},
  {Level::kJob, "overlap", kAny, kLater, "whether two attempts may overlap", "never"},
  {Level::kJob, "secrets", kAny, kLater, "secrets its steps may read", "[TOKEN]"},
  {Level::kJob, "cache", kAny, kLater, "folders kept between runs", "{ key: deps, paths: [deps] }"},
  {Level::kJob, "reuse", kAny, kLater, "skip when nothing changed", "{ inputs: [\"src/**\"] }"},

  {Level::kNeed, "job", kText, kNow, "the job's name", "build"},
  {Level::kNeed, "on", kText, kNow, "which end counts: success, failure, end", "end", "success"},
  {Level::kNeed, "optional", kBoolean, kNow, "does not count when that job is not in the run", "true", "false"},
  {Level::kNeed, "artifacts", kTextOrList, kNow, "which of its artifacts to receive: true, false, or names", "[bin]", "false"},
  {Level::kNeed, "cell", kAny, kLater, "one cell of its matrix", "{ os: linux }"},

  {Level::kMatrix, "include", kList, kNow, "values added to cells, or cells added", "[{ os: a, fast: true }]"},
  {Level::kMatrix, "exclude", kList, kNow, "cells left out", "[{ os: a, suite: net }]"},
  {Level::kMatrix, "max_parallel", kInteger, kNow, "how many cells at once", "4", "no limit"},
  {Level::kMatrix, "fail_fast", kBoolean, kNow, "a failed cell ends the others", "false", "true"},

  {Level::kRetry, "max", kInteger, kNow, "further attempts", "2", "0"},
  {Level::kRetry, "on", kTextOrList, kNow, "failures that count: infra, timeout, oom, exit codes", "[timeout, 75]", "any failure of the job itself"},
  {Level::kRetry, "backoff", kMap, kNow, "the pause before each", "{ initial: 5s, factor: 2, max: 1m }"},

  {Level::kBackoff, "initial", kDuration, kNow, "the first pause", "5s", "1s"},
  {Level::kBackoff, "factor", kNumber, kNow, "each is so many times the one before", "2", "2"},
  {Level::kBackoff, "max", kDuration, kNow, "the longest pause", "2m", "1m"},
  {Level::kBackoff, "jitter", kNumber, kNow, "share by which it varies, both ways", "0.2", "0.1"},

  {Level::kAllowFailure, "exit_codes", kList, kNow, "only these are tolerated", "[75]"},

  {Level::kArtifacts, "upload", kList, kNow, "what is kept", "[{ name: bin, paths: [build/app] }]"},
  {Level::kArtifacts, "download", kAny, kLater, "what is received", "[bin]"},
  {Level::kArtifacts, "expire", kAny, kLater, "how long it is kept", "7d"},
  {Level::kArtifacts, "when", kAny, kLater, "whether also after a failure", "always"},
  {Level::kArtifacts, "reports", kAny, kLater, "test reports", "{ junit: [\"*.xml\"] }"},

  {Level::kUpload, "name", kTemplate, kNow, "what others ask for", "bin"},
  {Level::kUpload, "paths", kTextOrList, kNow, "files, folders and globs in the workspace", "[build/app]"},

  {Level::kCheckout, "depth", kInteger, kNow, "so many commits of history; 0: all", "1", "0"},
  {Level::kCheckout, "submodules", kBoolean, kNow, "with submodules", "true", "false"},
  {Level::kCheckout, "lfs", kBoolean, kNow, "with large files", "true", "false"},

  {Level::kStep, "id", kText, kNow, "a name for expressions", "compile"},
  {Level::kStep, "name", kTemplate, kNow, "a name for people", "Compile everything", "the first line of `run`"},
  {Level::kStep, "run", kTemplate, kNow, "the command or script", "make -j2"},
  {Level::kStep, "shell", kText, kNow, "sh, bash, or a command with {0} for the script's path", "bash", "sh -e"},
  {Level::kStep, "workdir", kTemplate, kNow, "folder in the workspace", "src", "the workspace"},
  {Level::kStep, "env", kTextMap, kNow, "environment of this step", "{ MODE: fast }"},
  {Level::kStep, "if", kCondition, kNow, "whether it runs", "${{ failure() }}", "success()"},
  {Level::kStep, "timeout", kDuration, kNow, "how long it may take", "90s", "the job's"},
  {Level::kStep, "continue_on_error", kBoolean, kNow, "its failure does not fail the job", "true", "false"},
  {Level::kStep, "background", kAny, kLater, "goes on while later steps run", "true"},
  {Level::kStep, "effects", kAny, kLater, "must not be done twice", "once"},
  {Level::kStep, "use", kAny, kLater, "a step template", "setup"},
};

struct ForeignKey { Level level; std::string_view key; std::string_view hint; };
constexpr ForeignKey kForeignKeys[] = {
  {Level::kDocument, "variables", "variables stand under `env`"},
  {Level::kDocument, "default", "did you mean `defaults`?"},
  {Level::kDocument, "steps", "steps stand in a job: `jobs: { NAME: { steps: [...] } }`"},
  {Level::kJob, "script", "commands stand under `steps`: `steps: [{ run: make }]`"},
  {Level::kJob, "run", "commands stand under `steps`: `steps: [{ run: make }]`"},
  {Level::kJob, "before_script", "steps before the job's own stand under `before`"},
  {Level::kJob, "after_script", "steps that always run stand under `finally`"},
  {Level::kJob, "strategy", "a matrix stands directly in the job: `matrix: { os: [a, b] }`"},
  {Level::kJob, "variables", "variables stand under `env`"},
  {Level::kJob, "runs-on", "where a job runs is `pool` and `requires`, in a later build"},
  {Level::kJob, "timeout-minutes", "write `timeout: 10m`"},
  {Level::kJob, "continue-on-error", "write `allow_failure: true`"},
  {Level::kJob, "continue_on_error", "write `allow_failure: true`; `continue_on_error` is for steps"},
  {Level::kJob, "rules", "write a condition: `if: ${{ branch == 'main' }}`"},
  {Level::kJob, "only", "write a condition: `if: ${{ branch == 'main' }}`"},
  {Level::kJob, "except", "write a condition: `if: ${{ branch != 'main' }}`"},
  {Level::kJob, "depends_on", "write `needs: [NAME]`"},
  {Level::kJob, "tags", "labels of a worker are `requires`, in a later build"},
  {Level::kJob, "container", "a container image is `image`, in a later build"},
  {Level::kJob, "shell", "a shell for all steps stands under the document's `defaults`; else in the step"},
  {Level::kJob, "workdir", "a folder for all steps stands under the document's `defaults`; else in the step"},
  {Level::kStep, "uses", "step templates are `use`, in a later build"},
  {Level::kStep, "with", "step templates are `use`, in a later build"},
  {Level::kStep, "working-directory", "write `workdir`"},
  {Level::kStep, "continue-on-error", "write `continue_on_error`"},
  {Level::kStep, "timeout-minutes", "write `timeout: 10m`"},
  {Level::kStep, "script", "write `run`"},
  {Level::kStep, "command", "write `run`"},
  {Level::kStep, "allow_failure", "of a step it is `continue_on_error`"},
  {Level::kMatrix, "max-parallel", "write `max_parallel`"},
  {Level::kMatrix, "fail-fast", "write `fail_fast`"},
  {Level::kOn, "cron", "write `schedule: [{ cron: \"0 3 * * *\" }]`"},
  {Level::kOn, "workflow_dispatch", "write `manual`"},
};
// clang-format on

std::array<std::vector<const KeyRow*>, kLevelCount> SortByLevel() {
  std::array<std::vector<const KeyRow*>, kLevelCount> levels;
  for (const KeyRow& row : kRows) {
    levels[static_cast<std::size_t>(row.level)].push_back(&row);
    if (row.level == Level::kJob && row.in_defaults) {
      levels[static_cast<std::size_t>(Level::kDefaults)].push_back(&row);
    }
  }
  return levels;
}

}  // namespace

std::span<const KeyRow> AllKeys() {
  return kRows;
}

const std::vector<const KeyRow*>& KeysOf(Level level) {
  static const std::array<std::vector<const KeyRow*>, kLevelCount> kLevels = SortByLevel();
  return kLevels[static_cast<std::size_t>(level)];
}

const KeyRow* FindKey(Level level, std::string_view key) {
  for (const KeyRow* row : KeysOf(level)) {
    if (row->key == key) {
      return row;
    }
  }
  return nullptr;
}

std::string_view ForeignKeyHint(Level level, std::string_view key) {
  for (const ForeignKey& foreign : kForeignKeys) {
    if (foreign.level == level && foreign.key == key) {
      return foreign.hint;
    }
  }
  return "";
}

std::string_view ToText(Level level) {
  switch (level) {
    case Level::kDocument:
      return "a pipeline";
    case Level::kOn:
      return "`on`";
    case Level::kFilter:
      return "an event";
    case Level::kSchedule:
      return "a schedule";
    case Level::kInput:
      return "an input";
    case Level::kDefaults:
      return "`defaults`";
    case Level::kJob:
      return "a job";
    case Level::kNeed:
      return "a need";
    case Level::kMatrix:
      return "a matrix";
    case Level::kRetry:
      return "`retry`";
    case Level::kBackoff:
      return "`backoff`";
    case Level::kAllowFailure:
      return "`allow_failure`";
    case Level::kArtifacts:
      return "`artifacts`";
    case Level::kUpload:
      return "an upload";
    case Level::kCheckout:
      return "`checkout`";
    case Level::kStep:
      return "a step";
  }
  return "";
}

bool Accepts(ValueKind kind, NodeKind shape) {
  const bool scalar = shape == NodeKind::kScalar;
  const bool list = shape == NodeKind::kSequence;
  const bool map = shape == NodeKind::kMap;
  switch (kind) {
    case kText:
    case kTemplate:
    case kCondition:
    case kBoolean:
    case kInteger:
    case kNumber:
    case kDuration:
    case kSize:
    case kScalar:
      return scalar;
    case kTextOrList:
      return scalar || list;
    case kList:
      return list;
    case kTextMap:
    case kMap:
      return map;
    case kMapOrEmpty:
      return map || shape == NodeKind::kNull;
    case kListOrMap:
      return list || map;
    case kTextListOrMap:
      return scalar || list || map;
    case kWordOrMap:
      return scalar || map;
    case kAny:
      return true;
  }
  return false;
}

std::string_view Describe(ValueKind kind) {
  switch (kind) {
    case kText:
    case kTemplate:
    case kScalar:
      return "a single value";
    case kCondition:
      return "an expression";
    case kBoolean:
      return "true or false";
    case kInteger:
      return "a whole number";
    case kNumber:
      return "a number";
    case kDuration:
      return "a duration such as `10m`";
    case kSize:
      return "a size such as `64MiB`";
    case kTextOrList:
      return "a single value or a list";
    case kList:
      return "a list";
    case kTextMap:
    case kMap:
    case kMapOrEmpty:
      return "a map";
    case kListOrMap:
      return "a list or a map";
    case kTextListOrMap:
      return "a single value, a list or a map";
    case kWordOrMap:
      return "a single value or a map";
    case kAny:
      return "anything";
  }
  return "";
}

}  // namespace dsl

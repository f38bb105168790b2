// SPDX-License-Identifier: Apache-2.0
#include "dsl/keys.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace dsl {
namespace {

using enum ValueKind;
using enum Since;

// clang-format off
constexpr KeyRow kRows[] = {
  {Level::kDocument, "name", kText, kNow, "what the pipeline is called", "ci", "the file's name without its ending"},
  {Level::kDocument, "on", {kTextListOrMap, Level::kOn}, kNow, "which events start it", "{ push: { branches: [main] } }", "push, pull_request, manual"},
  {Level::kDocument, "inputs", {kNamedMaps, Level::kInput}, kNow, "what is asked for before a run starts", "{ level: { type: choice, options: [quick, full], default: quick } }"},
  {Level::kDocument, "env", kTextMap, kNow, "environment of every step", "{ MODE: fast }"},
  {Level::kDocument, "include", {kTextListOrMap, Level::kInclude}, kNow, "other files whose keys are taken in beneath this one's", "[common.yml]"},
  {Level::kDocument, "templates", {kNamedMaps, Level::kTemplate}, kNow, "what jobs and steps build on, by name", "{ base: { timeout: 5m } }"},
  {Level::kDocument, "defaults", {kMap, Level::kDefaults}, kNow, "keys that every job takes unless it says otherwise", "{ timeout: 10m }"},
  {Level::kDocument, "stages", kList, kNow, "groups of jobs, one after the other", "[build, test]"},
  {Level::kDocument, "jobs", {kNamedMaps, Level::kJob}, kNow, "the jobs by name", "{ build: { steps: [make] } }"},
  {Level::kDocument, "finally", {kNamedMaps, Level::kJob}, kNow, "jobs after all others, however the run ended", "{ report: { steps: [make report] } }"},
  {Level::kDocument, "timeout", kDuration, kNow, "how long a run may take", "2h", "24h"},
  {Level::kDocument, "concurrency", {kTextOrMap, Level::kConcurrency}, kNow, "how many runs at once", "{ group: main }"},

  {Level::kInclude, "file", kText, kNow, "its path, relative to the file that includes it", "common.yml"},
  {Level::kInclude, "repo", kText, kNow, "another repository that holds it", "https://example.org/pipelines.git"},
  {Level::kInclude, "ref", kText, kNow, "branch, tag or commit of that repository", "v3"},

  {Level::kTemplate, "inputs", {kNamedMaps, Level::kInput}, kNow, "values that each use gives, read as `inputs.NAME`", "{ suite: { required: true } }"},

  {Level::kOn, "push", {kMapOrEmpty, Level::kFilter}, kNow, "commits were pushed", "{ branches: [main] }"},
  {Level::kOn, "pull_request", {kMapOrEmpty, Level::kFilter}, kNow, "a pull request was opened or changed", "{ paths: [\"src/**\"] }"},
  {Level::kOn, "tag", {kMapOrEmpty, Level::kFilter}, kNow, "a tag was pushed", "{ tags: [\"v*\"] }"},
  {Level::kOn, "schedule", {kMapOrMapList, Level::kSchedule}, kNow, "at times", "[{ cron: \"0 3 * * *\" }]"},
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
  {Level::kSchedule, "catch_up", {kWord, "all|latest|none"}, kLater, "what to do about missed times", "latest"},

  {Level::kInput, "type", {kWord, "string|number|boolean|choice"}, kNow, "what it takes", "number", "string"},
  {Level::kInput, "default", kScalar, kNow, "the value when none is given", "x", "an empty text, null or false"},
  {Level::kInput, "required", kBoolean, kNow, "must be given", "true", "false"},
  {Level::kInput, "options", kList, kNow, "the values of a choice", "[quick, full]"},
  {Level::kInput, "pattern", kText, kNow, "RE2 regular expression for the whole text", "\"[a-z]+\"", "any text"},
  {Level::kInput, "description", kText, kNow, "for people", "How much to test"},

  {Level::kDefaults, "shell", kText, kNow, "shell of steps that name none", "bash", "sh -e"},
  {Level::kDefaults, "workdir", kTemplate, kNow, "folder of steps that name none", "src", "the workspace"},

  {Level::kJob, "extends", {kTextListOrMap, Level::kExtends}, kNow, "templates it builds on; the later wins, its own keys win over all", "base", "", false},
  {Level::kJob, "stage", kText, kNow, "the stage it belongs to", "test", "", false},
  {Level::kJob, "needs", {kTextListOrMap, Level::kNeed}, kNow, "the jobs it waits for", "[build]", "all jobs of earlier stages", false},
  {Level::kJob, "if", kCondition, kNow, "whether it runs", "${{ branch == 'main' }}", "success()", false},
  {Level::kJob, "matrix", {kMap, Level::kMatrix}, kNow, "one job for each combination of values", "{ os: [a, b], max_parallel: 2 }", "", false},
  {Level::kJob, "parallel", kInteger, kNow, "so many equal jobs, with `matrix.index` (from 1) and `matrix.total`", "4", "", false},
  {Level::kJob, "for_each", {kTextOrMap, Level::kForEach}, kNow, "one job for each value of a list that is known when its needs have ended; read as `each.value`, `each.index` (from 1) and `each.name`", "${{ fromJSON(needs.list.outputs.names) }}", "", false},
  {Level::kJob, "before", {kSteps, Level::kStep}, kNow, "steps before the job's own", "[./setup.sh]"},
  {Level::kJob, "steps", {kSteps, Level::kStep}, kNow, "the commands, in order", "[{ run: make test }]"},
  {Level::kJob, "after", {kSteps, Level::kStep}, kNow, "steps after the job's own, when those went well", "[./check.sh]"},
  {Level::kJob, "finally", {kSteps, Level::kStep}, kNow, "steps at the end, however the others ended, also after a timeout or a cancel", "[./unlock.sh]"},
  {Level::kJob, "env", kTextMap, kNow, "environment of its steps", "{ MODE: fast }"},
  {Level::kJob, "timeout", kDuration, kNow, "how long its steps may take, `finally` left out", "10m", "1h"},
  {Level::kJob, "queue_timeout", kDuration, kNow, "how long it may wait for a worker", "1h", "24h"},
  {Level::kJob, "delay", kDuration, kNow, "a time to wait before it starts", "30m"},
  {Level::kJob, "retry", {kIntegerOrMap, Level::kRetry}, kNow, "further attempts after a failure", "{ max: 2, on: [timeout, 75] }", "0"},
  {Level::kJob, "allow_failure", {kBooleanOrMap, Level::kAllowFailure}, kNow, "a failure is only a warning: the job ends `warned`", "true", "false"},
  {Level::kJob, "priority", kInteger, kNow, "higher goes first among the jobs that could start", "10", "0"},
  {Level::kJob, "log_limit", kSize, kNow, "how much of a step's log is kept", "64MiB", "256MiB"},
  {Level::kJob, "checkout", {kBooleanOrMap, Level::kCheckout}, kNow, "whether the source is put into the workspace", "false", "true"},
  {Level::kJob, "outputs", kTextMap, kNow, "values for the jobs that need this one; read `steps` here", "{ version: \"${{ steps.v.outputs.version }}\" }"},
  {Level::kJob, "artifacts", {kMap, Level::kArtifacts}, kNow, "files for the jobs that need this one", "{ upload: [{ name: bin, paths: [build/app] }] }"},
  {Level::kJob, "cache", {kMapOrMapList, Level::kCache}, kNow, "files that later runs find again", "{ key: deps, paths: [deps] }"},
  {Level::kJob, "reuse", {kMap, Level::kReuse}, kNow, "take over an earlier result when nothing changed", "{ inputs: [\"src/**\"] }"},
  {Level::kJob, "secrets", kTextOrList, kNow, "secrets its steps may read, and no others", "[TOKEN]", "any"},
  {Level::kJob, "services", {kNamedMaps, Level::kService}, kNow, "programs that run beside its steps, which begin when all are ready", "{ db: { run: ./start-db.sh, ready: { tcp: 5432 } } }"},
  {Level::kJob, "pool", kText, kNow, "whose workers run it; `dayfly run` is a worker of every pool", "large", "default"},
  {Level::kJob, "requires", kTextMapList, kNow, "labels its worker must have, with these values; of a list, whatever their values", "{ arch: arm64 }"},
  {Level::kJob, "resources", {kMap, Level::kResources}, kNow, "what its worker must have free", "{ cpu: 2, memory: 4GiB }"},
  {Level::kJob, "image", kTemplate, kNow, "container image of its steps: its worker must offer containers", "gcc:13"},
  {Level::kJob, "sandbox", {kWord, "host|container|vm"}, kNow, "how its steps are isolated: its worker must offer that", "container", "whatever its worker has; container with `image`"},
  {Level::kJob, "network", {kWord, "host|none"}, kNow, "what its steps may reach: what their worker's machine does, or nothing; its worker must be able to cut it off", "none", "host"},
  {Level::kJob, "concurrency", {kTextListOrMap, Level::kConcurrency}, kNow, "how many at once, over all runs; of a list it takes all or waits", "{ group: production }", "", false},
  {Level::kJob, "approval", {kBooleanOrMap, Level::kApproval}, kNow, "who must say yes first", "{ timeout: 7d }", "", false},
  {Level::kJob, "environment", {kTextOrMap, Level::kEnvironment}, kNow, "what it deploys to", "{ name: production }"},
  {Level::kJob, "overlap", {kWord, "allow|never"}, kNow, "whether an attempt may begin while an older one may still run", "never", "allow; never with `concurrency`, `environment` and `effects: once`"},

  {Level::kExtends, "template", kText, kNow, "its name", "base"},
  {Level::kExtends, "with", kTextMap, kNow, "values for its inputs", "{ suite: core }"},

  {Level::kNeed, "job", kText, kNow, "the job's name; of a matrix, all its cells", "build"},
  {Level::kNeed, "on", {kWord, "success|failure|end"}, kNow, "which end counts", "end", "success"},
  {Level::kNeed, "optional", kBoolean, kNow, "does not count when that job is not in the run; one that does not exist at all is no error then", "true", "false"},
  {Level::kNeed, "artifacts", kTextOrList, kNow, "which of its artifacts are put into the workspace: true, false, or names", "[bin]", "false"},
  {Level::kNeed, "cell", kTextMap, kNow, "only the cells of its matrix that have these values", "{ os: linux }"},

  {Level::kMatrix, "include", kMapList, kNow, "values added to cells, or cells added", "[{ os: a, fast: true }]"},
  {Level::kMatrix, "exclude", kMapList, kNow, "cells left out: those that have all these values", "[{ os: a, suite: net }]"},
  {Level::kMatrix, "max_parallel", kInteger, kNow, "how many cells at once", "4", "no limit"},
  {Level::kMatrix, "fail_fast", kBoolean, kNow, "a failed cell ends the others", "false", "true"},

  {Level::kForEach, "values", kCondition, kNow, "the list", "${{ fromJSON(needs.list.outputs.names) }}"},
  {Level::kForEach, "max_parallel", kInteger, kNow, "how many at once", "4", "no limit"},
  {Level::kForEach, "fail_fast", kBoolean, kNow, "one that failed ends the others", "false", "true"},

  {Level::kRetry, "max", kInteger, kNow, "further attempts", "2", "0"},
  {Level::kRetry, "on", kTextOrList, kNow, "failures that count: infra, timeout, oom, exit codes", "[timeout, 75]", "any failure of the job itself"},
  {Level::kRetry, "backoff", {kMap, Level::kBackoff}, kNow, "the pause before each", "{ initial: 5s, factor: 2, max: 1m }"},

  {Level::kBackoff, "initial", kDuration, kNow, "the first pause", "5s", "1s"},
  {Level::kBackoff, "factor", kNumber, kNow, "each is so many times the one before", "2", "2"},
  {Level::kBackoff, "max", kDuration, kNow, "the longest pause", "2m", "1m"},
  {Level::kBackoff, "jitter", kNumber, kNow, "share by which it varies, both ways", "0.2", "0.1"},

  {Level::kAllowFailure, "exit_codes", kTextOrList, kNow, "only these are tolerated", "[75]"},

  {Level::kConcurrency, "group", kTemplate, kNow, "who shares the room", "production"},
  {Level::kConcurrency, "max", kInteger, kNow, "how many at once", "2", "1"},
  {Level::kConcurrency, "policy", {kWord, "queue|newest|cancel_running|reject"}, kNow, "who waits and who is cancelled when there is no room", "newest", "queue"},

  {Level::kApproval, "approvers", kTextOrList, kNow, "who may say yes", "[release-team]", "anyone"},
  {Level::kApproval, "timeout", kDuration, kNow, "how long it may wait", "1d", "7d"},
  {Level::kApproval, "inputs", {kNamedMaps, Level::kInput}, kNow, "what is asked of who says yes", "{ note: { required: true } }"},

  {Level::kEnvironment, "name", kTemplate, kNow, "its name; implies a group of one", "production"},
  {Level::kEnvironment, "url", kTemplate, kNow, "where it can be looked at", "https://example.org"},

  {Level::kResources, "cpu", kNumber, kNow, "processors", "2"},
  {Level::kResources, "memory", kSize, kNow, "main memory", "4GiB"},
  {Level::kResources, "disk", kSize, kNow, "room in the workspace", "20GiB"},
  {Level::kResources, "gpu", kInteger, kNow, "graphics processors", "1"},

  {Level::kService, "image", kTemplate, kNow, "container image, whose own program is run if there is no `run`: the job's worker must offer containers", "postgres:15"},
  {Level::kService, "run", kTemplate, kNow, "the command, which goes on until it is stopped", "./server --port 8080"},
  {Level::kService, "shell", kText, kNow, "that of `run`, as a step's", "bash", "that of `defaults`; sh -e in an image of its own"},
  {Level::kService, "env", kTextMap, kNow, "its environment", "{ MODE: test }"},
  {Level::kService, "ready", {kMap, Level::kReady}, kNow, "what shows that it is ready: all that is given", "{ tcp: 5432 }", "that it was started"},

  {Level::kReady, "tcp", kInteger, kNow, "a port of the machine that takes connections", "5432"},
  {Level::kReady, "http", kTemplate, kNow, "an address that answers with 2xx or 3xx", "http://localhost:8080/health"},
  {Level::kReady, "command", kTemplate, kNow, "a command that ends with 0; asked again and again", "./ping.sh"},
  {Level::kReady, "log", kText, kNow, "a regular expression (RE2) that a line of its log holds", "listening on"},
  {Level::kReady, "timeout", kDuration, kNow, "how long that may take", "30s", "1m"},

  {Level::kArtifacts, "upload", {kMapList, Level::kUpload}, kNow, "what is kept", "[{ name: bin, paths: [build/app] }]"},
  {Level::kArtifacts, "download", kTextOrList, kNow, "artifacts of the jobs it needs that are put into the workspace", "[bin]"},
  {Level::kArtifacts, "expire", kDuration, kNow, "how long artifacts and test results are kept after the job's end", "7d", "30 days"},
  {Level::kArtifacts, "when", {kWord, "success|failure|always"}, kNow, "after which end of the steps they are kept", "always", "success"},
  {Level::kArtifacts, "reports", {kMap, Level::kReports}, kNow, "test reports that are read into results", "{ junit: [\"*.xml\"] }"},

  {Level::kUpload, "name", kTemplate, kNow, "what others ask for", "bin"},
  {Level::kUpload, "paths", kTextOrList, kNow, "files, folders and globs in the workspace", "[build/app]"},

  {Level::kReports, "junit", kTextOrList, kNow, "files and globs: results in JUnit's form", "[\"*.xml\"]"},

  {Level::kCache, "key", kTemplate, kNow, "its name; what is saved under one is never changed", "deps-${{ hashFiles('lock') }}"},
  {Level::kCache, "restore_keys", kTextOrList, kNow, "beginnings of keys that will do otherwise, the newest first", "[deps-]"},
  {Level::kCache, "paths", kTextOrList, kNow, "files, folders and globs in the workspace", "[deps]"},

  {Level::kReuse, "inputs", kTextOrList, kNow, "files that decide", "[\"src/**\"]"},

  {Level::kCheckout, "depth", kInteger, kNow, "so many commits of history; 0: all", "1", "0"},
  {Level::kCheckout, "submodules", kBoolean, kNow, "with the files of submodules, and of theirs", "true", "false"},
  {Level::kCheckout, "lfs", kBoolean, kNow, "with the contents of files in git's large file storage", "true", "false"},

  {Level::kStep, "id", kText, kNow, "how expressions call it: `steps.ID.outputs.NAME`", "compile"},
  {Level::kStep, "name", kTemplate, kNow, "a name for people", "Compile everything", "the first line of `run`"},
  {Level::kStep, "run", kTemplate, kNow, "the command or script", "make -j2"},
  {Level::kStep, "use", kText, kNow, "a template whose steps stand here", "setup"},
  {Level::kStep, "with", kTextMap, kNow, "values for that template's inputs", "{ suite: core }"},
  {Level::kStep, "shell", kText, kNow, "`sh` (which is `sh -e`), `bash`, or a command with `{0}` for the script's path", "bash", "sh -e"},
  {Level::kStep, "workdir", kTemplate, kNow, "folder in the workspace", "src", "the workspace"},
  {Level::kStep, "env", kTextMap, kNow, "environment of this step", "{ MODE: fast }"},
  {Level::kStep, "if", kCondition, kNow, "whether it runs", "${{ failure() }}", "success()"},
  {Level::kStep, "timeout", kDuration, kNow, "how long it may take", "90s", "the job's"},
  {Level::kStep, "continue_on_error", kBoolean, kNow, "its failure does not fail the job", "true", "false"},
  {Level::kStep, "background", kBoolean, kNow, "later steps begin at once, beside it; what still runs when they have ended is stopped", "true", "false"},
  {Level::kStep, "effects", {kWord, "once"}, kNow, "must not be done twice: it gets `DAYFLY_EFFECT_TOKEN`, and another attempt asks first", "once"},
  {Level::kStep, "effect_check", kTemplate, kNow, "tells a further attempt: it ends with 0 when the effect is there, with 1 when it is not", "./is-deployed.sh"},
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
  {Level::kJob, "runs-on", "where a job runs is its `pool`, and which of the pool's workers may run it is `requires`"},
  {Level::kJob, "timeout-minutes", "write `timeout: 10m`"},
  {Level::kJob, "continue-on-error", "write `allow_failure: true`"},
  {Level::kJob, "continue_on_error", "write `allow_failure: true`; `continue_on_error` is for steps"},
  {Level::kJob, "rules", "write a condition: `if: ${{ branch == 'main' }}`"},
  {Level::kJob, "only", "write a condition: `if: ${{ branch == 'main' }}`"},
  {Level::kJob, "except", "write a condition: `if: ${{ branch != 'main' }}`"},
  {Level::kJob, "depends_on", "write `needs: [NAME]`"},
  {Level::kJob, "tags", "labels of a worker are `requires: { arch: arm64 }`"},
  {Level::kJob, "container", "a container image is `image: NAME`"},
  {Level::kJob, "shell", "a shell for all steps stands under the document's `defaults`; else in the step"},
  {Level::kJob, "workdir", "a folder for all steps stands under the document's `defaults`; else in the step"},
  {Level::kStep, "uses", "steps of a template stand here with `use: NAME` and `with`"},
  {Level::kStep, "working-directory", "write `workdir`"},
  {Level::kStep, "continue-on-error", "write `continue_on_error`"},
  {Level::kStep, "timeout-minutes", "write `timeout: 10m`"},
  {Level::kStep, "script", "write `run`"},
  {Level::kStep, "command", "write `run`"},
  {Level::kStep, "allow_failure", "of a step it is `continue_on_error`"},
  {Level::kForEach, "in", "the list stands under `values`"},
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
    if (row.level == Level::kJob) {
      levels[static_cast<std::size_t>(Level::kTemplate)].push_back(&row);
    }
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

std::vector<std::string_view> WordsOf(const ValueType& type) {
  std::vector<std::string_view> words;
  for (std::string_view rest = type.words; !rest.empty();) {
    const std::size_t end = std::min(rest.find('|'), rest.size());
    words.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return words;
}

std::string_view ToText(Level level) {
  static constexpr std::array<std::string_view, kLevelCount> kTexts = {
      "a pipeline",      "`include`",     "a template",  "`on`",          "an event",
      "a schedule",      "an input",      "`defaults`",  "a job",         "`extends`",
      "a need",          "a matrix",      "`for_each`",  "`retry`",       "`backoff`",
      "`allow_failure`", "`concurrency`", "`approval`",  "`environment`", "`resources`",
      "a service",       "`ready`",       "`artifacts`", "an upload",     "`reports`",
      "`cache`",         "`reuse`",       "`checkout`",  "a step",
  };
  return level == Level::kNone ? "" : kTexts[static_cast<std::size_t>(level)];
}

namespace {

enum Shape : unsigned { kNullShape = 1, kScalarShape = 2, kListShape = 4, kMapShape = 8 };

/// What a kind is made of, and how people call it.
struct KindRow {
  ValueKind kind;
  unsigned shapes;
  std::string_view description;
};
constexpr KindRow kKinds[] = {
    {kText, kScalarShape, "a single value"},
    {kTemplate, kScalarShape, "a single value"},
    {kCondition, kScalarShape, "an expression"},
    {kBoolean, kScalarShape, "true or false"},
    {kInteger, kScalarShape, "a whole number"},
    {kNumber, kScalarShape, "a number"},
    {kDuration, kScalarShape, "a duration such as `10m`"},
    {kSize, kScalarShape, "a size such as `64MiB`"},
    {kWord, kScalarShape, "a word"},
    {kTextOrList, kScalarShape | kListShape, "a single value or a list"},
    {kList, kListShape, "a list"},
    {kMapList, kListShape, "a list of maps"},
    {kTextMap, kMapShape, "a map"},
    {kTextMapList, kMapShape | kListShape, "a map or a list"},
    {kMap, kMapShape, "a map"},
    {kMapOrEmpty, kMapShape | kNullShape, "a map"},
    {kNamedMaps, kMapShape, "a map of names to maps"},
    {kMapOrMapList, kMapShape | kListShape, "a map or a list of maps"},
    {kTextListOrMap, kScalarShape | kListShape | kMapShape, "a single value, a list or a map"},
    {kSteps, kScalarShape | kListShape, "a single value or a list"},
    {kBooleanOrMap, kScalarShape | kMapShape, "true, false or a map"},
    {kIntegerOrMap, kScalarShape | kMapShape, "a whole number or a map"},
    {kTextOrMap, kScalarShape | kMapShape, "a single value or a map"},
    {kScalar, kScalarShape, "a single value"},
};

constexpr const KindRow& RowOf(ValueKind kind) {
  return kKinds[static_cast<std::size_t>(kind)];
}
static_assert(RowOf(kScalar).kind == kScalar && RowOf(kSteps).kind == kSteps,
              "the rows stand in the order of the kinds");

}  // namespace

bool Accepts(ValueKind kind, NodeKind shape) {
  const unsigned bit = shape == NodeKind::kNull       ? kNullShape
                       : shape == NodeKind::kScalar   ? kScalarShape
                       : shape == NodeKind::kSequence ? kListShape
                                                      : kMapShape;
  return (RowOf(kind).shapes & bit) != 0;
}

std::string Describe(const ValueType& type) {
  return type.words.empty() ? std::string(RowOf(type.kind).description)
                            : fmt::format("one of {}", fmt::join(WordsOf(type), ", "));
}

}  // namespace dsl

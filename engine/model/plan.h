// SPDX-License-Identifier: Apache-2.0
// A compiled pipeline: what `dsl` produces and everybody else reads. Plain values, immutable once
// made, shared by pointer, named by the digest of its encoding. Nothing in it depends on a run:
// inputs, commit and secrets come later.
//
// Memory is part of the contract: 100,000 jobs stay under 4 KiB each. What a matrix's cells have in
// common stands once in `JobSpec`; what most jobs leave at its default stands behind a pointer or
// in an empty vector.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/time.h"
#include "engine/model/ids.h"
#include "engine/model/place.h"

namespace engine::model {

/// Where something was written; lines and columns from 1, columns in Unicode code points. Line 0:
/// nowhere.
struct SourcePosition {
  std::uint32_t file = 0;  ///< index into `Plan::files`
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  friend bool operator==(const SourcePosition&, const SourcePosition&) = default;
};

/// Text that may hold `${{ … }}`. `has_expression` false: it is the value itself (`$${{`
/// unescaped).
struct Template {
  std::string text;
  SourcePosition at;
  bool has_expression = false;
  friend bool operator==(const Template&, const Template&) = default;
};

/// An expression without the `${{ }}` around it. Empty text: `success()`.
struct Condition {
  std::string text;
  SourcePosition at;
  /// Calls `always()`, `failure()` or `cancelled()`: waits for all needs and alone decides.
  bool decides_alone = false;
  friend bool operator==(const Condition&, const Condition&) = default;
};

struct EnvVar {
  std::string name;
  Template value;
  friend bool operator==(const EnvVar&, const EnvVar&) = default;
};

/// A value of an input, a matrix cell or an output, as written: a JSON scalar (`"core"`, `3`,
/// `true`, `null`) or, in matrix includes, any JSON value. Kept as JSON text, so that numbers keep
/// their spelling.
using JsonText = std::string;

enum class InputType : std::uint8_t { kString, kNumber, kBoolean, kChoice };

struct InputSpec {
  std::string name;
  InputType type = InputType::kString;
  bool required = false;
  std::optional<JsonText> default_value;
  std::vector<std::string> options;  ///< of a choice
  std::string pattern;               ///< RE2, whole value; empty: any
  std::string description;
  SourcePosition at;
  friend bool operator==(const InputSpec&, const InputSpec&) = default;
};

struct StepSpec {
  std::string id;    ///< empty: known by its position from 1
  std::string name;  ///< for people; empty: the first line of `run`. May hold expressions.
  Template run;
  std::string shell;  ///< `sh`, `bash`, or a command with `{0}` for the script's path; empty: the
                      ///< default `sh -e`
  Template workdir;   ///< relative to the workspace
  std::vector<EnvVar> env;
  Condition condition;
  base::Duration timeout{0};  ///< 0: only the job's
  bool continue_on_error = false;
  /// Later steps begin while it runs; what still runs when the job's steps have ended is stopped.
  bool background = false;
  /// What it does must not be done twice: an attempt after one in which it may have been done
  /// begins only when somebody says so, or when `effect_check` can tell.
  bool effects_once = false;
  /// A command that ends with 0 when the effect is there and with 1 when it is not.
  Template effect_check;
  /// The command has no shell syntax: `argv` may be started directly with the same result.
  std::vector<std::string> argv;
  friend bool operator==(const StepSpec&, const StepSpec&) = default;
};

enum class NeedOn : std::uint8_t { kSuccess, kFailure, kEnd };

/// An edge as it was written: the whole of job `spec`, all its cells when it has a matrix.
struct Need {
  SpecIndex spec;
  NeedOn on = NeedOn::kSuccess;
  bool optional = false;
  /// 0: no artifacts; 1: all; n: names stand in `JobSpec::rare->need_artifacts[n - 2]`.
  std::uint16_t artifacts = 0;
  /// 0: all cells of `spec`; n: those of `JobSpec::rare->need_cells[n - 1]`.
  std::uint16_t cells = 0;
  friend bool operator==(const Need&, const Need&) = default;
};

enum class RetryOn : std::uint8_t {
  kInfra = 1,
  kTimeout = 2,
  kOom = 4,
  kAnyExit = 8,
  kListedExits = 16
};

struct RetrySpec {
  std::uint32_t max = 0;  ///< further attempts
  base::Duration initial = std::chrono::seconds(1);
  double factor = 2;
  base::Duration longest = std::chrono::seconds(60);
  double jitter = 0.1;  ///< share of the delay, both ways
  std::uint8_t on = 0;  ///< bits of `RetryOn`; 0: any failure that is the author's
  std::vector<std::int32_t> exit_codes;
  friend bool operator==(const RetrySpec&, const RetrySpec&) = default;
};

struct AllowFailure {
  bool any = false;
  std::vector<std::int32_t> exit_codes;
  friend bool operator==(const AllowFailure&, const AllowFailure&) = default;
};

struct ArtifactUpload {
  std::string name;  ///< may hold expressions
  std::vector<std::string> paths;
  SourcePosition at;
  friend bool operator==(const ArtifactUpload&, const ArtifactUpload&) = default;
};

/// Files that later runs find again. Evaluated on the worker before the first step.
struct CacheSpec {
  Template key;
  std::vector<Template> restore_keys;  ///< beginnings of keys, the most wanted first
  std::vector<std::string> paths;
  friend bool operator==(const CacheSpec&, const CacheSpec&) = default;
};

/// Where a job may run. `need` alone decides about that; the rest is for the sandbox.
struct PlaceSpec {
  PlaceNeed need;
  Template image;  ///< container image of its steps; empty: none
  SourcePosition at;
  friend bool operator==(const PlaceSpec&, const PlaceSpec&) = default;
};

/// What shows that a service is ready: all that is set; nothing: that it was started.
struct ReadySpec {
  std::uint32_t tcp = 0;      ///< a port of this machine that takes connections; 0: none
  Template http;              ///< an address that answers with 2xx or 3xx; empty: none
  Template command;           ///< ends with 0; empty: none
  std::string log;            ///< RE2 that a line of its log holds; empty: none
  base::Duration timeout{0};  ///< 0: the default
  Template image;  ///< container that the service is; empty: it runs as its job's steps do
  friend bool operator==(const ReadySpec&, const ReadySpec&) = default;
};

/// After which end of the steps artifacts are kept. After a cancel or a timeout none are.
enum class UploadWhen : std::uint8_t { kSuccess, kFailure, kAlways };

struct CheckoutSpec {
  bool enabled = true;
  std::uint32_t depth = 0;  ///< 0: all history
  bool submodules = false;
  bool lfs = false;
  friend bool operator==(const CheckoutSpec&, const CheckoutSpec&) = default;
};

/// Of jobs that name none.
inline constexpr std::string_view kDefaultPool = "default";

/// What happens to those that find no room in a group.
enum class GroupPolicy : std::uint8_t {
  kQueue,          ///< they wait, the first come first
  kNewest,         ///< only the newest waits, older ones end cancelled
  kCancelRunning,  ///< as `kNewest`, and who holds the room is cancelled
  kReject,         ///< they end cancelled at once
};

/// Of all that name the same group, at most `max` at once, over all runs of a shard.
struct ConcurrencySpec {
  Template group;
  std::uint32_t max = 1;
  GroupPolicy policy = GroupPolicy::kQueue;
  friend bool operator==(const ConcurrencySpec&, const ConcurrencySpec&) = default;
};

struct ApprovalSpec {
  std::vector<std::string> approvers;  ///< names of people; empty: anyone
  base::Duration timeout{0};           ///< 0: the default
  std::vector<InputSpec> inputs;       ///< asked of who approves
  friend bool operator==(const ApprovalSpec&, const ApprovalSpec&) = default;
};

/// A place that is deployed to: one job at a time.
struct EnvironmentSpec {
  Template name;
  Template url;
  friend bool operator==(const EnvironmentSpec&, const EnvironmentSpec&) = default;
};

/// What few jobs set. Absent: every member has its default.
struct RareJobSettings {
  RetrySpec retry;
  AllowFailure allow_failure;
  std::vector<EnvVar> outputs;  ///< evaluated on the worker when the steps have ended
  /// Those that the engine itself reads (`for_each`, `if` and its like of other jobs): never
  /// spilled. Sorted.
  std::vector<std::string> engine_outputs;
  std::vector<ArtifactUpload> uploads;
  UploadWhen uploads_when = UploadWhen::kSuccess;
  base::Duration artifacts_expire{0};      ///< after the job's end; 0: the default
  std::vector<std::string> junit_reports;  ///< globs of test reports in JUnit's form
  std::vector<CacheSpec> caches;
  /// Globs of the files that decide whether an earlier result stands; empty: it always runs.
  std::vector<std::string> reuse_inputs;
  std::vector<std::vector<std::string>> need_artifacts;
  std::vector<StepSpec> finally_steps;
  CheckoutSpec checkout;
  base::Duration queue_timeout{0};           ///< 0: the default
  std::uint64_t log_limit = 0;               ///< bytes a step; 0: the default
  std::string pool;                          ///< whose workers may run it; empty: `kDefaultPool`
  std::optional<PlaceSpec> place;            ///< which of them
  base::Duration delay{0};                   ///< between the end of its needs and its start
  std::vector<ConcurrencySpec> concurrency;  ///< all of them or none
  std::optional<ApprovalSpec> approval;
  std::optional<EnvironmentSpec> environment;
  bool overlap_never = false;  ///< no attempt begins while an older one may still run
  std::vector<std::vector<JobIndex>> need_cells;  ///< each ascending, not empty
  /// The first so many of `JobSpec::steps` are services: background steps that the others wait for.
  std::vector<ReadySpec> services;
  friend bool operator==(const RareJobSettings&, const RareJobSettings&) = default;
};

/// `for_each`: a matrix whose cells are known only once the needs have ended: one for each value of
/// a list. Until then its one cell holds no values and stands for all of them; see
/// `engine/model/expand.h`.
struct EachSpec {
  std::string list;  ///< an expression without the `${{ }}` around it
  SourcePosition at;
  JobIndex
      second_cell;  ///< once there are several: those behind the first are neighbours from here
  friend bool operator==(const EachSpec&, const EachSpec&) = default;
};

/// The axes' names stand once; cells hold values in the same order.
struct MatrixSpec {
  std::vector<std::string> keys;   ///< of all cells, in the order of first appearance
  std::uint32_t max_parallel = 0;  ///< 0: no limit
  bool fail_fast = true;
  JobIndex first_cell;  ///< cells are neighbours in `Plan::jobs`, but for those of `each`
  std::uint32_t cell_count = 0;
  std::optional<EachSpec> each;  ///< the last of `keys` is then what a cell is called by
  friend bool operator==(const MatrixSpec&, const MatrixSpec&) = default;
};

inline constexpr std::uint32_t kNoStage = 0xffffffff;

/// A job as it was written, after defaults, `before` and `after` were merged in.
struct JobSpec {
  std::string name;
  std::uint32_t stage = kNoStage;  ///< `StageIndex`'s value, or `kNoStage`
  /// `needs` was written: exactly these count, even none. Otherwise all jobs of earlier stages.
  bool has_needs = false;
  std::int32_t priority = 0;  ///< higher first
  std::vector<Need> needs;
  Condition condition;
  std::vector<EnvVar> env;  ///< defaults' env first; the document's stands in `Plan::env`
  std::vector<StepSpec> steps;
  base::Duration timeout{0};              ///< 0: the default
  std::shared_ptr<MatrixSpec> matrix;     ///< shared with copies of the plan, and never changed
  std::shared_ptr<RareJobSettings> rare;  ///< as `matrix`
  SourcePosition at;
};

/// What is placed on a worker: a job, or one cell of its matrix.
struct PlannedJob {
  SpecIndex spec;
  std::vector<JsonText>
      cell;  ///< values for `MatrixSpec::keys`; empty text: the cell lacks that key
  friend bool operator==(const PlannedJob&, const PlannedJob&) = default;
};

struct StageSpec {
  std::string name;
  SourcePosition at;
  friend bool operator==(const StageSpec&, const StageSpec&) = default;
};

/// One `on` filter of an event. Globs: `*` stops at `/`, `**` does not, `!` in front takes out
/// again.
struct EventFilter {
  std::vector<std::string> branches, branches_ignore;
  std::vector<std::string> tags, tags_ignore;
  std::vector<std::string> paths, paths_ignore;
  friend bool operator==(const EventFilter&, const EventFilter&) = default;
};

struct ScheduleSpec {
  std::string cron;
  std::string timezone;
  friend bool operator==(const ScheduleSpec&, const ScheduleSpec&) = default;
};

/// An absent event does not start the pipeline. Without `on`: push, pull_request, manual.
struct Triggers {
  std::optional<EventFilter> push, pull_request, tag;
  std::vector<ScheduleSpec> schedule;
  bool manual = true;
  bool webhook = false;
  std::vector<std::string> run;  ///< pipelines whose end starts this one
  friend bool operator==(const Triggers&, const Triggers&) = default;
};

struct Plan {
  std::string name;
  std::vector<std::string> files;  ///< what `SourcePosition::file` counts
  Triggers on;
  std::vector<InputSpec> inputs;
  std::vector<EnvVar> env;
  base::Duration timeout{0};                   ///< of a run; 0: the default
  std::optional<ConcurrencySpec> concurrency;  ///< of whole runs
  std::vector<StageSpec> stages;
  std::vector<JobSpec> specs;    ///< in the order of the file
  std::vector<PlannedJob> jobs;  ///< in the order of `specs`, a matrix's cells by axis order
};

using PlanRef = std::shared_ptr<const Plan>;
/// Digest of the plan's canonical encoding (`store/codec`).
using PlanDigest = base::Digest;

/// Where cell `i` of a matrix stands.
inline JobIndex CellAt(const MatrixSpec& matrix, std::uint32_t i) {
  return i == 0 || !matrix.each.has_value() ? JobIndex(matrix.first_cell.value() + i)
                                            : JobIndex(matrix.each->second_cell.value() + i - 1);
}
/// The job's name; `name[value, value]` for a matrix cell.
std::string JobName(const Plan& plan, JobIndex job);
/// The job of that name, as `JobName` spells it.
std::optional<JobIndex> FindJob(const Plan& plan, std::string_view name);
inline const JobSpec& SpecOf(const Plan& plan, JobIndex job) {
  return plan.specs[base::AsIndex(plan.jobs[base::AsIndex(job)].spec)];
}
/// The settings or the defaults, never null.
const RareJobSettings& RareOf(const JobSpec& spec);
/// Never empty.
std::string_view PoolOf(const JobSpec& spec);
/// What it asks of its worker; never null.
const PlaceNeed& PlaceNeedOf(const JobSpec& spec);
/// It has a step whose effect must not happen twice.
bool HasOnceStep(const JobSpec& spec);
/// No two of its attempts may run at the same time: `effects: once`, `concurrency`, `environment`
/// or `overlap: never`.
bool IsExclusive(const JobSpec& spec);
/// The step is a service, which the job's other steps wait for.
bool IsService(const JobSpec& spec, StepIndex index);
/// The step at `index`, counting the job's steps and then its `finally` steps; null beyond the end.
const StepSpec* StepAt(const JobSpec& spec, StepIndex index);
/// Its `id`, else its position from 1, services left out.
std::string StepName(const JobSpec& spec, StepIndex index);

/// The defaults of the language page, in one place; `dayfly plan --defaults` prints them.
struct Defaults {
  base::Duration job_timeout = std::chrono::minutes(60);
  base::Duration queue_timeout = std::chrono::hours(24);
  base::Duration run_timeout = std::chrono::hours(24);
  base::Duration approval_timeout = std::chrono::hours(7 * 24);
  /// An agent that hears no server works on for so long.
  base::Duration offline = std::chrono::minutes(15);
  base::Duration cancel_grace = std::chrono::seconds(10);
  base::Duration finally_budget = std::chrono::minutes(5);
  base::Duration ready_timeout = std::chrono::minutes(1);
  std::uint32_t infra_retries = 3;
  RetrySpec infra_backoff;
  std::uint64_t log_limit = 256ULL << 20;
  /// Larger outputs go to the artifact store; and of one job together.
  std::uint64_t inline_output_bytes = 64ULL << 10;
  std::uint64_t inline_outputs_bytes = 2ULL << 20;
  base::Duration artifacts_expire = std::chrono::hours(30 * 24);
  /// Since the last use.
  base::Duration caches_expire = std::chrono::hours(30 * 24);
  std::uint64_t caches_bytes_max = 10ULL << 30;
  std::uint32_t jobs_max = 100'000;
  /// Of the values that a `for_each` gives, as JSON and with their names: they are kept in the log.
  std::uint64_t each_bytes_max = 1ULL << 20;
  std::uint64_t file_bytes_max = 10ULL << 20;
};
const Defaults& DefaultSettings();

}  // namespace engine::model

// SPDX-License-Identifier: Apache-2.0
// What a run knows from its first moment: where the source comes from and what the author may read
// in expressions.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/time.h"
#include "engine/model/annotation.h"
#include "engine/model/ids.h"
#include "engine/model/plan.h"
#include "engine/model/status.h"

namespace engine::model {

struct NamedValue {
  std::string name;
  JsonText value;
  friend bool operator==(const NamedValue&, const NamedValue&) = default;
};

/// Enters with `SubmitRun` and stands in `RunAccepted`, unchanged.
struct RunContext {
  std::string event = "manual";  ///< push, pull_request, schedule, manual, …
  std::string commit;            ///< full id; empty without a repository or before the first commit
  std::string branch;
  std::string tag;
  std::string default_branch;  ///< of the repository; empty: not known
  std::string by;              ///< who asked
  std::string source;  ///< the folder or repository the run was started from, as the user knows it
  std::string pipeline_file;
  std::string tree;       ///< git (40 digits) or uploaded (64) tree of the workspaces; empty: none
  std::string workspace;  ///< the one path at which every job of the run sees its workspace
  std::vector<NamedValue> inputs;      ///< resolved: defaults filled in, types checked
  std::vector<NamedValue> event_data;  ///< the `event` context
  std::vector<NamedValue> extra_env;   ///< `--env-file`; values are JSON strings
  std::uint64_t seed = 0;              ///< for jitter; drawn outside
  friend bool operator==(const RunContext&, const RunContext&) = default;
};

/// Who let a job begin, and what they gave along.
struct Approval {
  std::string by;
  std::vector<NamedValue> inputs;
  friend bool operator==(const Approval&, const Approval&) = default;
};

/// Room that is shared by name. A run's groups and a job's have nothing in common but the name, or
/// a run could wait for itself.
enum class GroupKind : std::uint8_t { kRun = 0, kJob = 1, kEnvironment = 2 };

struct GroupName {
  GroupKind kind = GroupKind::kJob;
  std::string name;
  friend auto operator<=>(const GroupName&, const GroupName&) = default;
};
/// `production`, `environment production`
std::string ToText(const GroupName& group);

/// What a run or a job wants of a group, worked out.
struct GroupClaim {
  GroupName group;
  std::uint32_t max = 1;
  GroupPolicy policy = GroupPolicy::kQueue;
  friend bool operator==(const GroupClaim&, const GroupClaim&) = default;
};

struct Artifact {
  std::string name;
  base::Digest manifest;
  std::uint64_t bytes = 0;
  std::uint32_t files = 0;
  friend bool operator==(const Artifact&, const Artifact&) = default;
};

/// An output that is too large to stand in the run's log: the artifact store has its JSON text, as
/// one chunk.
struct SpilledOutput {
  std::string name;
  base::Digest document;
  std::uint64_t bytes = 0;
  friend bool operator==(const SpilledOutput&, const SpilledOutput&) = default;
};

/// Of a job's test reports what is seen at once; the whole stands in the artifact store.
struct TestTotals {
  base::Digest document;  ///< a chunk; see `agents/reports/test_document.h`
  std::uint32_t tests = 0;
  std::uint32_t failed = 0;  ///< those that ended with an error among them
  std::uint32_t skipped = 0;
  std::uint32_t problems = 0;  ///< reports that could not be read, wholly or in part
  base::Duration took{0};
  std::vector<std::string> failures;  ///< names of the first that failed; few and short
  friend bool operator==(const TestTotals&, const TestTotals&) = default;
};

/// Of what a job's steps said about places in files what is seen at once; the whole stands in the
/// artifact store.
struct AnnotationTotals {
  base::Digest document;            ///< a chunk; see `agents/reports/annotation_document.h`
  AnnotationCounts counts;          ///< those that are not in the document among them
  std::vector<std::string> errors;  ///< the first: `message (app.js:3)`; few and short
  friend bool operator==(const AnnotationTotals&, const AnnotationTotals&) = default;
};

/// What a job tells people beside its results; no other job sees it.
struct JobRemarks {
  std::optional<TestTotals> tests;
  std::vector<std::string> notes;  ///< what became of its caches, a sentence each; few and short
  std::optional<AnnotationTotals> annotations;
  bool empty() const { return !tests.has_value() && notes.empty() && !annotations.has_value(); }
  friend bool operator==(const JobRemarks&, const JobRemarks&) = default;
};

/// What a job left behind. Shared: dependants hold the same object.
struct JobResult {
  Status status = Status::kWaiting;
  Reason reason;
  std::vector<NamedValue> outputs;
  std::vector<SpilledOutput> spilled;  ///< outputs, too; a name is here or among `outputs`
  std::vector<Artifact> artifacts;
  JobRemarks remarks;
  friend bool operator==(const JobResult&, const JobResult&) = default;
};

/// The values of a `for_each`, and by what name each goes: `job`, which stood for all of them, has
/// become the first, the others are new.
struct Expansion {
  JobIndex job;
  std::vector<NamedValue> values;
  friend bool operator==(const Expansion&, const Expansion&) = default;
};

/// A job whose result is taken over from an earlier run (`retry --failed`).
struct CarriedJob {
  JobIndex job;
  JobResult result;
  friend bool operator==(const CarriedJob&, const CarriedJob&) = default;
};

}  // namespace engine::model

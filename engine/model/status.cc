// SPDX-License-Identifier: Apache-2.0
#include "engine/model/status.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>

namespace engine::model {
namespace {

constexpr std::array<std::string_view, kStatusCount> kStatusNames = {
    "waiting", "ready",   "running",   "succeeded", "failed",
    "warned",  "skipped", "cancelled", "timed_out"};

/// `sentence` may hold `{subject}`, `{detail}` and `{until}`.
struct ReasonText {
  ReasonCode code;
  std::string_view name;
  std::string_view sentence;
};

constexpr ReasonText kReasons[] = {
    {ReasonCode::kNone, "none", ""},
    {ReasonCode::kWaitsForNeeds, "waits_for_needs", "waits for {subject}"},
    {ReasonCode::kWaitsForStage, "waits_for_stage", "waits for stage {subject}"},
    {ReasonCode::kWaitsForSlot, "waits_for_slot", "waits for a free slot: {subject}"},
    {ReasonCode::kWaitsForBackoff, "waits_for_backoff", "next attempt at {until}: {subject}"},
    {ReasonCode::kWaitsForMatrixLimit, "waits_for_matrix_limit",
     "waits for another cell of the matrix: max_parallel is {detail}"},
    {ReasonCode::kWaitsForWorker, "waits_for_worker", "given to a worker that has not begun yet"},
    {ReasonCode::kWaitsForFinally, "waits_for_finally", "its finally steps are running"},
    {ReasonCode::kWaitsForPool, "waits_for_pool", "waits for pool {subject}"},
    {ReasonCode::kWaitsForGroup, "waits_for_group",
     "number {detail} of those that wait for room in {subject}"},
    {ReasonCode::kWaitsForApproval, "waits_for_approval",
     "waits until {until} for {subject} to approve"},
    {ReasonCode::kWaitsForDelay, "waits_for_delay", "begins at {until}"},
    {ReasonCode::kWaitsForLostWorker, "waits_for_lost_worker",
     "its worker is lost and may still run it: it counts as gone at {until}"},
    {ReasonCode::kEffectMayBeDone, "effect_may_be_done",
     "an attempt before may have done what must not be done twice: waits until {until} for an "
     "approval ({subject})"},
    {ReasonCode::kWaitsForFit, "waits_for_fit", "waits for a worker that fits: {subject}"},
    {ReasonCode::kWaitsForServices, "waits_for_services",
     "its steps begin when its services are ready: {subject}"},
    {ReasonCode::kConditionFalse, "condition_false", "its condition is false: {subject}"},
    {ReasonCode::kFilteredOut, "filtered_out", "its `on` does not match: {subject}"},
    {ReasonCode::kNotSelected, "not_selected", "not selected"},
    {ReasonCode::kNeedNotMet, "need_not_met", "{subject} did not end as needed"},
    {ReasonCode::kRunEnding, "run_ending", "the run was ending"},
    {ReasonCode::kFailFast, "fail_fast", "{subject} failed and fail_fast is on"},
    {ReasonCode::kReused, "reused", "result taken over from run {subject}"},
    {ReasonCode::kGroupFull, "group_full", "no room in {subject}"},
    {ReasonCode::kSuperseded, "superseded", "superseded by {subject}"},
    {ReasonCode::kListEmpty, "list_empty", "there is no value in {subject}"},
    {ReasonCode::kExitCode, "exit_code", "exit code {detail}{why}"},
    {ReasonCode::kSignal, "signal", "ended by {signal}"},
    {ReasonCode::kJobTimeout, "job_timeout", "the job's timeout passed"},
    {ReasonCode::kStepTimeout, "step_timeout", "the step's timeout passed"},
    {ReasonCode::kQueueTimeout, "queue_timeout", "queue_timeout passed before it could start{why}"},
    {ReasonCode::kRunTimeout, "run_timeout", "the run's timeout passed"},
    {ReasonCode::kCancelRequested, "cancel_requested", "cancelled by {subject}"},
    {ReasonCode::kWorkerLost, "worker_lost", "worker lost: {subject}"},
    {ReasonCode::kSetupFailed, "setup_failed", "could not be set up: {subject}"},
    {ReasonCode::kBadExpression, "bad_expression", "expression error: {subject}"},
    {ReasonCode::kOutOfMemory, "out_of_memory", "out of memory"},
    {ReasonCode::kArtifactMissing, "artifact_missing", "artifact {subject}"},
    {ReasonCode::kInfraRetriesSpent, "infra_retries_spent",
     "given up after {detail} infrastructure failures, the last: {subject}"},
    {ReasonCode::kTolerated, "tolerated", "tolerated: {subject}"},
    {ReasonCode::kJobsFailed, "jobs_failed", "{detail} failed"},
    {ReasonCode::kFinallyFailed, "finally_failed", "a finally step failed: {subject}"},
    {ReasonCode::kKilled, "killed", "killed by a second cancel"},
    {ReasonCode::kLogLimit, "log_limit", "its log reached log_limit"},
    {ReasonCode::kWorkerRefused, "worker_refused", "the worker refused it: {subject}"},
    {ReasonCode::kBadStepFile, "bad_step_file", "{subject}"},
    {ReasonCode::kSecretExposed, "secret_exposed", "{subject}"},
    {ReasonCode::kDrainRequested, "drain_requested", "drained by {subject}"},
    {ReasonCode::kApprovalRejected, "approval_rejected", "rejected by {subject}"},
    {ReasonCode::kApprovalTimeout, "approval_timeout", "nobody approved it in time"},
    {ReasonCode::kJobsCancelled, "jobs_cancelled", "{detail} cancelled"},
    {ReasonCode::kStepsEnded, "steps_ended", "stopped, as the job's steps had ended"},
    {ReasonCode::kServiceNotReady, "service_not_ready", "service {subject}"},
    {ReasonCode::kServiceEnded, "service_ended", "service {subject}"},
    {ReasonCode::kNothingFits, "nothing_fits", "no worker can run it: {subject}"},
    {ReasonCode::kOutputsLost, "outputs_lost", "its outputs could not be stored: {subject}"},
};

const ReasonText* Find(ReasonCode code) {
  const auto* found =
      std::ranges::find_if(kReasons, [code](const ReasonText& text) { return text.code == code; });
  return found == std::end(kReasons) ? nullptr : found;
}

std::string SignalName(std::int64_t number) {
  const char* name = sigabbrev_np(static_cast<int>(number));
  return name == nullptr ? fmt::format("signal {}", number)
                         : fmt::format("signal {} (SIG{})", number, name);
}

}  // namespace

std::string_view ToText(Status status) {
  return kStatusNames[static_cast<std::size_t>(status)];
}

std::optional<Status> StatusFromText(std::string_view text) {
  const auto* found = std::ranges::find(kStatusNames, text);
  if (found == kStatusNames.end()) {
    return std::nullopt;
  }
  return static_cast<Status>(found - kStatusNames.begin());
}

std::string_view ToText(ReasonCode code) {
  const ReasonText* text = Find(code);
  return text == nullptr ? "unknown" : text->name;
}

std::optional<ReasonCode> ReasonCodeFromText(std::string_view text) {
  const auto* found = std::ranges::find_if(
      kReasons, [text](const ReasonText& known) { return known.name == text; });
  if (found == std::end(kReasons)) {
    return std::nullopt;
  }
  return found->code;
}

std::string Describe(const Reason& reason) {
  const ReasonText* text = Find(reason.code);
  if (text == nullptr || text->sentence.empty()) {
    return {};
  }
  return fmt::format(fmt::runtime(fmt::string_view(text->sentence.data(), text->sentence.size())),
                     fmt::arg("subject", reason.subject), fmt::arg("detail", reason.detail),
                     fmt::arg("why", reason.subject.empty() ? "" : ": " + reason.subject),
                     fmt::arg("until", base::FormatInstant(reason.until)),
                     fmt::arg("signal", SignalName(reason.detail)));
}

}  // namespace engine::model

// SPDX-License-Identifier: Apache-2.0
// The queue before groups: who gets in, and what the four policies do to those who find no room.
// `placement::Groups` says why nobody waits for ever.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "engine/core/job_scope.h"
#include "engine/core/stepper.h"
#include "engine/expr/expression.h"

namespace engine::core {
namespace {

using model::GroupClaim;
using model::GroupPolicy;
using model::JobIndex;
using model::Reason;
using model::ReasonCode;
using model::Status;
using placement::Ticket;

/// The first of `claims` that turns newcomers away and has no room.
const GroupClaim* FullFor(const placement::Groups& groups, const std::vector<GroupClaim>& claims) {
  const auto full = std::ranges::find_if(claims, [&](const GroupClaim& claim) {
    return claim.policy == GroupPolicy::kReject && !groups.IsFree(claim);
  });
  return full == claims.end() ? nullptr : &*full;
}

/// Who stands in the way of somebody new; no reason when nobody does.
Reason WhyWaits(const State& state, const std::vector<GroupClaim>& claims, model::RunId run) {
  for (const GroupClaim& claim : claims) {
    if (!state.groups.IsFree(claim)) {
      const bool waits_alone =
          claim.policy == GroupPolicy::kNewest || claim.policy == GroupPolicy::kCancelRunning;
      const std::size_t before = waits_alone ? 0 : state.groups.Of(claim.group).waiting.size();
      return {.code = ReasonCode::kWaitsForGroup,
              .detail = static_cast<std::int64_t>(before + 1),
              .subject = DescribeGroup(state, claim.group, run)};
    }
  }
  return {};
}

/// Who makes room for `newcomer`, oldest first.
std::vector<Ticket> Superseded(const placement::Groups::Group& group, const GroupClaim& claim,
                               Ticket newcomer) {
  std::vector<Ticket> tickets;
  if (claim.policy != GroupPolicy::kNewest && claim.policy != GroupPolicy::kCancelRunning) {
    return tickets;
  }
  if (claim.policy == GroupPolicy::kCancelRunning) {
    const std::size_t room = claim.max - 1;
    const std::size_t too_many = group.holding.size() - std::min(group.holding.size(), room);
    tickets.assign(group.holding.begin(),
                   std::next(group.holding.begin(), static_cast<std::ptrdiff_t>(too_many)));
  }
  tickets.insert(tickets.end(), group.waiting.begin(), group.waiting.lower_bound(newcomer));
  return tickets;
}

}  // namespace

base::StatusOr<std::vector<GroupClaim>> EvaluateRunClaims(const model::Plan& plan,
                                                          const model::SubmitRun& input) {
  std::vector<GroupClaim> claims;
  if (!plan.concurrency.has_value()) {
    return claims;
  }
  const model::ConcurrencySpec& spec = *plan.concurrency;
  const expr::Object contexts = RunContexts(input.run, plan, *input.context, {});
  auto text = expr::TemplateText::Parse(spec.group.text);
  if (!text.ok()) {
    return base::InvalidArgument("concurrency.group: {}", text.error().message);
  }
  auto name = text.value().Render(JobScope(contexts, expr::StatusView()));
  if (!name.ok() || name.value().empty()) {
    return base::InvalidArgument("concurrency.group: {}",
                                 name.ok() ? "it is empty" : name.error().message);
  }
  claims.push_back({.group = {.kind = model::GroupKind::kRun, .name = std::move(name).value()},
                    .max = spec.max,
                    .policy = spec.policy});
  return claims;
}

std::string DescribeClaimant(const State& state, Ticket ticket, model::RunId seen_from) {
  const placement::Claimant& claimant = state.groups.At(ticket);
  const std::string run = fmt::format("run {}", ToText(claimant.run));
  if (!claimant.job.has_value()) {
    return run;
  }
  const std::string job = model::JobName(state.FindRun(claimant.run)->plan(), *claimant.job);
  return claimant.run == seen_from ? job : fmt::format("{} of {}", job, run);
}

std::string DescribeGroup(const State& state, const model::GroupName& group,
                          model::RunId seen_from) {
  std::vector<std::string> holders;
  for (const Ticket holder : state.groups.Of(group).holding) {
    holders.push_back(DescribeClaimant(state, holder, seen_from));
  }
  return holders.empty()
             ? model::ToText(group)
             : fmt::format("{}, held by {}", model::ToText(group), fmt::join(holders, " and "));
}

void Stepper::Queue(RunState& run, JobIndex job, Claims claims) {
  if (const GroupClaim* full = FullFor(state_.groups, claims.groups)) {
    return EndJob(
        run, job, Status::kCancelled,
        {.code = ReasonCode::kGroupFull, .subject = DescribeGroup(state_, full->group, run.id())});
  }
  const Ticket ticket = state_.groups.Next();
  const model::RareJobSettings& rare = model::RareOf(model::SpecOf(run.plan(), job));
  Reason reason = WhyWaits(state_, claims.groups, run.id());
  Emit(model::JobQueued{.run = run.id(),
                        .job = job,
                        .ticket = ticket,
                        .claims = claims.groups,
                        .deadline = After(QueueTimeoutOf(rare)),
                        .environment = std::move(claims.environment),
                        .environment_url = std::move(claims.environment_url),
                        .reason = std::move(reason)});
  Enter(claims.groups, ticket);
}

void Stepper::QueueRun(RunState& run, std::vector<GroupClaim> claims) {
  if (claims.empty()) {
    return;
  }
  const GroupClaim* full = FullFor(state_.groups, claims);
  const std::string holders = full == nullptr ? "" : DescribeGroup(state_, full->group, run.id());
  const Ticket ticket = state_.groups.Next();
  Emit(model::RunQueued{.run = run.id(),
                        .ticket = ticket,
                        .claims = claims,
                        .reason = WhyWaits(state_, claims, run.id())});
  if (full != nullptr) {
    return Cancel(run, false, {.code = ReasonCode::kGroupFull, .subject = holders});
  }
  Enter(claims, ticket);
}

// At once where there is room, so that those who come in the same step do not push it out.
void Stepper::Enter(const std::vector<GroupClaim>& claims, Ticket ticket) {
  for (const GroupClaim& claim : claims) {
    LetIn(claim.group);
  }
  const auto& claimants = state_.groups.claimants();
  const auto entered = claimants.find(ticket);
  if (entered != claimants.end() && !entered->second.holds) {
    Supersede(claims, ticket);
  }
}

void Stepper::Supersede(const std::vector<GroupClaim>& claims, Ticket newcomer) {
  for (const GroupClaim& claim : claims) {
    for (const Ticket ticket : Superseded(state_.groups.Of(claim.group), claim, newcomer)) {
      if (state_.groups.claimants().contains(ticket)) {
        const model::RunId whose = state_.groups.At(ticket).run;
        CancelClaimant(
            ticket, {.code = ReasonCode::kSuperseded,
                     .subject = fmt::format("{} in {}", DescribeClaimant(state_, newcomer, whose),
                                            model::ToText(claim.group))});
      }
    }
  }
}

void Stepper::CancelClaimant(Ticket ticket, const Reason& reason) {
  const placement::Claimant claimant = state_.groups.At(ticket);
  RunState& run = *state_.FindRun(claimant.run);
  if (!claimant.job.has_value()) {
    if (kRunMachine.CanFire(run.phase, RunTrigger::kCancelled)) {
      Cancel(run, false, reason);
    }
    return;
  }
  const JobPhase phase = run.job(*claimant.job).phase;
  if (phase == JobPhase::kPlaced || phase == JobPhase::kRunning) {
    return StopAttempt(run, *claimant.job, false, reason);
  }
  EndJob(run, *claimant.job, Status::kCancelled, reason);
}

// As long as the first in the queue fits. Each that enters names the groups that changed with it,
// so those are looked at in their turn.
void Stepper::LetIn(const model::GroupName& group) {
  const std::set<Ticket>& waiting = state_.groups.Of(group).waiting;
  if (waiting.empty() || !state_.groups.MayEnter(*waiting.begin())) {
    return;
  }
  const placement::Claimant& claimant = state_.groups.At(*waiting.begin());
  RunState& run = *state_.FindRun(claimant.run);
  if (!claimant.job.has_value()) {
    // One that was cancelled meanwhile leaves when it ends, in this step.
    return run.phase == RunPhase::kQueued ? Emit(model::RunAdmitted{.run = run.id()}) : void();
  }
  ReadyJob(run, *claimant.job, 1);
}

}  // namespace engine::core

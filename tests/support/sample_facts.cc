// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sample_facts.h"

#include <array>
#include <utility>

namespace tests::support {
namespace {

namespace base = engine::base;
namespace model = engine::model;
using base::Random;

std::uint32_t Small(Random& random) {
  return static_cast<std::uint32_t>(random.Below(300));
}

base::Instant AnyInstant(Random& random) {
  switch (random.Below(4)) {
    case 0:
      return {};
    case 1:
      return base::InstantFromMicros(static_cast<std::int64_t>(random.Next()));
    default:
      return base::InstantFromMicros(1'700'000'000'000'000 +
                                     static_cast<std::int64_t>(random.Below(1ULL << 40)));
  }
}

base::Duration AnyDuration(Random& random) {
  return base::Duration(static_cast<std::int64_t>(random.Below(1ULL << 42)));
}

model::Status AnyStatus(Random& random) {
  return static_cast<model::Status>(random.Below(model::kStatusCount));
}

model::Reason AnyReason(Random& random) {
  if (random.OneIn(1, 3)) {
    return {};
  }
  return {static_cast<model::ReasonCode>(random.Below(64)),
          static_cast<std::int64_t>(random.Next() >> random.Below(64)), AnyInstant(random),
          AnyText(random)};
}

template <typename Make>
auto Several(Random& random, Make make) {
  std::vector<decltype(make(random))> out;
  for (std::uint64_t left = random.Below(4); left > 0; --left) {
    out.push_back(make(random));
  }
  return out;
}

model::NamedValue AnyValue(Random& random) {
  return {AnyText(random), AnyText(random)};
}

base::Digest AnyDigest(Random& random) {
  return base::Sha256(AnyText(random) + std::to_string(random.Next()));
}

model::Artifact AnyArtifact(Random& random) {
  return {AnyText(random), AnyDigest(random), random.Next() >> 20, Small(random)};
}

model::SpilledOutput AnySpilled(Random& random) {
  return {AnyText(random), AnyDigest(random), random.Next() >> 20};
}

model::JobRemarks AnyRemarks(Random& random) {
  model::JobRemarks out;
  if (random.OneIn(1, 2)) {
    out.tests = {AnyDigest(random), Small(random),       Small(random),           Small(random),
                 Small(random),     AnyDuration(random), Several(random, AnyText)};
  }
  out.notes = Several(random, AnyText);
  if (random.OneIn(1, 2)) {
    out.annotations = {
        AnyDigest(random), {Small(random), Small(random), Small(random)}, Several(random, AnyText)};
  }
  return out;
}

model::JobResult AnyResult(Random& random) {
  return {AnyStatus(random),
          AnyReason(random),
          Several(random, AnyValue),
          Several(random, AnySpilled),
          Several(random, AnyArtifact),
          AnyRemarks(random)};
}

model::StepLog AnyLog(Random& random) {
  model::StepLog log;
  log.ranges = Several(random, [](Random& r) {
    return model::LogRange{Small(r), r.Next() >> 24, r.Next() >> 40};
  });
  log.checksum = static_cast<std::uint32_t>(random.Next());
  log.truncated = random.OneIn(1, 2);
  log.lost_bytes = random.Below(3);
  return log;
}

model::JobIndex AnyJob(Random& random) {
  return model::JobIndex(static_cast<std::uint32_t>(random.Next() >> (32 + random.Below(32))));
}

model::AttemptKey AnyKey(Random& random, model::RunId run) {
  return {run, AnyJob(random), Small(random)};
}

model::RunAccepted AnyAccepted(Random& random, model::RunId run) {
  model::RunAccepted out;
  out.run = run;
  out.plan = AnyDigest(random);
  if (random.OneIn(3, 4)) {
    out.context = std::make_shared<const model::RunContext>(AnyContext(random));
  }
  out.env = Several(random, AnyValue);
  out.ranks = Several(random, Small);
  out.known_durations = Several(random, AnyDuration);
  out.not_selected = Several(random, [](Random& r) { return model::SpecIndex(Small(r)); });
  out.carried = Several(random, [](Random& r) {
    return model::CarriedJob{AnyJob(r), AnyResult(r)};
  });
  out.deadline = AnyInstant(random);
  out.idempotency_key = AnyText(random);
  return out;
}

model::StepEnded AnyStepEnded(Random& random, model::RunId run) {
  model::StepEnded out;
  out.key = AnyKey(random, run);
  out.step = model::StepIndex(Small(random));
  out.status = AnyStatus(random);
  out.reason = AnyReason(random);
  out.took = AnyDuration(random);
  out.log = AnyLog(random);
  return out;
}

model::RunEnded AnyRunEnded(Random& random, model::RunId run) {
  model::RunEnded out{run, AnyStatus(random), AnyReason(random), {}};
  for (std::uint32_t& count : out.counts) {
    count = Small(random);
  }
  return out;
}

model::GroupClaim AnyClaim(Random& random) {
  return {{static_cast<model::GroupKind>(random.Below(3)), AnyText(random)},
          Small(random),
          static_cast<model::GroupPolicy>(random.Below(4))};
}

model::WorkerOffer AnyOffer(Random& random) {
  if (random.OneIn(1, 3)) {
    return {};
  }
  model::WorkerOffer offer;
  offer.labels = {{AnyText(random), AnyText(random)}, {AnyText(random), AnyText(random)}};
  offer.sandboxes = {{static_cast<model::SandboxKind>(random.Below(4)), random.OneIn(1, 2)}};
  if (random.OneIn(1, 2)) {
    offer.sandboxes.clear();
  }
  offer.resources = {random.Below(64'000), random.Below(1ULL << 40), random.Below(1ULL << 50),
                     Small(random)};
  return offer;
}

// All kinds in the order of `FactBody`; the static assertion below asks for new ones.
model::FactBody AnyBody(Random& r, std::size_t kind, model::RunId run) {
  static_assert(std::variant_size_v<model::FactBody> == 27, "draw the new fact below, too");
  const model::WorkerId worker(r.Next());
  const model::SessionId session(Small(r));
  switch (kind) {
    case 0:
      return AnyAccepted(r, run);
    case 1:
      return model::RunCancelRequested{run, r.OneIn(1, 2), AnyReason(r)};
    case 2:
      return AnyRunEnded(r, run);
    case 3:
      return model::RunClosed{run};
    case 4:
      return model::JobReadied{
          run, AnyJob(r), Small(r), AnyInstant(r), Several(r, AnyValue), r.OneIn(1, 2)};
    case 5:
      return model::JobWaitNoted{run, AnyJob(r), AnyReason(r)};
    case 6:
      return model::JobBackedOff{run,      AnyJob(r), r.OneIn(1, 2), AnyReason(r),
                                 Small(r), Small(r),  Small(r),      r.OneIn(1, 2)};
    case 7:
      return model::JobEnded{
          run, AnyJob(r),
          r.OneIn(1, 5) ? nullptr : std::make_shared<const model::JobResult>(AnyResult(r))};
    case 8:
      return model::AttemptAssigned{{AnyKey(r, run), worker, session}};
    case 9:
      return model::AttemptStarted{AnyKey(r, run), Small(r), AnyInstant(r)};
    case 10:
      return model::StepStarted{AnyKey(r, run), model::StepIndex(Small(r))};
    case 11:
      return AnyStepEnded(r, run);
    case 12:
      return model::AttemptStopRequested{AnyKey(r, run), r.OneIn(1, 2), AnyReason(r),
                                         AnyInstant(r)};
    case 13:
      return model::AttemptEnded{AnyKey(r, run), AnyStatus(r), r.OneIn(1, 2), AnyReason(r),
                                 AnyDuration(r)};
    case 14:
      return model::WorkerJoined{worker,      session,      AnyText(r),
                                 Small(r),    Small(r),     Several(r, AnyDuration),
                                 AnyOffer(r), r.OneIn(1, 2)};
    case 15:
      return model::WorkerMarkedSuspect{worker, AnyInstant(r)};
    case 16:
      return model::WorkerRecovered{worker};
    case 17:
      return model::WorkerLost{worker, AnyReason(r)};
    case 18:
      return model::WorkerMarkedDraining{worker, r.OneIn(1, 2), AnyReason(r)};
    case 19:
      return model::RunQueued{run, r.Next(), Several(r, AnyClaim), AnyReason(r)};
    case 20:
      return model::RunAdmitted{run};
    case 21:
      return model::JobDelayed{run, AnyJob(r), AnyInstant(r)};
    case 22:
      return model::ApprovalRequested{run, AnyJob(r), Small(r), AnyReason(r), AnyInstant(r)};
    case 23:
      return model::ApprovalDecided{
          run, AnyJob(r), r.OneIn(1, 2), {AnyText(r), Several(r, AnyValue)}};
    case 24:
      return model::JobQueued{run,           AnyJob(r),  r.Next(),   Several(r, AnyClaim),
                              AnyInstant(r), AnyText(r), AnyText(r), AnyReason(r)};
    case 25:
      return model::AttemptUnheard{AnyKey(r, run), AnyInstant(r)};
    default:
      return model::JobsExpanded{run, {AnyJob(r), Several(r, AnyValue)}};
  }
}

}  // namespace

std::string AnyText(Random& random) {
  static const std::array<std::string, 6> kTexts = {
      "",
      "a",
      "build / app",
      std::string("nul\0inside", 10),
      "\xff\xfe no utf-8",
      "a longer text that does not fit into the string object itself: ünïcödé"};
  return kTexts[random.Below(kTexts.size())];
}

model::RunContext AnyContext(Random& random) {
  model::RunContext out;
  out.event = AnyText(random);
  out.commit = AnyText(random);
  out.branch = AnyText(random);
  out.tag = AnyText(random);
  out.default_branch = AnyText(random);
  out.by = AnyText(random);
  out.source = AnyText(random);
  out.pipeline_file = AnyText(random);
  out.tree = AnyText(random);
  out.workspace = AnyText(random);
  out.inputs = Several(random, AnyValue);
  out.event_data = Several(random, AnyValue);
  out.extra_env = Several(random, AnyValue);
  out.seed = random.Next();
  return out;
}

model::Fact AnyFact(Random& random, std::size_t kind, model::RunId run) {
  return {AnyInstant(random), AnyBody(random, kind, run)};
}

std::vector<model::Fact> OneOfEach(Random& random, model::RunId run) {
  std::vector<model::Fact> out;
  for (std::size_t kind = 0; kind < std::variant_size_v<model::FactBody>; ++kind) {
    out.push_back(AnyFact(random, kind, run));
  }
  return out;
}

std::vector<model::Fact> FactsOfPlainJob(model::RunId run, model::JobIndex job, base::Instant at) {
  using std::chrono::hours;
  using std::chrono::microseconds;
  const model::AttemptKey key{run, job, 1};
  const model::StepIndex step(0);
  const base::Instant assigned = at + microseconds(310);
  const base::Instant ended = assigned + microseconds(742);
  auto result = std::make_shared<model::JobResult>();
  result->status = model::Status::kSucceeded;
  model::StepEnded step_ended;
  step_ended.key = key;
  step_ended.took = microseconds(431);
  return {
      {at, model::JobReadied{run, job, 1, at + hours(24), {}}},
      {assigned, model::AttemptAssigned{{key, model::WorkerId(1), model::SessionId(1)}}},
      {ended, model::AttemptStarted{key, 1, ended + hours(1)}},
      {ended, model::StepStarted{key, step}},
      {ended, step_ended},
      {ended, model::AttemptEnded{key, model::Status::kSucceeded, false, {}, microseconds(455)}},
      {ended, model::JobEnded{run, job, result}}};
}

}  // namespace tests::support

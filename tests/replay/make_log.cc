// SPDX-License-Identifier: Apache-2.0
// Writes a golden log: a scripted day of the engine in which every kind of fact occurs, left off in
// the middle so that the state has something of everything. See README.md.
#include <algorithm>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/overloaded.h"
#include "engine/core/core.h"
#include "store/codec/fact_codec.h"
#include "store/codec/plan_codec.h"
#include "tests/replay/golden_log.h"
#include "tests/support/plan_builder.h"

namespace tests::replay {
namespace {

namespace base = engine::base;
namespace model = engine::model;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr model::WorkerId kFirst(1);
constexpr model::WorkerId kSecond(2);
constexpr model::WorkerId kThird(3);
constexpr model::SessionId kSession(1);
constexpr model::RunId kMain(0x19b79a0c00000001);
constexpr model::RunId kCancelled(0x19b79a0c00000002);
constexpr model::RunId kGated(0x19b79a0c00000003);
constexpr model::RunId kBehind(0x19b79a0c00000004);
constexpr model::RunId kRemarked(0x19b79a0c00000005);
constexpr model::RunId kGrowing(0x19b79a0c00000006);
constexpr model::RunId kPlaced(0x19b79a0c00000007);

// Feeds the core and writes down what becomes true, as a store would.
class Script {
 public:
  void Step(const model::Input& input) {
    now_ += milliseconds(7);
    Take(input);
  }
  /// Deadlines on the way fire at their instants.
  void Pass(base::Duration time) {
    const base::Instant until = now_ + time;
    for (auto due = core_.NextDeadline(now_); due && *due <= until;
         due = core_.NextDeadline(now_)) {
      now_ = *due;
      Take(model::DeadlinePassed{});
    }
    now_ = until;
  }
  void Submit(model::SubmitRun input, const model::PlanRef& plan) {
    input.plan = plan;
    input.digest = store::codec::DigestOf(*plan);
    log_.plans.emplace_back(input.digest, store::codec::EncodePlan(*plan));
    model::RunContext context;
    context.branch = "main";
    context.commit = "0123456789012345678901234567890123456789";
    context.by = "tester";
    context.pipeline_file = ".dayfly/ci.yml";
    context.inputs = {{"level", "\"full\""}};
    context.seed = 99;
    input.context = std::make_shared<const model::RunContext>(std::move(context));
    Step(input);
  }
  void Connect(model::WorkerId worker, std::uint32_t slots, std::uint32_t ahead_max) {
    Step(model::WorkerConnected{worker, kSession, "default", slots, ahead_max});
  }
  /// Of the attempt that was handed out longest ago and is not reported yet.
  void Report(std::vector<model::Report> reports) {
    CHECK(!leases_.empty());
    const model::Lease lease = leases_.front();
    leases_.erase(leases_.begin());
    Step(model::AttemptReported{lease, std::move(reports)});
  }
  void ForgetLeases() { leases_.clear(); }
  GoldenLog& log() { return log_; }

 private:
  void Take(const model::Input& input) {
    engine::core::Decisions decisions = core_.Step(input, now_);
    std::vector<std::vector<model::Fact>> rows;
    for (model::Fact& fact : decisions.facts) {
      if (rows.empty() || RunOf(rows.back().front()) != RunOf(fact)) {
        rows.emplace_back();
      }
      rows.back().push_back(std::move(fact));
    }
    for (const std::vector<model::Fact>& row : rows) {
      log_.rows.emplace_back(RunOf(row.front()), store::codec::EncodeFacts(row));
    }
    for (const model::Effect& effect : decisions.effects) {
      std::visit(
          base::Overloaded{[this](const model::DispatchAttempt& dispatch) {
                             leases_.push_back(dispatch.assignment.lease);
                           },
                           [](const model::StopAttempt&) {}, [](const model::DrainWorker&) {}},
          effect);
    }
  }

  engine::core::EngineCore core_;
  base::Instant now_ = base::InstantFromMicros(1'767'225'600'000'000);
  std::vector<model::Lease> leases_;
  GoldenLog log_;
};

model::PlanRef MainPlan() {
  support::PlanBuilder plan("ci");
  plan.Stages({"build", "test", "deploy"});
  plan.Env("CI", "true");
  plan.Job("compile").Stage("build").Run("make").Output("version", "${{ env.CI }}");
  plan.Job("lint").Stage("build").Run("lint").RetryMax(3);
  plan.Job("docs").Stage("build").Run("docs").AllowFailure();
  plan.Job("old").Stage("build").If("inputs.level == 'quick'").Run("old");
  plan.Job("unit")
      .Stage("test")
      .Env("LEVEL", "${{ inputs.level }}")
      .Run("unit")
      .Matrix("suite", {"core", "net", "dsl"})
      .MaxParallel(1);
  plan.Job("long").Stage("test").Run("long").Timeout(seconds(30));
  plan.Job("large").Stage("deploy").Needs({}).Pool("large").Run("large");
  plan.Job("ship").Stage("deploy").Needs({"unit"}).Run("ship").Finally("unlock");
  return plan.Build();
}

model::PlanRef PlanToCancel() {
  support::PlanBuilder plan("nightly");
  plan.Job("a").Run("a");
  plan.Job("b").Run("b");
  plan.Job("c").Needs({"a", "b"}).Run("c");
  return plan.Build();
}

model::PlanRef GatedPlan() {
  support::PlanBuilder plan("release");
  plan.Concurrency("release", 1);
  plan.Job("check").Run("check").Delay(seconds(2)).Needs({});
  plan.Job("ship")
      .Needs({"check"})
      .Approval({.approvers = {"ada"}, .inputs = {{.name = "note"}}})
      .Concurrency("licences", 2)
      .Environment("production", "https://example.org")
      .Env("NOTE", "${{ approval.inputs.note }}")
      .Run("ship")
      .Once()
      .RetryMax(1);
  return plan.Build();
}

model::PlanRef RemarkedPlan() {
  support::PlanBuilder plan("remarked");
  plan.Job("build").Cache("deps-${{ branch }}", "deps").Run("build");
  plan.Job("unit").Needs({"build"}).Reports("out/*.xml").Run("unit");
  plan.Job("pack").Needs({"build"}).Reuse("src/**").Run("pack");
  plan.Job("ship").Needs({"unit", "pack"}).Run("ship");
  return plan.Build();
}

model::PlanRef GrowingPlan() {
  support::PlanBuilder plan("regions");
  plan.Job("list").Run("list").Output("names", "x");
  plan.Job("deploy")
      .Needs({"list"})
      .ForEach("fromJSON(needs.list.outputs.names)")
      .Env("REGION", "${{ each.value }}")
      .Run("deploy")
      .MaxParallel(2);
  plan.Job("smoke").Needs({"deploy"}).ForEach("fromJSON('[1]')").Run("smoke");
  plan.Job("rest").Needs({"list"}).ForEach("fromJSON('[]')").Run("rest");
  plan.Job("report").Needs({"deploy", "smoke", "rest"}).Run("report");
  return plan.Build();
}

model::ReportStepEnded Step(model::Status status, model::Reason reason = {}) {
  model::ReportStepEnded step;
  step.status = status;
  step.reason = std::move(reason);
  step.took = milliseconds(431);
  step.log = {{{0, 1024, 77}, {1, 0, 3}}, 0xdeadbeef, true, 5};
  return step;
}

std::vector<model::Report> Well() {
  model::ReportEnded ended;
  ended.took = milliseconds(455);
  ended.outputs = {{"version", "\"1.2\""}};
  ended.artifacts = {{"bin", base::Sha256("bin"), 4096, 3}};
  return {model::ReportStarted{0}, model::ReportStepStarted{}, Step(model::Status::kSucceeded),
          ended};
}

std::vector<model::Report> Remarked(model::JobRemarks remarks, model::Reason reason = {}) {
  std::vector<model::Report> reports = Well();
  auto& ended = std::get<model::ReportEnded>(reports.back());
  ended.remarks = std::move(remarks);
  ended.reason = std::move(reason);
  return reports;
}

std::vector<model::Report> Badly() {
  const model::Reason exit{model::ReasonCode::kExitCode, 3, {}, {}};
  model::ReportEnded ended;
  ended.status = model::Status::kFailed;
  ended.reason = exit;
  ended.took = milliseconds(455);
  return {model::ReportStarted{1}, model::ReportStepStarted{}, Step(model::Status::kFailed, exit),
          ended};
}

// A run that is cancelled while one of its jobs runs, ends, and is closed.
void CancelAndClose(Script& script) {
  script.Submit({.run = kCancelled, .idempotency_key = "nightly-1"}, PlanToCancel());
  script.Connect(kFirst, 2, 0);
  script.Report({model::ReportStarted{0}, model::ReportStepStarted{}});
  script.Step(model::CancelRun{kCancelled, false, "tester"});
  script.Pass(seconds(60));  // the grace, then the kill, then what says nothing counts as lost
  script.Step(model::CloseRun{kCancelled});
  script.ForgetLeases();
}

// The run that stays open. Its first job's worker comes and goes.
void Begin(Script& script) {
  model::CarriedJob carried;
  carried.job = model::JobIndex(2);
  carried.result.status = model::Status::kSucceeded;
  carried.result.outputs = {{"pages", "12"}};
  script.Connect(kSecond, 2, 1);
  script.Submit({.run = kMain,
                 .known_durations = std::vector<base::Duration>(8, seconds(2)),
                 .carried = {carried},
                 .idempotency_key = "main-1"},
                MainPlan());
  script.Step(model::WorkerSuspected{kSecond, kSession});
  script.Step(model::WorkerReturned{kSecond, kSession});
}

void Approve(Script& script, bool approve) {
  script.Step(model::DecideApproval{.run = kGated,
                                    .job = model::JobIndex(1),
                                    .approve = approve,
                                    .by = "ada",
                                    .inputs = {{"note", "\"go\""}}});
}

// A run that waits at every gate, behind which another one waits: its worker falls silent while it
// does what must not be done twice.
void WaitAtGates(Script& script) {
  script.Submit({.run = kGated}, GatedPlan());
  script.Submit({.run = kBehind}, GatedPlan());
  script.Pass(seconds(3));
  script.Report(Well());  // check
  Approve(script, true);
  script.Report({model::ReportStarted{0}, model::ReportStepStarted{}});
  script.Step(model::WorkerSilent{kSecond, kSession});
}

// Jobs that tell of caches and tests, and one whose result comes from an earlier run.
void Remark(Script& script) {
  script.Submit({.run = kRemarked}, RemarkedPlan());
  script.Report(
      Remarked({.tests = {}, .notes = {"cache 'deps-main' not found"}, .annotations = {}}));
  model::TestTotals tests{.document = base::Sha256("tests"),
                          .tests = 12,
                          .failed = 1,
                          .skipped = 2,
                          .problems = 3,
                          .took = milliseconds(321),
                          .failures = {"Sum.Carries"}};
  script.Report(Remarked({.tests = std::move(tests), .notes = {}, .annotations = {}}));
  script.Report(Remarked({}, {model::ReasonCode::kReused, 0, {}, "19b79a0c00000001"}));
}

// A job whose steps said something about places in files.
void Annotate(Script& script) {
  script.Submit({.run = kRemarked}, RemarkedPlan());
  model::AnnotationTotals annotations{.document = base::Sha256("annotations"),
                                      .counts = {.errors = 1, .warnings = 2, .notices = 3},
                                      .errors = {"boom (a.c:3)"}};
  script.Report(Remarked({.tests = {}, .notes = {}, .annotations = std::move(annotations)}));
}

// A job that left an output which went to the artifact store.
void Spill(Script& script) {
  script.Submit({.run = kRemarked}, RemarkedPlan());
  std::vector<model::Report> reports = Well();
  auto& ended = std::get<model::ReportEnded>(reports.back());
  ended.outputs = {{"version", "\"1.4.0\""}};
  ended.spilled = {{"notes", base::Sha256("notes"), 70'000}};
  script.Report(std::move(reports));
}

// A run that has grown: of its four cells one has ended, one runs, one is given away, one waits.
void Grow(Script& script) {
  script.Submit({.run = kGrowing}, GrowingPlan());
  std::vector<model::Report> listed = Well();
  std::get<model::ReportEnded>(listed.back()).outputs = {
      {"names", R"("[\"eu\", {\"region\": \"us\"}, \"eu\", [4]]")"}};
  script.Report(std::move(listed));
  script.Report(Well());
  script.Report({model::ReportStarted{0}, model::ReportStepStarted{}});
}

// Workers that offer different things; of the jobs one waits for what is in use, one asks for what
// nobody has.
void OfferPlaces(Script& script) {
  model::WorkerConnected worker{kFirst, kSession, "default", 2, 0};
  worker.offer.labels = {{"arch", "amd64"}, {"os", "linux"}};
  worker.offer.resources = {
      .cpu_millis = 4000, .memory = 8ULL << 30, .disk = 1ULL << 40, .gpus = 0};
  script.Step(worker);
  worker.worker = kSecond;
  worker.offer.labels = {{"arch", "arm64"}};
  worker.offer.sandboxes = {{model::SandboxKind::kContainer, true}, {model::SandboxKind::kVm}};
  worker.offer.resources.cpu_millis = 1000;
  worker.alone = true;
  script.Step(worker);
  support::PlanBuilder plan("places");
  plan.Job("large").Run("large").Place({.resources = {.cpu_millis = 3000}});
  plan.Job("larger").Run("larger").Place({.resources = {.cpu_millis = 4000, .memory = 1 << 20}});
  plan.Job("image").Run("image").Place({.labels = {{"arch", ""}},
                                        .sandbox = model::SandboxKind::kContainer,
                                        .network = model::NetworkKind::kNone,
                                        .service_images = true});
  plan.Job("odd").Run("odd").Place({.labels = {{"kind", "odd"}}});
  script.Submit({.run = kPlaced}, plan.Build());
  script.Connect(kThird, 1, 0);
  script.Report({model::ReportStarted{0}, model::ReportStepStarted{}});
}

GoldenLog Write(std::string_view story) {
  Script script;
  if (story == "remarks") {
    script.Connect(kSecond, 1, 0);
    Remark(script);
    return script.log();
  }
  if (story == "annotations") {
    script.Connect(kSecond, 1, 0);
    Annotate(script);
    return script.log();
  }
  if (story == "spilled") {
    script.Connect(kSecond, 1, 0);
    Spill(script);
    return script.log();
  }
  if (story == "growing") {
    script.Connect(kSecond, 2, 0);
    Grow(script);
    return script.log();
  }
  if (story == "places") {
    OfferPlaces(script);
    return script.log();
  }
  if (story == "gates") {
    script.Connect(kSecond, 2, 0);
    WaitAtGates(script);
    return script.log();
  }
  CancelAndClose(script);
  Begin(script);
  script.Report(Well());   // compile
  script.Report(Badly());  // lint, which is tried again
  script.Pass(seconds(5));
  script.Report(Well());
  script.Report(Well());  // of the second stage
  script.Report({model::ReportStarted{0}, model::ReportStepStarted{}});
  script.Pass(seconds(31));  // longer than its timeout
  script.Connect(kThird, 1, 0);
  script.Step(model::WorkerGone{kFirst, kSession, "evicted"});
  script.Step(model::DrainRequested{kSecond, kSession, false, "its agent"});
  script.Step(model::DrainRequested{kSecond, {}, true, "tester"});
  script.Step(model::WorkerSuspected{kSecond, kSession});
  return script.log();
}

}  // namespace
}  // namespace tests::replay

int main(int argc, char** argv) {
  tests::replay::GoldenLog log = tests::replay::Write(argc > 2 ? argv[2] : "");
  if (argc > 1) {
    log.comments.emplace_back(argv[1]);
  }
  std::cout << ToText(log);
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "apps/run_command.h"

#include <filesystem>
#include <future>
#include <optional>

#include "apps/exit_code.h"
#include "apps/local_place.h"
#include "apps/local_run.h"
#include "apps/pipeline_file.h"
#include "apps/recorded_run.h"
#include "apps/state_dir.h"
#include "apps/state_sweep.h"
#include "apps/terminal.h"
#include "apps/text_file.h"
#include "apps/view/json_text.h"
#include "dsl/selection.h"
#include "engine/base/log.h"
#include "store/codec/plan_codec.h"

namespace apps {
namespace {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

LocalRunOptions LocalOptions(const RunOptions& options) {
  LocalRunOptions local;
  local.workers = options.workers;
  local.output = options.output;
  local.secrets = options.secrets;
  local.secrets_file = ".dayfly/secrets";
  local.stats = options.stats;
  local.no_approve = options.no_approve;
  return local;
}

base::StatusOr<std::vector<model::NamedValue>> ReadEnv(const std::string& path) {
  std::vector<model::NamedValue> env;
  if (path.empty()) {
    return env;
  }
  ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  ASSIGN_OR_RETURN(const std::vector<NameValue> values, ParseEnvFile(text, path));
  for (const auto& [name, value] : values) {
    std::string json;
    view::AppendJsonString(json, value);
    env.push_back({.name = name, .value = std::move(json)});
  }
  return env;
}

bool NeedsSource(const model::Plan& plan) {
  for (const model::JobSpec& spec : plan.specs) {
    if (model::RareOf(spec).checkout.enabled) {
      return true;
    }
  }
  return false;
}

/// Everything that can be wrong with a call is found here, before the run exists.
struct Prepared {
  model::PlanRef plan;
  model::RunContext context;
  std::vector<model::SpecIndex> not_selected;
};

base::StatusOr<Prepared> Prepare(const RunOptions& options, const std::string& file) {
  Prepared prepared;
  ASSIGN_OR_RETURN(prepared.plan, CompileFile(file, dsl::Purpose::kRun));
  ASSIGN_OR_RETURN(prepared.context.inputs, ResolveInputArguments(*prepared.plan, options.inputs));
  ASSIGN_OR_RETURN(prepared.not_selected, dsl::NotSelected(*prepared.plan, options.only));
  ASSIGN_OR_RETURN(prepared.context.extra_env, ReadEnv(options.env_file));
  prepared.context.pipeline_file = file;
  prepared.context.by = UserName();
  prepared.context.seed = DrawRandom();
  return prepared;
}

void TakeSource(const ports::WorkingTree& tree, model::RunContext& context) {
  context.commit = tree.commit;
  context.branch = tree.branch;
  context.default_branch = tree.default_branch;
  context.tag = tree.tag;
  context.tree = tree.tree;
  context.source = tree.root;
  for (const std::string& warning : tree.warnings) {
    fmt::print(stderr, "dayfly: {}\n", warning);
  }
}

/// Says what does not.
bool FitsHere(const Prepared& prepared, const model::WorkerOffer& offer) {
  const dsl::Event event{
      .name = {}, .branch = prepared.context.branch, .tag = prepared.context.tag, .changed = {}};
  const std::vector<dsl::Diagnostic> refusals =
      UnfitJobs(*prepared.plan, prepared.not_selected, event, prepared.context.inputs, offer);
  PrintDiagnostics(refusals);
  return refusals.empty();
}

base::StatusOr<std::string> CurrentFolder() {
  std::error_code error;
  std::string folder = std::filesystem::current_path(error).string();
  return error ? base::FromErrno(error.value(), "the current folder")
               : base::StatusOr<std::string>(std::move(folder));
}

int Start(const RunOptions& options, const StateDir& state, const std::string& file) {
  auto run = LocalRun::Create(state, LocalOptions(options));
  if (!run.ok()) {
    return Fail(run.status());
  }
  // Reading the working tree and compiling take about as long; neither waits for the other.
  auto tree = std::async(std::launch::async, [&run]() -> base::StatusOr<ports::WorkingTree> {
    ASSIGN_OR_RETURN(const std::string folder, CurrentFolder());
    ASSIGN_OR_RETURN(ports::GitSource * git, (*run)->git());
    return git->WriteWorkingTree(folder);
  });
  base::StatusOr<Prepared> prepared = Prepare(options, file);
  if (!prepared.ok()) {
    return base::Message(prepared.status()).empty() ? kExitInvalid : Fail(prepared.status());
  }
  if (const auto source = tree.get(); source.ok()) {
    TakeSource(*source, prepared->context);
  } else if (NeedsSource(*prepared->plan)) {
    return Fail(ExitCodeOf(source.status()),
                fmt::format("the source cannot be recorded: {}", base::Message(source.status())));
  }
  if (prepared->context.source.empty()) {
    prepared->context.source = CurrentFolder().value_or("");
  }
  if (!FitsHere(*prepared, (*run)->offer())) {
    return kExitInvalid;
  }
  prepared->context.workspace = (*run)->workspace();
  model::SubmitRun submission;
  submission.run = (*run)->run();
  submission.plan = prepared->plan;
  submission.digest = store::codec::DigestOf(*prepared->plan);
  submission.known_durations = (*run)->KnownDurations(*prepared->plan, prepared->context);
  submission.context = std::make_shared<model::RunContext>(std::move(prepared->context));
  submission.not_selected = std::move(prepared->not_selected);
  return (*run)->Execute(std::move(submission));
}

int Resume(const RunOptions& options, const StateDir& state) {
  const auto found = FindRun(state, options.resume);
  if (!found.ok()) {
    return Fail(found.status());
  }
  auto run = LocalRun::Reopen(state, *found, LocalOptions(options));
  return run.ok() ? (*run)->Resume() : Fail(run.status());
}

}  // namespace

int RunCommand(const RunOptions& options) {
  std::string file;
  if (options.resume.empty()) {
    auto chosen = ChoosePipeline(options.file);
    if (!chosen.ok()) {
      return Fail(chosen.status());
    }
    file = *chosen;
  }
  const auto state = StateDir::Open();
  if (!state.ok()) {
    return Fail(state.status());
  }
  const int code = options.resume.empty() ? Start(options, *state, file) : Resume(options, *state);
  // The run is over and told; what is swept is nothing of its own.
  if (const auto swept = SweepState(*state, WallClock()); !swept.ok()) {
    spdlog::warn("artifacts and caches were not swept: {}", base::Message(swept.status()));
  }
  return code;
}

}  // namespace apps

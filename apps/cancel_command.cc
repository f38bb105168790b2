// SPDX-License-Identifier: Apache-2.0
#include "apps/cancel_command.h"

#include <cstdio>

#include "apps/control.h"
#include "apps/exit_code.h"
#include "apps/local_run.h"
#include "apps/recorded_run.h"
#include "apps/standard_streams.h"
#include "apps/state_dir.h"
#include "apps/view/json_text.h"
#include "apps/view/summary.h"

namespace apps {
namespace {

namespace base = engine::base;
namespace model = engine::model;

std::string CancelRequest(bool kill) {
  std::string json;
  view::JsonObject object(json);
  object.Text("do", "cancel");
  object.Bool("kill", kill);
  object.Text("by", UserName());
  object.End();
  return json;
}

// Nobody listens: it is over, or was left unfinished.
int TellWithoutProcess(const StateDir& state, model::RunId run) {
  const auto recorded = ReadRun(state, run);
  if (!recorded.ok()) {
    return Fail(recorded.status());
  }
  const std::string id = model::ToText(run);
  if (model::IsFinal(recorded->board.status())) {
    Print(fmt::format("run {} is over already: {}\n", id, view::Words(recorded->board.status())));
    return kExitOk;
  }
  return Fail(kExitEngine, fmt::format("run {} has no process any more, nothing of it is running; "
                                       "dayfly run --resume {} would continue it",
                                       id, id));
}

}  // namespace

int CancelCommand(const CancelOptions& options) {
  const auto state = StateDir::OpenForReading();
  if (!state.ok()) {
    return Fail(state.status());
  }
  const auto run = FindRun(*state, options.run);
  if (!run.ok()) {
    return Fail(run.status());
  }
  const auto answer = AskRun(state->run_folder(*run), CancelRequest(options.kill));
  if (answer.ok()) {
    Print(
        fmt::format("run {}: {}\n", model::ToText(*run), options.kill ? "killing" : "cancelling"));
    return kExitOk;
  }
  return answer.status().code() == absl::StatusCode::kUnavailable
             ? TellWithoutProcess(*state, *run)
             : Fail(kExitEngine, base::Message(answer.status()));
}

}  // namespace apps

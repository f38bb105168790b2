// SPDX-License-Identifier: Apache-2.0
#include "apps/network/submit_command.h"

#include <cstdio>
#include <functional>
#include <unistd.h>
#include <utility>

#include "api/client/run_client.h"
#include "apps/exit_code.h"
#include "apps/network/server_runs.h"
#include "apps/network/tree_upload.h"
#include "apps/network/watch_screen.h"
#include "apps/pipeline_file.h"
#include "apps/standard_streams.h"
#include "apps/state_dir.h"
#include "apps/submit_source.h"
#include "apps/terminal.h"
#include "apps/text_file.h"
#include "dsl/render.h"

namespace apps::network {
namespace {

namespace base = engine::base;
namespace client = api::client;
namespace model = engine::model;

std::string FreshKey() {
  return fmt::format("{:016x}{:016x}", DrawRandom(), DrawRandom());
}

int Watch(client::RunClient& runs, const client::Target& target, const std::string& run,
          const std::string& output) {
  WatchScreen screen(output, target);
  client::WatchHandlers handlers;
  handlers.outlined = [&](const api::wire::OutlinedRun& outlined) { screen.Begin(outlined); };
  handlers.happened = [&](const model::Fact& fact) {
    screen.Show(fact);
    return !model::IsFinal(screen.board()->status());
  };
  const base::Status watched = runs.Watch(run, /*history_only=*/false, handlers);
  const int code = screen.End(/*is_over=*/watched.ok());
  return watched.ok() ? code : Fail(watched);
}

// What the server said of a request to start a run, then perhaps the run itself.
int Answer(client::RunClient& runs, const client::Target& target,
           const base::StatusOr<client::SubmitAnswer>& answer, bool watch,
           const std::string& output) {
  if (!answer.ok()) {
    return Fail(answer.status());
  }
  const std::string problems = dsl::RenderText(answer->diagnostics, LookOf(STDERR_FILENO).color);
  std::fwrite(problems.data(), 1, problems.size(), stderr);
  if (answer->run.value() == 0) {
    return kExitInvalid;
  }
  const std::string run = model::ToText(answer->run);
  if (watch) {
    return Watch(runs, target, run, output);
  }
  Print(fmt::format("{}\n", run));
  return kExitOk;
}

base::StatusOr<SubmitSource> SourceOf(const SubmitOptions& options,
                                      client::Connection& connection) {
  if (!options.upload) {
    return FindSource(options.repo, options.commit);
  }
  if (!options.repo.empty() || !options.commit.empty()) {
    return base::InvalidArgument(
        "--upload sends this working tree; --repo and --commit name another source");
  }
  return UploadWorkingTree(connection);
}

base::StatusOr<api::wire::Submission> SubmissionOf(const SubmitOptions& options,
                                                   client::Connection& connection) {
  api::wire::Submission submission;
  ASSIGN_OR_RETURN(submission.pipeline_file, ChoosePipeline(options.file));
  ASSIGN_OR_RETURN(PipelineTexts texts, ReadPipeline(submission.pipeline_file));
  submission.pipeline_text = std::move(texts.text);
  submission.included = std::move(texts.included);
  ASSIGN_OR_RETURN(const SubmitSource source, SourceOf(options, connection));
  if (const std::string differs =
          PipelineDiffers(source, submission.pipeline_file, submission.pipeline_text);
      !options.upload && !differs.empty()) {
    fmt::print(stderr, "dayfly: {}\n", differs);
  }
  submission.repository = source.repository;
  submission.uploaded_tree = source.tree;
  submission.commit = source.commit;
  submission.branch = source.branch;
  submission.default_branch = source.default_branch;
  for (const std::string& input : options.inputs) {
    ASSIGN_OR_RETURN(NameValue pair, SplitNameValue(input, "--input"));
    submission.inputs.push_back(std::move(pair));
  }
  if (!options.env_file.empty()) {
    ASSIGN_OR_RETURN(const std::string text, ReadTextFile(options.env_file));
    ASSIGN_OR_RETURN(submission.extra_env, ParseEnvFile(text, options.env_file));
  }
  submission.only_jobs = options.only;
  submission.event = options.event;
  submission.request_key = options.key.empty() ? FreshKey() : options.key;
  return submission;
}

}  // namespace

int SubmitCommand(const SubmitOptions& options) {
  auto target = ChooseTarget(options.server);
  if (!target.ok()) {
    return Fail(target.status());
  }
  client::Connection connection(*target);
  const auto submission = SubmissionOf(options, connection);
  if (!submission.ok()) {
    const bool was_told = base::Message(submission.status()).empty();
    return was_told ? kExitInvalid : Fail(submission.status());
  }
  client::RunClient runs(connection);
  return Answer(runs, *target, runs.Submit(*submission), options.watch, options.output);
}

int WatchCommand(const WatchOptions& options) {
  auto target = ChooseTarget(options.server);
  if (!target.ok()) {
    return Fail(target.status());
  }
  client::Connection connection(*target);
  client::RunClient runs(connection);
  return Watch(runs, *target, options.run, options.output);
}

int RetryCommand(const RetryOptions& options) {
  auto target = ChooseTarget(options.server);
  if (!target.ok()) {
    return Fail(target.status());
  }
  client::Connection connection(*target);
  client::RunClient runs(connection);
  const std::string key = options.key.empty() ? FreshKey() : options.key;
  return Answer(runs, *target, runs.Retry(options.run, options.failed, key), options.watch,
                options.output);
}

}  // namespace apps::network

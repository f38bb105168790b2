// SPDX-License-Identifier: Apache-2.0
#include "apps/command_line.h"

#include <csignal>
#include <cstdio>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "apps/approve_command.h"
#include "apps/cancel_command.h"
#include "apps/command_tree.h"
#include "apps/completion.h"
#include "apps/deployments_command.h"
#include "apps/eval_command.h"
#include "apps/exit_code.h"
#include "apps/explain_command.h"
#include "apps/help.h"
#include "apps/logs_command.h"
#include "apps/man_page.h"
#include "apps/plan_command.h"
#include "apps/retry_command.h"
#include "apps/run_command.h"
#include "apps/runs_command.h"
#include "apps/server_commands.h"
#include "apps/show_command.h"
#include "apps/standard_streams.h"
#include "apps/validate_command.h"
#include "engine/base/did_you_mean.h"

namespace apps {
namespace {

constexpr std::string_view kVersion = DAYFLY_VERSION;

void AddRun(CommandLine& line) {
  Command<RunOptions> command(
      line, "run",
      "Runs a pipeline on this machine and shows it live. Source is the repository (or folder) you "
      "are in, as it stands "
      "now: tracked and untracked files, without ignored ones. Nothing a step does reaches it",
      RunCommand);
  using O = RunOptions;
  command.Completed(
      command.Value("FILE", &O::file, "",
                    "The pipeline. Without it: the only one in .dayfly/, else they are listed"),
      Completes::kPipeline);
  command.Repeated("--input", &O::inputs, "NAME=VALUE", "Gives an input of the pipeline its value");
  command.Completed(command.Value("--env-file", &O::env_file, "FILE",
                                  "NAME=VALUE lines that every step gets as environment"),
                    Completes::kFile);
  CLI::Option* only =
      command.Repeated("--only", &O::only, "JOB", "Runs this job and all it needs, nothing else");
  command.Workers(&O::workers);
  command.Choice("--output", &O::output, {"tree", "plain", "json"},
                 "A live tree, lines for people, or JSON lines for programs. Default: tree on a "
                 "terminal, plain elsewhere");
  CLI::Option* resume =
      command.Completed(command.Value("--resume", &O::resume, "RUN",
                                      "Continues a run whose process died: its own plan, source "
                                      "and inputs; jobs that ended are not run "
                                      "again"),
                        Completes::kRun);
  resume->excludes("FILE")->excludes("--input")->excludes("--env-file")->excludes(only);
  command.Flag(
      "--no-approve", &O::no_approve,
      "Answers no to every job that waits for an approval, so that the run ends by itself");
  command.Repeated("--secret", &O::secrets, "NAME[=@FILE]",
                   "A secret for the steps: from a file, or asked for on the terminal. Others come "
                   "from .dayfly/secrets "
                   "(NAME=VALUE lines, mode 0600)");
  command.Flag("--stats", &O::stats,
               "Ends with one JSON line of counters and times on standard error");
  command.Footer(
      R"(Ctrl-C cancels well: steps get a signal, then time, then `finally` runs. Ctrl-C again
kills. From another terminal: dayfly cancel RUN.

Examples:
  dayfly run
  dayfly run .dayfly/ci.yml --input level=full --workers 8
  dayfly run --only deploy --output plain
  dayfly run --output json | jq -r 'select(.event == "job_ended") | .job + " " + .status'
  dayfly run --resume latest

Exit codes:
  0  succeeded, or failed only where the author tolerates it (warned)
  1  failed, timed out or cancelled
  2  the pipeline or the call is invalid; nothing was started
  3  the engine could not run it (disk full, state not writable); --resume continues it)");
}

void AddValidate(CommandLine& line) {
  Command<ValidateOptions> command(
      line, "validate", "Checks pipelines and shows every problem at once, each with its place",
      ValidateCommand);
  using O = ValidateOptions;
  command.Completed(command.Value("FILE", &O::files, "", "Pipelines. Without any: all in .dayfly/"),
                    Completes::kPipeline);
  command.Choice("--format", &O::format, {"text", "json"}, "For people, or an object a line");
  command.Flag("--schema", &O::schema,
               "Prints the JSON Schema of the language for editors, and checks nothing");
  command.Footer(R"(Examples:
  dayfly validate
  dayfly validate .dayfly/ci.yml --format json
  dayfly validate --schema > dayfly.schema.json

Exit codes:
  0  no errors (there may be warnings)
  2  errors)");
}

void AddPlan(CommandLine& line) {
  Command<PlanOptions> command(line, "plan",
                               "Shows what a pipeline would do for an event: its jobs, their "
                               "order, and which are left out and why",
                               PlanCommand);
  using O = PlanOptions;
  command.Completed(
      command.Value("FILE", &O::file, "", "The pipeline. Without it: the only one in .dayfly/"),
      Completes::kPipeline);
  command.Choice("--event", &O::event, {"push", "pull_request", "tag", "schedule", "manual"},
                 "What happened. Default: nothing is filtered by event");
  command.Value("--branch", &O::branch, "NAME", "The branch it happened on");
  command.Value("--tag", &O::tag, "NAME", "The tag that was pushed");
  CLI::Option* changed = command.Repeated(
      "--changed", &O::changed, "PATH", "A path that changed. Default: path filters do not count");
  changed->each([&options = command.options()](const std::string&) { options.has_changed = true; });
  command.Repeated("--input", &O::inputs, "NAME=VALUE", "Gives an input of the pipeline its value");
  command.Choice("--format", &O::format, {"text", "json", "dot", "mermaid"},
                 "Text for people, JSON for programs, a graph for Graphviz or Mermaid");
  command.Flag("--edges", &O::edges, "Shows needs job by job, cells and stage barriers too");
  command.Flag("--defaults", &O::defaults, "Prints what holds where a pipeline says nothing");
  command.Value("--explain", &O::explain, "JOB",
                "Shows where each value of this job came from: its place, and the templates, "
                "includes and defaults on the way. As text or, with --format json, JSON");
  command.Footer(R"(Examples:
  dayfly plan
  dayfly plan ci.yml --event push --branch main --changed src/a.c
  dayfly plan ci.yml --format dot | dot -Tsvg > plan.svg
  dayfly plan ci.yml --explain unit
  dayfly plan --defaults

Exit codes:
  0  shown
  2  the pipeline or the call is invalid)");
}

void AddEval(CommandLine& line) {
  Command<EvalOptions> command(line, "eval", "Prints the value of one expression as JSON",
                               EvalCommand);
  using O = EvalOptions;
  command.Completed(
      command.Value("--context", &O::context_file, "FILE",
                    "A JSON object; its members are the contexts, such as inputs and env"),
      Completes::kFile);
  command.Value("EXPRESSION", &O::expression, "", "With or without ${{ }}; put -- in front of it")
      ->required();
  command.Footer(R"(Examples:
  dayfly eval -- "contains('abc', 'B') && 1 + 1 == 2"
  dayfly eval --context facts.json -- "inputs.level == 'full'"

Exit codes:
  0  its value was printed
  2  it cannot be parsed or evaluated)");
}

void AddRuns(CommandLine& line) {
  Command<RunsOptions> command(line, "runs", "Lists the runs kept on this machine, newest first",
                               RunsCommand);
  command.Value("--limit", &RunsOptions::limit, "N", "At most so many")
      ->check(CLI::Range(1U, 1'000'000U).description(""))
      ->capture_default_str();
  command.Choice("--format", &RunsOptions::format, {"text", "json", "ids"},
                 "A table, an object a line, or ids only");
  command.Server(&RunsOptions::server);
  command.Footer(R"(Examples:
  dayfly runs
  dayfly runs --format json | jq -r 'select(.status == "failed") | .run'

Exit codes:
  0  listed
  3  the state folder cannot be read)");
}

void AddDeployments(CommandLine& line) {
  Command<DeploymentsOptions> command(
      line, "deployments",
      "Lists what was brought to an environment, by which run, and how that went, newest first; "
      "without ENVIRONMENT what each has now",
      DeploymentsCommand);
  using O = DeploymentsOptions;
  command.Value("ENVIRONMENT", &O::environment, "", "As `environment` of a job names it");
  command.Value("--limit", &O::limit, "N", "At most so many")
      ->check(CLI::Range(1U, 1000U).description(""))
      ->capture_default_str();
  command.Choice("--format", &O::format, {"text", "json"}, "A table, or an object a line");
  command.Server(&O::server);
  command.Footer(
      R"(`now` marks the newest that succeeded. An environment that several sources name has one for each.

Examples:
  dayfly deployments
  dayfly deployments production
  dayfly deployments production --format json | jq -r 'select(.current) | .commit'

Exit codes:
  0  listed
  2  nothing was ever brought to ENVIRONMENT
  3  the state folder cannot be read, or no server answers)");
}

void AddShow(CommandLine& line) {
  Command<ShowOptions> command(
      line, "show", "Shows what is recorded of a run: jobs, attempts, steps, durations, reasons",
      ShowCommand);
  command.Completed(command.Value("RUN", &ShowOptions::run, "", kRunArgument)->required(),
                    Completes::kRun);
  command.Flag(
      "--tests", &ShowOptions::tests,
      "The results of its tests, as `reports` of its jobs tell them: totals, failures, the "
      "slowest");
  command
      .Flag("--annotations", &ShowOptions::annotations,
            "All errors, warnings and notices that its steps made by log commands")
      ->excludes("--tests");
  command.Choice("--format", &ShowOptions::format, {"text", "json"}, "For people, or one object");
  command.Server(&ShowOptions::server);
  command.Footer(R"(Examples:
  dayfly show latest
  dayfly show latest --tests
  dayfly show latest --annotations
  dayfly show 01jd2 --format json

Exit codes:
  0  shown
  2  no such run
  3  its records cannot be read)");
}

void AddLogs(CommandLine& line) {
  Command<LogsOptions> command(
      line, "logs", "Prints what the steps of a run wrote, in order, also while the run goes on",
      LogsCommand);
  using O = LogsOptions;
  command.Completed(command.Value("RUN", &O::run, "", kRunArgument)->required(), Completes::kRun);
  command.Value("JOB", &O::job, "",
                "One job, a matrix by its name or a cell as name[value]. Default: all");
  command.Value("STEP", &O::step, "", "One step, by its id or its position from 1. Default: all");
  command.Flag("-f,--follow", &O::follow, "Goes on until the run (or the job) has ended");
  command.Choice("--format", &O::format, {"text", "json"}, "For people, or an object a line");
  command.Flag("--raw", &O::raw, "Exactly the bytes the steps wrote, without times and names")
      ->excludes("--format");
  command.Value("--tail", &O::tail, "N", "Only the last N lines of each step")
      ->check(CLI::Range(0, 1'000'000'000).description(""));
  command.Server(&O::server);
  command.Footer(R"(A job that was tried several times shows every attempt.

Examples:
  dayfly logs latest
  dayfly logs latest 'unit[core]' -f
  dayfly logs 01jd2 compile 2 --raw > compile.log
  dayfly logs latest --format json | jq -r 'select(.step == "test") | .text'

Exit codes:
  0  printed
  2  no such run, job or step
  3  bytes of a log are missing)");
}

void AddCancel(CommandLine& line) {
  Command<CancelOptions> command(
      line, "cancel",
      "Cancels a run that is under way: its steps get a signal, then time, then `finally` runs",
      CancelCommand);
  command.Completed(command.Value("RUN", &CancelOptions::run, "", kRunArgument)->required(),
                    Completes::kRun);
  command.Flag("--kill", &CancelOptions::kill,
               "Ends everything at once, `finally` too. A second cancel does the same");
  command.Server(&CancelOptions::server);
  command.Footer(R"(Examples:
  dayfly cancel latest
  dayfly cancel latest --kill

Exit codes:
  0  the run was told, or is over already
  2  no such run
  3  its process is gone: dayfly run --resume RUN continues it)");
}

void AddApprove(CommandLine& line) {
  Command<ApproveOptions> command(line, "approve", "Answers a job that waits for an approval",
                                  ApproveCommand);
  using O = ApproveOptions;
  command.Completed(command.Value("RUN", &O::run, "", kRunArgument)->required(), Completes::kRun);
  command.Value("JOB", &O::job, "", "The job, a cell of a matrix as name[value]")->required();
  command.Flag("--reject", &O::reject, "Says no: the job ends cancelled");
  command.Repeated("--input", &O::inputs, "NAME=VALUE", "A value that the approval asks for");
  command.Server(&O::server);
  command.Footer(R"(Examples:
  dayfly approve latest deploy
  dayfly approve latest 'deploy[eu]' --input note='release 12'
  dayfly approve latest deploy --reject

Exit codes:
  0  the answer was taken
  2  no such run or job, it does not ask, or it does not ask you
  3  its process is gone: dayfly run --resume RUN continues it)");
}

void AddRetry(CommandLine& line) {
  Command<RetryOptions> command(line, "retry",
                                "Starts a new run with the plan, source and inputs of an earlier "
                                "one, whatever the files say now",
                                RetryCommand);
  using O = RetryOptions;
  command.Completed(command.Value("RUN", &O::run, "", kRunArgument)->required(), Completes::kRun);
  command.Flag("--failed", &O::failed,
               "Jobs that succeeded (or warned) keep their results, outputs and artifacts; only "
               "the others run");
  command.Workers(&O::workers);
  command.Choice("--output", &O::output, {"tree", "plain", "json"},
                 "As for run. Default: tree on a terminal, plain elsewhere");
  command.Repeated("--secret", &O::secrets, "NAME[=@FILE]", "As for run");
  command.Value("--key", &O::key, "KEY",
                "At a server: makes the call repeatable; the same key starts one run");
  command.Flag("--watch", &O::watch, "At a server: shows the new run live, as dayfly watch");
  command.Flag("--stats", &O::stats, "As for run");
  command.Server(&O::server);
  command.Footer(R"(Examples:
  dayfly retry latest --failed

Exit codes: as for run)");
}

void AddExplain(CommandLine& line) {
  Command<ExplainOptions> command(
      line, "explain", "Says why a job waits now, or how it came to its end", ExplainCommand);
  using O = ExplainOptions;
  command.Completed(command.Value("RUN", &O::run, "", kRunArgument)->required(), Completes::kRun);
  command.Value("JOB", &O::job, "",
                "One job. Default: all that are not over; of an ended run, those in trouble");
  command.Choice("--format", &O::format, {"text", "json"}, "For people, or one object");
  command.Server(&O::server);
  command.Footer(R"(Examples:
  dayfly explain latest
  dayfly explain latest deploy

Exit codes:
  0  explained
  2  no such run or job
  3  its records cannot be read)");
}

struct WordOptions {
  std::string word;
};

void AddOwnCommands(CommandLine& line) {
  CLI::App* help = line.app->add_subcommand("help", "Explains a command");
  auto about = std::make_shared<WordOptions>();
  help->add_option("COMMAND", about->word, "The command")->type_name("");
  help->callback([&line, about] {
    line.chosen = [&line, about] { return PrintHelp(*line.app, about->word); };
  });

  CLI::App* completion =
      line.app->add_subcommand("completion", "Prints the completion script of a shell");
  auto shell = std::make_shared<WordOptions>();
  completion->add_option("SHELL", shell->word, "bash, zsh or fish")
      ->type_name("")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}).description(""));
  completion->footer(R"(Examples:
  source <(dayfly completion bash)
  dayfly completion zsh > "${fpath[1]}/_dayfly"
  dayfly completion fish > ~/.config/fish/completions/dayfly.fish)");
  completion->callback([&line, shell] {
    line.chosen = [&line, shell] {
      const std::string script = CompletionScript(line, shell->word);
      Print(script);
      return static_cast<int>(kExitOk);
    };
  });

  CLI::App* version = line.app->add_subcommand("version", "Prints the version");
  version->callback([&line] {
    line.chosen = [] {
      Print(fmt::format("dayfly {}\n", kVersion));
      return static_cast<int>(kExitOk);
    };
  });

  CLI::App* man =
      line.app->add_subcommand("man-page", "Prints the manual page in troff")->group("");
  man->callback([&line] {
    line.chosen = [&line] {
      const std::string page = ManPage(*line.app, kVersion);
      Print(page);
      return static_cast<int>(kExitOk);
    };
  });
}

std::vector<std::string> CommandNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command :
       app.get_subcommands([](const CLI::App* each) { return !each->get_group().empty(); })) {
    names.push_back(command->get_name());
  }
  return names;
}

// CLI11 would call the first word that it does not know an extra argument.
std::optional<std::string> UnknownCommand(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') {
    return std::nullopt;
  }
  const std::string word = argv[1];
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == word) {
      return std::nullopt;
    }
  }
  const std::vector<std::string> names = CommandNames(app);
  const std::string hint = engine::base::DidYouMean(word, std::span<const std::string>(names));
  return fmt::format("no command '{}'{}{}\nThe commands: {}", word, hint.empty() ? "" : ": ", hint,
                     fmt::join(names, ", "));
}

std::string UnknownOption(const CLI::App& app, const std::string& message) {
  const auto used = app.get_subcommands();
  if (used.empty()) {
    return message;
  }
  std::vector<std::string> known;
  for (const CLI::Option* option : used.front()->get_options()) {
    for (const std::string& name : option->get_lnames()) {
      known.push_back("--" + name);
    }
  }
  for (const std::string& word : used.front()->remaining()) {
    const std::string name = word.substr(0, word.find('='));
    if (const auto hint = engine::base::DidYouMean(name, std::span<const std::string>(known));
        name.starts_with("--") && !hint.empty()) {
      return fmt::format("no option '{}': {}", name, hint);
    }
  }
  return message;
}

int ParseFailed(const CommandLine& line, const CLI::ParseError& error) {
  const auto used = line.app->get_subcommands();
  const std::string command = used.empty() ? "" : used.front()->get_name();
  std::string message = error.what();
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    message = UnknownOption(*line.app, message);
  }
  return Fail(kExitInvalid, fmt::format("{}\nTry: dayfly help{}{}", message,
                                        command.empty() ? "" : " ", command));
}

}  // namespace

std::unique_ptr<CommandLine> BuildCommandLine() {
  auto line = std::make_unique<CommandLine>();
  line->app = std::make_unique<CLI::App>(
      "Dayfly runs pipelines: YAML files that say which jobs there are and what they need",
      "dayfly");
  line->app->set_help_flag("-h,--help", "Explains this command");
  // At most one: what follows a command is its own, even when it is a command's name (`help run`,
  // a job called `plan`).
  line->app->require_subcommand(0, 1);
  line->app->set_version_flag("--version", fmt::format("dayfly {}", kVersion),
                              "Prints the version");
  AddRun(*line);
  AddValidate(*line);
  AddPlan(*line);
  AddEval(*line);
  AddRuns(*line);
  AddDeployments(*line);
  AddShow(*line);
  AddLogs(*line);
  AddCancel(*line);
  AddApprove(*line);
  AddRetry(*line);
  AddExplain(*line);
  AddServerCommands(*line);
  AddOwnCommands(*line);
  line->app->footer(R"(Environment:
  DAYFLY_HOME          where runs are kept (default: $XDG_STATE_HOME/dayfly, else
                       ~/.local/state/dayfly)
  DAYFLY_SERVER        the server to talk to: HOST:PORT or unix:PATH, several with commas
                       between; 'local': this machine's own runs
  DAYFLY_CERTIFICATES  folder with ca.pem, operator.pem and operator.key, for HOST:PORT
  NO_COLOR             when set and not empty: no colours

Files:
  ~/.config/dayfly/client.yml  server: and certificates:, where the variables say nothing

'dayfly help COMMAND' explains a command with examples. 'man dayfly' has it all on one page.)");
  UseHelpFormat(*line->app);
  return line;
}

int Main(int argc, char** argv) {
  // A reader that goes away is an error where it is met (EPIPE), not the end of this process.
  std::signal(SIGPIPE, SIG_IGN);
  const std::unique_ptr<CommandLine> line = BuildCommandLine();
  if (const auto unknown = UnknownCommand(*line->app, argc, argv)) {
    return Fail(kExitInvalid, *unknown);
  }
  try {
    line->app->parse(argc, argv);
  } catch (const CLI::CallForHelp& call) {
    line->app->exit(call);
    return kExitOk;
  } catch (const CLI::CallForVersion& call) {
    line->app->exit(call);
    return kExitOk;
  } catch (const CLI::ParseError& error) {
    return ParseFailed(*line, error);
  }
  if (!line->chosen) {
    PrintHelp(*line->app, "");
    return kExitInvalid;
  }
  return line->chosen();
}

}  // namespace apps

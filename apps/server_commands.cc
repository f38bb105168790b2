// SPDX-License-Identifier: Apache-2.0
#include "apps/server_commands.h"

#include "apps/command_tree.h"
#include "apps/network_part.h"

namespace apps {
namespace {

void AddServer(CommandLine& line) {
  Command<ServerOptions> command(
      line, "server",
      "Runs pipelines for many people on many workers, until it is told to stop. 'server init "
      "FOLDER' makes a folder with all that a first server needs",
      [](const ServerOptions& options) {
        return options.order == "init" ? RunNetworkCommand(&NetworkPart::server_init, options)
                                       : RunNetworkCommand(&NetworkPart::server, options);
      });
  using O = ServerOptions;
  command.Order(&O::order, {"init"}, "Makes settings, a CA and certificates in FOLDER");
  command.Completed(command.Value("FOLDER", &O::folder, "", "For init. Default: where you are"),
                    Completes::kFile);
  command.Completed(
      command.Value("--config", &O::config, "FILE", "server.yml, or the folder it is in"),
      Completes::kFile);
  command.Value("--host", &O::host, "NAME",
                "For init: how other machines reach this one. Default: only this machine does");
  command.Flag("--print-ready", &O::print_ready, "Prints a line once it serves");
  command.Footer(
      R"(SIGTERM and Ctrl-C stop it well; runs go on when it is started again, also after a crash.

Examples:
  dayfly server init /srv/dayfly --host ci.example.org
  dayfly server --config /srv/dayfly

Exit codes:
  0  it was told to stop
  2  the settings are invalid, or init would overwrite something
  3  it cannot go on: port or store cannot be used)");
}

void AddSubmit(CommandLine& line) {
  Command<SubmitOptions> command(
      line, "submit",
      "Starts a run at a server. Source is a commit that agents can fetch: of the repository you "
      "are in, origin and HEAD",
      [](const SubmitOptions& options) {
        return RunNetworkCommand(&NetworkPart::submit, options);
      });
  using O = SubmitOptions;
  command.Completed(
      command.Value("FILE", &O::file, "",
                    "The pipeline. Without it: the only one in .dayfly/, else they are listed"),
      Completes::kPipeline);
  command.Value("--repo", &O::repo, "URL", "What git fetch takes. Default: the remote origin");
  command.Value("--commit", &O::commit, "SHA", "Default: HEAD, which must be clean and pushed");
  command.Flag(
      "--upload", &O::upload,
      "Sends the working tree as it stands, without .git and what it ignores, in place of a "
      "commit");
  command.Repeated("--input", &O::inputs, "NAME=VALUE", "Gives an input of the pipeline its value");
  command.Completed(command.Value("--env-file", &O::env_file, "FILE",
                                  "NAME=VALUE lines that every step gets as environment"),
                    Completes::kFile);
  command.Repeated("--only", &O::only, "JOB", "Runs this job and all it needs, nothing else");
  command.Choice("--event", &O::event, {"push", "pull_request", "tag", "schedule", "manual"},
                 "What the run's event context says happened");
  command.Value("--key", &O::key, "KEY",
                "Makes the call repeatable: the same key starts one run. Default: a fresh one");
  command.Flag("--watch", &O::watch, "Shows the run live and ends as it ends");
  command.Choice("--output", &O::output, {"tree", "plain", "json"}, "With --watch, as for run");
  command.Server(&O::server);
  command.Footer(
      R"(Prints the run's id. Every problem of the pipeline is shown as validate shows it.

Examples:
  dayfly submit --watch
  dayfly submit --watch --upload
  dayfly submit ci.yml --repo https://git.example.org/app.git --commit 4f1c…
  dayfly submit --server ci-1:7333,ci-2:7333 --key nightly-2026-01-31

Exit codes:
  0  started; with --watch as for run
  2  the pipeline or the call is invalid, or the key was used for another request
  3  no server answers)");
}

void AddWatch(CommandLine& line) {
  Command<WatchOptions> command(
      line, "watch", "Shows a run of a server live, from its beginning, and ends as it ends",
      [](const WatchOptions& options) { return RunNetworkCommand(&NetworkPart::watch, options); });
  using O = WatchOptions;
  command.Completed(command.Value("RUN", &O::run, "", kRunArgument)->required(), Completes::kRun);
  command.Choice("--output", &O::output, {"tree", "plain", "json"},
                 "As for run. Default: tree on a terminal, plain elsewhere");
  command.Server(&O::server);
  command.Footer(
      R"(The run goes on when you stop watching. A lost connection is taken up where it was.

Examples:
  dayfly watch latest
  dayfly watch 01jd2 --output json | jq -r 'select(.event == "job_ended") | .job'

Exit codes: as for run)");
}

void AddAgent(CommandLine& line) {
  Command<AgentOptions> command(
      line, "agent",
      "Makes this machine a worker: dials a server, runs the attempts it "
      "is given, and after its own "
      "death goes on with the steps that still run",
      [](const AgentOptions& options) { return RunNetworkCommand(&NetworkPart::agent, options); });
  using O = AgentOptions;
  command
      .Value("--server", &O::servers, "ADDR[,ADDR]",
             "The server's address; with several, the agent follows whoever owns its pool")
      ->required();
  command.Value(
      "--token", &O::token, "TOKEN",
      "A join token, needed once: 'dayfly workers token --pool POOL' prints one. '-' reads "
      "it from standard input, where nobody else sees it");
  command
      .Value("--slots", &O::slots, "N",
             "How many attempts may run at once. Default: the number of CPUs")
      ->check(CLI::Range(1U, 1024U).description(""));
  command.Repeated("--label", &O::labels, "NAME=VALUE",
                   "Something that jobs may ask for with `requires`; may be repeated. By itself a "
                   "worker says its `os` and `arch`");
  command.Completed(command.Value("--folder", &O::folder, "FOLDER",
                                  "Where the agent keeps what must survive it. Default: agent in "
                                  "the state folder. One agent a folder"),
                    Completes::kFile);
  command.Value("--workspace", &O::workspace, "FOLDER",
                "Where jobs see their workspace. Default: ws in the agent's folder");
  command.Value("--exit-when-idle", &O::exit_when_idle, "DURATION",
                "Leaves when nothing ran for so long: 90s, 10m");
  command.Footer(
      R"(SIGTERM finishes what runs, takes nothing new and leaves; again ends the attempts with a
signal, time and `finally`; a third time leaves at once.

Examples:
  dayfly agent --server ci.example.org:7600 --token - --slots 4 < token
  dayfly agent --server a:7600,b:7600 --exit-when-idle 10m

Exit codes: 0 left as asked; 2 the call is wrong, the folder is in use, the token is refused; 3 it
could not work.)");
}

void AddWorkers(CommandLine& line) {
  Command<WorkersOptions> command(
      line, "workers", "Lists the workers of a server, lets new ones in, sends old ones away",
      [](const WorkersOptions& options) {
        return RunNetworkCommand(&NetworkPart::workers, options);
      });
  using O = WorkersOptions;
  command.Order(&O::order, {"token", "drain"},
                "token: prints what lets one agent join, once, within five minutes; drain: no more "
                "work for WORKER");
  command.Value("WORKER", &O::worker, "", "For drain: as listed");
  command.Value("--pool", &O::pool, "POOL", "Only this pool; of a token: default");
  command.Flag("--stop", &O::stop, "With drain: ends what it runs, too, in place of waiting");
  command.Choice("--format", &O::format, {"text", "json"}, "A table, or an object a line");
  command.Server(&O::server);
  command.Footer(R"(Examples:
  dayfly workers
  dayfly workers token --pool linux
  dayfly workers drain 01jd2m0q4x7zk

Exit codes:
  0  done
  2  no such worker or pool
  3  no server answers)");
}

void AddPools(CommandLine& line) {
  Command<PoolsOptions> command(
      line, "pools", "Lists the pools of a server, or says how many workers one shall have",
      [](const PoolsOptions& options) { return RunNetworkCommand(&NetworkPart::pools, options); });
  using O = PoolsOptions;
  command.Order(&O::order, {"scale"}, "scale: POOL shall have so many WORKERS");
  command.Value("POOL", &O::pool, "", "For scale");
  command.Value("WORKERS", &O::workers, "", "For scale: between the pool's min and max");
  command.Choice("--format", &O::format, {"text", "json"}, "A table, or an object a line");
  command.Server(&O::server);
  command.Footer(R"(Examples:
  dayfly pools
  dayfly pools scale linux 4

Exit codes:
  0  done
  2  no such pool, or more workers than it may have
  3  no server answers, or nobody starts workers for this pool)");
}

}  // namespace

void AddServerCommands(CommandLine& line) {
  AddServer(line);
  AddSubmit(line);
  AddWatch(line);
  AddAgent(line);
  AddWorkers(line);
  AddPools(line);
}

}  // namespace apps

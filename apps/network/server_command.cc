// SPDX-License-Identifier: Apache-2.0
#include "apps/network/server_command.h"

#include <csignal>
#include <cstdio>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "apps/exit_code.h"
#include "apps/network/server_process.h"
#include "apps/server_config.h"
#include "apps/terminal.h"
#include "apps/text_file.h"
#include "dsl/render.h"
#include "engine/base/status.h"

namespace apps::network {
namespace {

namespace base = engine::base;

// The file itself, or `server.yml` in a folder.
std::string ConfigPath(const std::string& given) {
  const std::string path = given.empty() ? "." : given;
  struct stat facts {};
  return stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) ? path + "/server.yml" : path;
}

}  // namespace

int ServerCommand(const ServerOptions& options) {
  const std::string path = ConfigPath(options.config);
  auto text = ReadTextFile(path);
  if (!text.ok()) {
    return Fail(kExitInvalid, fmt::format("{}\nMake one with: dayfly server init FOLDER",
                                          base::Message(text.status())));
  }
  const ParsedServerConfig parsed = ParseServerConfig(path, *std::move(text));
  if (!parsed.config) {
    const std::string problems = dsl::RenderText(parsed.diagnostics, LookOf(STDERR_FILENO).color);
    std::fwrite(problems.data(), 1, problems.size(), stderr);
    return kExitInvalid;
  }
  ServerProcess process(*parsed.config);
  const base::Status ended = process.Run(options.print_ready);
  return ended.ok() ? kExitOk : Fail(kExitEngine, base::Message(ended));
}

}  // namespace apps::network

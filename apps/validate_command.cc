// SPDX-License-Identifier: Apache-2.0
#include "apps/validate_command.h"

#include <cstdio>
#include <iterator>
#include <unistd.h>

#include "apps/exit_code.h"
#include "apps/pipeline_file.h"
#include "apps/terminal.h"
#include "dsl/compile.h"
#include "dsl/render.h"
#include "dsl/source_loader.h"

namespace apps {

int ValidateCommand(const ValidateOptions& options) {
  const std::vector<std::string> files = options.files.empty() ? ListPipelines() : options.files;
  if (files.empty()) {
    return Fail(kExitInvalid, "there is no pipeline: no .dayfly/*.yml here or above; name a file");
  }
  dsl::DiskSourceLoader loader;
  std::vector<dsl::Diagnostic> found;
  for (const std::string& file : files) {
    dsl::CompileOptions compile;
    compile.purpose = dsl::Purpose::kValidate;
    std::vector<dsl::Diagnostic> of_file = dsl::Compile(file, loader, compile).diagnostics;
    std::move(of_file.begin(), of_file.end(), std::back_inserter(found));
  }
  std::string out;
  if (options.format == "json") {
    for (const dsl::Diagnostic& diagnostic : found) {
      out += dsl::RenderJson(diagnostic) + "\n";
    }
  } else if (found.empty()) {
    out = fmt::format("{} pipeline{}: no problems\n", files.size(), files.size() == 1 ? "" : "s");
  } else {
    out = dsl::RenderText(found, LookOf(STDOUT_FILENO).color);
  }
  std::fwrite(out.data(), 1, out.size(), stdout);
  return dsl::HasErrors(found) ? kExitInvalid : kExitOk;
}

}  // namespace apps

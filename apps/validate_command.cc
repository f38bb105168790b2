// SPDX-License-Identifier: Apache-2.0
#include "apps/validate_command.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <unistd.h>

#include "apps/exit_code.h"
#include "apps/pipeline_file.h"
#include "apps/terminal.h"
#include "dsl/compile.h"
#include "dsl/render.h"
#include "dsl/schema.h"

namespace apps {

int ValidateCommand(const ValidateOptions& options) {
  if (options.schema) {
    const std::string schema = dsl::JsonSchema();
    std::fwrite(schema.data(), 1, schema.size(), stdout);
    return kExitOk;
  }
  const std::vector<std::string> files = options.files.empty() ? ListPipelines() : options.files;
  if (files.empty()) {
    return Fail(kExitInvalid, "there is no pipeline: no .dayfly/*.yml here or above; name a file");
  }
  std::vector<dsl::Diagnostic> found;
  for (const std::string& file : files) {
    dsl::CompileOptions compile;
    compile.purpose = dsl::Purpose::kValidate;
    auto compiled = CompileWithLimits(file, compile);
    if (!compiled.ok()) {
      return Fail(compiled.status());
    }
    std::ranges::move(compiled->diagnostics, std::back_inserter(found));
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

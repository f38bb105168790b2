// SPDX-License-Identifier: Apache-2.0
// Which pipeline a command means, and what is wrong with it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "apps/text_file.h"
#include "dsl/compile.h"
#include "engine/base/status.h"
#include "engine/model/plan.h"
#include "engine/model/run_context.h"

namespace apps {

/// Pipelines in the nearest `.dayfly` from here upwards, not beyond the repository's top folder;
/// sorted.
std::vector<std::string> ListPipelines();

/// `file` itself, or the only pipeline there is. `InvalidArgument` lists them when there are
/// several.
engine::base::StatusOr<std::string> ChoosePipeline(const std::string& file);

/// Compiles `path` within the limits that DAYFLY_INCLUDES_MAX and DAYFLY_FILE_BYTES_MAX may raise.
/// `InvalidArgument` when one of these is no number.
engine::base::StatusOr<dsl::Compiled> CompileWithLimits(const std::string& path,
                                                        dsl::CompileOptions options);

/// What a pipeline is written in.
struct PipelineTexts {
  std::string text;                 ///< of its own file
  std::vector<NameValue> included;  ///< all that it includes, by name
};
/// Reads `path` and what it includes. `InvalidArgument` without a message when one of the files
/// could not be read: diagnostics, on standard error then, say which.
engine::base::StatusOr<PipelineTexts> ReadPipeline(const std::string& path);

/// As text, in colour where that goes to a terminal, on standard error.
void PrintDiagnostics(const std::vector<dsl::Diagnostic>& diagnostics);

/// Compiles `path`; diagnostics go to standard error. `InvalidArgument` without a message when
/// there were errors.
engine::base::StatusOr<engine::model::PlanRef> CompileFile(const std::string& path,
                                                           dsl::Purpose purpose);

/// `name=value` arguments, checked against the plan's inputs; the same rule about errors.
engine::base::StatusOr<std::vector<engine::model::NamedValue>> ResolveInputArguments(
    const engine::model::Plan& plan, const std::vector<std::string>& arguments);

}  // namespace apps

// SPDX-License-Identifier: Apache-2.0
#include "apps/pipeline_file.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <unistd.h>
#include <variant>

#include "apps/pipeline_sources.h"
#include "apps/terminal.h"
#include "apps/text_file.h"
#include "dsl/render.h"
#include "dsl/source_loader.h"

namespace apps {
namespace {

namespace base = engine::base;
namespace fs = std::filesystem;
namespace model = engine::model;

std::vector<std::string> PipelinesIn(const fs::path& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string extension = entry.path().extension().string();
    if ((extension == ".yml" || extension == ".yaml") && entry.is_regular_file(error)) {
      files.push_back(entry.path().lexically_normal().string());
    }
  }
  std::ranges::sort(files);
  return files;
}

/// The number that the environment gives for a limit, else `value`.
template <typename Number>
base::Status TakeLimit(const char* variable, Number& value) {
  const char* text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): before any thread
  if (text == nullptr || *text == '\0') {
    return base::OkStatus();
  }
  const char* end = text + std::char_traits<char>::length(text);
  const auto [stop, error] = std::from_chars(text, end, value);
  return error == std::errc() && stop == end
             ? base::OkStatus()
             : base::InvalidArgument("{}: expected a number, not '{}'", variable, text);
}

base::StatusOr<PipelineSources> OpenSources(dsl::CompileOptions& options) {
  std::uint64_t file_bytes_max = model::DefaultSettings().file_bytes_max;
  RETURN_IF_ERROR(TakeLimit("DAYFLY_FILE_BYTES_MAX", file_bytes_max));
  RETURN_IF_ERROR(TakeLimit("DAYFLY_INCLUDES_MAX", options.includes_max));
  return PipelineSources(file_bytes_max);
}

}  // namespace

std::vector<std::string> ListPipelines() {
  std::error_code error;
  const fs::path here = fs::current_path(error);
  fs::path up;
  for (fs::path folder = here; !error; folder = folder.parent_path(), up /= "..") {
    if (fs::is_directory(folder / ".dayfly", error)) {
      return PipelinesIn(up / ".dayfly");
    }
    if (fs::exists(folder / ".git", error) || folder == folder.root_path()) {
      break;
    }
    error.clear();
  }
  return {};
}

base::StatusOr<std::string> ChoosePipeline(const std::string& file) {
  if (!file.empty()) {
    return file;
  }
  const std::vector<std::string> files = ListPipelines();
  if (files.size() == 1) {
    return files[0];
  }
  if (files.empty()) {
    return base::InvalidArgument(
        "there is no pipeline: no .dayfly/*.yml here or above; name a file, or write one");
  }
  std::string list;
  for (const std::string& each : files) {
    list += "\n  " + each;
  }
  return base::InvalidArgument("there are several pipelines, name one of them:{}", list);
}

base::StatusOr<dsl::Compiled> CompileWithLimits(const std::string& path,
                                                dsl::CompileOptions options) {
  ASSIGN_OR_RETURN(PipelineSources sources, OpenSources(options));
  return dsl::Compile(path, sources, options);
}

base::StatusOr<PipelineTexts> ReadPipeline(const std::string& path) {
  dsl::CompileOptions options;
  options.purpose = dsl::Purpose::kPlan;  // whether it can run is for the server to say
  ASSIGN_OR_RETURN(PipelineSources sources, OpenSources(options));
  const dsl::Compiled compiled = dsl::Compile(path, sources, options);
  if (sources.has_failed() || sources.read().empty()) {
    PrintDiagnostics(compiled.diagnostics);
    return base::InvalidArgument("");
  }
  PipelineTexts texts{.text = sources.read().front().second, .included = sources.read()};
  texts.included.erase(texts.included.begin());
  return texts;
}

void PrintDiagnostics(const std::vector<dsl::Diagnostic>& diagnostics) {
  const std::string text = dsl::RenderText(diagnostics, LookOf(STDERR_FILENO).color);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

base::StatusOr<model::PlanRef> CompileFile(const std::string& path, dsl::Purpose purpose) {
  dsl::CompileOptions options;
  options.purpose = purpose;
  options.one_pool = purpose == dsl::Purpose::kRun;
  ASSIGN_OR_RETURN(dsl::Compiled compiled, CompileWithLimits(path, options));
  PrintDiagnostics(compiled.diagnostics);
  if (compiled.plan == nullptr) {
    return base::InvalidArgument("");
  }
  return std::move(compiled.plan);
}

base::StatusOr<std::vector<model::NamedValue>> ResolveInputArguments(
    const model::Plan& plan, const std::vector<std::string>& arguments) {
  std::vector<NameValue> given;
  for (const std::string& argument : arguments) {
    ASSIGN_OR_RETURN(NameValue pair, SplitNameValue(argument, "--input"));
    given.push_back(std::move(pair));
  }
  dsl::ResolvedInputs resolved = dsl::ResolveInputs(plan, given);
  if (const auto* problems = std::get_if<std::vector<dsl::Diagnostic>>(&resolved)) {
    PrintDiagnostics(*problems);
    return base::InvalidArgument("");
  }
  return std::get<std::vector<model::NamedValue>>(std::move(resolved));
}

}  // namespace apps

// SPDX-License-Identifier: Apache-2.0
#include "dsl/expression_checker.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "engine/base/did_you_mean.h"

namespace dsl {

using engine::expr::FunctionUse;
using engine::expr::Reference;
using engine::model::SpecIndex;

namespace {

/// Where a context may be read, from `Site` on.
struct ContextRow {
  std::string_view name;
  Site first;
  Site last = Site::kResult;
};
constexpr ContextRow kContexts[] = {
    {"inputs", Site::kDocument}, {"run", Site::kDocument},
    {"commit", Site::kDocument}, {"branch", Site::kDocument},
    {"tag", Site::kDocument},    {"event", Site::kDocument},
    {"env", Site::kJob},         {"matrix", Site::kJob},
    {"each", Site::kJob},        {"needs", Site::kJob},
    {"steps", Site::kStep},      {"jobs", Site::kJob, Site::kJobCondition},
    {"approval", Site::kJob},    {"secrets", Site::kStep},
};

std::string_view WhereReadable(const ContextRow& row) {
  if (row.last != Site::kResult) {
    return "in the `if` and the `env` of a job";
  }
  return row.first == Site::kStep ? "in steps, on the worker" : "inside a job";
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  });
  return lower;
}

bool SameWord(std::string_view a, std::string_view b) {
  return a.size() == b.size() && Lower(a) == Lower(b);
}

}  // namespace

void ExpressionChecker::CheckReference(const Reference& reference) {
  const std::string name = Lower(reference.path.at(0));
  const auto row = std::find_if(std::begin(kContexts), std::end(kContexts),
                                [&](const ContextRow& context) { return context.name == name; });
  if (row == std::end(kContexts)) {
    CheckUnknownContext(reference, name);
  } else if (site_ < row->first || site_ > row->last) {
    Error("context-not-here", reference,
          fmt::format("`{}` cannot be read here: it exists only {}", name, WhereReadable(*row)));
  } else if (name == "secrets") {
    NoteSecret(reference);
  } else if (name == "approval") {
    CheckApproval(reference);
  } else if (name == "each") {
    CheckEach(reference);
  } else if (reference.path.size() < 2) {
    NoteWhole(name);
  } else if (name == "inputs") {
    CheckInput(reference);
  } else if (name == "matrix") {
    CheckMatrix(reference);
  } else if (name == "needs") {
    CheckNeed(reference);
  } else if (name == "jobs") {
    CheckJob(reference);
  } else if (name == "steps") {
    CheckStep(reference);
  }
}

// All that there is in `needs` or `jobs` may be read.
void ExpressionChecker::NoteWhole(std::string_view context) {
  if (context == "needs") {
    for (const engine::model::Need& need : names_->spec->needs) {
      NoteEngineUse(need.spec, "");
    }
  } else if (context == "jobs") {
    for (const auto& [name, job] : compilation_.specs_by_name) {
      NoteEngineUse(job, "");
    }
  }
}

void ExpressionChecker::CheckUnknownContext(const Reference& reference, const std::string& name) {
  std::vector<std::string_view> known;
  for (const ContextRow& context : kContexts) {
    known.push_back(context.name);
  }
  Diagnostic& diagnostic =
      Error("unknown-context", reference, fmt::format("there is no context `{}`", name));
  diagnostic.hint = engine::base::DidYouMean(name, known);
  if (diagnostic.hint.empty()) {
    diagnostic.hint =
        fmt::format("contexts are {}; text stands in single quotes", fmt::join(known, ", "));
  }
}

void ExpressionChecker::CheckInput(const Reference& reference) {
  std::vector<std::string_view> known;
  for (const engine::model::InputSpec& input : compilation_.plan.inputs) {
    known.push_back(input.name);
    if (SameWord(input.name, reference.path[1])) {
      return;
    }
  }
  DocumentLackError("unknown-input", reference,
                    fmt::format("there is no input `{}`", reference.path[1]))
      .hint = engine::base::DidYouMean(reference.path[1], known);
}

void ExpressionChecker::CheckMatrix(const Reference& reference) {
  const auto& matrix = names_->spec->matrix;
  if (matrix == nullptr || matrix->each.has_value()) {
    JobLackError("no-matrix", reference, "this job has no matrix").hint =
        matrix == nullptr ? "" : "a value of its `for_each` is `each.value`";
    return;
  }
  const std::vector<std::string>& keys = matrix->keys;
  const bool known = std::any_of(keys.begin(), keys.end(), [&](const std::string& key) {
    return SameWord(key, reference.path[1]);
  });
  if (!known) {
    JobLackError("unknown-matrix-key", reference,
                 fmt::format("the matrix has no key `{}`", reference.path[1]))
        .hint = engine::base::DidYouMean(reference.path[1], keys);
  }
}

// The list is one for all of them, and the job's `if` is asked before it.
void ExpressionChecker::CheckEach(const Reference& reference) {
  if (site_ == Site::kJobCondition || site_ == Site::kList) {
    Error("context-not-here", reference,
          fmt::format("`each` cannot be read here: {}",
                      site_ == Site::kList
                          ? "this is the list that it comes of"
                          : "the `if` of a job decides once, before its list is known"))
        .hint =
        site_ == Site::kList ? "" : "leave values out of the list, or give the steps an `if`";
    return;
  }
  const auto& matrix = names_->spec->matrix;
  if (matrix == nullptr || !matrix->each.has_value()) {
    JobLackError("no-for-each", reference, "this job has no `for_each`").hint =
        matrix == nullptr ? "" : "what its matrix has is read as `matrix`";
    return;
  }
  const std::vector<std::string>& path = reference.path;
  const bool known = path.size() < 2 || std::ranges::any_of(matrix->keys, [&](const auto& key) {
                       return SameWord(key, path[1]);
                     });
  if (!known) {
    Error("unknown-property", reference,
          fmt::format("of `each`, `value`, `index` and `name` are known, not `{}`", path[1]))
        .hint = engine::base::DidYouMean(path[1], matrix->keys);
  }
}

void ExpressionChecker::CheckNeed(const Reference& reference) {
  const std::string& name = reference.path[1];
  std::vector<std::string_view> needed;
  for (const engine::model::Need& need : names_->spec->needs) {
    const std::string_view job = compilation_.jobs[engine::base::AsIndex(need.spec)].key.text();
    needed.push_back(job);
    if (!SameWord(job, name)) {
      continue;
    }
    NoteOutput(reference, need.spec);
    return;
  }
  const auto unknown = compilation_.needs_unknown.find(names_->self);
  const bool is_job = compilation_.specs_by_name.contains(name);
  // A need that names no job may be this one misspelt, or is just what is read here.
  if (unknown != compilation_.needs_unknown.end() &&
      (is_job || std::ranges::any_of(unknown->second, [&](const std::string& job) {
         return SameWord(job, name);
       }))) {
    return;
  }
  Diagnostic& diagnostic =
      JobLackError("not-a-need", reference,
                   is_job ? fmt::format("this job does not need `{}`", name)
                          : fmt::format("there is no job `{}` among the needs of this job", name));
  diagnostic.hint = is_job ? fmt::format("add `{}` to its `needs`", name)
                           : engine::base::DidYouMean(name, needed);
}

void ExpressionChecker::NoteEngineUse(SpecIndex job, const std::string& output) {
  if (site_ < Site::kStep) {
    compilation_.engine_uses.push_back({job, output});
  }
}

void ExpressionChecker::NoteOutput(const Reference& reference, SpecIndex job) {
  if (reference.path.size() < 3 || SameWord(reference.path[2], "outputs")) {
    NoteEngineUse(job, reference.path.size() > 3 ? reference.path[3] : "");
  }
  if (reference.path.size() > 3 && SameWord(reference.path[2], "outputs")) {
    compilation_.output_uses.push_back(
        {names_->self, job, reference.path[3], At(reference.offset, reference.length)});
    return;
  }
  constexpr std::array<std::string_view, 2> kProperties = {"result", "outputs"};
  const bool known = reference.path.size() < 3 || SameWord(reference.path[2], kProperties[0]) ||
                     SameWord(reference.path[2], kProperties[1]);
  if (!known) {
    Error("unknown-property", reference,
          fmt::format("of a job, `result` and `outputs` are known, not `{}`", reference.path[2]))
        .hint = engine::base::DidYouMean(reference.path[2], kProperties);
  }
}

void ExpressionChecker::NoteSecret(const Reference& reference) {
  compilation_.secret_uses.push_back({names_->self,
                                      reference.path.size() > 1 ? reference.path[1] : "",
                                      At(reference.offset, reference.length)});
}

// The job's `if` decides before anybody is asked, and so is its list worked out.
void ExpressionChecker::CheckApproval(const Reference& reference) {
  if (site_ == Site::kJobCondition || site_ == Site::kList) {
    Error(
        "context-not-here", reference,
        site_ == Site::kList
            ? "`approval` cannot be read here: the list is known before anybody is asked"
            : "`approval` cannot be read here: the `if` of a job decides before anybody is asked");
    return;
  }
  const auto& approval = engine::model::RareOf(*names_->spec).approval;
  if (!approval) {
    JobLackError("no-approval", reference, "this job asks for no approval").hint =
        "add `approval: true` to it";
    return;
  }
  const std::vector<std::string>& path = reference.path;
  constexpr std::array<std::string_view, 2> kProperties = {"by", "inputs"};
  if (path.size() > 1 && !SameWord(path[1], "by") && !SameWord(path[1], "inputs")) {
    Error("unknown-property", reference,
          fmt::format("of an approval, `by` and `inputs` are known, not `{}`", path[1]))
        .hint = engine::base::DidYouMean(path[1], kProperties);
    return;
  }
  if (path.size() < 3 || !SameWord(path[1], "inputs")) {
    return;
  }
  std::vector<std::string_view> known;
  for (const engine::model::InputSpec& input : approval->inputs) {
    known.push_back(input.name);
    if (SameWord(input.name, path[2])) {
      return;
    }
  }
  JobLackError("unknown-input", reference, fmt::format("the approval has no input `{}`", path[2]))
      .hint = engine::base::DidYouMean(path[2], known);
}

void ExpressionChecker::CheckJob(const Reference& reference) {
  const auto found = compilation_.specs_by_name.find(reference.path[1]);
  if (found == compilation_.specs_by_name.end()) {
    std::vector<std::string_view> known;
    for (const Entry& job : compilation_.jobs) {
      known.push_back(job.key.text());
    }
    DocumentLackError("unknown-job", reference,
                      fmt::format("there is no job `{}`", reference.path[1]))
        .hint = engine::base::DidYouMean(reference.path[1], known);
    return;
  }
  compilation_.job_uses.push_back(
      {names_->self, found->second, At(reference.offset, reference.length)});
  NoteOutput(reference, found->second);
}

void ExpressionChecker::CheckStep(const Reference& reference) {
  std::vector<std::string_view> known;
  for (const StepName& step : names_->steps) {
    known.push_back(step.id);
    if (!SameWord(step.id, reference.path[1])) {
      continue;
    }
    if (step.position >= names_->step) {
      Error("step-not-yet-run", reference,
            fmt::format("the step `{}` has not run when this is read", step.id));
    } else if (step.background && names_->step < names_->steps_end) {
      Error("step-not-yet-run", reference,
            fmt::format("the step `{}` runs in the background: it may not have ended when this is "
                        "read",
                        step.id))
          .hint = "what it told can be read in the job's `outputs` and in `finally`";
    }
    return;
  }
  JobLackError("unknown-step", reference,
               fmt::format("this job has no step with the id `{}`", reference.path[1]))
      .hint = engine::base::DidYouMean(reference.path[1], known);
}

void ExpressionChecker::CheckFunction(const FunctionUse& function) {
  const std::string name = Lower(function.name);
  const Place place = At(function.offset, function.length);
  const bool condition = site_ == Site::kJobCondition || site_ == Site::kStepCondition;
  if (name == "hashfiles" && site_ < Site::kStep) {
    compilation_.reporter.Error("function-not-here", place,
                                "`hashFiles` can be called only in steps: files exist there only");
  }
  const bool status =
      name == "success" || name == "failure" || name == "always" || name == "cancelled";
  if (status && !condition) {
    compilation_.reporter.Error("function-not-here", place,
                                fmt::format("`{}` can be called only in `if`", name));
  }
}

}  // namespace dsl

// SPDX-License-Identifier: Apache-2.0
// Holds every name in an expression against what exists where the expression stands, and notes what
// can only be checked, or is only needed, once all jobs are there.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dsl/compilation.h"
#include "dsl/document.h"
#include "dsl/expressions.h"
#include "engine/expr/expression.h"
#include "engine/model/ids.h"

namespace dsl {

/// One expression or template under check: where it is and what it may name.
class ExpressionChecker {
 public:
  ExpressionChecker(NodeRef node, std::size_t shift, Site site, const JobNames* names,
                    Compilation& compilation)
      : node_(node), shift_(shift), site_(site), names_(names), compilation_(compilation) {}

  void Syntax(const engine::expr::Error& error) {
    compilation_.reporter.Error("bad-expression", At(error.offset, error.length), error.message)
        .hint = error.hint;
  }
  void CheckAll(const std::vector<engine::expr::Reference>& references,
                const std::vector<engine::expr::FunctionUse>& functions) {
    for (const engine::expr::Reference& reference : references) {
      CheckReference(reference);
    }
    for (const engine::expr::FunctionUse& function : functions) {
      CheckFunction(function);
    }
  }

 private:
  Place At(std::size_t offset, std::size_t length) const {
    return node_.PlaceInside(shift_ + offset, std::max<std::size_t>(length, 1));
  }
  Diagnostic& Error(std::string_view code, const engine::expr::Reference& reference,
                    std::string message) {
    return compilation_.reporter.Error(code, At(reference.offset, reference.length),
                                       std::move(message));
  }
  /// Of what the document, or this job, has not.
  Diagnostic& DocumentLackError(std::string_view code, const engine::expr::Reference& reference,
                                std::string message) {
    return compilation_.ReporterOfLack().Error(code, At(reference.offset, reference.length),
                                               std::move(message));
  }
  Diagnostic& JobLackError(std::string_view code, const engine::expr::Reference& reference,
                           std::string message) {
    return compilation_.ReporterOfLack(names_->self)
        .Error(code, At(reference.offset, reference.length), std::move(message));
  }

  void CheckReference(const engine::expr::Reference& reference);
  void CheckUnknownContext(const engine::expr::Reference& reference, const std::string& name);
  void CheckInput(const engine::expr::Reference& reference);
  void CheckMatrix(const engine::expr::Reference& reference);
  void CheckEach(const engine::expr::Reference& reference);
  void CheckNeed(const engine::expr::Reference& reference);
  void CheckJob(const engine::expr::Reference& reference);
  void CheckStep(const engine::expr::Reference& reference);
  void CheckApproval(const engine::expr::Reference& reference);
  void NoteWhole(std::string_view context);
  void NoteOutput(const engine::expr::Reference& reference, engine::model::SpecIndex job);
  void NoteEngineUse(engine::model::SpecIndex job, const std::string& output);
  void NoteSecret(const engine::expr::Reference& reference);
  void CheckFunction(const engine::expr::FunctionUse& function);

  NodeRef node_;
  std::size_t shift_;
  Site site_;
  const JobNames* names_;
  Compilation& compilation_;
};

}  // namespace dsl

// SPDX-License-Identifier: Apache-2.0
// What steps said about places in files, for people and for programs. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "apps/view/board.h"
#include "apps/view/summary.h"
#include "engine/model/annotation.h"

namespace apps::view {

struct JobAnnotations {
  std::string job;
  const model::JobSpec* spec = nullptr;  ///< names the steps
  model::AnnotationTotals totals;
  std::vector<model::Annotation> list;
  std::string missing;  ///< not empty: why `list` could not be had; the totals are there
};

/// `error: message (app.js:3)`, behind a title if there is one; a line each.
std::vector<std::string> InWords(const model::Annotation& annotation);

/// `1 error, 2 warnings`; empty when there are none.
std::string CountsInWords(const model::AnnotationCounts& counts);

/// `{"errors":…,"warnings":…,"notices":…}`
std::string AnnotationCountsJson(const model::AnnotationCounts& counts);

/// All of the run, job by job.
std::string AnnotationReportText(std::string_view run, const std::vector<JobAnnotations>& jobs,
                                 const Look& look);
/// One object: counts of the run, and each job with its annotations.
std::string AnnotationReportJson(std::string_view run, const std::vector<JobAnnotations>& jobs);

/// The block below the jobs of a run: at most `kAnnotationsShown`, errors first, then the command
/// that shows all of the `counts`. Empty when there are none.
inline constexpr std::size_t kAnnotationsShown = 20;
std::string AnnotationsBlock(std::string_view run, const model::AnnotationCounts& counts,
                             const std::vector<JobAnnotations>& jobs, const Look& look);

}  // namespace apps::view

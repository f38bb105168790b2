// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/job_annotations.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "agents/reports/annotation_document.h"
#include "agents/reports/text.h"
#include "engine/base/status.h"
#include "engine/model/log_command.h"
#include "executors/masking/masker.h"

namespace agents::runner {
namespace {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;
using executors::masking::Masker;
using model::Annotation;

constexpr std::size_t kErrorsMax = 10;
constexpr std::size_t kErrorBytesMax = 200;

/// The log is masked, but a text without its escapes may show what with them was no form of a
/// secret. Before anything is cut, or the rest of a secret would be none.
void Mask(const std::vector<std::string>& values, std::vector<Annotation>& list) {
  base::StatusOr<Masker> masker = Masker::Of(values);
  if (masker.ok() && masker->is_idle()) {
    return;
  }
  for (Annotation& annotation : list) {
    for (std::string* text : {&annotation.file, &annotation.title, &annotation.message}) {
      std::string masked;
      if (masker.ok()) {
        masker->Feed(*text, masked);
        masker->Finish(masked);
      }
      *text = std::move(masked);
    }
  }
}

std::vector<std::string> FirstErrors(const std::vector<Annotation>& list) {
  std::vector<std::string> errors;
  for (const Annotation& annotation : list) {
    if (errors.size() == kErrorsMax) {
      break;
    }
    if (annotation.severity != model::Severity::kError) {
      continue;
    }
    const std::string& text = annotation.message.empty() ? annotation.title : annotation.message;
    std::string error =
        reports::Tidy(std::string_view(text).substr(0, text.find('\n')), kErrorBytesMax);
    if (const std::string place = model::PlaceOf(annotation); !place.empty()) {
      error += fmt::format(" ({})", reports::Tidy(place, kErrorBytesMax));
    }
    errors.push_back(std::move(error));
  }
  return errors;
}

}  // namespace

model::JobRemarks KeepAnnotations(ports::ArtifactArchive* archive, AnnotationsRequest request) {
  model::JobRemarks remarks;
  model::Annotations& annotations = request.annotations;
  Mask(request.masks, annotations.list);
  for (Annotation& annotation : annotations.list) {
    reports::TidyAnnotation(request.workspace, annotation);
  }
  const base::StatusOr<base::Digest> kept =
      archive == nullptr
          ? base::StatusOr<base::Digest>(base::FailedPrecondition("there is no artifact store"))
          : archive->PutDocument(reports::EncodeAnnotations(annotations));
  if (!kept.ok()) {
    const auto why = base::Message(kept.status());
    remarks.notes.push_back(fmt::format("{} annotations could not be kept: {}",
                                        annotations.counts.total(),
                                        fmt::string_view(why.data(), why.size())));
    return remarks;
  }
  remarks.annotations = {
      .document = *kept, .counts = annotations.counts, .errors = FirstErrors(annotations.list)};
  return remarks;
}

}  // namespace agents::runner

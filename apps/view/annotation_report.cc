// SPDX-License-Identifier: Apache-2.0
#include "apps/view/annotation_report.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "apps/view/json_text.h"
#include "apps/view/utf8.h"
#include "engine/model/log_command.h"

namespace apps::view {
namespace {

using model::Annotation;
using model::AnnotationCounts;
using model::Severity;

constexpr Severity kSeverities[] = {Severity::kError, Severity::kWarning, Severity::kNotice};

model::Status LooksLike(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return model::Status::kFailed;
    case Severity::kWarning:
      return model::Status::kWarned;
    case Severity::kNotice:
      break;
  }
  return model::Status::kSkipped;
}

std::string StepOf(const JobAnnotations& job, const Annotation& annotation) {
  const bool known = job.spec != nullptr && model::StepAt(*job.spec, annotation.step) != nullptr;
  return known ? model::StepName(*job.spec, annotation.step)
               : fmt::format("{}", annotation.step.value() + 1);
}

AnnotationCounts Sum(const std::vector<JobAnnotations>& jobs) {
  AnnotationCounts sum;
  for (const JobAnnotations& job : jobs) {
    sum.Add(job.totals.counts);
  }
  return sum;
}

// ---- text

/// `where` stands behind the first line.
void AppendAnnotation(const Annotation& annotation, std::string_view where, const Look& look,
                      std::string& out) {
  const model::Status status = LooksLike(annotation.severity);
  std::string_view indent;
  for (const std::string& line : InWords(annotation)) {
    if (indent.empty()) {
      out += fmt::format("  {} {}{}\n", Paint(Mark(status, look.unicode), status, look),
                         Sanitise(line), where.empty() ? "" : "  " + Dim(where, look));
      indent = "      ";
    } else {
      out += fmt::format("{}{}\n", indent, Sanitise(line));
    }
  }
}

void AppendJob(const JobAnnotations& job, const Look& look, std::string& out) {
  out += fmt::format("\n{}  {}\n", Bold(job.job, look), CountsInWords(job.totals.counts));
  if (!job.missing.empty()) {
    out += fmt::format("  they cannot be shown: {}\n", Sanitise(job.missing));
    return;
  }
  for (const Annotation& annotation : job.list) {
    AppendAnnotation(annotation, "step " + StepOf(job, annotation), look, out);
  }
  if (const std::size_t total = job.totals.counts.total(); total > job.list.size()) {
    out += fmt::format("  {} are not listed: there were too many\n", total - job.list.size());
  }
}

// ---- JSON

void AppendCounts(const AnnotationCounts& counts, JsonObject& object) {
  object.Number("errors", counts.errors);
  object.Number("warnings", counts.warnings);
  object.Number("notices", counts.notices);
}

void NumberOrNull(std::string_view name, std::uint32_t number, JsonObject& object) {
  if (number == 0) {
    object.Null(name);
  } else {
    object.Number(name, number);
  }
}

std::string AnnotationJson(const JobAnnotations& job, const Annotation& annotation) {
  std::string json;
  JsonObject object(json);
  object.Text("step", StepOf(job, annotation));
  object.Text("severity", ToText(annotation.severity));
  object.TextOrNull("file", annotation.file);
  NumberOrNull("line", annotation.line, object);
  NumberOrNull("end_line", annotation.end_line, object);
  NumberOrNull("column", annotation.column, object);
  NumberOrNull("end_column", annotation.end_column, object);
  object.TextOrNull("title", annotation.title);
  object.Text("message", annotation.message);
  object.End();
  return json;
}

std::string JobJson(const JobAnnotations& job) {
  std::string list = "[";
  for (const Annotation& annotation : job.list) {
    list += (list.size() > 1 ? "," : "") + AnnotationJson(job, annotation);
  }
  const std::size_t total = job.totals.counts.total();
  std::string json;
  JsonObject object(json);
  object.Text("job", job.job);
  AppendCounts(job.totals.counts, object);
  object.Number("omitted", total - std::min(total, job.list.size()));
  object.TextOrNull("missing", job.missing);
  object.Raw("annotations", list + "]");
  object.End();
  return json;
}

}  // namespace

std::vector<std::string> InWords(const Annotation& annotation) {
  const std::string& title = annotation.title;
  std::string_view message = annotation.message;
  std::vector<std::string> lines;
  const std::size_t end = std::min(message.find('\n'), message.size());
  const std::string place = model::PlaceOf(annotation);
  lines.push_back(fmt::format("{}: {}{}{}{}", ToText(annotation.severity), title,
                              title.empty() || message.empty() ? "" : ": ", message.substr(0, end),
                              place.empty() ? "" : " (" + place + ")"));
  message.remove_prefix(std::min(end + 1, message.size()));
  while (!message.empty()) {
    const std::size_t line = std::min(message.find('\n'), message.size());
    lines.emplace_back(message.substr(0, line));
    message.remove_prefix(std::min(line + 1, message.size()));
  }
  return lines;
}

std::string CountsInWords(const AnnotationCounts& counts) {
  std::string words;
  AnnotationCounts left = counts;
  for (const Severity severity : kSeverities) {
    if (const std::uint32_t count = left.Of(severity); count != 0) {
      words += fmt::format("{}{} {}{}", words.empty() ? "" : ", ", count, ToText(severity),
                           count == 1 ? "" : "s");
    }
  }
  return words;
}

std::string AnnotationCountsJson(const AnnotationCounts& counts) {
  std::string json;
  JsonObject object(json);
  AppendCounts(counts, object);
  object.End();
  return json;
}

std::string AnnotationReportText(std::string_view run, const std::vector<JobAnnotations>& jobs,
                                 const Look& look) {
  if (jobs.empty()) {
    return fmt::format("run {}: no step made annotations (::error file=F,line=N::MESSAGE)\n", run);
  }
  std::string out = fmt::format("run {}: {}\n", run, CountsInWords(Sum(jobs)));
  for (const JobAnnotations& job : jobs) {
    AppendJob(job, look, out);
  }
  return out;
}

std::string AnnotationReportJson(std::string_view run, const std::vector<JobAnnotations>& jobs) {
  std::string list = "[";
  for (const JobAnnotations& job : jobs) {
    list += (list.size() > 1 ? "," : "") + JobJson(job);
  }
  std::string json;
  JsonObject object(json);
  object.Text("run", run);
  AppendCounts(Sum(jobs), object);
  object.Raw("jobs", list + "]");
  object.End();
  return json + "\n";
}

std::string AnnotationsBlock(std::string_view run, const AnnotationCounts& counts,
                             const std::vector<JobAnnotations>& jobs, const Look& look) {
  if (counts.total() == 0) {
    return "";
  }
  std::string out = fmt::format("\n{}  {}\n", Bold("annotations", look), CountsInWords(counts));
  std::size_t shown = 0;
  for (const Severity severity : kSeverities) {
    for (const JobAnnotations& job : jobs) {
      for (const Annotation& annotation : job.list) {
        if (annotation.severity != severity || shown == kAnnotationsShown) {
          continue;
        }
        ++shown;
        AppendAnnotation(annotation, fmt::format("{}, step {}", job.job, StepOf(job, annotation)),
                         look, out);
      }
    }
  }
  if (shown < counts.total()) {
    out +=
        fmt::format("  and {} more: dayfly show {} --annotations\n", counts.total() - shown, run);
  }
  return out;
}

}  // namespace apps::view

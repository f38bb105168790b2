// SPDX-License-Identifier: Apache-2.0
#include "agents/reports/annotation_document.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "agents/reports/text.h"

namespace agents::reports {
namespace {

namespace base = engine::base;
namespace model = engine::model;
using Json = nlohmann::ordered_json;
using model::Annotation;
using model::Severity;

constexpr int kVersion = 1;
constexpr std::string_view kKind = "annotations";
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";
/// Room for the list in a chunk of 4 MiB; the rest is little.
constexpr std::size_t kListBytesMax = (4ULL << 20) - (4ULL << 10);
constexpr Severity kSeverities[] = {Severity::kError, Severity::kWarning, Severity::kNotice};

std::string Text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string TextOf(const Annotation& annotation) {
  Json json;
  const auto put_text = [&](const char* name, const std::string& text) {
    if (!text.empty()) {
      json[name] = text;
    }
  };
  const auto put_number = [&](const char* name, std::uint32_t number) {
    if (number != 0) {
      json[name] = number;
    }
  };
  json["step"] = annotation.step.value();
  json["severity"] = ToText(annotation.severity);
  put_text("file", annotation.file);
  put_number("line", annotation.line);
  put_number("end_line", annotation.end_line);
  put_number("column", annotation.column);
  put_number("end_column", annotation.end_column);
  put_text("title", annotation.title);
  put_text("message", annotation.message);
  return Text(json);
}

/// Of one line.
std::string TidyLine(std::string_view text, std::size_t bytes_max) {
  std::string line = Tidy(text, bytes_max);
  std::ranges::replace_if(
      line, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return line;
}

/// In the order they were made.
std::string ListThatFits(const std::vector<Annotation>& list) {
  std::vector<std::string> texts(list.size());
  std::size_t room = kListBytesMax;
  for (const Severity severity : kSeverities) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i].severity != severity) {
        continue;
      }
      std::string text = TextOf(list[i]);
      if (text.size() + 1 <= room) {
        room -= text.size() + 1;
        texts[i] = std::move(text);
      }
    }
  }
  std::string joined;
  for (const std::string& text : texts) {
    if (!text.empty()) {
      joined += (joined.empty() ? "" : ",") + text;
    }
  }
  return joined;
}

// ---- reading

std::uint32_t NumberIn(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number_unsigned() ? found->get<std::uint32_t>() : 0;
}

std::string TextIn(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

Annotation AnnotationOf(const Json& json) {
  Annotation annotation;
  annotation.step = model::StepIndex(NumberIn(json, "step"));
  const std::string severity = TextIn(json, "severity");
  for (const Severity each : kSeverities) {
    annotation.severity = severity == ToText(each) ? each : annotation.severity;
  }
  annotation.file = TextIn(json, "file");
  annotation.line = NumberIn(json, "line");
  annotation.end_line = NumberIn(json, "end_line");
  annotation.column = NumberIn(json, "column");
  annotation.end_column = NumberIn(json, "end_column");
  annotation.title = TextIn(json, "title");
  annotation.message = TextIn(json, "message");
  return annotation;
}

}  // namespace

void TidyAnnotation(std::string_view workspace, Annotation& annotation) {
  std::string& file = annotation.file;
  const bool inside = !workspace.empty() && file.size() > workspace.size() + 1 &&
                      file.starts_with(workspace) && file[workspace.size()] == '/';
  file =
      TidyLine(inside ? std::string_view(file).substr(workspace.size() + 1) : file, kFileBytesMax);
  annotation.title = TidyLine(annotation.title, kTitleBytesMax);
  annotation.message = Tidy(annotation.message, kMessageBytesMax);
  if (annotation.cut && !annotation.message.ends_with(kEllipsis)) {
    annotation.message += kEllipsis;
  }
  annotation.cut = false;
}

std::string EncodeAnnotations(const model::Annotations& annotations) {
  Json head;
  head["version"] = kVersion;
  head["kind"] = kKind;
  head["errors"] = annotations.counts.errors;
  head["warnings"] = annotations.counts.warnings;
  head["notices"] = annotations.counts.notices;
  std::string text = Text(head);
  text.back() = ',';
  return text + "\"annotations\":[" + ListThatFits(annotations.list) + "]}";
}

base::StatusOr<model::Annotations> DecodeAnnotations(std::string_view bytes) {
  const Json json = Json::parse(bytes, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || NumberIn(json, "version") != kVersion || TextIn(json, "kind") != kKind) {
    return base::DataLoss("no document of annotations, or of a newer version");
  }
  model::Annotations annotations;
  annotations.counts = {NumberIn(json, "errors"), NumberIn(json, "warnings"),
                        NumberIn(json, "notices")};
  const auto list = json.find("annotations");
  if (list != json.end() && list->is_array()) {
    for (const Json& each : *list) {
      annotations.list.push_back(each.is_object() ? AnnotationOf(each) : Annotation{});
    }
  }
  return annotations;
}

}  // namespace agents::reports

// SPDX-License-Identifier: Apache-2.0
#include "agents/reports/annotation_document.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "engine/ports/artifact_store.h"

namespace agents::reports {
namespace {

namespace model = engine::model;
using model::Severity;

TEST(AnnotationDocument, ComesBackAsItWas) {
  const model::Annotations sent = {.counts = {2, 1, 7},
                                   .list = {{.step = model::StepIndex(2),
                                             .severity = Severity::kWarning,
                                             .file = "a.c",
                                             .line = 1,
                                             .end_line = 2,
                                             .column = 3,
                                             .end_column = 4,
                                             .title = "\"T\"",
                                             .message = "one\ntwo"},
                                            {.severity = Severity::kError, .message = "boom"},
                                            {.severity = Severity::kNotice, .title = "only"}}};
  const auto back = DecodeAnnotations(EncodeAnnotations(sent));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(*back, sent);
}

TEST(AnnotationDocument, FitsAChunkAndKeepsErrors) {
  model::Annotations many;
  for (int i = 0; i < 3000; ++i) {
    const Severity severity = i < 2000 ? Severity::kNotice : Severity::kError;
    ++many.counts.Of(severity);
    many.list.push_back({.severity = severity, .message = std::string(kMessageBytesMax, '\x01')});
  }
  const std::string document = EncodeAnnotations(many);
  EXPECT_LE(document.size(), engine::ports::kChunkBytesMax);
  const auto back = DecodeAnnotations(document);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->counts, many.counts);
  EXPECT_FALSE(back->list.empty());
  EXPECT_TRUE(std::ranges::all_of(
      back->list, [](const model::Annotation& each) { return each.severity == Severity::kError; }));
}

TEST(AnnotationDocument, RefusesAnythingElse) {
  for (const char* bytes : {"", "{", "[]", "{}", R"({"version":1})", R"({"kind":"annotations"})",
                            R"({"version":2,"kind":"annotations"})"}) {
    EXPECT_EQ(DecodeAnnotations(bytes).status().code(), absl::StatusCode::kDataLoss) << bytes;
  }
  const auto odd = DecodeAnnotations(
      R"({"version":1,"kind":"annotations","annotations":[3,{"line":"x","severity":"fatal"}]})");
  ASSERT_TRUE(odd.ok());
  EXPECT_EQ(odd->list.size(), 2U);
}

TEST(AnnotationDocument, MakesTextsFitToBeKept) {
  model::Annotation annotation{.file = "/ws/src/a.c",
                               .title = std::string(1000, 't'),
                               .message = "bad \xff byte\n",
                               .cut = true};
  TidyAnnotation("/ws", annotation);
  EXPECT_EQ(annotation.file, "src/a.c");
  EXPECT_EQ(annotation.title, std::string(kTitleBytesMax, 't') + "…");
  EXPECT_EQ(annotation.message, "bad \xEF\xBF\xBD byte…");
  EXPECT_FALSE(annotation.cut);
  annotation.file = "/ws2/a.c";
  TidyAnnotation("/ws", annotation);
  EXPECT_EQ(annotation.file, "/ws2/a.c");
}

}  // namespace
}  // namespace agents::reports

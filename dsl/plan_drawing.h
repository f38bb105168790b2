// SPDX-License-Identifier: Apache-2.0
// A plan as a graph for Graphviz and Mermaid, and the buffered text that all views write. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dsl/activation.h"
#include "dsl/plan_edges.h"
#include "dsl/plan_view.h"

namespace dsl {

/// Gathers text and hands it on in pieces; the rest when it goes away.
class BufferedText {
 public:
  explicit BufferedText(const TextSink& sink) : sink_(sink) {}
  ~BufferedText() { Flush(); }
  BufferedText(const BufferedText&) = delete;
  BufferedText& operator=(const BufferedText&) = delete;

  std::string& text() {
    if (text_.size() >= kPiece) {
      Flush();
    }
    return text_;
  }

 private:
  static constexpr std::size_t kPiece = 64U << 10;
  void Flush() {
    if (!text_.empty()) {
      sink_(text_);
      text_.clear();
    }
  }

  const TextSink& sink_;
  std::string text_;
};

/// What is drawn: jobs (a matrix as one, unless `edges`), stages as frames, barriers as one point
/// each (unless `edges`).
struct Drawing {
  const engine::model::Plan& plan;
  const std::vector<Activity>& activities;
  const PlanEdges& edges;
  bool expand = false;
};

void DrawDot(const Drawing& drawing, BufferedText& out);
void DrawMermaid(const Drawing& drawing, BufferedText& out);

}  // namespace dsl

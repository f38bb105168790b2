// SPDX-License-Identifier: Apache-2.0
#include "dsl/plan_drawing.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

namespace dsl {
namespace {

using engine::base::AsIndex;
using engine::model::JobIndex;
using engine::model::JobSpec;
using engine::model::kNoStage;
using engine::model::Need;
using engine::model::NeedOn;
using engine::model::SpecIndex;

/// A box: a job, a cell, or a matrix as a whole.
struct Box {
  std::uint32_t number = 0;
  std::string label;
  std::uint32_t stage = kNoStage;
  bool active = true;
};

/// An arrow from what is waited for to who waits.
struct Arrow {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  NeedOn on = NeedOn::kSuccess;
  bool optional = false;
};

std::vector<Box> BoxesOf(const Drawing& drawing) {
  std::vector<Box> boxes;
  const engine::model::Plan& plan = drawing.plan;
  for (std::uint32_t i = 0; i < plan.jobs.size(); ++i) {
    const SpecIndex index = plan.jobs[i].spec;
    const JobSpec& spec = plan.specs[AsIndex(index)];
    const bool active = drawing.activities.empty() || drawing.activities[i].active;
    if (drawing.expand || spec.matrix == nullptr || spec.matrix->each.has_value()) {
      const std::uint32_t number = drawing.expand ? i : index.value();
      boxes.push_back({number, JobName(plan, JobIndex(i)), spec.stage, active});
    } else if (spec.matrix->first_cell == JobIndex(i)) {
      const std::uint32_t cells = drawing.edges.CellsOf(index);
      boxes.push_back(
          {index.value(), fmt::format("{} × {}", spec.name, cells), spec.stage, active});
    } else {
      boxes.back().active = boxes.back().active || active;
    }
  }
  return boxes;
}

void VisitArrows(const Drawing& drawing, const std::function<void(const Arrow&)>& visit) {
  const engine::model::Plan& plan = drawing.plan;
  if (drawing.expand) {
    for (std::uint32_t i = 0; i < plan.jobs.size(); ++i) {
      drawing.edges.Visit(JobIndex(i), [&](const Edge& edge) {
        visit({edge.to.value(), i, edge.on, edge.optional});
      });
    }
    return;
  }
  for (std::uint32_t i = 0; i < plan.specs.size(); ++i) {
    for (const Need& need : plan.specs[i].needs) {
      visit({need.spec.value(), i, need.on, need.optional});
    }
  }
}

/// Names of the two ends of a line that a barrier makes, as the format spells them.
struct BarrierNames {
  std::function<std::string(std::uint32_t)> job;
  std::function<std::string(std::uint32_t)> barrier;
};

/// Stage by stage: its jobs and the barrier before lead to the barrier after it, which leads to the
/// jobs that wait there.
void VisitBarriers(const Drawing& drawing, const BarrierNames& names,
                   const std::function<void(const std::string&, const std::string&)>& visit) {
  const engine::model::Plan& plan = drawing.plan;
  if (drawing.expand) {
    return;
  }
  for (std::uint32_t i = 0; i < plan.specs.size(); ++i) {
    const JobSpec& spec = plan.specs[i];
    if (spec.stage != kNoStage && spec.stage + 1 < plan.stages.size()) {
      visit(names.job(i), names.barrier(spec.stage + 1));
    }
    if (spec.stage != kNoStage && spec.stage > 0 && !spec.has_needs) {
      visit(names.barrier(spec.stage), names.job(i));
    }
  }
  for (std::uint32_t stage = 2; stage < plan.stages.size(); ++stage) {
    visit(names.barrier(stage - 1), names.barrier(stage));
  }
}

std::string ArrowLabel(const Arrow& arrow) {
  std::string label = arrow.on == NeedOn::kSuccess ? "" : std::string(ToText(arrow.on));
  if (arrow.optional) {
    label += label.empty() ? "optional" : ", optional";
  }
  return label;
}

std::string DotQuoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    quoted += c == '"' || c == '\\' ? "\\" : "";
    quoted += c == '\n' ? ' ' : c;
  }
  return quoted + "\"";
}

std::string MermaidQuoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') {
      quoted += "#quot;";
    } else if (c == '#') {
      quoted += "#35;";
    } else {
      quoted += c == '\n' ? ' ' : c;
    }
  }
  return quoted + "\"";
}

std::string JobId(std::uint32_t number) {
  return fmt::format("j{}", number);
}
std::string BarrierId(std::uint32_t stage) {
  return fmt::format("b{}", stage);
}

/// Boxes by stage, those without one last.
void VisitStages(const Drawing& drawing, const std::vector<Box>& boxes,
                 const std::function<void(std::uint32_t, const std::vector<const Box*>&)>& visit) {
  std::vector<std::vector<const Box*>> stages(drawing.plan.stages.size() + 1);
  for (const Box& box : boxes) {
    stages[std::min<std::size_t>(box.stage, stages.size() - 1)].push_back(&box);
  }
  for (std::uint32_t i = 0; i < stages.size(); ++i) {
    visit(i + 1 < stages.size() ? i : kNoStage, stages[i]);
  }
}

bool HasBarrier(const Drawing& drawing, std::uint32_t stage) {
  return !drawing.expand && stage > 0 && stage < drawing.plan.stages.size();
}

}  // namespace

void DrawDot(const Drawing& drawing, BufferedText& out) {
  const std::vector<Box> boxes = BoxesOf(drawing);
  out.text() += fmt::format("digraph {} {{\n  rankdir=LR;\n  node [shape=box, style=rounded];\n",
                            DotQuoted(drawing.plan.name));
  VisitStages(drawing, boxes, [&](std::uint32_t stage, const std::vector<const Box*>& inside) {
    const bool framed = stage != kNoStage;
    if (framed) {
      out.text() += fmt::format("  subgraph cluster_{} {{\n    label={};\n", stage,
                                DotQuoted(drawing.plan.stages[stage].name));
    }
    for (const Box* box : inside) {
      out.text() += fmt::format("{}  {} [label={}{}];\n", framed ? "  " : "", JobId(box->number),
                                DotQuoted(box->label),
                                box->active ? "" : ", style=\"rounded,dashed\", fontcolor=gray");
    }
    out.text() += framed ? "  }\n" : "";
  });
  for (std::uint32_t stage = 1; HasBarrier(drawing, stage); ++stage) {
    out.text() += fmt::format("  {} [shape=point];\n", BarrierId(stage));
  }
  VisitArrows(drawing, [&](const Arrow& arrow) {
    const std::string label = ArrowLabel(arrow);
    out.text() += fmt::format(
        "  {} -> {}{};\n", JobId(arrow.from), JobId(arrow.to),
        label.empty() ? "" : fmt::format(" [style=dashed, label={}]", DotQuoted(label)));
  });
  VisitBarriers(drawing, {JobId, BarrierId}, [&](const std::string& from, const std::string& to) {
    out.text() += fmt::format("  {} -> {};\n", from, to);
  });
  out.text() += "}\n";
}

void DrawMermaid(const Drawing& drawing, BufferedText& out) {
  const std::vector<Box> boxes = BoxesOf(drawing);
  out.text() += "flowchart LR\n";
  VisitStages(drawing, boxes, [&](std::uint32_t stage, const std::vector<const Box*>& inside) {
    const bool framed = stage != kNoStage;
    if (framed) {
      out.text() += fmt::format("  subgraph s{}[{}]\n", stage,
                                MermaidQuoted(drawing.plan.stages[stage].name));
    }
    for (const Box* box : inside) {
      out.text() += fmt::format("{}  {}[{}]{}\n", framed ? "  " : "", JobId(box->number),
                                MermaidQuoted(box->label), box->active ? "" : ":::skipped");
    }
    out.text() += framed ? "  end\n" : "";
  });
  for (std::uint32_t stage = 1; HasBarrier(drawing, stage); ++stage) {
    out.text() += fmt::format("  {}(( ))\n", BarrierId(stage));
  }
  VisitArrows(drawing, [&](const Arrow& arrow) {
    const std::string label = ArrowLabel(arrow);
    out.text() += label.empty() ? fmt::format("  {} --> {}\n", JobId(arrow.from), JobId(arrow.to))
                                : fmt::format("  {} -. {} .-> {}\n", JobId(arrow.from), label,
                                              JobId(arrow.to));
  });
  VisitBarriers(drawing, {JobId, BarrierId}, [&](const std::string& from, const std::string& to) {
    out.text() += fmt::format("  {} --> {}\n", from, to);
  });
  out.text() += "  classDef skipped stroke-dasharray: 4 4, color: gray\n";
}

}  // namespace dsl

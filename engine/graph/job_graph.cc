// SPDX-License-Identifier: Apache-2.0
#include "engine/graph/job_graph.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include <boost/graph/compressed_sparse_row_graph.hpp>
#include <boost/graph/topological_sort.hpp>

namespace engine::graph {
namespace {

using base::AsIndex;
using model::JobIndex;
using model::JobSpec;
using model::Plan;
using model::SpecIndex;

/// From who is waited for, to who waits.
using Edge = std::pair<std::uint32_t, std::uint32_t>;
using BoostGraph =
    boost::compressed_sparse_row_graph<boost::directedS, boost::no_property, boost::no_property,
                                       boost::no_property, std::uint32_t, std::uint32_t>;

base::Status CheckNeedCells(const Plan& plan, const JobSpec& spec, const model::Need& need) {
  if (need.cells == 0) {
    return base::OkStatus();
  }
  const auto& lists = model::RareOf(spec).need_cells;
  if (need.cells > lists.size() || lists[need.cells - 1U].empty()) {
    return base::InvalidArgument("job {} needs cells that are not listed", spec.name);
  }
  for (const JobIndex cell : lists[need.cells - 1U]) {
    if (cell.value() >= plan.jobs.size() || plan.jobs[AsIndex(cell)].spec != need.spec) {
      return base::InvalidArgument("job {} needs a cell of another job", spec.name);
    }
  }
  return base::OkStatus();
}

/// The nodes for cells that needs name: where each spec's begin, and how many there are.
struct SelectionNodes {
  std::vector<std::uint32_t> of_spec;  ///< empty: there are none
  std::uint32_t end = 0;               ///< all nodes
};

SelectionNodes NumberSelections(const Plan& plan) {
  SelectionNodes nodes;
  nodes.end = static_cast<std::uint32_t>(plan.specs.size() + plan.stages.size());
  const bool any = std::any_of(plan.specs.begin(), plan.specs.end(), [](const JobSpec& spec) {
    return !model::RareOf(spec).need_cells.empty();
  });
  if (!any) {
    return nodes;
  }
  for (const JobSpec& spec : plan.specs) {
    nodes.of_spec.push_back(nodes.end);
    nodes.end += static_cast<std::uint32_t>(model::RareOf(spec).need_cells.size());
  }
  return nodes;
}

base::Status CheckIndices(const Plan& plan) {
  for (const JobSpec& spec : plan.specs) {
    if (spec.stage != model::kNoStage && spec.stage >= plan.stages.size()) {
      return base::InvalidArgument("job {} is in a stage that does not exist", spec.name);
    }
    for (const model::Need& need : spec.needs) {
      if (need.spec.value() >= plan.specs.size()) {
        return base::InvalidArgument("job {} needs a job that does not exist", spec.name);
      }
      RETURN_IF_ERROR(CheckNeedCells(plan, spec, need));
    }
  }
  return base::OkStatus();
}

base::StatusOr<std::vector<Cells>> FindCells(const Plan& plan) {
  std::vector<Cells> cells(plan.specs.size());
  for (std::uint32_t i = 0; i < plan.jobs.size(); ++i) {
    const SpecIndex spec = plan.jobs[i].spec;
    if (spec.value() >= plan.specs.size()) {
      return base::InvalidArgument("job {} is of a spec that does not exist", i);
    }
    Cells& mine = cells[AsIndex(spec)];
    const model::MatrixSpec* matrix = plan.specs[AsIndex(spec)].matrix.get();
    if (mine.count == 0) {
      mine.first = JobIndex(i);
      mine.second = JobIndex(i + 1);
    } else if (mine.count == 1 && matrix != nullptr && matrix->each.has_value()) {
      mine.second = JobIndex(i);
    } else if (mine.At(mine.count).value() != i) {
      return base::InvalidArgument("the cells of job {} are not neighbours",
                                   plan.specs[AsIndex(spec)].name);
    }
    ++mine.count;
  }
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (plan.specs[i].matrix == nullptr && cells[i].count != 1) {
      return base::InvalidArgument("job {} stands {} times in the plan", plan.specs[i].name,
                                   cells[i].count);
    }
  }
  return cells;
}

// Linear in what was written: a member points at its stage, a stage at the next one and at the
// jobs of the next that name no needs.
std::vector<Edge> EdgesOf(const Plan& plan, const SelectionNodes& selections) {
  const auto spec_count = static_cast<std::uint32_t>(plan.specs.size());
  const auto stage_count = static_cast<std::uint32_t>(plan.stages.size());
  std::vector<Edge> edges;
  for (std::uint32_t i = 0; i < spec_count; ++i) {
    const JobSpec& spec = plan.specs[i];
    for (const model::Need& need : spec.needs) {
      if (need.cells == 0) {
        edges.emplace_back(need.spec.value(), i);
        continue;
      }
      const std::uint32_t selection = selections.of_spec[i] + need.cells - 1U;
      edges.emplace_back(need.spec.value(), selection);
      edges.emplace_back(selection, i);
    }
    if (spec.stage == model::kNoStage) {
      continue;
    }
    edges.emplace_back(i, spec_count + spec.stage);
    if (!spec.has_needs && spec.stage > 0) {
      edges.emplace_back(spec_count + spec.stage - 1, i);
    }
  }
  for (std::uint32_t stage = 1; stage < stage_count; ++stage) {
    edges.emplace_back(spec_count + stage - 1, spec_count + stage);
  }
  return edges;
}

// The one place where Boost.Graph's exceptions end: a cycle is nothing exceptional here.
std::optional<std::vector<NodeIndex>> TopologicalOrder(const std::vector<Edge>& edges,
                                                       std::uint32_t node_count) {
  const BoostGraph graph(boost::edges_are_unsorted_multi_pass, edges.begin(), edges.end(),
                         node_count);
  std::vector<std::uint32_t> reversed;
  reversed.reserve(node_count);
  try {
    boost::topological_sort(graph, std::back_inserter(reversed));
  } catch (const boost::not_a_dag&) {
    return std::nullopt;
  }
  std::vector<NodeIndex> order;
  order.reserve(node_count);
  for (std::size_t i = reversed.size(); i > 0; --i) {
    order.emplace_back(reversed[i - 1]);
  }
  return order;
}

struct Adjacency {
  std::vector<std::uint32_t> offsets;
  std::vector<NodeIndex> targets;
};

Adjacency Compress(const std::vector<Edge>& edges, std::uint32_t node_count) {
  Adjacency out;
  out.offsets.assign(node_count + std::size_t{1}, 0);
  for (const Edge& edge : edges) {
    ++out.offsets[edge.first + std::size_t{1}];
  }
  for (std::size_t i = 1; i < out.offsets.size(); ++i) {
    out.offsets[i] += out.offsets[i - 1];
  }
  out.targets.resize(edges.size());
  std::vector<std::uint32_t> next(out.offsets.begin(), out.offsets.end() - 1);
  for (const Edge& edge : edges) {
    out.targets[next[edge.first]++] = NodeIndex(edge.second);
  }
  for (std::uint32_t node = 0; node < node_count; ++node) {
    std::sort(out.targets.begin() + out.offsets[node],
              out.targets.begin() + out.offsets[node + std::size_t{1}]);
  }
  return out;
}

// Depth first with a stack of our own: a chain of 100,000 jobs must not overflow ours.
std::vector<std::uint32_t> CycleNodes(const Adjacency& graph, std::uint32_t node_count) {
  enum class Colour : std::uint8_t { kNew, kOnPath, kDone };
  std::vector<Colour> colour(node_count, Colour::kNew);
  std::vector<std::uint32_t> next(graph.offsets.begin(), graph.offsets.end() - 1);
  std::vector<std::uint32_t> path;
  for (std::uint32_t root = 0; root < node_count; ++root) {
    if (colour[root] != Colour::kNew) {
      continue;
    }
    path.assign(1, root);
    colour[root] = Colour::kOnPath;
    while (!path.empty()) {
      const std::uint32_t node = path.back();
      if (next[node] == graph.offsets[node + std::size_t{1}]) {
        colour[node] = Colour::kDone;
        path.pop_back();
        continue;
      }
      const std::uint32_t target = graph.targets[next[node]++].value();
      if (colour[target] == Colour::kOnPath) {
        path.erase(path.begin(), std::find(path.begin(), path.end(), target));
        path.push_back(target);
        return path;
      }
      if (colour[target] == Colour::kNew) {
        colour[target] = Colour::kOnPath;
        path.push_back(target);
      }
    }
  }
  return {};
}

std::string CycleText(const Plan& plan, const std::vector<SpecIndex>& cycle) {
  std::string text;
  for (const SpecIndex spec : cycle) {
    text += text.empty() ? "" : " -> ";
    text += plan.specs[AsIndex(spec)].name;
  }
  return text;
}

std::uint32_t WeightInMs(base::Duration duration) {
  const std::int64_t ms = duration.count() / 1000;
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(ms, 1, 1U << 31));
}

// What each spec adds to a path.
std::vector<std::uint32_t> Weights(std::span<const base::Duration> durations, std::size_t specs) {
  base::Duration sum{0};
  std::int64_t known = 0;
  for (const base::Duration duration : durations) {
    if (duration.count() > 0) {
      sum += duration;
      ++known;
    }
  }
  std::vector<std::uint32_t> weights(specs, 1);
  if (known == 0) {
    return weights;
  }
  const std::uint32_t mean = WeightInMs(sum / known);
  for (std::size_t i = 0; i < specs && i < durations.size(); ++i) {
    weights[i] = durations[i].count() > 0 ? WeightInMs(durations[i]) : mean;
  }
  return weights;
}

std::uint32_t AddSaturated(std::uint32_t a, std::uint32_t b) {
  const std::uint32_t sum = a + b;
  return sum < a ? std::numeric_limits<std::uint32_t>::max() : sum;
}

}  // namespace

base::StatusOr<std::shared_ptr<const JobGraph>> JobGraph::Build(const Plan& plan) {
  RETURN_IF_ERROR(CheckIndices(plan));
  std::shared_ptr<JobGraph> graph(new JobGraph());
  ASSIGN_OR_RETURN(graph->cells_, FindCells(plan));
  const SelectionNodes selections = NumberSelections(plan);
  const std::uint32_t node_count = selections.end;
  const std::vector<Edge> edges = EdgesOf(plan, selections);
  std::optional<std::vector<NodeIndex>> order = TopologicalOrder(edges, node_count);
  if (!order.has_value()) {
    return base::InvalidArgument("jobs wait for each other: {}", CycleText(plan, FindCycle(plan)));
  }
  Adjacency adjacency = Compress(edges, node_count);
  graph->spec_count_ = static_cast<std::uint32_t>(plan.specs.size());
  graph->first_selection_ = static_cast<std::uint32_t>(plan.specs.size() + plan.stages.size());
  graph->AddSelections(plan, selections.of_spec);
  graph->offsets_ = std::move(adjacency.offsets);
  graph->targets_ = std::move(adjacency.targets);
  graph->order_ = std::move(*order);
  graph->incoming_.assign(node_count, 0);
  for (const Edge& edge : edges) {
    ++graph->incoming_[edge.second];
  }
  return std::shared_ptr<const JobGraph>(std::move(graph));
}

void JobGraph::AddSelections(const Plan& plan, std::vector<std::uint32_t> of_spec) {
  selections_of_ = std::move(of_spec);
  for (std::size_t i = 0; i < selections_of_.size(); ++i) {
    std::uint32_t node = selections_of_[i];
    for (const std::vector<JobIndex>& cells : model::RareOf(plan.specs[i]).need_cells) {
      selected_.push_back(static_cast<std::uint32_t>(cells.size()));
      for (const JobIndex cell : cells) {
        memberships_.emplace_back(cell, NodeIndex(node));
      }
      ++node;
    }
  }
  std::sort(memberships_.begin(), memberships_.end());
}

std::span<const std::pair<JobIndex, NodeIndex>> JobGraph::SelectionsOf(JobIndex job) const {
  const auto [begin, end] =
      std::equal_range(memberships_.begin(), memberships_.end(), std::pair(job, NodeIndex()),
                       [](const auto& a, const auto& b) { return a.first < b.first; });
  return {begin, end};
}

std::vector<std::uint32_t> JobGraph::LongestRemaining(
    std::span<const base::Duration> durations) const {
  const std::vector<std::uint32_t> weights = Weights(durations, spec_count_);
  std::vector<std::uint32_t> remaining(node_count(), 0);
  for (std::size_t i = order_.size(); i > 0; --i) {
    const NodeIndex node = order_[i - 1];
    std::uint32_t longest = 0;
    for (const NodeIndex dependent : Dependents(node)) {
      longest = std::max(longest, remaining[AsIndex(dependent)]);
    }
    const std::uint32_t own = IsSpec(node) ? weights[AsIndex(node)] : 0;
    remaining[AsIndex(node)] = AddSaturated(longest, own);
  }
  remaining.resize(spec_count_);
  return remaining;
}

std::vector<SpecIndex> FindCycle(const Plan& plan) {
  const auto spec_count = static_cast<std::uint32_t>(plan.specs.size());
  const SelectionNodes selections = NumberSelections(plan);
  std::vector<std::uint32_t> nodes =
      CycleNodes(Compress(EdgesOf(plan, selections), selections.end), selections.end);
  // Edges point at who waits; people read "a waits for b".
  std::reverse(nodes.begin(), nodes.end());
  std::vector<SpecIndex> cycle;
  for (const std::uint32_t node : nodes) {
    if (node < spec_count) {
      cycle.emplace_back(node);
    }
  }
  // A cycle that was found from a stage starts and ends there; close it at its first job.
  if (!cycle.empty() && (cycle.size() == 1 || cycle.front() != cycle.back())) {
    cycle.push_back(cycle.front());
  }
  return cycle;
}

}  // namespace engine::graph

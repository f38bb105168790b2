// SPDX-License-Identifier: Apache-2.0
// The graph of a plan: which job waits for which, as compressed adjacency that is linear in what
// the author wrote. A matrix is one node and a stage is one node ("every job of this stage and the
// ones before it has ended"): members point at it, dependants are pointed at by it. Some cells of a
// matrix that a need names are a node as well.
// Immutable once built; one graph serves every run of the same plan. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/model/ids.h"
#include "engine/model/plan.h"

namespace engine::graph {

/// A node: first the specs in their order, then one barrier for each stage, then one for each list
/// of cells that a need names.
using NodeIndex = base::Index<struct NodeTag>;

/// The cells of a spec: neighbours in `Plan::jobs`, but for those of a `for_each`, where the others
/// stand away from the first; one for a job without a matrix.
struct Cells {
  model::JobIndex first;
  model::JobIndex second;  ///< when there is one
  std::uint32_t count = 0;
  model::JobIndex At(std::uint32_t i) const {
    return i == 0 ? first : model::JobIndex(second.value() + i - 1);
  }
};

class JobGraph {
 public:
  /// `InvalidArgument` when `plan` is not well formed: an index out of range, cells that are not
  /// neighbours, a cycle (the message shows its path).
  static base::StatusOr<std::shared_ptr<const JobGraph>> Build(const model::Plan& plan);

  std::uint32_t spec_count() const { return spec_count_; }
  std::uint32_t node_count() const { return static_cast<std::uint32_t>(incoming_.size()); }
  bool IsSpec(NodeIndex node) const { return node.value() < spec_count_; }
  bool IsStage(NodeIndex node) const { return !IsSpec(node) && node.value() < first_selection_; }
  /// It ends with its own cells, not with the spec that points at it.
  bool IsSelection(NodeIndex node) const { return node.value() >= first_selection_; }
  NodeIndex NodeOf(model::SpecIndex spec) const { return NodeIndex(spec.value()); }
  NodeIndex NodeOf(model::StageIndex stage) const { return NodeIndex(spec_count_ + stage.value()); }
  model::SpecIndex SpecAt(NodeIndex node) const { return model::SpecIndex(node.value()); }
  model::StageIndex StageAt(NodeIndex node) const {
    return model::StageIndex(node.value() - spec_count_);
  }

  /// What the need `need` of `spec` waits for: a spec or a selection.
  NodeIndex NodeOfNeed(model::SpecIndex spec, const model::Need& need) const {
    return need.cells == 0 ? NodeOf(need.spec)
                           : NodeIndex(selections_of_[base::AsIndex(spec)] + need.cells - 1U);
  }
  /// How many cells a selection has.
  std::uint32_t SelectedCount(NodeIndex node) const {
    return selected_[base::AsIndex(node) - first_selection_];
  }
  /// The selections that a job is in.
  std::span<const std::pair<model::JobIndex, NodeIndex>> SelectionsOf(model::JobIndex job) const;

  /// Who waits for `node`, ascending; a need that was written twice stands twice.
  std::span<const NodeIndex> Dependents(NodeIndex node) const {
    const std::size_t i = base::AsIndex(node);
    return {targets_.data() + offsets_[i], targets_.data() + offsets_[i + 1]};
  }
  /// How many edges end at `node`.
  std::uint32_t Incoming(NodeIndex node) const { return incoming_[base::AsIndex(node)]; }
  Cells CellsOf(model::SpecIndex spec) const { return cells_[base::AsIndex(spec)]; }

  /// Every node after all it waits for.
  std::span<const NodeIndex> Order() const { return order_; }

  /// Per spec, the longest path from its start to the end of the run: in milliseconds when
  /// `durations` (per spec, 0 unknown) knows any (an unknown one counts as the mean of the known,
  /// each at least 1), else in jobs. `durations` is empty or as long as the specs.
  std::vector<std::uint32_t> LongestRemaining(std::span<const base::Duration> durations) const;

 private:
  JobGraph() = default;
  void AddSelections(const model::Plan& plan, std::vector<std::uint32_t> of_spec);

  std::uint32_t spec_count_ = 0;
  std::vector<std::uint32_t> offsets_;
  std::vector<NodeIndex> targets_;
  std::vector<std::uint32_t> incoming_;
  std::vector<NodeIndex> order_;
  std::vector<Cells> cells_;
  std::uint32_t first_selection_ = 0;
  std::vector<std::uint32_t> selections_of_;  ///< per spec: its first node; empty: there are none
  std::vector<std::uint32_t> selected_;       ///< per selection: how many cells
  std::vector<std::pair<model::JobIndex, NodeIndex>> memberships_;  ///< ascending
};

/// A cycle of `plan` as the jobs on it, in the direction "waits for", the first again at the end;
/// empty when there is none. Stages count: a job without `needs` waits for the earlier stages.
/// Indices of `plan` must be in range.
std::vector<model::SpecIndex> FindCycle(const model::Plan& plan);

}  // namespace engine::graph

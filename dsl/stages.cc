// SPDX-License-Identifier: Apache-2.0
// `stages`: their names in order.
#include <utility>

#include <fmt/format.h>

#include "dsl/compilation.h"
#include "dsl/values.h"

namespace dsl {

void CompileStages(NodeRef node, Compilation& compilation) {
  if (!node) {
    return;
  }
  std::unordered_map<std::string_view, NodeRef> first;
  for (const NodeRef item : ReadScalars(node, "stages", compilation.reporter)) {
    std::optional<std::string> name = ReadText(item, "stages", compilation.reporter);
    if (!name) {
      continue;
    }
    const auto [found, is_new] = first.emplace(item.text(), item);
    if (!is_new) {
      compilation.reporter
          .Error("duplicate-stage", item.place(), fmt::format("the stage `{}` stands twice", *name))
          .related.push_back(Related(found->second.place(), "first here"));
      continue;
    }
    const auto index = static_cast<std::uint32_t>(compilation.plan.stages.size());
    compilation.stages_by_name.emplace(item.text(), index);
    compilation.stage_nodes.push_back(item);
    compilation.plan.stages.push_back({std::move(*name), PositionOf(item)});
  }
}

}  // namespace dsl

// SPDX-License-Identifier: Apache-2.0
// `templates`: what jobs build on with `extends` and steps put in with `use`.
#pragma once

#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "dsl/document.h"
#include "engine/model/plan.h"

namespace dsl {

struct Compilation;

struct JobTemplate {
  NodeRef name;
  NodeRef map;
  std::vector<engine::model::InputSpec> inputs;
  bool is_used = false;
};

/// The templates of a document by name; their keys were not looked at yet.
struct Templates {
  std::vector<JobTemplate> all;
  std::unordered_map<std::string_view, std::size_t> by_name;
  std::unordered_set<std::string_view> unreadable;  ///< names of those that are no maps
};

void CompileTemplates(NodeRef node, Compilation& compilation);
/// A job's map over all that it extends, nearest last; the map itself when it extends nothing.
NodeRef Extend(NodeRef job, Compilation& compilation);
/// Appends a step, or the steps of the template that it uses; false when that is not there, or not
/// wholly.
bool ExpandStep(NodeRef step, std::vector<NodeRef>& steps, Compilation& compilation);
/// What stands in templates that nothing uses is checked as far as it can be read alone.
void CheckUnusedTemplates(Compilation& compilation);

}  // namespace dsl

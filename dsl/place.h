// SPDX-License-Identifier: Apache-2.0
// `requires`, `resources`, `image`, `sandbox`, `network`: which workers may run a job.
#pragma once

#include <optional>

#include "dsl/compilation.h"
#include "dsl/expressions.h"
#include "engine/model/plan.h"

namespace dsl {

/// The nodes of those keys; empty ones were not written.
struct PlaceNodes {
  NodeRef labels;
  NodeRef resources;
  NodeRef image;
  NodeRef sandbox;
  NodeRef network;
};

/// What is wrong is reported; the result is usable all the same. Nothing when nothing is asked for.
std::optional<engine::model::PlaceSpec> ReadPlace(const PlaceNodes& nodes, const JobNames& names,
                                                  Compilation& compilation);
/// Name of a container image, not empty as far as can be told before it is evaluated.
engine::model::Template ReadImage(NodeRef node, const JobNames& names, Compilation& compilation);

}  // namespace dsl

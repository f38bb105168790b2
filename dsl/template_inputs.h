// SPDX-License-Identifier: Apache-2.0
// A template's inputs: values given with `with` are held against their types and put in where the
// template reads `inputs.NAME`, before anything else looks at the text.
#pragma once

#include <vector>

#include "dsl/compilation.h"
#include "engine/model/plan.h"

namespace dsl {

/// One use of a template.
struct TemplateUse {
  NodeRef name;  ///< where it is named
  NodeRef with;  ///< a map, or empty
};

/// `body` with the values put in. A scalar that is one `${{ inputs.NAME }}` takes the value with
/// its type, so it may stand where no expression is taken (`timeout`, `fail_fast`); elsewhere the
/// value becomes a literal of the expression. What the template does not declare is the pipeline's.
/// Only what changes is made anew.
NodeRef PutInputsIn(NodeRef body, const std::vector<engine::model::InputSpec>& inputs,
                    const TemplateUse& use, Compilation& compilation);

}  // namespace dsl

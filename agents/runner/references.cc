// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/references.h"

namespace agents::runner {

void References::Of(const MaybeTemplate& text) {
  if (text.has_value()) {
    Add(text->References());
  }
}

void References::Of(const std::vector<MaybeTemplate>& texts) {
  for (const MaybeTemplate& text : texts) {
    Of(text);
  }
}

void References::Of(const CompiledStep& step) {
  if (step.condition.has_value()) {
    Add(step.condition->References());
  }
  Of(step.run);
  Of(step.workdir);
  Of(step.effect_check);
  Of(step.env);
}

void References::Of(const CompiledReady& ready) {
  Of(ready.http);
  Of(ready.command);
}

void References::Of(const CompiledCache& cache) {
  Of(cache.key);
  Of(cache.restore_keys);
}

void References::Add(const std::vector<engine::expr::Reference>& references) {
  for (const engine::expr::Reference& reference : references) {
    paths_.insert(reference.path);
  }
}

}  // namespace agents::runner

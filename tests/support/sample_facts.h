// SPDX-License-Identifier: Apache-2.0
// Facts and plans drawn from a seed, every member filled in, for tests of what carries them: codecs
// and stores. They make no sense to the core.
#pragma once

#include <vector>

#include "engine/base/random.h"
#include "engine/model/fact.h"
#include "engine/model/plan.h"
#include "engine/model/run_context.h"

namespace tests::support {

/// Text that may be empty, and may hold NUL and what is no UTF-8.
std::string AnyText(engine::base::Random& random);
engine::model::RunContext AnyContext(engine::base::Random& random);

/// A fact of kind `kind` (its position in `FactBody`) of run `run`.
engine::model::Fact AnyFact(engine::base::Random& random, std::size_t kind,
                            engine::model::RunId run);
/// One of each kind, all of run `run` where they belong to one.
std::vector<engine::model::Fact> OneOfEach(engine::base::Random& random, engine::model::RunId run);
/// What a job with one quiet step leads to, from ready to ended; the shape of nearly all facts.
std::vector<engine::model::Fact> FactsOfPlainJob(engine::model::RunId run,
                                                 engine::model::JobIndex job,
                                                 engine::base::Instant at);

/// A plan whose indices hold together.
engine::model::Plan AnyPlan(engine::base::Random& random);
/// `jobs` jobs of one step `true`, as the benchmarks have them.
engine::model::Plan PlainPlan(std::size_t jobs);

/// `JobSpec` has no comparison of its own, because it holds pointers.
bool SamePlan(const engine::model::Plan& a, const engine::model::Plan& b);

}  // namespace tests::support

// SPDX-License-Identifier: Apache-2.0
// Where each value of one job came from: `dayfly plan --explain JOB`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dsl/diagnostic.h"

namespace dsl {

/// Whose value it is: the job's (its templates included), that of `defaults`, of the document's
/// `env`, or of the language.
enum class OriginLayer : std::uint8_t { kJob, kDefaults, kDocument, kBuiltIn };
std::string_view ToText(OriginLayer layer);  ///< `job defaults document built-in`

struct ValueOrigin {
  std::string key;    ///< `env.MODE`, `steps[2].run`
  std::string value;  ///< as it counts: a template's inputs are put in
  OriginLayer layer = OriginLayer::kJob;
  std::string file;  ///< where it is written; line 0: nowhere
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::vector<RelatedPlace> way;  ///< how it got here, the nearest step first
};

std::string RenderOrigins(std::string_view job, const std::vector<ValueOrigin>& origins);
/// `{"job","values":[{"key","value","layer","file","line","column","way":[{"message","file","line",
/// "column"}]}]}` and a line end.
std::string RenderOriginsJson(std::string_view job, const std::vector<ValueOrigin>& origins);

}  // namespace dsl

// SPDX-License-Identifier: Apache-2.0
// The values of secrets that steps were given, so that none of them leaves in an output or a name.
// They exist only here, in the source and in the step.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/ports/secret_source.h"

namespace agents::runner {

class SecretValues {
 public:
  explicit SecretValues(engine::ports::SecretSource* source) : source_(source) {}

  /// Asks the source once for each name.
  engine::base::StatusOr<std::string> Read(std::string_view name);
  /// A value that a step declared through `$DAYFLY_MASK`.
  void AddMask(std::string value);

  /// All values known so far: what must not stand in a step's log.
  std::vector<std::string> All() const;

  /// What `text` gives away: "secret NAME", "a masked value"; empty when nothing. A value of four
  /// bytes or more counts anywhere in the text, a shorter one only when it is the whole text, else
  /// every text would give it away.
  std::string FoundIn(std::string_view text) const;

 private:
  engine::ports::SecretSource* source_;
  std::map<std::string, std::string, std::less<>> values_;  ///< by name
  std::map<std::string, int, std::less<>> masks_;           ///< the values themselves
};

}  // namespace agents::runner

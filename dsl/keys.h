// SPDX-License-Identifier: Apache-2.0
// The one table of the language's keys. Unknown-key hints, "comes in a later build", the shape
// check, the list of defaults (and one day the JSON Schema and the reference) all derive from it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "dsl/document.h"

namespace dsl {

/// Which map a key stands in.
enum class Level : std::uint8_t {
  kDocument,
  kOn,
  kFilter,
  kSchedule,
  kInput,
  kDefaults,
  kJob,
  kNeed,
  kMatrix,
  kRetry,
  kBackoff,
  kAllowFailure,
  kArtifacts,
  kUpload,
  kCheckout,
  kStep,
};
inline constexpr int kLevelCount = 16;
std::string_view ToText(Level level);  ///< "job", "step": as in messages

/// What a value may be. The shapes that follow from it are checked in one place.
enum class ValueKind : std::uint8_t {
  kText,
  kTemplate,   ///< text that may hold expressions
  kCondition,  ///< an expression
  kBoolean,
  kInteger,
  kNumber,
  kDuration,
  kSize,
  kTextOrList,
  kList,
  kTextMap,  ///< names to texts
  kMap,
  kMapOrEmpty,  ///< `push:` alone is `push: {}`
  kListOrMap,
  kTextListOrMap,  ///< any of the three
  kWordOrMap,      ///< a boolean, a number or a map
  kScalar,
  kAny,
};

enum class Since : std::uint8_t { kNow, kLater };

struct KeyRow {
  Level level;
  std::string_view key;
  ValueKind kind;
  Since since;
  std::string_view meaning;        ///< one line, no full stop
  std::string_view example;        ///< of the value, in flow style
  std::string_view fallback = "";  ///< the default, where there is one to tell
  bool in_defaults = true;         ///< of a job's key: may stand under `defaults`
};

std::span<const KeyRow> AllKeys();
/// The rows of one map, in the order of the table; those of `defaults` include the job's.
const std::vector<const KeyRow*>& KeysOf(Level level);
/// Null when the level has no such key.
const KeyRow* FindKey(Level level, std::string_view key);
/// What people who know other systems may have meant by a key that does not exist; empty when
/// nothing is known.
std::string_view ForeignKeyHint(Level level, std::string_view key);

bool Accepts(ValueKind kind, NodeKind shape);
/// "a duration such as `10m`": for messages.
std::string_view Describe(ValueKind kind);

}  // namespace dsl

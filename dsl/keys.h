// SPDX-License-Identifier: Apache-2.0
// The one table of the language's keys. Unknown-key hints, "comes in a later build", the checks of
// shapes and simple values, the list of defaults, the JSON Schema and the reference derive from it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dsl/document.h"

namespace dsl {

/// Which map a key stands in.
enum class Level : std::uint8_t {
  kDocument,
  kInclude,
  kTemplate,
  kOn,
  kFilter,
  kSchedule,
  kInput,
  kDefaults,
  kJob,
  kExtends,
  kNeed,
  kMatrix,
  kForEach,
  kRetry,
  kBackoff,
  kAllowFailure,
  kConcurrency,
  kApproval,
  kEnvironment,
  kResources,
  kService,
  kReady,
  kArtifacts,
  kUpload,
  kReports,
  kCache,
  kReuse,
  kCheckout,
  kStep,
  kNone,  ///< of a value that is no map with known keys
};
inline constexpr std::size_t kLevelCount = static_cast<std::size_t>(Level::kNone);
std::string_view ToText(Level level);  ///< "job", "step": as in messages

/// What a value may be: which shapes, and what a single value must look like. Everything that is
/// checked without knowing the key follows from it, and so does the JSON Schema.
enum class ValueKind : std::uint8_t {
  kText,
  kTemplate,   ///< text that may hold expressions
  kCondition,  ///< an expression
  kBoolean,
  kInteger,
  kNumber,
  kDuration,
  kSize,
  kWord,        ///< one of a few
  kTextOrList,  ///< texts
  kList,        ///< texts
  kMapList,     ///< maps
  kTextMap,     ///< names to texts
  kTextMapList,
  kMap,
  kMapOrEmpty,     ///< `push:` alone is `push: {}`
  kNamedMaps,      ///< names to maps
  kMapOrMapList,   ///< one, or several
  kTextListOrMap,  ///< a text, a map, or a list of both
  kSteps,          ///< a command, or a list of commands and maps
  kBooleanOrMap,
  kIntegerOrMap,
  kTextOrMap,
  kScalar,
};

/// A kind, the level of the maps in it, and the words that a single value may be.
struct ValueType {
  // NOLINTNEXTLINE(google-explicit-constructor): a table of keys reads better so
  constexpr ValueType(ValueKind value_kind, Level inner_level = Level::kNone)
      : kind(value_kind), inner(inner_level) {}
  /// `one_of`: words with `|` between them.
  constexpr ValueType(ValueKind value_kind, std::string_view one_of)
      : kind(value_kind), words(one_of) {}

  ValueKind kind;
  Level inner = Level::kNone;
  std::string_view words;
};
std::vector<std::string_view> WordsOf(const ValueType& type);

enum class Since : std::uint8_t { kNow, kLater };

struct KeyRow {
  Level level;
  std::string_view key;
  ValueType type;
  Since since;
  std::string_view meaning;        ///< one line, no full stop
  std::string_view example;        ///< of the value, in flow style
  std::string_view fallback = "";  ///< the default, where there is one to tell
  bool in_defaults = true;         ///< of a job's key: may stand under `defaults`
};

std::span<const KeyRow> AllKeys();
/// The rows of one map, in the order of the table; those of `defaults` and of a template include
/// the job's.
const std::vector<const KeyRow*>& KeysOf(Level level);
/// Null when the level has no such key.
const KeyRow* FindKey(Level level, std::string_view key);
/// What people who know other systems may have meant by a key that does not exist; empty when
/// nothing is known.
std::string_view ForeignKeyHint(Level level, std::string_view key);

bool Accepts(ValueKind kind, NodeKind shape);
/// "a duration such as `10m`": for messages.
std::string Describe(const ValueType& type);

}  // namespace dsl

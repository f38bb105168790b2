// SPDX-License-Identifier: Apache-2.0
#include "dsl/value_check.h"

#include <limits>

#include <fmt/format.h>

#include "dsl/fields.h"
#include "dsl/values.h"

namespace dsl {
namespace {

class ValueChecker {
 public:
  ValueChecker(const KeyRow& row, bool expressions, Purpose purpose, Reporter& reporter)
      : row_(row), expressions_(expressions), purpose_(purpose), reporter_(reporter) {}

  void Check(NodeRef value) {
    if (value.is_scalar()) {
      CheckScalar(value);
    } else if (value.is_sequence()) {
      CheckList(value);
    } else if (value.is_map()) {
      CheckMap(value);
    }
  }

 private:
  void CheckScalar(NodeRef value);
  void CheckList(NodeRef list);
  void CheckMap(NodeRef map);
  void CheckFields(NodeRef map);
  void WrongItem(NodeRef item, std::string_view wanted);

  const KeyRow& row_;
  bool expressions_;
  Purpose purpose_;
  Reporter& reporter_;
};

void ValueChecker::CheckScalar(NodeRef value) {
  if (expressions_ && value.text().find("${{") != std::string_view::npos) {
    return;
  }
  const ValueKind kind = row_.type.kind;
  if (kind == ValueKind::kBoolean || kind == ValueKind::kBooleanOrMap) {
    ReadBoolean(value, row_.key, reporter_);
  } else if (kind == ValueKind::kInteger || kind == ValueKind::kIntegerOrMap) {
    using Limits = std::numeric_limits<std::int32_t>;
    ReadInteger(value, row_.key, Limits::min(), Limits::max(), reporter_);
  } else if (kind == ValueKind::kNumber) {
    ReadNumber(value, row_.key, 0, 1e9, reporter_);
  } else if (kind == ValueKind::kDuration) {
    ReadDuration(value, row_.key, reporter_);
  } else if (kind == ValueKind::kSize) {
    ReadSize(value, row_.key, reporter_);
  } else if (kind == ValueKind::kWord) {
    ReadWord(value, row_.key, WordsOf(row_.type), reporter_);
  }
}

void ValueChecker::WrongItem(NodeRef item, std::string_view wanted) {
  reporter_
      .Error("wrong-type", item.place(),
             fmt::format("`{}` takes {}, not {}", row_.key, wanted, Describe(item.kind())))
      .hint = fmt::format("for example `{}: {}`", row_.key, row_.example);
}

void ValueChecker::CheckList(NodeRef list) {
  const ValueKind kind = row_.type.kind;
  const bool maps = kind == ValueKind::kMapList || kind == ValueKind::kMapOrMapList;
  const bool both = kind == ValueKind::kTextListOrMap || kind == ValueKind::kSteps;
  for (std::uint32_t i = 0; i < list.size(); ++i) {
    const NodeRef item = list[i];
    if (item.is_map() && (maps || both)) {
      CheckFields(item);
    } else if (!item.is_scalar() || maps) {
      WrongItem(item, maps ? "maps" : both ? "single values and maps" : "single values");
    }
  }
}

void ValueChecker::CheckMap(NodeRef map) {
  const ValueKind kind = row_.type.kind;
  const bool named = kind == ValueKind::kNamedMaps;
  if (!named && kind != ValueKind::kTextMap && kind != ValueKind::kTextMapList) {
    CheckFields(map);
    return;
  }
  for (const Entry& entry : EntriesOf(map, reporter_)) {
    if (named && entry.value.is_map()) {
      CheckFields(entry.value);
    } else if (!entry.value.is_null() && (named || !entry.value.is_scalar())) {
      WrongItem(entry.value, named ? "maps by name" : "single values");
    }
  }
}

void ValueChecker::CheckFields(NodeRef map) {
  if (row_.type.inner == Level::kNone) {
    return;
  }
  std::vector<Entry> others;
  const bool open = row_.type.inner == Level::kMatrix;  // its axes have any name
  const Fields fields = open ? Fields::CheckOpen(map, row_.type.inner, purpose_, reporter_, others)
                             : Fields::Check(map, row_.type.inner, purpose_, reporter_);
  for (const Fields::Field& field : fields.all()) {
    if (field.value) {
      CheckValue(field.value, *field.row, expressions_, purpose_, reporter_);
    }
  }
}

}  // namespace

void CheckValue(NodeRef value, const KeyRow& row, bool expressions, Purpose purpose,
                Reporter& reporter) {
  ValueChecker(row, expressions, purpose, reporter).Check(value);
}

}  // namespace dsl

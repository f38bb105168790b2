// SPDX-License-Identifier: Apache-2.0
#include "api/wire/request_fields.h"

#include <algorithm>

namespace api::wire {

namespace base = engine::base;
namespace model = engine::model;

namespace {

constexpr std::size_t kKeyBytesMax = 128;
constexpr std::size_t kRunNameBytesMax = 64;

bool IsPrintable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

base::Status CheckLength(std::string_view text, std::size_t max, std::string_view field) {
  return text.size() <= max
             ? base::OkStatus()
             : BadField(field, fmt::format("{} bytes, at most {}", text.size(), max));
}

base::Status CheckPresent(std::string_view text, std::size_t max, std::string_view field) {
  return text.empty() ? BadField(field, "is missing") : CheckLength(text, max, field);
}

base::Status CheckRequestKey(std::string_view key, std::string_view field) {
  RETURN_IF_ERROR(CheckPresent(key, kKeyBytesMax, field));
  return IsPrintable(key) ? base::OkStatus()
                          : BadField(field, "holds something other than printable ASCII");
}

base::Status CheckRunName(std::string_view name, std::string_view field) {
  RETURN_IF_ERROR(CheckPresent(name, kRunNameBytesMax, field));
  return IsPrintable(name) ? base::OkStatus() : BadField(field, "is no name of a run");
}

base::StatusOr<model::RunId> RunIdFrom(std::string_view text, std::string_view field) {
  const auto run = model::RunIdFromText(text);
  return run ? base::StatusOr<model::RunId>(*run) : BadField(field, "is no id of a run");
}

}  // namespace api::wire

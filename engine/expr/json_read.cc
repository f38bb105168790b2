// SPDX-License-Identifier: Apache-2.0
// JSON text to values. nlohmann's parser calls back and keeps its own stack on the heap, so that
// depth costs no stack; our handler builds values bottom up.
#include <algorithm>
#include <numeric>

#include <nlohmann/json.hpp>

#include "engine/expr/limits.h"
#include "engine/expr/utf8.h"
#include "engine/expr/value.h"

namespace engine::expr {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMessageBytesMax = 300;

// Of equal keys the last value wins, at the place of the first. Keys that differ in case only are
// different here.
void MergeEqualKeys(Object& members) {
  std::vector<std::size_t> order(members.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const int compared = members[a].first.compare(members[b].first);
    return compared != 0 ? compared < 0 : a < b;
  });
  std::vector<bool> dropped(members.size(), false);
  bool any = false;
  for (std::size_t i = 1, first = 0; i < order.size(); ++i) {
    if (members[order[i]].first != members[order[first]].first) {
      first = i;
      continue;
    }
    members[order[first]].second = std::move(members[order[i]].second);
    dropped[order[i]] = true;
    any = true;
  }
  if (!any) {
    return;
  }
  Object kept;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!dropped[i]) {
      kept.push_back(std::move(members[i]));
    }
  }
  members = std::move(kept);
}

class Builder : public Json::json_sax_t {
 public:
  bool null() override { return Add(Value()); }
  bool boolean(bool value) override { return Add(Value::Boolean(value)); }
  bool number_integer(number_integer_t value) override {
    return Add(Value::Number(static_cast<double>(value)));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return Add(Value::Number(static_cast<double>(value)));
  }
  bool number_float(number_float_t value, const string_t& /*text*/) override {
    return Add(Value::Number(value));
  }
  bool string(string_t& value) override { return Add(Value::String(std::move(value))); }
  bool binary(binary_t& /*value*/) override { return false; }
  bool start_object(std::size_t /*size*/) override { return Open(/*is_object=*/true); }
  bool start_array(std::size_t /*size*/) override { return Open(/*is_object=*/false); }
  bool key(string_t& name) override {
    open_.back().members.emplace_back(std::move(name), Value());
    return true;
  }
  bool end_object() override {
    Object members = std::move(open_.back().members);
    open_.pop_back();
    MergeEqualKeys(members);
    return Add(Value::MakeObject(std::move(members)));
  }
  bool end_array() override {
    Array items = std::move(open_.back().items);
    open_.pop_back();
    return Add(Value::MakeArray(std::move(items)));
  }
  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const Json::exception& error) override {
    message_ = error.what();
    return false;
  }

  bool too_deep() const { return too_deep_; }
  const std::string& message() const { return message_; }
  Value Take() && { return std::move(root_); }

 private:
  struct Collection {
    bool is_object = false;
    Object members;
    Array items;
  };

  bool Open(bool is_object) {
    too_deep_ = open_.size() >= static_cast<std::size_t>(kJsonNestingMax);
    if (!too_deep_) {
      open_.push_back({is_object, {}, {}});
    }
    return !too_deep_;
  }

  bool Add(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().is_object) {
      open_.back().members.back().second = std::move(value);
    } else {
      open_.back().items.push_back(std::move(value));
    }
    return true;
  }

  std::vector<Collection> open_;
  Value root_;
  std::string message_;
  bool too_deep_ = false;
};

// "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error …" from "line"
// on.
std::string Cleaned(std::string_view message) {
  for (const std::string_view noise : {"] ", "parse error at ", "parse error: "}) {
    const std::size_t at = message.find(noise);
    if (at != std::string_view::npos && at < 48) {
      message.remove_prefix(at + noise.size());
    }
  }
  return Excerpt(message, kMessageBytesMax);
}

// Where the nesting limit of a text, valid up to there, is passed.
std::string PlaceOfDepth(std::string_view text) {
  int depth = 0;
  std::size_t line = 1;
  std::size_t line_start = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      i += c == '\\' ? 1 : 0;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '\n') {
      ++line;
      line_start = i + 1;
    } else if ((c == '[' || c == '{') && ++depth > kJsonNestingMax) {
      return fmt::format("line {}, column {}", line, i - line_start + 1);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return "the end";
}

}  // namespace

base::StatusOr<Value> Value::FromJson(std::string_view text) {
  Builder builder;
  try {
    if (Json::sax_parse(text.begin(), text.end(), &builder)) {
      return std::move(builder).Take();
    }
  } catch (const Json::exception&
               error) {  // Errors come through the handler; this keeps the promise anyway.
    return base::InvalidArgument("{}", Cleaned(error.what()));
  }
  if (builder.too_deep()) {
    return base::InvalidArgument("{}: nested deeper than {} levels", PlaceOfDepth(text),
                                 kJsonNestingMax);
  }
  return base::InvalidArgument("{}", Cleaned(builder.message()));
}

}  // namespace engine::expr

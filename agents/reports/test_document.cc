// SPDX-License-Identifier: Apache-2.0
#include "agents/reports/test_document.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace agents::reports {
namespace {

namespace base = engine::base;
namespace model = engine::model;
using Json = nlohmann::ordered_json;
using model::TestCase;

constexpr int kVersion = 1;
/// Room for cases in a chunk of 4 MiB; the rest is little.
constexpr std::size_t kCaseBytesMax = (4ULL << 20) - (128ULL << 10);
constexpr std::array<std::string_view, 4> kOutcomes = {"passed", "failed", "error", "skipped"};

std::string Text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json JsonOf(const TestCase& test, bool with_details) {
  Json json;
  const auto put = [&](const char* name, const std::string& text) {
    if (!text.empty()) {
      json[name] = text;
    }
  };
  put("suite", test.suite);
  json["name"] = test.name;
  json["outcome"] = ToText(test.outcome);
  json["took_us"] = test.took.count();
  put("message", test.message);
  put("details", with_details ? test.details : std::string());
  put("file", test.file);
  if (test.line != 0) {
    json["line"] = test.line;
  }
  return json;
}

/// Who stays when room is scarce.
bool IsWantedBefore(const TestCase& a, const TestCase& b) {
  return HasFailed(a) != HasFailed(b) ? HasFailed(a) : !HasFailed(a) && a.took > b.took;
}

/// The cases' texts that find room, in the order of the reports.
std::string CasesThatFit(model::TestResults& results) {
  std::vector<std::size_t> order(results.cases.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return IsWantedBefore(results.cases[a], results.cases[b]);
  });
  std::vector<std::string> texts(results.cases.size());
  std::size_t room = kCaseBytesMax;
  for (const std::size_t i : order) {
    // Long stories of the first failures must not crowd out that others failed.
    std::string text = Text(JsonOf(results.cases[i], room > kCaseBytesMax / 2));
    if (text.size() + 1 > room) {
      ++results.omitted;
      continue;
    }
    room -= text.size() + 1;
    texts[i] = std::move(text);
  }
  std::string list;
  for (const std::string& text : texts) {
    if (!text.empty()) {
      list += (list.empty() ? "" : ",") + text;
    }
  }
  return list;
}

// ---- reading

template <typename T>
T Get(const Json& json, const char* name, T otherwise) {
  const auto found = json.find(name);
  if (found == json.end()) {
    return otherwise;
  }
  if constexpr (std::is_same_v<T, std::string>) {
    return found->is_string() ? found->template get<T>() : otherwise;
  } else {
    return found->is_number_unsigned() ? found->template get<T>() : otherwise;
  }
}

base::Duration DurationOf(const Json& json) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 62;
  return base::Duration(
      static_cast<std::int64_t>(std::min(Get<std::uint64_t>(json, "took_us", 0), kMost)));
}

TestCase CaseOf(const Json& json) {
  TestCase test;
  test.suite = Get<std::string>(json, "suite", "");
  test.name = Get<std::string>(json, "name", "");
  const std::string outcome = Get<std::string>(json, "outcome", "");
  const auto found = std::ranges::find(kOutcomes, outcome);
  test.outcome = found == kOutcomes.end()
                     ? model::TestOutcome::kError
                     : static_cast<model::TestOutcome>(found - kOutcomes.begin());
  test.took = DurationOf(json);
  test.message = Get<std::string>(json, "message", "");
  test.details = Get<std::string>(json, "details", "");
  test.file = Get<std::string>(json, "file", "");
  test.line = Get<std::uint32_t>(json, "line", 0);
  return test;
}

}  // namespace

std::string_view ToText(model::TestOutcome outcome) {
  return kOutcomes[static_cast<std::size_t>(outcome)];
}

std::string EncodeTestDocument(model::TestResults results) {
  const std::string cases = CasesThatFit(results);
  Json head;
  head["version"] = kVersion;
  head["tests"] = results.totals.tests;
  head["failed"] = results.totals.failed;
  head["skipped"] = results.totals.skipped;
  head["took_us"] = results.totals.took.count();
  head["omitted"] = results.omitted;
  head["problem_count"] = results.totals.problems;
  head["problems"] = results.problems;
  std::string text = Text(head);
  text.back() = ',';
  return text + "\"cases\":[" + cases + "]}";
}

base::StatusOr<model::TestResults> DecodeTestDocument(std::string_view bytes) {
  const Json json = Json::parse(bytes, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || Get<std::uint64_t>(json, "version", 0) != kVersion) {
    return base::DataLoss("no document of test results, or of a newer version");
  }
  model::TestResults results;
  results.totals.tests = Get<std::uint32_t>(json, "tests", 0);
  results.totals.failed = Get<std::uint32_t>(json, "failed", 0);
  results.totals.skipped = Get<std::uint32_t>(json, "skipped", 0);
  results.totals.problems = Get<std::uint32_t>(json, "problem_count", 0);
  results.totals.took = DurationOf(json);
  results.omitted = Get<std::uint32_t>(json, "omitted", 0);
  for (const Json& problem : json.value("problems", Json::array())) {
    results.problems.push_back(problem.is_string() ? problem.get<std::string>() : "");
  }
  for (const Json& each : json.value("cases", Json::array())) {
    results.cases.push_back(each.is_object() ? CaseOf(each) : TestCase{});
  }
  return results;
}

}  // namespace agents::reports

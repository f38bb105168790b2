// SPDX-License-Identifier: Apache-2.0
#include "apps/view/test_report.h"

#include <algorithm>

#include <fmt/format.h>

#include "apps/view/json_text.h"
#include "apps/view/utf8.h"

namespace apps::view {
namespace {

using model::TestCase;
using model::TestOutcome;

constexpr std::size_t kSlowestShown = 5;
constexpr std::size_t kDetailLines = 15;
constexpr std::size_t kNamesInBrief = 5;

std::string_view Word(TestOutcome outcome) {
  switch (outcome) {
    case TestOutcome::kPassed:
      return "passed";
    case TestOutcome::kFailed:
      return "failed";
    case TestOutcome::kError:
      return "error";
    case TestOutcome::kSkipped:
      return "skipped";
  }
  return "";
}

std::string Place(const TestCase& test) {
  if (test.file.empty()) {
    return "";
  }
  return test.line == 0 ? Sanitise(test.file)
                        : fmt::format("{}:{}", Sanitise(test.file), test.line);
}

std::string Count(std::uint32_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string CountsOf(const model::TestTotals& totals) {
  std::string text = Count(totals.tests, "test");
  if (totals.failed != 0) {
    text += fmt::format(", {} failed", totals.failed);
  }
  if (totals.skipped != 0) {
    text += fmt::format(", {} skipped", totals.skipped);
  }
  return text;
}

model::TestTotals Sum(const std::vector<JobTests>& jobs) {
  model::TestTotals sum;
  for (const JobTests& job : jobs) {
    sum.tests += job.totals.tests;
    sum.failed += job.totals.failed;
    sum.skipped += job.totals.skipped;
    sum.problems += job.totals.problems;
    sum.took += job.totals.took;
  }
  return sum;
}

// ---- text

/// Up to some lines, each safe and moved in.
void AppendLines(std::string_view text, std::string_view indent, std::string& out) {
  for (std::size_t shown = 0; !text.empty(); ++shown) {
    if (shown == kDetailLines) {
      out += fmt::format("{}…\n", indent);
      return;
    }
    const std::size_t end = std::min(text.find('\n'), text.size());
    out += fmt::format("{}{}\n", indent, Sanitise(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void AppendFailures(const JobTests& job, const Look& look, std::string& out) {
  const model::Status red = model::Status::kFailed;
  for (const TestCase& test : job.results.cases) {
    if (!model::HasFailed(test)) {
      continue;
    }
    const std::string place = Place(test);
    out += fmt::format("  {} {}{}{}\n", Paint(Mark(red, look.unicode), red, look),
                       Bold(Sanitise(model::NameOf(test)), look), place.empty() ? "" : "  ", place);
    // Most programs repeat the message at the head of the details.
    AppendLines(test.details.empty() ? test.message : test.details, "      ", out);
  }
}

void AppendSlowest(const JobTests& job, const Look& look, std::string& out) {
  std::vector<const TestCase*> order;
  for (const TestCase& test : job.results.cases) {
    if (test.took.count() > 0) {
      order.push_back(&test);
    }
  }
  const std::size_t shown = std::min(order.size(), kSlowestShown);
  std::ranges::stable_sort(order,
                           [](const TestCase* a, const TestCase* b) { return a->took > b->took; });
  for (std::size_t i = 0; i < shown; ++i) {
    out += fmt::format("  {:<9} {:>8}  {}\n", i == 0 ? "slowest" : "",
                       base::FormatDuration(order[i]->took),
                       Dim(Sanitise(model::NameOf(*order[i])), look));
  }
}

void AppendJob(const JobTests& job, const Look& look, std::string& out) {
  const model::Status status =
      job.totals.failed != 0 ? model::Status::kFailed : model::Status::kSucceeded;
  out +=
      fmt::format("\n{} {}  {} in {}\n", Paint(Mark(status, look.unicode), status, look),
                  Bold(job.job, look), CountsOf(job.totals), base::FormatDuration(job.totals.took));
  if (!job.missing.empty()) {
    out += fmt::format("  the results cannot be shown: {}\n", Sanitise(job.missing));
    return;
  }
  AppendFailures(job, look, out);
  AppendSlowest(job, look, out);
  for (const std::string& problem : job.results.problems) {
    out += fmt::format("  {:<9} {}\n", "problem", Sanitise(problem));
  }
  if (job.results.omitted != 0) {
    out += fmt::format("  {} are not listed: there were too many\n",
                       Count(job.results.omitted, "result"));
  }
}

// ---- JSON

void AppendTotals(const model::TestTotals& totals, JsonObject& object) {
  object.Number("tests", totals.tests);
  object.Number("failed", totals.failed);
  object.Number("skipped", totals.skipped);
  object.Number("problems", totals.problems);
  object.Number("took_us", totals.took.count());
}

std::string CaseJson(const TestCase& test) {
  std::string json;
  JsonObject object(json);
  object.Text("suite", test.suite);
  object.Text("name", test.name);
  object.Text("outcome", Word(test.outcome));
  object.Number("took_us", test.took.count());
  object.TextOrNull("message", test.message);
  object.TextOrNull("details", test.details);
  object.TextOrNull("file", test.file);
  if (test.line == 0) {
    object.Null("line");
  } else {
    object.Number("line", test.line);
  }
  object.End();
  return json;
}

std::string JobJson(const JobTests& job) {
  std::string cases = "[";
  for (const TestCase& test : job.results.cases) {
    cases += (cases.size() > 1 ? "," : "") + CaseJson(test);
  }
  std::string problems = "[";
  for (const std::string& problem : job.results.problems) {
    problems += problems.size() > 1 ? "," : "";
    AppendJsonString(problems, problem);
  }
  std::string json;
  JsonObject object(json);
  object.Text("job", job.job);
  AppendTotals(job.totals, object);
  object.Number("omitted", job.results.omitted);
  object.TextOrNull("missing", job.missing);
  object.Raw("problem_texts", problems + "]");
  object.Raw("cases", cases + "]");
  object.End();
  return json;
}

}  // namespace

std::string TestTotalsJson(const model::TestTotals& totals) {
  std::string json;
  JsonObject object(json);
  AppendTotals(totals, object);
  object.End();
  return json;
}

std::string TestsInBrief(const model::TestTotals& totals) {
  if (totals.failed == 0) {
    return CountsOf(totals);
  }
  std::string names;
  for (std::size_t i = 0; i < std::min(totals.failures.size(), kNamesInBrief); ++i) {
    names += (i == 0 ? ": " : ", ") + Sanitise(totals.failures[i]);
  }
  const std::size_t named = std::min(totals.failures.size(), kNamesInBrief);
  const std::string more = !names.empty() && totals.failed > named
                               ? fmt::format(" and {} more", totals.failed - named)
                               : "";
  return fmt::format("{} of {} failed{}{}", totals.failed, Count(totals.tests, "test"), names,
                     more);
}

std::string TestReportText(std::string_view run, const std::vector<JobTests>& jobs,
                           const Look& look) {
  if (jobs.empty()) {
    return fmt::format(
        "run {}: no job has test reports (artifacts: {{ reports: {{ junit: … }} }})\n", run);
  }
  const model::TestTotals sum = Sum(jobs);
  std::string out =
      fmt::format("run {}: {} in {}\n", run, CountsOf(sum), base::FormatDuration(sum.took));
  for (const JobTests& job : jobs) {
    AppendJob(job, look, out);
  }
  return out;
}

std::string TestReportJson(std::string_view run, const std::vector<JobTests>& jobs) {
  std::string list = "[";
  for (const JobTests& job : jobs) {
    list += (list.size() > 1 ? "," : "") + JobJson(job);
  }
  std::string json;
  JsonObject object(json);
  object.Text("run", run);
  AppendTotals(Sum(jobs), object);
  object.Raw("jobs", list + "]");
  object.End();
  return json + "\n";
}

}  // namespace apps::view

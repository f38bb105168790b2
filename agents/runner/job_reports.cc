// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/job_reports.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/reports/junit.h"
#include "agents/reports/test_document.h"
#include "agents/reports/text.h"
#include "engine/base/status.h"
#include "executors/masking/masker.h"

namespace agents::runner {
namespace {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

constexpr std::uint64_t kAllBytesMax = 512ULL << 20;
constexpr std::size_t kFailuresMax = 10;
constexpr std::size_t kFailureBytesMax = 200;

fmt::string_view Why(const base::Status& status) {
  return {base::Message(status).data(), base::Message(status).size()};
}

model::TestResults ReadAll(ports::ArtifactArchive& archive, const ReportsRequest& request,
                           std::stop_token stop) {
  model::TestResults results;
  std::uint64_t read = 0;
  const auto take = [&](const std::string& path, base::StatusOr<std::string> content) {
    if (!content.ok()) {
      return reports::AddProblem(fmt::format("{}: {}", path, Why(content.status())), results);
    }
    read += content->size();
    if (read > kAllBytesMax) {
      return reports::AddProblem(
          fmt::format("{}: all reports together have more than {} bytes", path, kAllBytesMax),
          results);
    }
    reports::AddJUnit(path, *std::move(content), request.workspace, results);
  };
  const base::StatusOr<std::string> unmatched = archive.ReadFiles(
      request.root, request.junit, reports::kReportBytesMax, std::move(stop), take);
  if (!unmatched.ok()) {
    reports::AddProblem(fmt::format("the reports could not be read: {}", Why(unmatched.status())),
                        results);
  } else if (!unmatched->empty()) {
    reports::AddProblem(fmt::format("no file matches '{}'", *unmatched), results);
  }
  return results;
}

/// What a test printed may hold what its step was given.
void Mask(const std::vector<std::string>& values, model::TestResults& results) {
  base::StatusOr<executors::masking::Masker> masker = executors::masking::Masker::Of(values);
  if (masker.ok() && masker->is_idle()) {
    return;
  }
  const auto mask = [&](std::string& text) {
    std::string masked;
    if (masker.ok()) {
      masker->Feed(text, masked);
      masker->Finish(masked);
    }
    text = std::move(masked);
  };
  for (model::TestCase& test : results.cases) {
    for (std::string* text : {&test.suite, &test.name, &test.message, &test.details, &test.file}) {
      mask(*text);
    }
  }
  std::ranges::for_each(results.problems, mask);
}

std::vector<std::string> FirstFailures(const std::vector<model::TestCase>& cases) {
  std::vector<std::string> names;
  for (const model::TestCase& test : cases) {
    if (names.size() < kFailuresMax && model::HasFailed(test)) {
      names.push_back(reports::Tidy(model::NameOf(test), kFailureBytesMax));
    }
  }
  return names;
}

}  // namespace

ReportsRead ReadReports(ports::ArtifactArchive& archive, const ReportsRequest& request,
                        std::stop_token stop) {
  ReportsRead read;
  if (request.junit.empty()) {
    return read;
  }
  model::TestResults results = ReadAll(archive, request, std::move(stop));
  Mask(request.masks, results);
  model::TestTotals totals = results.totals;
  totals.failures = FirstFailures(results.cases);
  read.document = reports::EncodeTestDocument(std::move(results));
  const base::StatusOr<base::Digest> kept = archive.PutDocument(read.document);
  if (!kept.ok()) {
    read.document.clear();
    read.remarks.notes.push_back(
        fmt::format("test results could not be kept: {}", Why(kept.status())));
    return read;
  }
  totals.document = *kept;
  read.remarks.tests = std::move(totals);
  return read;
}

}  // namespace agents::runner

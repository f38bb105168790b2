// SPDX-License-Identifier: Apache-2.0
#include "dsl/data.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "dsl/values.h"

namespace dsl {
namespace {

using engine::model::ArtifactUpload;
using engine::model::CacheSpec;
using engine::model::JobSpec;
using engine::model::RareJobSettings;

/// A longer one would be cut nowhere, but nobody could tell it from another at a glance.
constexpr std::size_t kCacheKeyBytesMax = 512;

bool IsEmptyList(NodeRef node) {
  return node && node.is_sequence() && node.size() == 0;
}

std::vector<std::string> ReadPaths(NodeRef node, std::string_view what, Compilation& compilation) {
  std::vector<std::string> paths;
  for (const NodeRef path : ReadScalars(node, what, compilation.reporter)) {
    std::optional<std::string> text = ReadText(path, what, compilation.reporter);
    if (!text) {
      continue;
    }
    const bool takes_out = text->starts_with('!');
    if (const auto fault = PathFault(takes_out ? std::string_view(*text).substr(1) : *text)) {
      compilation.reporter.Error("bad-path", path.place(), fmt::format("a path {}", *fault));
      continue;
    }
    paths.push_back(std::move(*text));
  }
  return paths;
}

// ---- artifacts

void ReadUpload(NodeRef node, const JobNames& names, std::vector<ArtifactUpload>& uploads,
                Compilation& compilation) {
  Reporter& reporter = compilation.reporter;
  const Fields fields = compilation.Check(node, Level::kUpload);
  ArtifactUpload upload;
  upload.at = PositionOf(node);
  const NodeRef name = fields.Get("name");
  upload.name = ReadTemplate(name, Site::kResult, &names, compilation).text;
  if (fields.Lacks("name") || (name && upload.name.empty())) {
    reporter.Error("missing-key", node.place(), "an upload needs a `name`");
  }
  for (const ArtifactUpload& other : uploads) {
    if (!upload.name.empty() && other.name == upload.name) {
      reporter.Error("duplicate-artifact", name.place(),
                     fmt::format("this job uploads `{}` twice", upload.name));
    }
  }
  const NodeRef paths = fields.Get("paths");
  upload.paths = ReadPaths(paths, "paths", compilation);
  if (fields.Lacks("paths") || IsEmptyList(paths)) {
    reporter.Error("missing-key", node.place(), "an upload needs `paths`");
  }
  const bool takes_nothing = std::ranges::all_of(
      upload.paths, [](const std::string& path) { return path.starts_with('!'); });
  if (!upload.paths.empty() && takes_nothing) {
    reporter.Error("no-path-taken", paths.place(), "each of these paths leaves something out")
        .hint = "name first what to take, as in `[\"**\", \"!tmp/**\"]`";
  }
  uploads.push_back(std::move(upload));
}

void ReadReports(NodeRef node, JobSpec& spec, Compilation& compilation) {
  if (!node) {
    return;
  }
  const Fields fields = compilation.Check(node, Level::kReports);
  const NodeRef junit = fields.Get("junit");
  if (fields.Lacks("junit") || IsEmptyList(junit)) {
    compilation.reporter
        .Error("missing-key", (junit ? junit : node).place(),
               "`reports` does not say which files: `junit`")
        .hint = "for example `reports: { junit: [\"build/**/*.xml\"] }`";
  }
  std::vector<std::string> paths = ReadPaths(junit, "junit", compilation);
  if (!paths.empty()) {
    RareSettings(spec).junit_reports = std::move(paths);
  }
}

// ---- caches

/// What is written of a key; one with expressions may still turn out too long.
void CheckKey(NodeRef node, std::string_view what, const std::string& text,
              Compilation& compilation) {
  if (text.empty()) {
    compilation.reporter
        .Error("empty-value", node.place(), fmt::format("`{}` is an empty text", what))
        .hint = what == "key" ? "" : "a beginning that fits every key is no beginning";
  } else if (text.size() > kCacheKeyBytesMax) {
    compilation.reporter.Error(
        "out-of-range", node.place(),
        fmt::format("`{}` has {} bytes; the most are {}", what, text.size(), kCacheKeyBytesMax));
  }
}

CacheSpec ReadCache(NodeRef node, const JobNames& names, Compilation& compilation) {
  Reporter& reporter = compilation.reporter;
  const Fields fields = compilation.Check(node, Level::kCache);
  CacheSpec cache;
  const NodeRef key = fields.Get("key");
  if (fields.Lacks("key")) {
    reporter.Error("missing-key", node.place(), "a cache needs a `key`").hint =
        "for example `key: \"deps-${{ hashFiles('package-lock.json') }}\"`";
  } else if (key) {
    cache.key = ReadTemplate(key, Site::kStep, &names, compilation);
    CheckKey(key, "key", cache.key.text, compilation);
  }
  for (const NodeRef each : ReadScalars(fields.Get("restore_keys"), "restore_keys", reporter)) {
    cache.restore_keys.push_back(ReadTemplate(each, Site::kStep, &names, compilation));
    CheckKey(each, "restore_keys", cache.restore_keys.back().text, compilation);
  }
  const NodeRef paths = fields.Get("paths");
  cache.paths = ReadPaths(paths, "paths", compilation);
  if (fields.Lacks("paths") || IsEmptyList(paths)) {
    reporter.Error("missing-key", node.place(), "a cache needs `paths`").hint =
        "for example `paths: [node_modules]`";
  }
  return cache;
}

}  // namespace

void ReadArtifacts(NodeRef node, const JobNames& names, JobSpec& spec, Compilation& compilation) {
  Reporter& reporter = compilation.reporter;
  const Fields artifacts = compilation.Check(node, Level::kArtifacts);
  static constexpr std::array<std::string_view, 3> kWhen = {"success", "failure", "always"};
  if (const auto when = ReadWord(artifacts.Get("when"), "when", kWhen, reporter)) {
    RareSettings(spec).uploads_when = static_cast<engine::model::UploadWhen>(*when);
  }
  for (const NodeRef name : ReadScalars(artifacts.Get("download"), "download", reporter)) {
    compilation.downloads.push_back({names.self, name});
  }
  const NodeRef list = artifacts.Get("upload");
  for (std::uint32_t i = 0; list && i < list.size(); ++i) {
    if (list[i].is_map()) {
      ReadUpload(list[i], names, RareSettings(spec).uploads, compilation);
    } else {
      reporter
          .Error("wrong-type", list[i].place(),
                 fmt::format("an upload is a map, not {}", Describe(list[i].kind())))
          .hint = "for example `- { name: bin, paths: [build/app] }`";
    }
  }
  if (const auto expire = ReadDuration(artifacts.Get("expire"), "expire", reporter)) {
    RareSettings(spec).artifacts_expire = *expire;
  }
  ReadReports(artifacts.Get("reports"), spec, compilation);
}

void ReadReuse(NodeRef node, JobSpec& spec, Compilation& compilation) {
  const Fields fields = compilation.Check(node, Level::kReuse);
  const NodeRef inputs = fields.Get("inputs");
  if (fields.Lacks("inputs") || IsEmptyList(inputs)) {
    compilation.reporter
        .Error("missing-key", (inputs ? inputs : node).place(),
               "`reuse` does not say which files decide: `inputs`")
        .hint = "for example `reuse: { inputs: [\"src/**\"] }`";
  }
  std::vector<std::string> paths = ReadPaths(inputs, "inputs", compilation);
  if (!paths.empty()) {
    RareSettings(spec).reuse_inputs = std::move(paths);
  }
}

void ReadCaches(NodeRef node, const JobNames& names, JobSpec& spec, Compilation& compilation) {
  Reporter& reporter = compilation.reporter;
  // It is restored before the first step, so nothing of a step can be in its key.
  JobNames before_steps = names;
  before_steps.step = 0;
  if (node.is_map()) {
    RareSettings(spec).caches.push_back(ReadCache(node, before_steps, compilation));
    return;
  }
  for (std::uint32_t i = 0; node.is_sequence() && i < node.size(); ++i) {
    if (!node[i].is_map()) {
      reporter
          .Error("wrong-type", node[i].place(),
                 fmt::format("a cache is a map, not {}", Describe(node[i].kind())))
          .hint = "for example `- { key: deps, paths: [deps] }`";
      continue;
    }
    std::vector<CacheSpec>& caches = RareSettings(spec).caches;
    CacheSpec cache = ReadCache(node[i], before_steps, compilation);
    if (!cache.key.text.empty() && std::ranges::any_of(caches, [&](const CacheSpec& other) {
          return other.key.text == cache.key.text;
        })) {
      reporter
          .Error("duplicate-cache", node[i].place(),
                 fmt::format("this job has two caches with the key `{}`", cache.key.text))
          .hint = "give each its own beginning, or put their paths into one";
    }
    caches.push_back(std::move(cache));
  }
}

}  // namespace dsl

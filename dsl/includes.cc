// SPDX-License-Identifier: Apache-2.0
#include "dsl/includes.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <span>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "dsl/keys.h"
#include "dsl/merge.h"
#include "dsl/parse.h"
#include "dsl/values.h"
#include "engine/base/did_you_mean.h"

namespace dsl {
namespace {

using engine::base::StatusOr;

/// Of an included file: what a pipeline says of itself only.
constexpr std::string_view kOwnKeys[] = {"name", "include"};

std::string_view CodeOf(const engine::base::Status& status) {
  if (status.code() == absl::StatusCode::kNotFound) {
    return "missing-file";
  }
  if (status.code() == absl::StatusCode::kFailedPrecondition) {
    return "not-a-file";
  }
  if (status.code() == absl::StatusCode::kResourceExhausted) {
    return "file-too-large";
  }
  return "unreadable-file";
}

constexpr std::string_view kSizeHint =
    "split it and `include` the parts, or set DAYFLY_FILE_BYTES_MAX for a higher limit";

/// A file by what makes it the same one: its normal path, and its repository if it is another.
RepositoryFile Resolve(const RepositoryFile& from, std::string_view path) {
  const std::filesystem::path folder = std::filesystem::path(from.path).parent_path();
  return {from.repo, from.ref, (folder / path).lexically_normal().generic_string()};
}

/// The key of a document is `include`, misspelt.
bool IsMeant(std::string_view key) {
  std::vector<std::string_view> known;
  for (const KeyRow* row : KeysOf(Level::kDocument)) {
    known.push_back(row->key);
  }
  return engine::base::NearestOf(key, known) == "include";
}

std::string NameOf(const RepositoryFile& file) {
  return file.repo.empty() ? file.path : ToText(file);
}

class IncludeReader {
 public:
  IncludeReader(SourceLoader& loader, Compilation& compilation)
      : loader_(loader), compilation_(compilation) {}

  NodeRef Read(const std::string& path);

 private:
  Reporter& reporter() { return compilation_.reporter; }
  void ReadFile(const RepositoryFile& file, NodeRef named);
  void ReadIncludes(NodeRef root, const RepositoryFile& from);
  void ReadInclude(NodeRef item, const RepositoryFile& from);
  std::optional<RepositoryFile> ReadMap(NodeRef item, const RepositoryFile& from, NodeRef& named);
  void Include(const RepositoryFile& file, NodeRef named);
  bool HasRoomFor(NodeRef named);
  void ReportUnreadable(const engine::base::Status& status, const RepositoryFile& file,
                        NodeRef named);

  SourceLoader& loader_;
  Compilation& compilation_;
  std::vector<std::string> open_;  // files that are being read, the pipeline's first
  std::unordered_set<std::string> seen_;
  std::vector<NodeRef> maps_;  // of what was read to its end
};

void IncludeReader::ReportUnreadable(const engine::base::Status& status, const RepositoryFile& file,
                                     NodeRef named) {
  const std::string_view code = CodeOf(status);
  const std::string reason(engine::base::Message(status));
  Diagnostic& diagnostic =
      named ? reporter().Error(code, named.place(),
                               fmt::format("`{}` cannot be included: {}", NameOf(file), reason))
            : reporter().FileError(code, NameOf(file), reason);
  if (code == "file-too-large") {
    diagnostic.hint = kSizeHint;
  }
}

void IncludeReader::ReadFile(const RepositoryFile& file, NodeRef named) {
  StatusOr<std::string> text = file.repo.empty() ? loader_.Load(file.path) : loader_.LoadFrom(file);
  if (!text.ok() || text->size() > (1ULL << 30)) {
    // Positions are 32 bits wide, whatever a loader lets pass.
    const auto too_large = engine::base::ResourceExhausted("the file is larger than 1 GiB");
    compilation_.lacks_includes = true;
    ReportUnreadable(text.ok() ? too_large : text.status(), file, named);
    return;
  }
  std::vector<std::string>& files = compilation_.plan.files;
  const auto index = static_cast<std::uint32_t>(files.size());
  files.push_back(NameOf(file));
  const Inclusion inclusion =
      named ? Inclusion{&named.document(), named.place().span} : Inclusion();
  std::unique_ptr<Document> document =
      Parse(files.back(), *std::move(text), index, reporter(), inclusion);
  if (document == nullptr) {
    compilation_.lacks_includes = true;
    return;
  }
  compilation_.documents.push_back(std::move(document));
  const Document& kept = *compilation_.documents.back();
  const NodeRef root(kept, kept.root);
  if (root.is_null()) {
    reporter().Error("empty-file", root.place(), "the file holds no pipeline");
  } else if (!root.is_map()) {
    compilation_.lacks_includes = true;
    reporter().Error("wrong-type", root.place(),
                     fmt::format("a pipeline is a map, not {}", Describe(root.kind())));
  } else {
    ReadIncludes(root, file);
    maps_.push_back(root);
  }
}

void IncludeReader::ReadIncludes(NodeRef root, const RepositoryFile& from) {
  for (const Entry& entry : EntriesOf(root, reporter())) {
    if (entry.key.text() != "include") {
      // The misspelt key is told of where all keys are; what it would have brought is not missed.
      compilation_.lacks_includes = compilation_.lacks_includes || IsMeant(entry.key.text());
      continue;
    }
    if (!entry.value.is_sequence()) {
      ReadInclude(entry.value, from);
    }
    for (std::uint32_t i = 0; i < entry.value.size(); ++i) {
      ReadInclude(entry.value[i], from);
    }
  }
}

void IncludeReader::ReadInclude(NodeRef item, const RepositoryFile& from) {
  NodeRef named = item;
  std::optional<RepositoryFile> file;
  if (item.is_map()) {
    file = ReadMap(item, from, named);
  } else if (item.is_scalar()) {
    if (const auto path = ReadText(item, "include", reporter())) {
      file = Resolve(from, *path);
    }
  } else {
    reporter()
        .Error("wrong-type", item.place(),
               fmt::format("`include` takes files, not {}", Describe(item.kind())))
        .hint = "for example `include: [common.yml]`";
  }
  if (!file) {
    compilation_.lacks_includes = true;
  } else if (named.text().starts_with('/')) {
    compilation_.lacks_includes = true;
    reporter().Error("bad-path", named.place(), "an included file is named relative to this one");
  } else if (!file->repo.empty() && (file->path == ".." || file->path.starts_with("../"))) {
    compilation_.lacks_includes = true;
    reporter().Error("bad-path", named.place(), "the path leads out of its repository");
  } else {
    Include(*file, named);
  }
}

/// `{ file }`, or `{ repo, ref, file }`.
std::optional<RepositoryFile> IncludeReader::ReadMap(NodeRef item, const RepositoryFile& from,
                                                     NodeRef& named) {
  const Fields fields = compilation_.Check(item, Level::kInclude);
  const auto path = ReadText(fields.Get("file"), "file", reporter());
  const auto repo = ReadText(fields.Get("repo"), "repo", reporter());
  const auto ref = ReadText(fields.Get("ref"), "ref", reporter());
  if (fields.Lacks("file")) {
    reporter().Error("missing-key", item.place(), "an include does not say which `file`");
  }
  if (fields.Lacks("ref") && fields.Get("repo")) {
    reporter()
        .Error("missing-key", item.place(), "an include of another repository needs a `ref`")
        .hint = "a branch, a tag or, to be sure of what comes, a commit";
  } else if (fields.Lacks("repo") && fields.Get("ref")) {
    reporter().Error("conflicting-keys", fields.Get("ref").place(),
                     "`ref` says nothing without `repo`");
  }
  if (!path || repo.has_value() != ref.has_value()) {
    return std::nullopt;
  }
  named = fields.Get("file");
  return repo ? Resolve({*repo, *ref, ""}, *path) : Resolve(from, *path);
}

void IncludeReader::Include(const RepositoryFile& file, NodeRef named) {
  const std::string name = NameOf(file);
  const auto open = std::find(open_.begin(), open_.end(), name);
  if (open != open_.end()) {
    reporter().Error(
        "include-cycle", named.place(),
        fmt::format("these files include each other: {} → {}",
                    fmt::join(std::vector<std::string>(open, open_.end()), " → "), name));
    return;
  }
  if (!seen_.insert(name).second || !HasRoomFor(named)) {
    return;
  }
  open_.push_back(name);
  ReadFile(file, named);
  open_.pop_back();
}

bool IncludeReader::HasRoomFor(NodeRef named) {
  const std::uint32_t limit = compilation_.options.includes_max;
  if (seen_.size() > limit) {
    if (seen_.size() == limit + 1ULL) {
      reporter()
          .Error("too-many-includes", named.place(),
                 fmt::format("more than {} files are included, the limit", limit))
          .hint = "put small files together, or set DAYFLY_INCLUDES_MAX for a higher limit";
    }
    compilation_.lacks_includes = true;
    return false;
  }
  return true;
}

NodeRef IncludeReader::Read(const std::string& path) {
  const RepositoryFile file{"", "", path};
  open_.push_back(std::filesystem::path(path).lexically_normal().generic_string());
  ReadFile(file, {});
  if (maps_.size() < 2) {
    return maps_.empty() ? NodeRef() : maps_.front();
  }
  // The pipeline's own map is the last one, unless it could not be read: then there is no pipeline.
  std::vector<Layer> layers;
  for (const NodeRef map : maps_) {
    const bool own = map.document().inclusion.document == nullptr;
    const std::span<const std::string_view> hidden(kOwnKeys);
    layers.push_back({map, own ? std::span<const std::string_view>() : hidden});
  }
  return MergeMaps(layers, compilation_.arena, reporter());
}

}  // namespace

NodeRef LoadPipeline(const std::string& path, SourceLoader& loader, Compilation& compilation) {
  return IncludeReader(loader, compilation).Read(path);
}

}  // namespace dsl

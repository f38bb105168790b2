// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/job_reuse.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <sys/utsname.h>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "agents/runner/scratch.h"
#include "engine/base/digest.h"
#include "engine/expr/value.h"

namespace agents::runner {
namespace {

namespace base = engine::base;
namespace expr = engine::expr;
namespace model = engine::model;
namespace ports = engine::ports;

constexpr char kResultFile[] = "result.json";
constexpr char kTestsFile[] = "tests.json";

ports::Transfer TransferOf(const CacheTools& tools) {
  return {tools.watch->stop.get_token(), &tools.watch->moved};
}

std::string Why(const CacheTools& tools, const base::Status& status) {
  return tools.watch->stalled ? "too few bytes moved for too long"
                              : std::string(base::Message(status));
}

/// Begins as no key of a `cache` can. What one kind of machine made does not stand for another.
std::string KeyOf(const ReuseRequest& request, const std::string& files_hash) {
  utsname machine{};
  uname(&machine);
  return "\x01reuse:" +
         base::ToHex(base::Sha256(fmt::format("{}\n{}\n{}", static_cast<char*>(machine.machine),
                                              files_hash, request.basis)));
}

std::string KeyOfFiles(const std::string& key, const std::string& manifest) {
  return fmt::format("{}:{}", key, manifest);
}

// ---- the file that says what a job came to

expr::Value Number(std::uint64_t number) {
  return expr::Value::Number(static_cast<double>(number));
}

expr::Value ToJson(const model::Artifact& artifact) {
  return expr::Value::MakeObject({{"name", expr::Value::String(artifact.name)},
                                  {"manifest", expr::Value::String(base::ToHex(artifact.manifest))},
                                  {"bytes", Number(artifact.bytes)},
                                  {"files", Number(artifact.files)}});
}

expr::Value ToJson(const model::TestTotals& tests) {
  expr::Array failures;
  for (const std::string& name : tests.failures) {
    failures.push_back(expr::Value::String(name));
  }
  return expr::Value::MakeObject(
      {{"tests", Number(tests.tests)},
       {"failed", Number(tests.failed)},
       {"skipped", Number(tests.skipped)},
       {"problems", Number(tests.problems)},
       {"took_us", Number(static_cast<std::uint64_t>(tests.took.count()))},
       {"failures", expr::Value::MakeArray(std::move(failures))}});
}

std::string Encode(const EarlierResult& result) {
  expr::Array outputs;
  for (const model::NamedValue& output : result.outputs) {
    outputs.push_back(expr::Value::MakeObject(
        {{"name", expr::Value::String(output.name)}, {"json", expr::Value::String(output.value)}}));
  }
  expr::Array artifacts;
  for (const model::Artifact& artifact : result.artifacts) {
    artifacts.push_back(ToJson(artifact));
  }
  expr::Object all = {{"run", expr::Value::String(result.run)},
                      {"outputs", expr::Value::MakeArray(std::move(outputs))},
                      {"artifacts", expr::Value::MakeArray(std::move(artifacts))}};
  if (result.tests) {
    all.emplace_back("tests", ToJson(*result.tests));
  }
  return expr::Value::MakeObject(std::move(all)).ToJson();
}

base::StatusOr<std::string> TextIn(const expr::Value& object, std::string_view name) {
  const expr::Value* value = object.Find(name);
  if (value == nullptr || value->kind() != expr::Kind::kString) {
    return base::DataLoss("an earlier result has no text '{}'", name);
  }
  return value->string();
}

template <typename Integer>
base::Status ReadNumber(const expr::Value& object, std::string_view name, Integer& out) {
  const expr::Value* value = object.Find(name);
  if (value == nullptr || value->kind() != expr::Kind::kNumber || !(value->number() >= 0) ||
      value->number() > static_cast<double>(std::numeric_limits<std::int32_t>::max()) * 4e6) {
    return base::DataLoss("an earlier result has no number '{}'", name);
  }
  out = static_cast<Integer>(value->number());
  return base::OkStatus();
}

base::StatusOr<expr::Array> ListIn(const expr::Value& object, std::string_view name) {
  const expr::Value* value = object.Find(name);
  if (value == nullptr || value->kind() != expr::Kind::kArray) {
    return base::DataLoss("an earlier result has no list '{}'", name);
  }
  return value->array();
}

base::StatusOr<model::Artifact> ArtifactIn(const expr::Value& value) {
  model::Artifact artifact;
  ASSIGN_OR_RETURN(artifact.name, TextIn(value, "name"));
  ASSIGN_OR_RETURN(const std::string manifest, TextIn(value, "manifest"));
  const std::optional<base::Digest> digest = base::DigestFromHex(manifest);
  if (!digest) {
    return base::DataLoss("an earlier result names no manifest");
  }
  artifact.manifest = *digest;
  RETURN_IF_ERROR(ReadNumber(value, "bytes", artifact.bytes));
  RETURN_IF_ERROR(ReadNumber(value, "files", artifact.files));
  return artifact;
}

base::StatusOr<model::TestTotals> TestsIn(const expr::Value& value) {
  model::TestTotals tests;
  RETURN_IF_ERROR(ReadNumber(value, "tests", tests.tests));
  RETURN_IF_ERROR(ReadNumber(value, "failed", tests.failed));
  RETURN_IF_ERROR(ReadNumber(value, "skipped", tests.skipped));
  RETURN_IF_ERROR(ReadNumber(value, "problems", tests.problems));
  std::int64_t took = 0;
  RETURN_IF_ERROR(ReadNumber(value, "took_us", took));
  tests.took = base::Duration(took);
  ASSIGN_OR_RETURN(const expr::Array failures, ListIn(value, "failures"));
  for (const expr::Value& name : failures) {
    tests.failures.push_back(name.ToDisplay());
  }
  return tests;
}

base::StatusOr<EarlierResult> Decode(std::string_view json) {
  ASSIGN_OR_RETURN(const expr::Value value, expr::Value::FromJson(json));
  EarlierResult result;
  ASSIGN_OR_RETURN(result.run, TextIn(value, "run"));
  ASSIGN_OR_RETURN(const expr::Array outputs, ListIn(value, "outputs"));
  for (const expr::Value& output : outputs) {
    model::NamedValue& read = result.outputs.emplace_back();
    ASSIGN_OR_RETURN(read.name, TextIn(output, "name"));
    ASSIGN_OR_RETURN(read.value, TextIn(output, "json"));
  }
  ASSIGN_OR_RETURN(const expr::Array artifacts, ListIn(value, "artifacts"));
  for (const expr::Value& artifact : artifacts) {
    ASSIGN_OR_RETURN(result.artifacts.emplace_back(), ArtifactIn(artifact));
  }
  if (const expr::Value* tests = value.Find("tests")) {
    ASSIGN_OR_RETURN(result.tests, TestsIn(*tests));
  }
  return result;
}

/// A folder of its own, gone with it.
class ScratchFolder {
 public:
  explicit ScratchFolder(std::string path) : path_(std::move(path)) {
    RemoveTree(path_);
    std::error_code error;
    std::filesystem::create_directory(path_, error);
    status_ = error ? base::FromErrno(error.value(), "make folder " + path_) : base::OkStatus();
  }
  ~ScratchFolder() { RemoveTree(path_); }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const base::Status& status() const { return status_; }
  const std::string& path() const { return path_; }
  std::string File(std::string_view name) const { return fmt::format("{}/{}", path_, name); }

 private:
  std::string path_;
  base::Status status_;
};

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

base::Status WriteAll(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  file.close();
  return file ? base::OkStatus() : base::DataLoss("write {}", path);
}

// ---- finding

/// Unpacked beside the workspace, so that every chunk is known to be there and right.
base::Status CheckArtifact(const CacheTools& tools, const std::string& key,
                           const model::Artifact& artifact, const std::string& scratch) {
  ASSIGN_OR_RETURN(const std::optional<model::Artifact> found,
                   tools.index->Find(KeyOfFiles(key, base::ToHex(artifact.manifest)), {}));
  if (!found) {
    return base::NotFound("its artifact '{}' is gone", artifact.name);
  }
  const ScratchFolder folder(scratch + "-files");
  RETURN_IF_ERROR(folder.status());
  const base::Status unpacked = tools.archive->Unpack(*found, folder.path(), TransferOf(tools));
  if (!unpacked.ok()) {
    static_cast<void>(tools.index->Drop(*found));
  }
  return unpacked;
}

base::StatusOr<EarlierResult> ReadResult(const CacheTools& tools, const std::string& key,
                                         const model::Artifact& kept, const std::string& scratch) {
  const ScratchFolder folder(scratch);
  RETURN_IF_ERROR(folder.status());
  RETURN_IF_ERROR(tools.archive->Unpack(kept, folder.path(), TransferOf(tools)));
  ASSIGN_OR_RETURN(EarlierResult result, Decode(ReadAll(folder.File(kResultFile))));
  for (const model::Artifact& artifact : result.artifacts) {
    RETURN_IF_ERROR(CheckArtifact(tools, key, artifact, scratch));
  }
  if (result.tests) {
    ASSIGN_OR_RETURN(result.tests->document,
                     tools.archive->PutDocument(ReadAll(folder.File(kTestsFile))));
  }
  return result;
}

base::StatusOr<ReuseAnswer> Find(const CacheTools& tools, const ReuseRequest& request,
                                 const std::string& scratch) {
  ASSIGN_OR_RETURN(const std::string hash, tools.archive->HashTree(tools.root, request.inputs));
  if (hash.empty()) {
    return ReuseAnswer{.note = "nothing is reused or kept: no file is among the `inputs`"};
  }
  ReuseAnswer answer{.key = KeyOf(request, hash)};
  ASSIGN_OR_RETURN(const std::optional<model::Artifact> kept, tools.index->Find(answer.key, {}));
  if (!kept) {
    answer.note = "no earlier result has these inputs";
    return answer;
  }
  base::StatusOr<EarlierResult> result = ReadResult(tools, answer.key, *kept, scratch);
  if (result.ok()) {
    answer.result = *std::move(result);
  } else {
    // Else it would be found again and again, and this job's own could not be kept.
    static_cast<void>(tools.index->Drop(*kept));
    answer.note = "an earlier result is not reused: " + Why(tools, result.status());
  }
  return answer;
}

// ---- keeping

base::Status Add(const CacheTools& tools, model::Artifact content, std::string key) {
  content.name = std::move(key);
  return tools.index->Add(content);
}

// The result comes last: it stands for all the others.
base::Status Save(const CacheTools& tools, const ReuseSave& save, const std::string& scratch) {
  for (const model::Artifact& artifact : save.result.artifacts) {
    const base::Status added =
        Add(tools, artifact, KeyOfFiles(save.key, base::ToHex(artifact.manifest)));
    if (!added.ok() && added.code() != absl::StatusCode::kAlreadyExists) {
      return added;
    }
  }
  const ScratchFolder folder(scratch);
  RETURN_IF_ERROR(folder.status());
  RETURN_IF_ERROR(WriteAll(folder.File(kResultFile), Encode(save.result)));
  std::vector<std::string> files = {kResultFile};
  if (save.result.tests) {
    RETURN_IF_ERROR(WriteAll(folder.File(kTestsFile), save.test_document));
    files.emplace_back(kTestsFile);
  }
  ASSIGN_OR_RETURN(
      model::Artifact packed,
      tools.archive->Pack({.root = folder.path(), .name = "result", .paths = std::move(files)},
                          TransferOf(tools)));
  return Add(tools, std::move(packed), save.key);
}

}  // namespace

ReuseAnswer FindEarlier(const CacheTools& tools, const ReuseRequest& request,
                        const std::string& scratch) {
  if (tools.index == nullptr || tools.archive == nullptr) {
    return {.note = "nothing is reused or kept: nothing here keeps results"};
  }
  base::StatusOr<ReuseAnswer> answer = Find(tools, request, scratch);
  return answer.ok()
             ? *std::move(answer)
             : ReuseAnswer{.note = "nothing is reused or kept: " + Why(tools, answer.status())};
}

std::string SaveResult(const CacheTools& tools, const ReuseSave& save, const std::string& scratch) {
  const base::Status saved = Save(tools, save, scratch);
  if (saved.code() == absl::StatusCode::kAlreadyExists) {
    return "the result is not kept for reuse: another job did so first";
  }
  return saved.ok() ? "the result is kept for reuse"
                    : "the result is not kept for reuse: " + Why(tools, saved);
}

}  // namespace agents::runner

// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/job_reuse.h"

#include <filesystem>
#include <fstream>
#include <iterator>
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

ports::Transfer TransferOf(const CacheTools& tools) {
  return {tools.watch->stop.get_token(), &tools.watch->moved};
}

std::string Why(const CacheTools& tools, const base::Status& status) {
  return tools.watch->stalled ? "too few bytes moved for too long"
                              : std::string(base::Message(status));
}

/// What one kind of machine made does not stand for another.
std::string KeyOf(const ReuseRequest& request, const std::string& files_hash) {
  utsname machine{};
  uname(&machine);
  return "dayfly:reuse:" +
         base::ToHex(base::Sha256(fmt::format("{}\n{}\n{}", static_cast<char*>(machine.machine),
                                              files_hash, request.basis)));
}

std::string KeyOfFiles(const std::string& key, const std::string& manifest) {
  return fmt::format("{}:{}", key, manifest);
}

// ---- the file with what is no file of the workspace

struct Kept {
  EarlierResult result;
  std::vector<std::string> manifests;  ///< of all that was in the workspace
};

std::string Encode(const Kept& kept) {
  expr::Array outputs;
  for (const model::NamedValue& output : kept.result.outputs) {
    outputs.push_back(expr::Value::MakeObject(
        {{"name", expr::Value::String(output.name)}, {"json", expr::Value::String(output.value)}}));
  }
  const auto texts = [](const std::vector<std::string>& list) {
    expr::Array items;
    for (const std::string& text : list) {
      items.push_back(expr::Value::String(text));
    }
    return expr::Value::MakeArray(std::move(items));
  };
  return expr::Value::MakeObject({{"run", expr::Value::String(kept.result.run)},
                                  {"outputs", expr::Value::MakeArray(std::move(outputs))},
                                  {"uploads", texts(kept.result.upload_names)},
                                  {"manifests", texts(kept.manifests)}})
      .ToJson();
}

base::StatusOr<std::string> TextIn(const expr::Value& object, std::string_view name) {
  const expr::Value* value = object.Find(name);
  if (value == nullptr || value->kind() != expr::Kind::kString) {
    return base::DataLoss("an earlier result has no text '{}'", name);
  }
  return value->string();
}

base::StatusOr<expr::Array> ListIn(const expr::Value& object, std::string_view name) {
  const expr::Value* value = object.Find(name);
  if (value == nullptr || value->kind() != expr::Kind::kArray) {
    return base::DataLoss("an earlier result has no list '{}'", name);
  }
  return value->array();
}

base::StatusOr<std::vector<std::string>> TextsIn(const expr::Value& object, std::string_view name) {
  ASSIGN_OR_RETURN(const expr::Array list, ListIn(object, name));
  std::vector<std::string> texts;
  for (const expr::Value& item : list) {
    texts.push_back(item.ToDisplay());
  }
  return texts;
}

base::StatusOr<Kept> Decode(std::string_view json) {
  ASSIGN_OR_RETURN(const expr::Value value, expr::Value::FromJson(json));
  Kept kept;
  ASSIGN_OR_RETURN(kept.result.run, TextIn(value, "run"));
  ASSIGN_OR_RETURN(const expr::Array outputs, ListIn(value, "outputs"));
  for (const expr::Value& output : outputs) {
    model::NamedValue& read = kept.result.outputs.emplace_back();
    ASSIGN_OR_RETURN(read.name, TextIn(output, "name"));
    ASSIGN_OR_RETURN(read.value, TextIn(output, "json"));
  }
  ASSIGN_OR_RETURN(kept.result.upload_names, TextsIn(value, "uploads"));
  ASSIGN_OR_RETURN(kept.manifests, TextsIn(value, "manifests"));
  return kept;
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
  std::string file() const { return path_ + "/" + kResultFile; }

 private:
  std::string path_;
  base::Status status_;
};

// ---- finding

base::StatusOr<std::optional<Kept>> ReadKept(const CacheTools& tools, const std::string& key,
                                             const std::string& scratch) {
  ASSIGN_OR_RETURN(const std::optional<model::Artifact> found, tools.index->Find(key, {}));
  if (!found) {
    return std::optional<Kept>();
  }
  const ScratchFolder folder(scratch);
  RETURN_IF_ERROR(folder.status());
  const base::Status unpacked =
      tools.archive->UnpackWhole(*found, folder.path(), TransferOf(tools));
  std::ifstream file(folder.file(), std::ios::binary);
  const std::string json(std::istreambuf_iterator<char>(file), {});
  base::StatusOr<Kept> kept = unpacked.ok() ? Decode(json) : unpacked;
  if (!kept.ok()) {
    static_cast<void>(tools.index->Drop(*found));  // else the next one tries in vain, too
    return kept.status();
  }
  return std::optional(*std::move(kept));
}

/// Nothing: one of them is not there any more, so the result is not either.
base::StatusOr<std::optional<std::vector<model::Artifact>>> FindFiles(const CacheTools& tools,
                                                                      const std::string& key,
                                                                      const Kept& kept) {
  std::vector<model::Artifact> contents;
  for (const std::string& manifest : kept.manifests) {
    ASSIGN_OR_RETURN(std::optional<model::Artifact> found,
                     tools.index->Find(KeyOfFiles(key, manifest), {}));
    if (!found) {
      return std::optional<std::vector<model::Artifact>>();
    }
    contents.push_back(*std::move(found));
  }
  return std::optional(std::move(contents));
}

ReuseAnswer Restore(const CacheTools& tools, const std::string& key, Kept kept,
                    const std::vector<model::Artifact>& contents) {
  ReuseAnswer answer{.key = key};
  bool wrote = false;
  for (const model::Artifact& content : contents) {
    const base::Status unpacked =
        tools.archive->UnpackWhole(content, tools.root, TransferOf(tools));
    if (!unpacked.ok()) {
      static_cast<void>(tools.index->Drop(content));
      answer.note = "an earlier result is not reused: " + Why(tools, unpacked);
      // With some of its files in the workspace the job must begin anew.
      answer.broken = wrote ? unpacked : base::OkStatus();
      return answer;
    }
    wrote = true;
  }
  answer.result = std::move(kept.result);
  return answer;
}

base::StatusOr<ReuseAnswer> Find(const CacheTools& tools, const ReuseRequest& request,
                                 const std::string& scratch) {
  ASSIGN_OR_RETURN(const std::string hash, tools.archive->HashTree(tools.root, request.inputs));
  if (hash.empty()) {
    return ReuseAnswer{.note = "nothing is reused or kept: no file is among the `inputs`"};
  }
  const std::string key = KeyOf(request, hash);
  ReuseAnswer none{.key = key, .note = "no earlier result has these inputs"};
  base::StatusOr<std::optional<Kept>> kept = ReadKept(tools, key, scratch);
  if (!kept.ok()) {
    none.note = "an earlier result is not reused: " + Why(tools, kept.status());
    return none;
  }
  if (!kept->has_value()) {
    return none;
  }
  ASSIGN_OR_RETURN(const auto contents, FindFiles(tools, key, **kept));
  return contents ? Restore(tools, key, **std::move(kept), *contents) : none;
}

// ---- keeping

base::Status Add(const CacheTools& tools, model::Artifact content, std::string key) {
  content.name = std::move(key);
  const base::Status added = tools.index->Add(content);
  return added.code() == absl::StatusCode::kAlreadyExists ? base::OkStatus() : added;
}

/// Reports that are no artifacts: read again when the result is reused.
base::Status AddReports(const CacheTools& tools, const ReuseSave& save, Kept& kept) {
  if (save.reports.empty()) {
    return base::OkStatus();
  }
  base::StatusOr<model::Artifact> packed = tools.archive->Pack(
      {.root = tools.root, .name = "reports", .paths = save.reports}, TransferOf(tools));
  if (packed.status().code() == absl::StatusCode::kNotFound) {
    return base::OkStatus();  // there are none now, so there will be none then
  }
  RETURN_IF_ERROR(packed.status());
  kept.manifests.push_back(base::ToHex(packed->manifest));
  std::string key = KeyOfFiles(save.key, kept.manifests.back());
  return Add(tools, *std::move(packed), std::move(key));
}

// The result comes last: it stands for all the others.
base::Status Save(const CacheTools& tools, const ReuseSave& save,
                  const std::vector<model::Artifact>& artifacts, const std::string& scratch) {
  Kept kept{.result = save.result, .manifests = {}};
  for (const model::Artifact& artifact : artifacts) {
    kept.manifests.push_back(base::ToHex(artifact.manifest));
    RETURN_IF_ERROR(Add(tools, artifact, KeyOfFiles(save.key, kept.manifests.back())));
  }
  RETURN_IF_ERROR(AddReports(tools, save, kept));
  const ScratchFolder folder(scratch);
  RETURN_IF_ERROR(folder.status());
  std::ofstream file(folder.file(), std::ios::binary);
  file << Encode(kept);
  file.close();
  if (!file) {
    return base::DataLoss("write {}", folder.file());
  }
  ASSIGN_OR_RETURN(
      model::Artifact packed,
      tools.archive->Pack({.root = folder.path(), .name = "result", .paths = {kResultFile}},
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

std::string SaveResult(const CacheTools& tools, const ReuseSave& save,
                       const std::vector<model::Artifact>& artifacts, const std::string& scratch) {
  const base::Status saved = Save(tools, save, artifacts, scratch);
  return saved.ok() ? "the result is kept for reuse"
                    : "the result is not kept for reuse: " + Why(tools, saved);
}

}  // namespace agents::runner

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

#include "agents/runner/attempt_record.h"
#include "agents/runner/scratch.h"
#include "engine/base/digest.h"

namespace agents::runner {
namespace {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

constexpr char kResultFile[] = "result";
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

// ---- files

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
  ASSIGN_OR_RETURN(EarlierResult result, DecodeEarlier(ReadAll(folder.File(kResultFile))));
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
  RETURN_IF_ERROR(WriteAll(folder.File(kResultFile), EncodeEarlier(save.result)));
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

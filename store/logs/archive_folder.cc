// SPDX-License-Identifier: Apache-2.0
#include "store/logs/archive_folder.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "engine/base/checksum.h"

namespace store::logs {

namespace base = engine::base;
namespace model = engine::model;

std::string ArchiveFolder::FolderOf(model::RunId run) const {
  return folder_ + "/" + ToText(run);
}

base::StatusOr<FoundLogs> ArchiveFolder::Load(model::RunId run) const {
  FoundLogs found;
  std::error_code error;
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(FolderOf(run), error)) {
    if (entry.path().extension() == ".arc") {
      paths.push_back(entry.path());
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return base::FromErrno(error.value(), "list " + FolderOf(run));
  }
  std::ranges::sort(paths);
  for (const std::string& path : paths) {
    ASSIGN_OR_RETURN(const std::shared_ptr<RecordFile> file, RecordFile::Open(path));
    RETURN_IF_ERROR(AddRecords(file, true, found));
  }
  return found;
}

base::StatusOr<std::shared_ptr<RecordFile>> ArchiveFolder::Create(model::RunId run) const {
  RETURN_IF_ERROR(MakeFolder(FolderOf(run)));
  for (unsigned n = 0;; ++n) {
    auto file = RecordFile::Create(fmt::format("{}/{}-{}.arc", FolderOf(run), epoch_.value(), n));
    if (file.ok() || file.status().code() != absl::StatusCode::kAlreadyExists) {
      return file;
    }
  }
}

LogRecord EndRecord(const model::LogKey& log, std::string_view payload) {
  return {.kind = RecordKind::kEnd,
          .log = log,
          .offset = 0,
          .length = 0,
          .stored = static_cast<std::uint32_t>(payload.size()),
          .checksum = base::Crc32(0, payload)};
}

}  // namespace store::logs

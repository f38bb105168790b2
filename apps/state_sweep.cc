// SPDX-License-Identifier: Apache-2.0
#include "apps/state_sweep.h"

#include <algorithm>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "apps/local_caches.h"
#include "apps/recorded_run.h"
#include "apps/wanted_chunks.h"
#include "engine/base/digest.h"
#include "engine/base/log.h"
#include "store/artifacts/local_store.h"

namespace apps {
namespace {

namespace base = engine::base;
namespace model = engine::model;

// ---- once in a while, and one at a time

class Turn {
 public:
  explicit Turn(const std::string& folder)
      : path_(folder + "/swept"), file_(open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {}
  ~Turn() {
    if (file_ >= 0) {
      close(file_);
    }
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  bool IsDue(base::Instant now, base::Duration every) {
    if (file_ < 0 || flock(file_, LOCK_EX | LOCK_NB) != 0) {
      return false;
    }
    struct stat status {};
    char byte = 0;
    // Its very first time it has no content yet.
    if (fstat(file_, &status) != 0 || pread(file_, &byte, 1, 0) != 1) {
      return true;
    }
    const base::Instant last =
        base::InstantFromMicros(status.st_mtim.tv_sec * 1'000'000 + status.st_mtim.tv_nsec / 1000);
    // A clock that was set back must not stop this for ever.
    return now < last || now - last >= every;
  }
  void Take(base::Instant now) {
    const std::int64_t micros = base::ToMicros(now);
    const timespec time{.tv_sec = micros / 1'000'000, .tv_nsec = micros % 1'000'000 * 1000};
    const timespec times[2] = {time, time};
    if (pwrite(file_, "x", 1, 0) != 1 || futimens(file_, times) != 0) {
      spdlog::warn("{}: when it was swept could not be noted", path_);
    }
  }

 private:
  const std::string path_;
  const int file_;
};

// ---- what runs want

std::vector<WantedChunk> WantedBy(const view::Board& board) {
  std::vector<WantedChunk> wanted;
  for (std::uint32_t i = 0; i < board.job_count(); ++i) {
    const view::JobState& job = board.job(model::JobIndex(i));
    if (job.result != nullptr) {
      // A job that was taken over from another run has no end of its own here.
      AddWanted(model::SpecOf(board.plan(), model::JobIndex(i)), *job.result,
                std::max(job.ended_at, board.accepted_at()), wanted);
    }
  }
  return wanted;
}

// What a run that is over wants never changes: noted once, so that its log need not be read again.
constexpr char kNoteName[] = "/wanted";

std::string NoteOf(const std::vector<WantedChunk>& wanted) {
  std::string text = "dayfly-wanted 1\n";
  for (const WantedChunk& each : wanted) {
    text += EncodeWanted(each) + "\n";
  }
  return text + "end\n";
}

std::optional<std::vector<WantedChunk>> ReadNote(const std::string& folder) {
  std::ifstream file(folder + kNoteName);
  std::string line;
  if (!std::getline(file, line) || line != "dayfly-wanted 1") {
    return std::nullopt;
  }
  std::vector<WantedChunk> wanted;
  while (std::getline(file, line) && line != "end") {
    std::optional<WantedChunk> each = DecodeWanted(line);
    if (!each) {
      return std::nullopt;
    }
    wanted.push_back(*each);
  }
  return line == "end" ? std::optional(std::move(wanted)) : std::nullopt;
}

void WriteNote(const std::string& folder, const std::vector<WantedChunk>& wanted) {
  const std::string aside = fmt::format("{}{}.{}", folder, kNoteName, getpid());
  std::ofstream file(aside, std::ios::binary);
  file << NoteOf(wanted);
  file.close();
  if (!file.good() || rename(aside.c_str(), (folder + kNoteName).c_str()) != 0) {
    unlink(aside.c_str());  // then the log is read again
  }
}

base::Status AddRun(const StateDir& state, model::RunId run, base::Instant now,
                    std::vector<WantedChunk>& all) {
  const std::string folder = state.run_folder(run);
  std::optional<std::vector<WantedChunk>> wanted = ReadNote(folder);
  bool is_open = false;
  if (!wanted) {
    const base::StatusOr<RecordedRun> recorded = ReadRun(state, run);
    if (recorded.status().code() == absl::StatusCode::kNotFound) {
      return base::OkStatus();  // it never began, or was removed meanwhile
    }
    RETURN_IF_ERROR(recorded.status());
    wanted = WantedBy(recorded->board);
    is_open = !model::IsFinal(recorded->board.status());
    if (!is_open) {
      WriteNote(folder, *wanted);
    }
  }
  for (const WantedChunk& each : *wanted) {
    if (is_open || each.until > now) {
      all.push_back(each);
    }
  }
  return base::OkStatus();
}

// ---- which chunks that makes

base::StatusOr<std::set<base::Digest>> MarkAll(const StateDir& state,
                                               const store::caches::FolderCaches& caches,
                                               store::artifacts::LocalStore& chunks,
                                               base::Instant now) {
  std::vector<WantedChunk> wanted;
  ASSIGN_OR_RETURN(const std::vector<model::RunId> runs, state.Runs());
  for (const model::RunId run : runs) {
    RETURN_IF_ERROR(base::Annotate(AddRun(state, run, now, wanted), "run " + model::ToText(run)));
  }
  for (const store::caches::SavedCache& cache : caches.List()) {
    wanted.push_back({.root = cache.content.manifest, .is_document = false, .until = {}});
  }
  std::set<base::Digest> keep;
  for (const WantedChunk& each : wanted) {
    RETURN_IF_ERROR(MarkWanted(chunks, each, keep));
  }
  return keep;
}

}  // namespace

base::StatusOr<SweepOutcome> SweepState(const StateDir& state, base::Instant now,
                                        const SweepOptions& options) {
  SweepOutcome outcome;
  if (access(state.chunks().c_str(), F_OK) != 0) {
    return outcome;  // nothing was ever stored
  }
  Turn turn(state.chunks());
  if (!turn.IsDue(now, options.every)) {
    return outcome;
  }
  outcome.is_due = true;
  turn.Take(now);
  ASSIGN_OR_RETURN(const auto chunks, store::artifacts::LocalStore::Open(state.chunks()));
  ASSIGN_OR_RETURN(const auto caches, OpenCaches(state.caches(), [now] { return now; }));
  outcome.caches = caches->Sweep();
  ASSIGN_OR_RETURN(const std::set<base::Digest> keep, MarkAll(state, *caches, *chunks, now));
  ASSIGN_OR_RETURN(const store::artifacts::SweptChunks swept,
                   chunks->Sweep(keep, now - options.grace));
  outcome.chunks = swept.removed;
  outcome.bytes = swept.removed_bytes;
  return outcome;
}

}  // namespace apps

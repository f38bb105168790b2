// SPDX-License-Identifier: Apache-2.0
#include "apps/run_lock.h"

#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <sstream>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

namespace apps {
namespace {

namespace base = engine::base;
using engine::ports::RunOwner;

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

const std::string& BootId() {
  static const std::string id = [] {
    std::string text = ReadAll("/proc/sys/kernel/random/boot_id");
    return text.substr(0, text.find('\n'));
  }();
  return id;
}

// Field 22 of /proc/PID/stat. The second field may hold spaces and parentheses, so count from its
// end. 0: no such process, or a dead one that its parent has not waited for: in a container nobody
// may ever do so.
std::uint64_t StartTicks(std::int64_t pid) {
  const std::string stat = ReadAll(fmt::format("/proc/{}/stat", pid));
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) {
    return 0;
  }
  std::istringstream fields(stat.substr(name_end + 1));
  std::string skipped;
  fields >> skipped;
  if (skipped == "Z" || skipped == "X") {
    return 0;
  }
  for (int field = 4; field < 22; ++field) {
    fields >> skipped;
  }
  std::uint64_t ticks = 0;
  fields >> ticks;
  return ticks;
}

enum class Flock { kTaken, kHeld, kUnknown };

Flock TryFlock(int descriptor) {
  if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) {
    return Flock::kTaken;
  }
  return errno == EWOULDBLOCK ? Flock::kHeld : Flock::kUnknown;
}

base::Status Owned(const std::string& run_folder, const std::optional<RunOwner>& owner) {
  const std::string run = run_folder.substr(run_folder.rfind('/') + 1);
  return owner ? base::AlreadyExists("run {} is under way in process {}", run, owner->pid)
               : base::AlreadyExists("run {} is under way in another process", run);
}

base::Status WriteOwner(int descriptor) {
  const std::string text = EncodeOwner(ThisProcess());
  if (ftruncate(descriptor, 0) != 0 ||
      pwrite(descriptor, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return base::FromErrno(errno, "cannot write the run's lock");
  }
  return base::OkStatus();
}

}  // namespace

RunOwner ThisProcess() {
  const std::int64_t pid = getpid();
  return {.pid = pid, .boot_id = BootId(), .start_ticks = StartTicks(pid)};
}

bool IsAlive(const RunOwner& owner) {
  return owner.pid != 0 && owner.boot_id == BootId() && owner.start_ticks != 0 &&
         StartTicks(owner.pid) == owner.start_ticks;
}

std::string EncodeOwner(const RunOwner& owner) {
  return fmt::format("boot {}\npid {}\nstart {}\n", owner.boot_id, owner.pid, owner.start_ticks);
}

std::optional<RunOwner> DecodeOwner(const std::string& text) {
  std::istringstream lines(text);
  std::string boot_key;
  std::string pid_key;
  std::string start_key;
  RunOwner owner;
  lines >> boot_key >> owner.boot_id >> pid_key >> owner.pid >> start_key >> owner.start_ticks;
  if (!lines || boot_key != "boot" || pid_key != "pid" || start_key != "start") {
    return std::nullopt;
  }
  return owner;
}

std::optional<RunOwner> OwnerOf(const std::string& run_folder) {
  const std::optional<RunOwner> owner = DecodeOwner(ReadAll(run_folder + "/lock"));
  return owner && IsAlive(*owner) ? owner : std::nullopt;
}

base::StatusOr<std::unique_ptr<RunLock>> RunLock::Acquire(const std::string& run_folder) {
  const std::string path = run_folder + "/lock";
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return base::FromErrno(errno, path);
  }
  // Owned only once it is ours: letting go empties the file.
  const auto refuse = [descriptor](base::Status status) {
    close(descriptor);
    return status;
  };
  switch (TryFlock(descriptor)) {
    case Flock::kHeld:
      return refuse(Owned(run_folder, DecodeOwner(ReadAll(path))));
    case Flock::kUnknown:
      if (const auto owner = OwnerOf(run_folder)) {
        return refuse(Owned(run_folder, owner));
      }
      break;
    case Flock::kTaken:
      break;
  }
  if (base::Status written = WriteOwner(descriptor); !written.ok()) {
    return refuse(std::move(written));
  }
  return std::unique_ptr<RunLock>(new RunLock(descriptor));
}

RunLock::~RunLock() {
  // An empty file names nobody; the file stays, because removing it would race with the next owner.
  if (ftruncate(descriptor_, 0) != 0) {
    // Whoever comes next finds a process that is gone.
  }
  close(descriptor_);
}

}  // namespace apps

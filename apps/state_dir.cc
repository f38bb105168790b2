// SPDX-License-Identifier: Apache-2.0
#include "apps/state_dir.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <pwd.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

namespace apps {
namespace {

namespace base = engine::base;
namespace model = engine::model;

constexpr std::size_t kCandidatesShown = 5;

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string HomeFolder() {
  if (std::string home = Variable("HOME"); !home.empty()) {
    return home;
  }
  const passwd* user = getpwuid(getuid());
  return user == nullptr || user->pw_dir == nullptr ? "" : user->pw_dir;
}

std::string Absolute(const std::string& path) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  return error ? path : absolute.lexically_normal().string();
}

// Crockford's alphabet has no i, l, o: people read them into it.
std::string NormalId(std::string_view text) {
  std::string id;
  for (const char c : text) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    id += lower == 'i' || lower == 'l' ? '1' : lower == 'o' ? '0' : lower;
  }
  return id;
}

std::string Listed(const std::vector<model::RunId>& runs) {
  std::string list;
  for (std::size_t i = runs.size(); i-- > 0 && runs.size() - i <= kCandidatesShown;) {
    list += (list.empty() ? "" : ", ") + model::ToText(runs[i]);
  }
  return runs.size() > kCandidatesShown
             ? fmt::format("{} and {} more", list, runs.size() - kCandidatesShown)
             : list;
}

// An empty file is what a full disk or a power cut leaves of one that was being written.
bool HasVersion(const std::string& root) {
  struct stat info {};
  return stat((root + "/version").c_str(), &info) == 0 && info.st_size > 0;
}

base::Status CheckVersion(const std::string& root) {
  if (!HasVersion(root)) {
    return base::OkStatus();
  }
  std::ifstream file(root + "/version");
  int version = 0;
  if (!(file >> version)) {
    return base::DataLoss("{}/version does not hold a number", root);
  }
  if (version > kStateDirVersion) {
    return base::FailedPrecondition(
        "the state folder {} was laid out by a newer dayfly (version {}, this build knows {}): use "
        "that one, or another "
        "folder with DAYFLY_HOME",
        root, version, kStateDirVersion);
  }
  return base::OkStatus();
}

base::Status WriteVersion(const std::string& root) {
  if (HasVersion(root)) {
    return base::OkStatus();
  }
  const std::string path = root + "/version";
  // Under another name until it is whole: a full disk must not leave half a version behind.
  const std::string whole = fmt::format("{}.{}", path, getpid());
  std::ofstream file(whole);
  file << kStateDirVersion << "\n";
  file.close();
  if (!file || rename(whole.c_str(), path.c_str()) != 0) {
    base::Status failed = base::FromErrno(errno, path);
    unlink(whole.c_str());
    return failed;
  }
  return base::OkStatus();
}

}  // namespace

base::StatusOr<std::string> StateDirPath() {
  if (const std::string home = Variable("DAYFLY_HOME"); !home.empty()) {
    return Absolute(home);
  }
  // The XDG specification: a relative path is to be ignored.
  if (const std::string state = Variable("XDG_STATE_HOME"); state.starts_with('/')) {
    return Absolute(state + "/dayfly");
  }
  const std::string home = HomeFolder();
  if (home.empty()) {
    return base::InvalidArgument(
        "there is no home folder: say with DAYFLY_HOME where runs are kept");
  }
  return Absolute(home + "/.local/state/dayfly");
}

base::Status MakeFolders(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) == 0) {
    return S_ISDIR(info.st_mode) ? base::OkStatus()
                                 : base::FailedPrecondition("{} is not a folder", path);
  }
  const std::size_t slash = path.rfind('/');
  if (slash != std::string::npos && slash != 0) {
    RETURN_IF_ERROR(MakeFolders(path.substr(0, slash)));
  }
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return base::FromErrno(errno, fmt::format("cannot make the folder {}", path));
  }
  return base::OkStatus();
}

base::StatusOr<StateDir> StateDir::Open() {
  ASSIGN_OR_RETURN(std::string root, StateDirPath());
  return OpenAt(std::move(root), /*create=*/true);
}

base::StatusOr<StateDir> StateDir::OpenForReading() {
  ASSIGN_OR_RETURN(std::string root, StateDirPath());
  return OpenAt(std::move(root), /*create=*/false);
}

base::StatusOr<StateDir> StateDir::OpenAt(std::string root, bool create) {
  // A caller's mistake looks like ours here (not found, refused): say it is the state that cannot
  // be used.
  const auto unusable = [](const base::Status& status) {
    return base::FailedPrecondition("the state folder cannot be used: {}", base::Message(status));
  };
  if (create) {
    if (base::Status made = MakeFolders(root + "/runs"); !made.ok()) {
      return unusable(made);
    }
  }
  RETURN_IF_ERROR(CheckVersion(root));
  if (create) {
    if (base::Status written = WriteVersion(root); !written.ok()) {
      return unusable(written);
    }
  }
  return StateDir(std::move(root));
}

std::string StateDir::run_folder(model::RunId run) const {
  return root_ + "/runs/" + model::ToText(run);
}

base::StatusOr<std::string> StateDir::MakeRunFolder(model::RunId run) const {
  std::string folder = run_folder(run);
  if (mkdir(folder.c_str(), 0700) != 0) {
    return base::FailedPrecondition(
        "{}",
        base::Message(base::FromErrno(errno, fmt::format("cannot make the folder {}", folder))));
  }
  for (const char* part : {"/logs", "/tmp", "/ws"}) {
    RETURN_IF_ERROR(MakeFolders(folder + part));
  }
  return folder;
}

base::StatusOr<std::vector<model::RunId>> StateDir::Runs() const {
  std::vector<model::RunId> runs;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(root_ + "/runs", error)) {
    if (const auto run = model::RunIdFromText(entry.path().filename().string())) {
      runs.push_back(*run);
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return base::FailedPrecondition("the state folder cannot be used: {}/runs: {}", root_,
                                    error.message());
  }
  std::ranges::sort(runs);
  return runs;
}

base::StatusOr<model::RunId> StateDir::FindRun(std::string_view name) const {
  ASSIGN_OR_RETURN(const std::vector<model::RunId> runs, Runs());
  if (runs.empty()) {
    return base::NotFound("no run is kept in {}", root_);
  }
  const std::string prefix = NormalId(name);
  std::vector<model::RunId> matches;
  std::ranges::copy_if(runs, std::back_inserter(matches),
                       [&](model::RunId run) { return model::ToText(run).starts_with(prefix); });
  if (matches.size() == 1) {
    return matches[0];
  }
  if (matches.empty() || prefix.empty()) {
    return base::NotFound("no run '{}'; the most recent: {}", name, Listed(runs));
  }
  return base::InvalidArgument("'{}' is the beginning of several runs: {}", name, Listed(matches));
}

std::uint64_t DrawRandom() {
  std::uint64_t bits = 0;
  if (getrandom(&bits, sizeof bits, 0) != static_cast<ssize_t>(sizeof bits)) {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    bits = static_cast<std::uint64_t>(now.tv_nsec) ^ (static_cast<std::uint64_t>(getpid()) << 32U);
  }
  return bits;
}

model::RunId DrawRunId() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  const auto millis = static_cast<std::uint64_t>(now.tv_sec) * 1000 +
                      static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
  return model::RunId((millis << 20U) | (DrawRandom() & 0xFFFFFU));
}

}  // namespace apps

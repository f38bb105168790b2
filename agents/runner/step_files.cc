// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/step_files.h"

#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace agents::runner {
namespace {

namespace base = engine::base;

bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool IsName(std::string_view text) {
  if (text.empty() || !IsNameStart(text.front())) {
    return false;
  }
  for (const char c : text) {
    if (!IsNameStart(c) && !(c >= '0' && c <= '9') && c != '-') {
      return false;
    }
  }
  return true;
}

// Hands out lines without their newline and counts them from 1.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  bool Next(std::string_view& line) {
    if (rest_.empty()) {
      return false;
    }
    const std::size_t end = rest_.find('\n');
    line = rest_.substr(0, end);
    rest_ = end == std::string_view::npos ? std::string_view() : rest_.substr(end + 1);
    ++number_;
    return true;
  }
  int number() const { return number_; }

 private:
  std::string_view rest_;
  int number_ = 0;
};

base::Status BadName(int line, std::string_view name) {
  return base::InvalidArgument("line {}: '{}' is not a name (letters, digits, _ and -)", line,
                               name.substr(0, 80));
}

base::StatusOr<std::string> ReadBlock(Lines& lines, std::string_view end) {
  const int first = lines.number();
  std::string value;
  std::string_view line;
  bool begun = false;
  while (lines.Next(line)) {
    if (line == end) {
      return value;
    }
    value += begun ? "\n" : "";
    value += line;
    begun = true;
  }
  return base::InvalidArgument("line {}: the block does not end: no line '{}' follows", first,
                               end.substr(0, 80));
}

}  // namespace

base::StatusOr<NameValues> ParseNameValues(std::string_view text) {
  NameValues found;
  Lines lines(text);
  std::string_view line;
  while (lines.Next(line)) {
    if (line.empty()) {
      continue;
    }
    const std::size_t equals = line.find('=');
    const std::size_t block = line.find("<<");
    if (equals == std::string_view::npos && block == std::string_view::npos) {
      return base::InvalidArgument("line {}: expected NAME=VALUE or NAME<<END, not '{}'",
                                   lines.number(), line.substr(0, 80));
    }
    const bool is_block = block < equals;
    const std::string_view name = line.substr(0, is_block ? block : equals);
    if (!IsName(name)) {
      return BadName(lines.number(), name);
    }
    if (!is_block) {
      found.emplace_back(name, line.substr(equals + 1));
      continue;
    }
    const std::string_view end = line.substr(block + 2);
    if (end.empty()) {
      return base::InvalidArgument("line {}: no word follows '<<'", lines.number());
    }
    ASSIGN_OR_RETURN(std::string value, ReadBlock(lines, end));
    found.emplace_back(name, std::move(value));
  }
  return found;
}

void SetStepFiles(const std::string& folder, Environment& environment) {
  environment.Set("DAYFLY_OUTPUT", folder + "/output");
  environment.Set("DAYFLY_ENV", folder + "/env");
  environment.Set("DAYFLY_SUMMARY", folder + "/summary");
  environment.Set("DAYFLY_MASK", folder + "/mask");
}

StepFiles::~StepFiles() {
  for (const File& file : files_) {
    if (file.fd >= 0) {
      close(file.fd);
    }
  }
}

base::Status StepFiles::Open(const std::string& folder, bool adopt) {
  const std::array<const char*, 4> names = {"output", "env", "summary", "mask"};
  for (std::size_t i = 0; i < files_.size(); ++i) {
    files_[i].path = folder + "/" + names[i];
    if (adopt) {
      files_[i].fd = open(files_[i].path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    }
    if (files_[i].fd < 0) {
      RETURN_IF_ERROR(Reopen(files_[i]));
    }
  }
  return base::OkStatus();
}

// Leaves an empty file of that name, whatever stood there.
base::Status StepFiles::Reopen(File& file) {
  if (file.fd >= 0) {
    close(file.fd);
  }
  unlink(file.path.c_str());
  file.fd = open(file.path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  return file.fd >= 0 ? base::OkStatus() : base::FromErrno(errno, "create " + file.path);
}

base::StatusOr<std::string> StepFiles::ReadOne(File& file, std::string_view name) {
  struct stat status {};
  // No name left: the step wrote a new file and renamed it over ours (`sed -i`), or removed it.
  file.replaced = fstat(file.fd, &status) != 0 || status.st_nlink == 0;
  int fd = file.fd;
  if (file.replaced) {
    fd = open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
      status.st_size = 0;
    }
  }
  std::string text;
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > 0 && size <= kFileBytesMax) {
    text.resize(size);
    const ssize_t got = pread(fd, text.data(), text.size(), 0);
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  }
  file.written = size > 0;
  if (file.replaced && fd >= 0) {
    close(fd);
  }
  if (size > kFileBytesMax) {
    return base::ResourceExhausted("${}: {} bytes, the limit is {}", name, size, kFileBytesMax);
  }
  return text;
}

void StepFiles::Empty() {
  for (File& file : files_) {
    if (file.replaced || (file.written && ftruncate(file.fd, 0) != 0)) {
      // A file that cannot be made again fails the next step that writes to it.
      Reopen(file).IgnoreError();
    }
    file.replaced = file.written = false;
  }
}

StepNotes StepFiles::Read() {
  StepNotes notes;
  const auto take = [&](std::size_t index, std::string_view name) -> std::string {
    base::StatusOr<std::string> text = ReadOne(files_[index], name);
    if (!text.ok()) {
      notes.problem = text.status();
      return {};
    }
    return *std::move(text);
  };
  const auto parse = [&](std::size_t index, std::string_view name) -> NameValues {
    const std::string text = take(index, name);
    if (text.empty()) {
      return {};
    }
    base::StatusOr<NameValues> parsed = ParseNameValues(text);
    if (!parsed.ok()) {
      notes.problem = base::Annotate(parsed.status(), std::string("$").append(name));
      return {};
    }
    return *std::move(parsed);
  };
  notes.outputs = parse(0, "DAYFLY_OUTPUT");
  notes.env = parse(1, "DAYFLY_ENV");
  notes.summary = take(2, "DAYFLY_SUMMARY");
  const std::string masks = take(3, "DAYFLY_MASK");
  Lines lines(masks);
  std::string_view line;
  while (lines.Next(line)) {
    if (!line.empty()) {
      notes.masks.emplace_back(line);
    }
  }
  return notes;
}

}  // namespace agents::runner

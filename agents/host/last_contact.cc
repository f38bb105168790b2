// SPDX-License-Identifier: Apache-2.0
#include "agents/host/last_contact.h"

#include <cstdint>
#include <fcntl.h>
#include <fstream>
#include <unistd.h>

#include <fmt/format.h>

#include "engine/base/log.h"

namespace agents::host {

namespace base = engine::base;

ContactFile::~ContactFile() {
  if (file_ >= 0) {
    close(file_);
  }
}

std::optional<LastContact> ContactFile::Load() const {
  std::ifstream file(path_);
  std::string boot;
  std::string end;
  std::int64_t at = 0;
  std::int64_t offline = 0;
  if (!(file >> boot >> at >> offline >> end) || boot != boot_ || end != "." || offline <= 0) {
    return std::nullopt;
  }
  return LastContact{.at = base::InstantFromMicros(at), .offline = base::Duration(offline)};
}

// In place and of one length: no moment at which there is none.
void ContactFile::Save(const LastContact& contact) {
  if (file_ < 0) {
    file_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  }
  const std::string text = fmt::format("{} {:020} {:020} .\n", boot_, base::ToMicros(contact.at),
                                       contact.offline.count());
  if (file_ < 0 ||
      pwrite(file_, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    spdlog::warn("{} cannot be written", path_);
  }
}

}  // namespace agents::host

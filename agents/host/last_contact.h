// SPDX-License-Identifier: Apache-2.0
// When an agent heard a server last, kept beside its journal: an agent that is restarted while it
// is cut off must not get its whole time offline again. Written each second or so, never flushed:
// it survives the agent, and after the machine's restart there is nothing left to end.
#pragma once

#include <optional>
#include <string>

#include "engine/base/time.h"

namespace agents::host {

struct LastContact {
  engine::base::Instant at{};  ///< of this boot's monotonic clock
  engine::base::Duration offline{0};
  friend bool operator==(const LastContact&, const LastContact&) = default;
};

class ContactFile {
 public:
  /// `path` is made when something is first written. `boot`: of this start of the machine.
  ContactFile(std::string path, std::string boot)
      : path_(std::move(path)), boot_(std::move(boot)) {}
  ~ContactFile();
  ContactFile(const ContactFile&) = delete;
  ContactFile& operator=(const ContactFile&) = delete;

  /// Nothing when there is none, or one of another boot, or one that cannot be read.
  std::optional<LastContact> Load() const;
  /// What cannot be written is left out: a later one comes.
  void Save(const LastContact& contact);

 private:
  std::string path_;
  std::string boot_;
  int file_ = -1;
};

}  // namespace agents::host

// SPDX-License-Identifier: Apache-2.0
// The folder of one agent and who owns it. What lies where stands in docs/agent.md.
#pragma once

#include <memory>
#include <string>

#include "engine/base/status.h"

namespace agents::host {

class AgentFolder {
 public:
  /// Makes what is missing (mode 0700) and locks it. `AlreadyExists` names the process that has it.
  static engine::base::StatusOr<std::unique_ptr<AgentFolder>> Open(const std::string& path);
  /// Unlocks; everything stays.
  ~AgentFolder();
  AgentFolder(const AgentFolder&) = delete;
  AgentFolder& operator=(const AgentFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string slots() const { return path_ + "/slots"; }
  std::string workspace() const { return path_ + "/ws"; }
  std::string git() const { return path_ + "/git"; }
  std::string summaries() const { return path_ + "/summaries"; }
  std::string identity() const { return path_ + "/identity"; }
  std::string contact() const { return path_ + "/contact"; }
  std::string spool() const { return path_ + "/logs"; }

 private:
  AgentFolder(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::string path_;
  int lock_;
};

/// Names this start of the machine.
std::string BootId();

}  // namespace agents::host

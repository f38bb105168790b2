// SPDX-License-Identifier: Apache-2.0
// `SecretDesk` of a server: the files that `server.yml` names, read when somebody asks, for workers
// that run what names them.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "api/agents/secret_desk.h"
#include "api/services/seat.h"
#include "api/services/work_queue.h"
#include "apps/server_config.h"
#include "engine/core/core.h"
#include "engine/model/plan.h"

namespace apps::network {

/// Whether a step of the job, or one of its outputs, reads `secrets.NAME`.
bool NamesSecret(const engine::model::JobSpec& spec, const std::string& name);
/// The entry for a repository's address: the longest that it begins with.
const GitLoginConfig* FindGitLogin(const ServerConfig& config, const std::string& url);

class WorkerSecrets final : public api::agents::SecretDesk {
 public:
  /// Both outlive this.
  WorkerSecrets(const ServerConfig& config, api::services::Seat& seat);

  void ReadSecret(engine::model::WorkerId worker, std::string name,
                  Done<std::string> done) override;
  void ReadGitLogin(engine::model::WorkerId worker, std::string url,
                    Done<std::optional<api::agents::GitLogin>> done) override;

 private:
  using Fits = std::function<bool(const engine::model::JobSpec& spec,
                                  const engine::model::RunContext& context)>;
  /// `then`, on a thread where it may block, with OK when something that the worker runs fits.
  void IfItRuns(engine::model::WorkerId worker, Fits fits,
                std::function<void(engine::base::Status)> then);

  const ServerConfig& config_;
  api::services::Seat& seat_;
  api::services::WorkQueue files_;
};

}  // namespace apps::network

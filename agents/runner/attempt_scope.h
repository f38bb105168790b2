// SPDX-License-Identifier: Apache-2.0
// What step-level expressions see: the contexts of job-level ones (`engine/core/job_scope.h` builds
// the same values for those), and `steps`, `secrets`, `hashFiles` besides. A context is built when
// it is first read.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agents/runner/secret_values.h"
#include "agents/runner/spilled_outputs.h"
#include "agents/runner/step_files.h"
#include "engine/base/status.h"
#include "engine/expr/expression.h"
#include "engine/expr/map_scope.h"
#include "engine/model/effect.h"
#include "engine/model/status.h"

namespace agents::runner {

/// What the status functions of a step look at.
struct StepStatusView {
  bool failed = false;     ///< a step before it failed and that was not tolerated, or time was up
  bool stopped = false;    ///< this attempt was told to end
  bool cancelled = false;  ///< it, or the run, was cancelled
};

class AttemptScope : public engine::expr::Scope {
 public:
  /// Borrows both.
  AttemptScope(const engine::model::Assignment& assignment, SecretValues& secrets)
      : assignment_(assignment), secrets_(secrets) {}

  void SetStatus(const StepStatusView& view) { view_ = view; }
  /// Those of `WantedOutputs`.
  void SetSpilled(SpilledTexts texts);
  const SpilledTexts& spilled() const { return spilled_; }
  /// The `env` context: declared variables, later ones replace earlier ones of the same name.
  void SetEnv(std::string_view name, std::string value);
  /// Laid over `env` until the next call; of the step that is looked at.
  void SetStepEnv(engine::expr::Object env);
  void AddStep(const std::string& id, engine::model::Status outcome,
               engine::model::Status conclusion, const NameValues& outputs);

  /// Reads the secrets that an expression names; to be called before it is evaluated. An error for
  /// people, when there is no such secret or the name is computed.
  engine::base::Status ReadSecrets(const std::vector<engine::expr::Reference>& references);

  /// The patterns of the `hashFiles` call that could not be answered yet, if there was one. The
  /// caller works the hash out, gives it here, and evaluates again.
  std::optional<std::vector<std::string>> TakeWantedHash();
  void SetHash(const std::vector<std::string>& patterns, std::string hash);
  /// Files may have changed.
  void ForgetHashes() { hashes_.clear(); }

  const engine::expr::Value* Context(std::string_view name) const override;
  std::vector<std::string> ContextNames() const override;
  std::optional<engine::expr::Result<engine::expr::Value>> CallHost(
      std::string_view function, std::span<const engine::expr::Value> arguments) const override;

 private:
  engine::expr::Value Build(std::string_view name) const;
  engine::expr::Result<engine::expr::Value> HashFiles(
      std::span<const engine::expr::Value> arguments) const;

  const engine::model::Assignment& assignment_;
  SecretValues& secrets_;
  StepStatusView view_;
  SpilledTexts spilled_;
  engine::expr::Object env_;
  engine::expr::Object step_env_;
  engine::expr::Object steps_;
  engine::expr::Object secret_object_;
  std::map<std::vector<std::string>, std::string> hashes_;
  mutable std::optional<std::vector<std::string>> wanted_hash_;
  mutable std::map<std::string, engine::expr::Value, std::less<>> built_;
};

/// A value that came as JSON text; anything else is taken as the text it is.
engine::expr::Value ValueOf(const engine::model::JsonText& text);
/// The same as it stands in an environment variable.
std::string TextOf(const engine::model::JsonText& text);

}  // namespace agents::runner

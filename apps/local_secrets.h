// SPDX-License-Identifier: Apache-2.0
// Secrets of a local run: what `--secret` gave, else `.dayfly/secrets`. In memory from the start,
// so that a step never waits for one.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/ports/secret_source.h"

namespace apps {

class LocalSecrets final : public engine::ports::SecretSource {
 public:
  /// `given`: `NAME=@FILE` reads the file (one newline at its end is not part of the value), `NAME`
  /// alone asks on the terminal. `secrets_file` may be missing; it is refused when others can read
  /// it. `InvalidArgument` names what is wrong.
  static engine::base::StatusOr<std::unique_ptr<LocalSecrets>> Load(
      const std::vector<std::string>& given, const std::string& secrets_file);

  engine::base::StatusOr<std::string> Read(std::string_view name) override;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace apps

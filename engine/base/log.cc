// SPDX-License-Identifier: Apache-2.0
#include "engine/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>

namespace engine::base {

void InitLogging(const char* level) {
  spdlog::set_default_logger(spdlog::stderr_logger_mt("dayfly"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%fZ %l %v", spdlog::pattern_time_type::utc);
  spdlog::set_level(spdlog::level::from_str(level));
}

}  // namespace engine::base

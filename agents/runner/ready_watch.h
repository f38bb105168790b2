// SPDX-License-Identifier: Apache-2.0
// Waits until all services of an attempt are ready, or one of them is late. Used on the runner's
// thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "agents/runner/ready_check.h"
#include "engine/base/time.h"
#include "engine/model/ids.h"

namespace agents::runner {

class ReadyWatch {
 public:
  struct Service {
    engine::model::StepIndex step;
    std::string name;
    std::vector<std::unique_ptr<ReadyCheck>> checks;
    engine::base::Duration timeout{0};
  };
  struct Late {
    engine::model::StepIndex step;
    std::string why;  ///< "db was not ready after 1m00s: nothing listens on port 5432"
  };
  /// `done` once, later, unless this is destroyed before. Nothing: all are ready.
  using Done = std::function<void(std::optional<Late>)>;

  ReadyWatch(boost::asio::io_context& io, std::vector<Service> services, Done done);
  ~ReadyWatch();
  ReadyWatch(const ReadyWatch&) = delete;
  ReadyWatch& operator=(const ReadyWatch&) = delete;

 private:
  class Round;
  std::shared_ptr<Round> round_;
};

}  // namespace agents::runner

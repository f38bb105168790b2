// SPDX-License-Identifier: Apache-2.0
// Brings the logs of a server's run to whoever shows the run, on a thread and a connection of its
// own: all of them as they come, or the last lines of steps that are asked for.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string_view>
#include <thread>

#include "api/client/connection.h"
#include "api/client/log_client.h"
#include "engine/model/log_state.h"

namespace apps::network {

class LogWatch {
 public:
  /// Bytes of a log in order, on the watch's thread; `last`: no more will come of it.
  using Output = std::function<void(const engine::model::LogKey&, std::string_view, bool last)>;
  LogWatch(api::client::Target target, engine::model::RunId run, Output output);
  /// Cuts off what goes on.
  ~LogWatch();
  LogWatch(const LogWatch&) = delete;
  LogWatch& operator=(const LogWatch&) = delete;

  /// Once: everything, until the run is over.
  void FollowAll();
  /// The last lines of a step that has ended.
  void ShowTail(const engine::model::LogKey& log);
  /// The run is over: returns when everything was handed out, or nothing came for a while.
  void Finish();

 private:
  void Work();
  void Read(const api::client::LogQuery& query);

  const engine::model::RunId run_;
  const Output output_;
  api::client::Connection connection_;
  api::client::LogClient client_{connection_};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<api::client::LogQuery> wanted_;
  bool is_reading_ = false;
  bool stopped_ = false;
  std::uint64_t heard_ = 0;  ///< counts what came
  std::thread thread_;
};

}  // namespace apps::network

// SPDX-License-Identifier: Apache-2.0
// Stands between clients and PostgreSQL's unix socket, and cuts a connection at the moment that the
// test names: that is how a commit's outcome becomes unknown. Calls come from one thread; the bytes
// pass on the proxy's own.
#pragma once

#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/temp_folder.h"

namespace tests::support {

enum class Cut {
  kNone,
  kRequestLost,  ///< the server never hears of it
  kAnswerLost,   ///< the server has done it, and the client never hears of that
  kRequestLate,  ///< kept until `DeliverLate`, as by a network that has lost the client already
};

class CutProxy {
 public:
  explicit CutProxy(std::string server_socket);
  ~CutProxy();
  CutProxy(const CutProxy&) = delete;
  CutProxy& operator=(const CutProxy&) = delete;

  /// What libpq takes for `host`.
  std::string folder() const { return folder_.path().string(); }

  /// The next request of any client is cut so. Set it while no request is under way.
  void CutNext(Cut cut);
  /// Gives the server the request that was kept, and returns when the server has answered or hung
  /// up. True when there was one.
  bool DeliverLate();

 private:
  struct Link {
    int client;
    int server;
    std::string request;  ///< of the client, incomplete so far
  };

  void Run();
  void Accept();
  bool FromClient(Link& link);
  bool FromServer(Link& link);
  bool Forward(Link& link);
  static void Close(Link& link);

  TempFolder folder_;
  std::string server_socket_;
  int listener_;
  int stop_;
  std::vector<Link> links_;  ///< the thread's
  std::mutex mutex_;
  // Under `mutex_`:
  Cut cut_ = Cut::kNone;
  int late_server_ = -1;
  std::string late_request_;
  std::thread thread_;
};

}  // namespace tests::support

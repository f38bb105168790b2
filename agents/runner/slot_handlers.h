// SPDX-License-Identifier: Apache-2.0
// Inside of the slot only: handlers that notice that the attempt is another one by now.
#pragma once

#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "agents/runner/slot.h"

namespace agents::runner {

template <typename Handler>
auto Slot::Guarded(Handler handler) {
  return [weak = weak_from_this(), generation = generation_,
          handler = std::move(handler)](auto&&... arguments) mutable {
    const std::shared_ptr<Slot> self = weak.lock();
    if (self != nullptr && self->generation_ == generation) {
      handler(std::forward<decltype(arguments)>(arguments)...);
    }
  };
}

template <typename Work, typename Done>
void Slot::OnPool(Work work, Done done) {
  // The guard keeps `run()` from ending while only the pool has work.
  boost::asio::post(
      *shop_.pool, [work = std::move(work), guard = boost::asio::make_work_guard(*shop_.io),
                    back = Guarded(std::move(done))]() mutable {
        auto result = work();
        boost::asio::post(guard.get_executor(),
                          [result = std::move(result), back = std::move(back)]() mutable {
                            back(std::move(result));
                          });
      });
}

}  // namespace agents::runner

// SPDX-License-Identifier: Apache-2.0
// A named thread that signals leave alone: those are for the main thread.
#pragma once

#include <csignal>
#include <pthread.h>
#include <thread>
#include <utility>

namespace engine::loop {

/// `name`: at most 15 characters.
template <typename Body>
std::thread StartQuietThread(const char* name, Body body) {
  // The new thread inherits the mask.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(body));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread.native_handle(), name);
  return thread;
}

}  // namespace engine::loop

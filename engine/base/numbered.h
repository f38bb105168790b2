// SPDX-License-Identifier: Apache-2.0
// Messages with numbers, from 1: what is sent is held until the other side has acknowledged it, and
// what arrives is told apart from what came before and from what must be missing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "engine/base/check.h"

namespace engine::base {

/// What was sent, or will be, and is not acknowledged yet.
template <typename T>
class NumberedOutbox {
 public:
  /// Returns the number it got.
  std::uint64_t Push(T message) {
    held_.push_back(std::move(message));
    return last();
  }
  /// Drops everything up to `number`; numbers that were never given, or are gone, change nothing.
  /// Returns how many went.
  std::size_t AcknowledgeTo(std::uint64_t number) {
    std::size_t gone = 0;
    while (!held_.empty() && first_ <= number) {
      held_.pop_front();
      ++first_;
      ++gone;
    }
    return gone;
  }
  /// `number` lies in [first(), last()].
  const T& at(std::uint64_t number) const {
    CHECK(number >= first_ && number <= last());
    return held_[static_cast<std::size_t>(number - first_)];
  }
  std::uint64_t first() const { return first_; }                    ///< the oldest that is held
  std::uint64_t last() const { return first_ + held_.size() - 1; }  ///< the newest given; 0: none
  std::size_t size() const { return held_.size(); }
  bool empty() const { return held_.empty(); }

 private:
  std::uint64_t first_ = 1;
  std::deque<T> held_;
};

/// How far a numbered stream has come in.
class NumberedIntake {
 public:
  enum class Verdict : std::uint8_t {
    kNext,      ///< the one after the last: taken
    kRepeated,  ///< was here before
    kGap,       ///< something before it is missing; not taken
  };
  Verdict Take(std::uint64_t number) {
    if (number <= last_) {
      return Verdict::kRepeated;
    }
    if (number != last_ + 1) {
      return Verdict::kGap;
    }
    ++last_;
    return Verdict::kNext;
  }
  /// The next one is `number + 1`.
  void StartAfter(std::uint64_t number) { last_ = number; }
  std::uint64_t last() const { return last_; }

 private:
  std::uint64_t last_ = 0;
};

}  // namespace engine::base

// SPDX-License-Identifier: Apache-2.0
// A file descriptor that closes itself, and whole reads and writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/status.h"

namespace store::artifacts {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// Writes all of `bytes` at the file's position. `path` is for the message.
engine::base::Status WriteAll(int fd, std::string_view bytes, std::string_view path);
/// The same at `offset`, leaving the position alone.
engine::base::Status WriteAt(int fd, std::uint64_t offset, std::string_view bytes,
                             std::string_view path);
/// Fills `room` from `offset`; less at the end of the file.
engine::base::StatusOr<std::size_t> ReadAt(int fd, std::uint64_t offset, std::span<char> room,
                                           std::string_view path);

}  // namespace store::artifacts

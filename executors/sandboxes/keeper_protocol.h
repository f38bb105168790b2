// SPDX-License-Identifier: Apache-2.0
// What a keeper and its owner say to each other over a local stream socket. A frame is a 4-byte
// length of what follows, one byte of kind, and the fields in the order of the structs below:
// numbers in the machine's byte order (both ends are on one machine), texts and lists behind a
// 4-byte count. Frames longer than `kFrameBytesMax` and fields that do not fit are errors; the
// receiver ends the connection. The first order is `SetUp`; its version must match.
//
// Orders are served one after the other: `Start` ends when its command does, `KillAll` when nothing
// is left. `Signal` and `KillAll` act at once; a `Start` still waiting before a `KillAll` is
// answered `Cancelled`. So an owner may send KillAll, Prepare, Start in one go. A `Start` in a lane
// is served once its command runs; it runs under a keeper of its own, a child of this one
// (`keeper_lanes.h`).
//
// A keeper that goes on without its owner takes the next one on its socket (`SocketName`): that one
// says `Adopt` first, gets `KeptRecord` for each record the dead owner left and then `Adopted`, and
// asks with `Await` for the end of the command that was started last. `SetUp` is not repeated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/status.h"
#include "engine/ports/sandbox.h"

namespace executors::sandboxes {

inline constexpr std::uint32_t kProtocolVersion = 5;
inline constexpr std::size_t kFrameBytesMax = 16U << 20;

/// What the keeper does when its owner is gone.
enum class OwnerGone : std::uint8_t {
  kKillAndLeave = 0,  ///< `dayfly run`
  kGoOn = 1,          ///< under an agent: goes on while records are kept, for their `offline`
};

/// A number the owner chooses and the answer repeats.
using Serial = std::uint64_t;

struct SetUp {
  std::uint32_t version = kProtocolVersion;
  OwnerGone owner_gone = OwnerGone::kKillAndLeave;
  std::string run_folder;
  std::uint32_t slot = 0;
  engine::ports::Lane lane = engine::ports::kOwnLane;  ///< of a keeper that serves one of a slot's
  std::uint64_t segment_bytes_max = 0;
  std::uint64_t spool_bytes_max = 0;  ///< 0: no limit
  bool allow_cgroup = true;
  bool allow_mounts = true;
};
struct Prepare {
  Serial serial = 0;
  engine::ports::WorkspaceMount mount;
};
struct Start {
  Serial serial = 0;
  engine::ports::Command command;
};
struct Signal {
  engine::ports::Lane lane = engine::ports::kOwnLane;
  std::int32_t signal = 0;
};
struct KillAll {
  Serial serial = 0;
};
/// Held in memory for the next owner; not answered.
struct KeepRecord {
  std::string record;
  engine::base::Duration offline{0};  ///< how long to go on without an owner
};
/// Drops the records, and forgets the commands that were started last; not answered.
struct ForgetRecords {};
struct Adopt {
  std::uint32_t version = kProtocolVersion;
};
/// Answered with `Exited` of the command that was started last in the lane, at once when it has
/// ended.
struct Await {
  Serial serial = 0;
  engine::ports::Lane lane = engine::ports::kOwnLane;
};
using Order =
    std::variant<SetUp, Prepare, Start, Signal, KillAll, KeepRecord, ForgetRecords, Adopt, Await>;

struct Ready {
  std::uint32_t version = kProtocolVersion;
  engine::base::Status status;
  engine::ports::SandboxFacts facts;
};
struct Prepared {
  Serial serial = 0;
  engine::base::Status status;
  engine::ports::SandboxFacts facts;
};
struct Exited {
  Serial serial = 0;
  engine::ports::CommandExit exit;
};
struct Killed {
  Serial serial = 0;
};
struct KeptRecord {
  std::string record;
};
struct Adopted {
  engine::base::Status status;
  engine::ports::SandboxFacts facts;
  std::uint64_t starts = 0;  ///< steps' `Start` orders received since the records were last dropped
};
using Answer = std::variant<Ready, Prepared, Exited, Killed, KeptRecord, Adopted>;

/// Appends one frame to `out`. False, and nothing appended, when it would be too long.
bool EncodeFrame(const Order& order, std::string& out);
bool EncodeFrame(const Answer& answer, std::string& out);

/// Gathers received bytes and hands out whole frames' payloads.
class FrameBuffer {
 public:
  /// Room to receive into; tell with `Received` how much was.
  std::span<char> Room(std::size_t bytes);
  void Received(std::size_t bytes);
  /// The next frame without its length, valid until `Room` is called; empty: not all of it is here
  /// yet. `InvalidArgument` when it is too long.
  engine::base::StatusOr<std::string_view> Next();

 private:
  std::string bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

/// `InvalidArgument` for anything but exactly one well-formed frame.
engine::base::StatusOr<Order> DecodeOrder(std::string_view frame);
engine::base::StatusOr<Answer> DecodeAnswer(std::string_view frame);

}  // namespace executors::sandboxes

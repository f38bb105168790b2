// SPDX-License-Identifier: Apache-2.0
// How a run's processes are found again after everybody who knew them has died: names of cgroups, a
// mark in the environment, the keepers' notes in the run folder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace executors::sandboxes {

/// The environment entry that every keeper and everything it starts carries.
std::string KeeperMark(std::string_view run_folder, std::uint32_t slot);
/// Matches the marks of all slots (see `ProcessesMarked`).
std::string RunMarkPattern(std::string_view run_folder);

/// The cgroup's own name, unique to the run folder and slot.
std::string CgroupName(std::string_view run_folder, std::uint32_t slot);

/// `<run>/keepers`, where each keeper writes down its cgroup's folder in a file named by the slot.
std::string NotesFolder(std::string_view run_folder);
std::string NotePath(std::string_view run_folder, std::uint32_t slot);

/// The name, in `NotesFolder`, of the socket on which a keeper that outlived its owner awaits the
/// next one.
std::string SocketName(std::uint32_t slot);

}  // namespace executors::sandboxes

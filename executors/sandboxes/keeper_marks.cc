// SPDX-License-Identifier: Apache-2.0
#include "executors/sandboxes/keeper_marks.h"

#include <fmt/format.h>

#include "engine/base/digest.h"

namespace executors::sandboxes {

std::string KeeperMark(std::string_view run_folder, std::uint32_t slot) {
  return fmt::format("DAYFLY_KEEPER={}#{}", run_folder, slot);
}

std::string RunMarkPattern(std::string_view run_folder) {
  return fmt::format("DAYFLY_KEEPER={}#*", run_folder);
}

std::string CgroupName(std::string_view run_folder, std::uint32_t slot) {
  const auto name = engine::base::ToHex(engine::base::Sha256(run_folder)).substr(0, 16);
  return fmt::format("dayfly-{}-{}", name, slot);
}

std::string NotesFolder(std::string_view run_folder) {
  return fmt::format("{}/keepers", run_folder);
}

std::string SocketName(std::uint32_t slot) {
  return fmt::format("{}.sock", slot);
}

std::string NotePath(std::string_view run_folder, std::uint32_t slot) {
  return fmt::format("{}/{}", NotesFolder(run_folder), slot);
}

}  // namespace executors::sandboxes

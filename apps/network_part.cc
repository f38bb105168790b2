// SPDX-License-Identifier: Apache-2.0
#include "apps/network_part.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <unistd.h>
#include <vector>

#include "apps/exit_code.h"

namespace apps {
namespace {

namespace base = engine::base;

constexpr const char* kProgram = "dayfly-network";
const NetworkPart* part_here = nullptr;

/// The arguments of this process, each ended by NUL.
std::string OwnArguments() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Returns only when it failed.
base::Status BecomeNetworkProgram() {
  std::string text = OwnArguments();
  std::vector<char*> arguments;
  for (std::size_t at = 0; at < text.size(); at = text.find('\0', at) + 1) {
    arguments.push_back(text.data() + at);
  }
  arguments.push_back(nullptr);
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  // Beside the program where it was built, and where it is installed.
  for (const char* folder : {"", "../libexec/dayfly"}) {
    const std::string path = (self.parent_path() / folder / kProgram).lexically_normal();
    if (std::filesystem::exists(path, error)) {
      execv(path.c_str(), arguments.data());
      return base::FromErrno(errno, path);
    }
  }
  return base::FailedPrecondition("the program {} is missing beside {}", kProgram, self.string());
}

}  // namespace

void UseNetworkPart(const NetworkPart& part) {
  part_here = &part;
}

base::StatusOr<const NetworkPart*> NeedNetworkPart() {
  if (part_here == nullptr) {
    return BecomeNetworkProgram();
  }
  return part_here;
}

int ReportNoNetworkPart(const base::Status& status) {
  return Fail(kExitEngine, base::Message(status));
}

}  // namespace apps

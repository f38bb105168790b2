// SPDX-License-Identifier: Apache-2.0
#include "bench/driver/machine.h"

#include <array>
#include <chrono>
#include <fcntl.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "bench/driver/files.h"
#include "bench/driver/statistics.h"

namespace bench::driver {
namespace {

std::string Processor() {
  const std::string text = ReadFile("/proc/cpuinfo");
  const std::size_t at = text.find("model name");
  if (at == std::string::npos) {
    return "unknown processor";
  }
  const std::size_t from = text.find(": ", at) + 2;
  return text.substr(from, text.find('\n', from) - from);
}

/// Microseconds that one written block takes to become durable.
double FlushCost(const std::string& folder) {
  const std::string path = folder + "/flush";
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) {
    return 0;
  }
  const std::array<char, 4096> block{};
  std::vector<double> costs;
  for (int i = 0; i < 200; ++i) {
    const auto from = std::chrono::steady_clock::now();
    if (::write(file, block.data(), block.size()) < 0 || ::fdatasync(file) != 0) {
      break;
    }
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - from;
    costs.push_back(took.count());
  }
  ::close(file);
  ::unlink(path.c_str());
  return Median(costs);
}

}  // namespace

std::string DescribeMachine(const std::string& folder) {
  utsname name{};
  ::uname(&name);
  struct statfs disk {};
  ::statfs(folder.c_str(), &disk);
  return fmt::format("{} cores of {}, Linux {}, file system type 0x{:x}, a flush takes {:.0f} µs",
                     ::sysconf(_SC_NPROCESSORS_ONLN), Processor(), name.release,
                     static_cast<unsigned long>(disk.f_type), FlushCost(folder));
}

}  // namespace bench::driver

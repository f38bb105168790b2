// SPDX-License-Identifier: Apache-2.0
// What to measure, and with what.
#pragma once

#include <string>

namespace bench::driver {

struct Options {
  std::string dayfly;      ///< the binary
  std::string core_bench;  ///< empty: not built
  std::string self;        ///< this program, for the bare spawn loop
  std::string work;        ///< scratch folder, on the disk that is to be measured
  std::string workloads;   ///< folder of recorded workloads; may be missing
  int runs = 5;            ///< repetitions; medians are printed
  int slots = 2;           ///< `--workers`, `-j`
  bool quick = false;      ///< smaller sizes: shows that it works, not what is true
};

}  // namespace bench::driver

// SPDX-License-Identifier: Apache-2.0
// Measures a server with everything real but the commands: PostgreSQL, gRPC, TLS, agents' sessions.
//   server_bench [--only throughput,dispatch,submit,idle,memory,line,logs,followers,loss]
//   [--store sqlite] [--quick]
#include <cstdio>
#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "bench/server/benches.h"

namespace bench::server {
namespace {

using Bench = std::pair<const char*, std::function<void(const Options&)>>;
const std::vector<Bench>& Benches() {
  static const std::vector<Bench> benches = {
      {"throughput", BenchThroughput},
      {"dispatch", BenchDispatch},
      {"submit", BenchSubmit},
      {"idle", BenchIdle},
      {"memory", BenchMemory},
      {"line", BenchFirstLine},
      {"logs", BenchLogs},
      {"followers", BenchFollowers},
      {"loss", BenchLoss},
  };
  return benches;
}

std::set<std::string> SplitNames(const std::string& list) {
  std::set<std::string> names;
  std::istringstream in(list);
  for (std::string name; std::getline(in, name, ',');) {
    names.insert(name);
  }
  return names;
}

}  // namespace
}  // namespace bench::server

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  bench::server::Options options;
  std::string only;
  std::string store = "postgres";
  CLI::App app("Measures a Dayfly server");
  app.add_option("--only", only, "throughput,dispatch,submit,idle,memory,line,logs,followers,loss");
  app.add_option("--store", store, "postgres or sqlite")
      ->check(CLI::IsMember({"postgres", "sqlite"}));
  app.add_flag("--quick", options.quick, "a tenth of everything: shows that it works");
  CLI11_PARSE(app, argc, argv);
  options.store =
      store == "sqlite" ? bench::server::StoreKind::kSqlite : bench::server::StoreKind::kPostgres;
  const std::set<std::string> names = bench::server::SplitNames(only);
  for (const auto& [name, measure] : bench::server::Benches()) {
    if (names.empty() || names.contains(name)) {
      measure(options);
    }
  }
  return 0;
}

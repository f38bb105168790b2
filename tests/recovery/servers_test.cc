// SPDX-License-Identifier: Apache-2.0
// Servers on PostgreSQL, agents and people, all as real processes.
#include <csignal>

#include <gtest/gtest.h>

#include "tests/recovery/site.h"

namespace tests::recovery {
namespace {

constexpr const char* kTwoJobs =
    "name: two\njobs:\n"
    "  one:\n    checkout: false\n    outputs: { n: \"${{ steps.o.outputs.n }}\" }\n"
    "    steps: [{ id: o, run: 'echo n=42 >> \"$DAYFLY_OUTPUT\"' }]\n"
    "  two:\n    needs: [one]\n    checkout: false\n"
    "    steps: ['test \"${{ needs.one.outputs.n }}\" = 42']\n";

TEST(ServersOnPostgres, RunWhatWasSubmittedOnTheirAgents) {
  Site site;
  site.StartAgent("agent");
  EXPECT_EQ(site.Submit(kTwoJobs)->Wait(), 0) << site.Errors();
  EXPECT_EQ(site.Submit("name: no\njobs: { j: { checkout: false, steps: ['false'] } }\n")->Wait(),
            1)
      << site.Errors();
}

TEST(ServersOnPostgres, ATokenIsGoodOnceWhateverServerMadeIt) {
  Site site(2);
  const std::string token = site.Token();
  const auto join = [&](const char* name) {
    return site.Start({"agent", "--server", site.addresses(), "--folder", site.File(name),
                       "--token", token, "--exit-when-idle", "1ms"},
                      name);
  };
  EXPECT_EQ(join("first")->Wait(), 0) << site.Errors();
  EXPECT_EQ(join("second")->Wait(), 2) << site.Errors();
}

}  // namespace
}  // namespace tests::recovery

// SPDX-License-Identifier: Apache-2.0
// Artifacts from one agent to another through a server, with the real program on all sides.
#include <csignal>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/real_server.h"

namespace tests::server {
namespace {

class ServerArtifacts : public RealServer {
 protected:
  void SetUp() override {
    RealServer::SetUp();
    Set("  default: ", "{}");
    StartServer();
  }
};

// The first agent has left for good before the second one comes.
TEST_F(ServerArtifacts, WhatOneAgentUploadsAnotherUnpacks) {
  const auto first = Agent(Token(), "first");
  const auto submitted = Submit(fmt::format(
      "name: pass\njobs:\n"
      "  make:\n    checkout: false\n"
      "    steps: ['mkdir out && head -c 10000000 /dev/urandom > out/big && cd out && "
      "sha256sum big > sum && ln -s big link && chmod 750 big']\n"
      "    artifacts: {{ upload: [{{ name: out, paths: [out] }}] }}\n"
      "  gate:\n    needs: [make]\n    checkout: false\n"
      "    steps: ['{0}']\n"
      "  use:\n    needs: [gate, {{ job: make, artifacts: [out] }}]\n    checkout: false\n"
      "    steps: ['cd out && sha256sum -c sum && test \"$(readlink link)\" = big && test "
      "\"$(stat -c %a big)\" = 750']\n",
      HeldStep()));
  AwaitBegin();
  kill(first->pid(), SIGTERM);
  LetGoOn();
  EXPECT_EQ(first->Wait(), 0) << Errors();
  const auto second = Agent(Token(), "second");
  ExpectSuccess(*submitted);
}

// Both ways: what was uploaded before, and who may have it, the next server knows as well.
TEST_F(ServerArtifacts, TheNextServerHandsThemOut) {
  const auto agent = Agent(Token());
  const auto submitted = Submit(
      fmt::format("name: pass\njobs:\n"
                  "  make:\n    checkout: false\n"
                  "    steps: ['head -c 9000000 /dev/urandom > big; sha256sum big > sum; {0}']\n"
                  "    artifacts: {{ upload: [{{ name: out, paths: [big, sum] }}] }}\n"
                  "  use:\n    needs: [{{ job: make, artifacts: true }}]\n    checkout: false\n"
                  "    steps: ['sha256sum -c sum']\n",
                  HeldStep()));
  AwaitBegin();
  server_->Kill();
  LetGoOn();
  StartServer();
  ExpectSuccess(*submitted);
}

// The first agent has left before the second one comes, and the server begins again in between.
TEST_F(ServerArtifacts, LargeOutputsReachTheJobsThatReadThem) {
  const auto first = Agent(Token(), "first");
  const auto submitted =
      Submit(fmt::format("name: spill\njobs:\n"
                         "  make:\n    checkout: false\n"
                         "    outputs: {{ text: '${{{{ steps.t.outputs.text }}}}' }}\n"
                         "    steps: [{{ id: t, run: 'echo \"text=$(seq 30000 | tr \"\\n\" +)\" >> "
                         "$DAYFLY_OUTPUT' }}, '{0}']\n"
                         "  use:\n    needs: [make]\n    checkout: false\n"
                         "    steps: [\"echo -n '${{{{ needs.make.outputs.text }}}}' | tr + "
                         "\\\"\\\\n\\\" | sha256sum > is; "
                         "seq 30000 | sha256sum | cmp - is\"]\n",
                         HeldStep()));
  AwaitBegin();
  kill(first->pid(), SIGTERM);
  LetGoOn();
  EXPECT_EQ(first->Wait(), 0) << Errors();
  server_->Kill();
  StartServer();
  const auto second = Agent(Token(), "second");
  ExpectSuccess(*submitted);
}

// All together are 9 MiB, and only one counts.
TEST_F(ServerArtifacts, OutputsOfManyCellsReachTheJobThatNeedsThem) {
  const auto agent = Agent(Token(), "agent", "4");
  const auto submitted = Submit(
      "name: cells\njobs:\n"
      "  make:\n    checkout: false\n    parallel: 150\n"
      "    outputs: { text: '${{ steps.t.outputs.text }}' }\n"
      "    steps: [{ id: t, run: 'echo \"text=$(seq 12000 | tr -d \"\\n\")\" >> $DAYFLY_OUTPUT' "
      "}]\n"
      "  use:\n    needs: [make]\n    checkout: false\n"
      "    steps: [\"test \\\"$(echo -n '${{ needs.make.outputs.text }}' | wc -c)\\\" = "
      "48894\"]\n");
  ExpectSuccess(*submitted);
}

}  // namespace
}  // namespace tests::server

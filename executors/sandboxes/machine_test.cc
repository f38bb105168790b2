// SPDX-License-Identifier: Apache-2.0
#include "executors/sandboxes/machine.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace executors::sandboxes {
namespace {

namespace fs = std::filesystem;
using engine::model::Label;

void Write(const std::string& file, const std::string& text) {
  fs::create_directories(fs::path(file).parent_path());
  std::ofstream(file) << text << "\n";
}

TEST(Machine, OffersWhatItHas) {
  const auto offer = OfferOfMachine("/", {{"gpu", "none"}});
  ASSERT_EQ(offer.labels.size(), 3U);
  EXPECT_EQ(offer.labels[0].name, "arch");
  EXPECT_FALSE(offer.labels[0].value.empty());
  EXPECT_EQ(offer.labels[1], (Label{"gpu", "none"}));
  EXPECT_EQ(offer.labels[2], (Label{"os", "linux"}));
  ASSERT_EQ(offer.sandboxes.size(), 1U);
  EXPECT_EQ(offer.sandboxes[0].kind, engine::model::SandboxKind::kHost);
  EXPECT_FALSE(offer.sandboxes[0].cuts_network);
  EXPECT_GT(offer.resources.cpu_millis, 0U);
  EXPECT_GT(offer.resources.memory, 0U);
  EXPECT_GT(offer.resources.disk, 0U);
  EXPECT_EQ(offer.resources.gpus, 0U);
}

TEST(Machine, ItsOperatorKnowsBetter) {
  const auto offer = OfferOfMachine("/", {{"arch", "riscv64"}});
  ASSERT_EQ(offer.labels.size(), 2U);
  EXPECT_EQ(offer.labels[0], (Label{"arch", "riscv64"}));
}

TEST(Machine, IsCalledAsRegistriesCallIt) {
  EXPECT_EQ(ArchName("x86_64"), "amd64");
  EXPECT_EQ(ArchName("aarch64"), "arm64");
  EXPECT_EQ(ArchName("riscv64"), "riscv64");
}

TEST(Machine, HasNoMoreThanEachOfItsControlGroupsAllows) {
  const tests::support::TempFolder folder;
  const std::string root = folder.path().string();
  Write(root + "/a/cpu.max", "150000 100000");
  Write(root + "/a/memory.max", "max");
  Write(root + "/a/b/cpu.max", "max 100000");
  Write(root + "/a/b/memory.max", "1048576");
  EXPECT_EQ(CpuMillisIn(root, "/a/b", 4000), 1500U);
  EXPECT_EQ(CpuMillisIn(root, "/a/b", 1000), 1000U);
  EXPECT_EQ(MemoryIn(root, "/a/b", 1ULL << 30), 1048576U);
  EXPECT_EQ(MemoryIn(root, "/a", 1ULL << 30), 1ULL << 30);
  EXPECT_EQ(MemoryIn(root, "/nowhere/at/all", 77), 77U);
}

}  // namespace
}  // namespace executors::sandboxes

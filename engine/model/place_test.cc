// SPDX-License-Identifier: Apache-2.0
#include "engine/model/place.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace engine::model {
namespace {

TEST(Labels, HaveNamesAndValues) {
  EXPECT_TRUE(IsLabelName("example.org_gpu-2"));
  EXPECT_FALSE(IsLabelName(""));
  EXPECT_FALSE(IsLabelName(".gpu"));
  EXPECT_FALSE(IsLabelName("g pu"));
  EXPECT_FALSE(IsLabelName(std::string(101, 'a')));
  EXPECT_TRUE(IsLabelValue("a=b/c"));
  EXPECT_FALSE(IsLabelValue(""));
  EXPECT_FALSE(IsLabelValue("a b"));
  EXPECT_FALSE(IsLabelValue("\xc3\xa9"));
  EXPECT_EQ(ToText(Label{"arch", "arm64"}), "arch=arm64");
  EXPECT_EQ(ToText(Label{"gpu", ""}), "gpu");
}

TEST(Labels, OfTwoOfANameTheStrongerStays) {
  EXPECT_EQ(MergeLabels({{"os", "linux"}, {"arch", "amd64"}}, {{"os", "other"}, {"a", "b"}}),
            (std::vector<Label>{{"a", "b"}, {"arch", "amd64"}, {"os", "other"}}));
}

TEST(Place, SizesAreWrittenInTheLargestUnitThatDividesThem) {
  EXPECT_EQ(BytesText(0), "0");
  EXPECT_EQ(BytesText(1000), "1000");
  EXPECT_EQ(BytesText(4ULL << 30), "4GiB");
  EXPECT_EQ(BytesText(1536ULL << 20), "1536MiB");
}

TEST(Place, AnOfferIsOneWordAThing) {
  WorkerOffer offer;
  offer.labels = {{"arch", "amd64"}};
  offer.sandboxes.push_back({.kind = SandboxKind::kContainer, .cuts_network = true});
  offer.resources = {.cpu_millis = 1500, .memory = 1024, .disk = 7, .gpus = 1};
  EXPECT_EQ(ToText(offer),
            "arch=amd64,host,container(no network),cpu 1.5,memory 1KiB,disk 7,gpu 1");
}

}  // namespace
}  // namespace engine::model

// SPDX-License-Identifier: Apache-2.0
#include "engine/placement/fit.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace engine::placement {
namespace {

using model::NetworkKind;
using model::PlaceNeed;
using model::Resources;
using model::SandboxKind;
using model::WorkerOffer;

WorkerOffer Offer() {
  WorkerOffer offer;
  offer.labels = {{"arch", "amd64"}, {"gpu", "big"}, {"os", "linux"}};
  offer.resources = {.cpu_millis = 2000, .memory = 4096, .disk = 8192, .gpus = 1};
  return offer;
}

TEST(Fit, AsksForEachThingAlone) {
  WorkerOffer contained = Offer();
  contained.sandboxes.push_back({.kind = SandboxKind::kContainer, .cuts_network = true});
  const struct {
    std::string name;
    PlaceNeed need;
    WorkerOffer offer;
    std::vector<std::string> missing;
  } cases[] = {
      {"nothing of a worker of which nothing is known", {}, {}, {}},
      {"a label", {.labels = {{"arch", "amd64"}}}, Offer(), {}},
      {"another value", {.labels = {{"arch", "arm64"}}}, Offer(), {"label arch=arm64"}},
      {"any value", {.labels = {{"gpu", ""}}}, Offer(), {}},
      {"a label that is not there", {.labels = {{"ssd", ""}}}, Offer(), {"label ssd"}},
      {"a label of a worker of which nothing is known",
       {.labels = {{"os", "linux"}}},
       {},
       {"label os=linux"}},
      {"all of its parts",
       {.resources = {.cpu_millis = 2000, .memory = 4096, .disk = 8192, .gpus = 1}},
       Offer(),
       {}},
      {"too much of each part",
       {.resources = {.cpu_millis = 2500, .memory = 8ULL << 30, .disk = 8193, .gpus = 2}},
       Offer(),
       {"cpu: 2.5", "memory: 8GiB", "disk: 8193", "gpu: 2"}},
      {"the host", {.sandbox = SandboxKind::kHost}, {}, {}},
      {"a container", {.sandbox = SandboxKind::kContainer}, Offer(), {"sandbox container"}},
      {"a container that is there", {.sandbox = SandboxKind::kContainer}, contained, {}},
      {"the network as it is", {.network = NetworkKind::kHost}, {}, {}},
      {"no network",
       {.network = NetworkKind::kNone},
       Offer(),
       {"a sandbox that cuts off the network"}},
      {"no network where one can cut it off", {.network = NetworkKind::kNone}, contained, {}},
      {"no network on the host, where only containers can cut it off",
       {.sandbox = SandboxKind::kHost, .network = NetworkKind::kNone},
       contained,
       {"sandbox host that cuts off the network"}},
      {"services of images", {.service_images = true}, Offer(), {"containers for services"}},
      {"services of images where there are containers", {.service_images = true}, contained, {}},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(MissingFrom(each.need, each.offer), each.missing) << each.name;
    EXPECT_EQ(Fits(each.need, each.offer), each.missing.empty()) << each.name;
  }
}

TEST(Fit, PartsInUseAreNotFree) {
  const Resources offered{.cpu_millis = 2000, .memory = 100, .disk = 0, .gpus = 0};
  Resources used;
  const Resources one{.cpu_millis = 1000, .memory = 50, .disk = 0, .gpus = 0};
  EXPECT_TRUE(HasFree(one, offered, used));
  Add(one, used);
  Add(one, used);
  EXPECT_FALSE(HasFree(one, offered, used));
  EXPECT_TRUE(HasFree({}, offered, used));
  Subtract(one, used);
  EXPECT_TRUE(HasFree(one, offered, used));
}

std::string TextOf(const PlaceNeed& need, const std::vector<WorkerOffer>& offers) {
  Shortage shortage(need);
  for (const WorkerOffer& offer : offers) {
    shortage.Look(offer);
  }
  return shortage.Text();
}

TEST(Shortage, NamesWhatNoneHas) {
  EXPECT_EQ(TextOf({.labels = {{"arch", "arm64"}, {"gpu", ""}}}, {Offer(), {}}),
            "label arch=arm64");
}

TEST(Shortage, OrWhatNoneHasTogether) {
  WorkerOffer other;
  other.labels = {{"ssd", "yes"}};
  EXPECT_EQ(TextOf({.labels = {{"gpu", ""}, {"ssd", ""}}}, {Offer(), other, Offer()}),
            "label ssd (lacked by 2) and label gpu (lacked by 1) together");
}

}  // namespace
}  // namespace engine::placement

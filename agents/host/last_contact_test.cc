// SPDX-License-Identifier: Apache-2.0
#include "agents/host/last_contact.h"

#include <fstream>

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace agents::host {
namespace {

constexpr LastContact kContact = {.at = engine::base::Instant(std::chrono::seconds(77)),
                                  .offline = std::chrono::minutes(15)};

TEST(ContactFile, IsReadByTheNextAgentOfTheSameBoot) {
  tests::support::TempFolder folder;
  ContactFile file(folder.File("contact"), "boot");
  EXPECT_EQ(file.Load(), std::nullopt);
  file.Save({.at = {}, .offline = std::chrono::hours(1)});
  file.Save(kContact);
  EXPECT_EQ(ContactFile(folder.File("contact"), "boot").Load(), kContact);
  EXPECT_EQ(ContactFile(folder.File("contact"), "other").Load(), std::nullopt);
}

TEST(ContactFile, OneThatCannotBeReadIsNone) {
  tests::support::TempFolder folder;
  std::ofstream(folder.File("contact")) << "boot 12";
  EXPECT_EQ(ContactFile(folder.File("contact"), "boot").Load(), std::nullopt);
}

}  // namespace
}  // namespace agents::host

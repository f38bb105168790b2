// SPDX-License-Identifier: Apache-2.0
#include "apps/client_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace apps {
namespace {

namespace base = engine::base;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(ClientConfig, NamesServersAndCertificates) {
  const auto choice = ParseClientConfig("/home/ada/.config/dayfly/client.yml",
                                        "server: a:1,b:2\ncertificates: c\n");
  ASSERT_TRUE(choice.ok());
  EXPECT_THAT(choice->servers, ElementsAre("a:1", "b:2"));
  EXPECT_EQ(choice->certificates, "/home/ada/.config/dayfly/c");
}

TEST(ClientConfig, SaysNothingWhenItIsEmpty) {
  const auto choice = ParseClientConfig("/c/client.yml", "");
  ASSERT_TRUE(choice.ok());
  EXPECT_THAT(choice->servers, IsEmpty());
  EXPECT_EQ(choice->certificates, "/c");
}

TEST(ClientConfig, RefusesWrongKeysAndAddressesWithTheirPlace) {
  const auto key = ParseClientConfig("/c/client.yml", "sever: a:1\n");
  EXPECT_THAT(std::string(base::Message(key.status())), HasSubstr("client.yml:1:1"));
  EXPECT_THAT(std::string(base::Message(key.status())), HasSubstr("'server'"));
  const auto address = ParseClientConfig("/c/client.yml", "server: nowhere\n");
  EXPECT_THAT(std::string(base::Message(address.status())), HasSubstr("'nowhere' is no address"));
}

TEST(ClientConfig, LocalAsksNobody) {
  const auto choice = ChooseServer("local");
  ASSERT_TRUE(choice.ok());
  EXPECT_THAT(choice->servers, IsEmpty());
}

TEST(ClientConfig, TheOptionTakesSocketsAndSeveralServers) {
  const auto choice = ChooseServer("unix:/run/api.sock,ci:7333");
  ASSERT_TRUE(choice.ok());
  EXPECT_THAT(choice->servers, ElementsAre("unix:/run/api.sock", "ci:7333"));
  EXPECT_FALSE(ChooseServer("nowhere").ok());
}

}  // namespace
}  // namespace apps

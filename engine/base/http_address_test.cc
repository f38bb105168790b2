// SPDX-License-Identifier: Apache-2.0
#include "engine/base/http_address.h"

#include <gtest/gtest.h>

namespace engine::base {
namespace {

HttpAddress Parsed(std::string_view text) {
  const StatusOr<HttpAddress> address = ParseHttpAddress(text);
  EXPECT_TRUE(address.ok()) << Message(address.status());
  return address.value_or(HttpAddress());
}

TEST(HttpAddress, IsTakenApart) {
  EXPECT_EQ(Parsed("http://localhost"), (HttpAddress{"localhost", "80", "/"}));
  EXPECT_EQ(Parsed("http://a.b:8080/x/y?z=1"), (HttpAddress{"a.b", "8080", "/x/y?z=1"}));
  EXPECT_EQ(Parsed("http://127.0.0.1/a:1"), (HttpAddress{"127.0.0.1", "80", "/a:1"}));
}

TEST(HttpAddress, OfIpv6StandsInBrackets) {
  EXPECT_EQ(Parsed("http://[::1]"), (HttpAddress{"::1", "80", "/"}));
  EXPECT_EQ(Parsed("http://[::1]:65535/x"), (HttpAddress{"::1", "65535", "/x"}));
}

TEST(HttpAddress, SaysWhatIsWrongWithIt) {
  const auto fault = [](std::string_view text) {
    return std::string(Message(ParseHttpAddress(text).status()));
  };
  EXPECT_EQ(fault("localhost:80"), "'localhost:80' does not begin with http://");
  EXPECT_EQ(fault("https://a"), "'https://a' does not begin with http://");
  EXPECT_EQ(fault("http://"), "'http://' names no host");
  EXPECT_EQ(fault("http://:80/x"), "'http://:80/x' names no host");
  EXPECT_EQ(fault("http://[]:80"), "'http://[]:80' names no host");
  EXPECT_EQ(fault("http://[::1"), "'http://[::1': a bracket is missing around the host");
  EXPECT_EQ(fault("http://::1]"), "'http://::1]': a bracket is missing around the host");
  EXPECT_EQ(fault("http://a?x"), "'http://a?x': a path begins with '/'");
  EXPECT_EQ(fault("http://u:p@a/"),
            "'http://u:p@a/' names a user: only a host and a port can stand before the path");
  EXPECT_EQ(fault("http://a:"), "'http://a:': '' is no port, which is 1 to 65535");
  EXPECT_EQ(fault("http://a:0"), "'http://a:0': '0' is no port, which is 1 to 65535");
  EXPECT_EQ(fault("http://a:65536"), "'http://a:65536': '65536' is no port, which is 1 to 65535");
  EXPECT_EQ(fault("http://a:8o/"), "'http://a:8o/': '8o' is no port, which is 1 to 65535");
  EXPECT_EQ(fault("http://a/b c"), "'http://a/b c' holds a space");
}

}  // namespace
}  // namespace engine::base

// SPDX-License-Identifier: Apache-2.0
#include "bench/driver/table.h"

#include <gtest/gtest.h>

namespace bench::driver {
namespace {

TEST(Table, AlignsColumnsAndFillsRows) {
  Table table({"tool", "s"});
  table.Add({"ninja -j2", "0.5"});
  table.Add({"make"});
  EXPECT_EQ(table.ToText(),
            "| tool      |   s |\n"
            "|-----------|----:|\n"
            "| ninja -j2 | 0.5 |\n"
            "| make      |     |\n");
}

TEST(Numbers, AreShort) {
  EXPECT_EQ(Seconds(0.12345), "0.123");
  EXPECT_EQ(Seconds(12.345), "12.35");
  EXPECT_EQ(Ratio(3, 2), "1.50");
  EXPECT_EQ(Ratio(3, 0), "-");
  EXPECT_EQ(MiB(1048576), "1.0");
}

}  // namespace
}  // namespace bench::driver

// SPDX-License-Identifier: Apache-2.0
#include "apps/output_writer.h"

#include <algorithm>
#include <csignal>
#include <future>
#include <unistd.h>

#include <gtest/gtest.h>

namespace apps {
namespace {

class OutputWriterTest : public testing::Test {
 protected:
  OutputWriterTest() {
    std::signal(SIGPIPE, SIG_IGN);
    EXPECT_EQ(pipe(ends_), 0);
  }
  ~OutputWriterTest() override {
    close(ends_[0]);
    close(ends_[1]);
  }
  int ends_[2] = {-1, -1};
};

TEST_F(OutputWriterTest, DoesNotHoldUpItsCallerWhileTheReaderIsSlow) {
  OutputWriter writer(ends_[1], {});
  // Far more than a pipe holds; nobody reads yet.
  const std::string piece(1 << 20, 'x');
  for (int i = 0; i < 8; ++i) {
    writer.Write(piece);
  }
  writer.Write("end");
  auto read_all = std::async(std::launch::async, [this, total = 8 * piece.size() + 3] {
    std::string text(1 << 16, '\0');
    std::string tail;
    for (std::size_t got = 0; got < total;) {
      const ssize_t count = read(ends_[0], text.data(), text.size());
      got += static_cast<std::size_t>(count);
      tail.append(text.data(), static_cast<std::size_t>(count));
      tail.erase(0, tail.size() - std::min<std::size_t>(tail.size(), 4));
    }
    return tail;
  });
  writer.Drain();
  EXPECT_TRUE(read_all.get().ends_with("xend"));
  EXPECT_TRUE(writer.status().ok());
}

TEST_F(OutputWriterTest, TellsOnceThatTheReaderIsGone) {
  int told = 0;
  {
    OutputWriter writer(ends_[1], [&](const engine::base::Status& status) {
      ++told;
      EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
    });
    close(ends_[0]);
    ends_[0] = -1;
    writer.Write("lost\n");
    writer.Drain();
    writer.Write("lost, too\n");
  }
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace apps

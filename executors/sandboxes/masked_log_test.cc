// SPDX-License-Identifier: Apache-2.0
// What of a command's output reaches the spool: secrets masked before a byte is kept, and no more
// than the spool has room for.
#include <string>

#include "engine/base/checksum.h"
#include "executors/sandboxes/sandbox_fixture.h"
#include "store/logs/segment_reader.h"

namespace executors::sandboxes {
namespace {

class MaskedLog : public SandboxTest {
 protected:
  engine::ports::Command Masked(const std::string& script) const {
    auto command = Shell(script);
    command.masks = {"hunter2-hunter2"};
    return command;
  }
  /// All that the spool has so far, whether the command goes on or not.
  std::string Spooled(std::uint32_t slot = 0) const {
    store::logs::SegmentReader reader(run_ + "/logs");
    const auto live = reader.ReadLive(slot);
    return live.ok() ? *reader.Read(live->log, 0, ~0ULL) : std::string();
  }
};

TEST_F(MaskedLog, HoldsNoValueInAnyForm) {
  const auto exit =
      Run(Masked("v=hunter2-hunter2; echo \"plain $v\"; printf '%s' \"$v\" | base64"));
  EXPECT_EQ(LogText(exit.log), "plain ***\n***\n");
}

TEST_F(MaskedLog, HoldsNoValueThatComesInPieces) {
  const auto exit = Run(Masked("for p in hun ter2 -hunt er2; do printf '%s' $p; done; echo ."));
  EXPECT_EQ(LogText(exit.log), "***.\n");
}

TEST_F(MaskedLog, CountsTheLimitOverWhatIsKept) {
  auto command = Masked("echo hunter2-hunter2");
  command.log_limit = 4;
  const auto exit = Run(command);
  EXPECT_FALSE(exit.log.truncated);
  EXPECT_EQ(LogText(exit.log), "***\n");
}

TEST_F(MaskedLog, ForgetsTheMasksOfAnEarlierCommand) {
  Run(Masked("true"));
  EXPECT_EQ(LogText(Run("echo hunter2-hunter2").log), "hunter2-hunter2\n");
}

TEST_F(MaskedLog, DoesNotWaitForAWriterThatPauses) {
  const auto fifo = Fifo("go-on");
  std::optional<engine::ports::CommandExit> exit;
  sandbox().Start(Masked("printf 'hunter2-h'; read x < " + fifo + "; echo unter2."),
                  [&](engine::ports::CommandExit e) { exit = std::move(e); });
  while (Spooled() != "***") {
    io_.poll();
  }
  WriteFile(fifo, "\n");
  RunUntil([&] { return exit.has_value(); });
  EXPECT_EQ(LogText(exit->log), "***.\n");
}

TEST_F(MaskedLog, ACommandIsNotStartedWhoseSecretsCannotBeMasked) {
  auto command = Shell("echo started");
  command.masks = {std::string(std::size_t{1} << 20, 'k')};
  const auto exit = Run(command);
  EXPECT_EQ(exit.started.code(), absl::StatusCode::kResourceExhausted) << exit.started;
  EXPECT_TRUE(exit.log.ranges.empty());
}

class FullSpool : public MaskedLog {
 protected:
  static constexpr std::uint64_t kSpoolBytes = 1 << 20;
  std::uint64_t SpoolSize() const {
    std::uint64_t size = 0;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(run_ + "/logs", ignored)) {
      size += entry.path().extension() == ".seg" ? entry.file_size(ignored) : 0;
    }
    return size;
  }
};

TEST_F(FullSpool, HoldsTheWriterUpAndLosesNothing) {
  auto options = Options();
  options.spool_bytes_max = kSpoolBytes;
  const auto sandbox = Make(std::move(options));
  std::optional<engine::ports::CommandExit> exit;
  sandbox->Start(Shell("seq 1 1000000"),
                 [&](engine::ports::CommandExit e) { exit = std::move(e); });
  std::uint64_t largest = 0;
  std::string taken;
  // What a shipper does: full segments are taken over in order, and removed.
  for (std::uint32_t ordinal = 0; !exit.has_value(); io_.poll()) {
    largest = std::max(largest, SpoolSize());
    const auto path = run_ + "/logs/" + engine::model::SegmentFileName(ordinal);
    const auto next = run_ + "/logs/" + engine::model::SegmentFileName(ordinal + 1);
    if (std::filesystem::exists(next)) {
      taken += ReadFile(path);
      std::filesystem::remove(path);
      ++ordinal;
    }
  }
  for (const auto& range : exit->log.ranges) {
    const auto path = run_ + "/logs/" + engine::model::SegmentFileName(range.segment);
    taken += std::filesystem::exists(path) ? ReadFile(path) : "";
  }
  std::string expected;
  for (int i = 1; i <= 1'000'000; ++i) {
    expected += std::to_string(i) + "\n";
  }
  EXPECT_TRUE(taken == expected) << taken.size() << " bytes, not " << expected.size();
  EXPECT_EQ(exit->log.checksum, engine::base::Crc32(0, expected));
  // One read may pass the limit, and what is in the pipe at the end.
  EXPECT_LE(largest, kSpoolBytes + (2 << 16));
}

TEST_F(FullSpool, DoesNotKeepACommandFromBeingKilled) {
  auto options = Options();
  options.spool_bytes_max = kSpoolBytes;
  const auto sandbox = Make(std::move(options));
  std::optional<engine::ports::CommandExit> exit;
  sandbox->Start(Direct({"yes"}), [&](engine::ports::CommandExit e) { exit = std::move(e); });
  while (SpoolSize() < kSpoolBytes) {
    io_.poll();
  }
  sandbox->Signal(engine::ports::kOwnLane, SIGKILL);
  RunUntil([&] { return exit.has_value(); });
  EXPECT_EQ(exit->signal, SIGKILL);
}

}  // namespace
}  // namespace executors::sandboxes

// SPDX-License-Identifier: Apache-2.0
#include "store/logs/server_logs.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/support/faulty_log_sink.h"
#include "tests/support/log_conformance.h"
#include "tests/support/temp_folder.h"

namespace tests::support {
namespace {

namespace fs = std::filesystem;
using store::logs::ServerLogs;
using store::logs::ServerLogsOptions;

class FolderScene : public LogScene {
 public:
  explicit FolderScene(std::chrono::milliseconds archive_after) : archive_after_(archive_after) {}
  LogsUnderTest Open() override {
    logs_.reset();
    auto opened = ServerLogs::Open({.folder = folder_.File("logs"),
                                    .epoch = engine::model::Epoch(++epoch_),
                                    .archive = {.after = archive_after_}});
    EXPECT_TRUE(opened.ok()) << opened.status();
    logs_ = *std::move(opened);
    return {logs_.get(), logs_.get()};
  }

 private:
  const std::chrono::milliseconds archive_after_;
  TempFolder folder_;
  std::uint64_t epoch_ = 0;
  std::unique_ptr<ServerLogs> logs_;
};

INSTANTIATE_TEST_SUITE_P(Folder, LogConformance, testing::Values([] {
                           return std::make_unique<FolderScene>(std::chrono::milliseconds(50));
                         }));
// Everything goes to the archive as soon as it arrives, and is read from there.
INSTANTIATE_TEST_SUITE_P(ArchivedAtOnce, LogConformance, testing::Values([] {
                           return std::make_unique<FolderScene>(std::chrono::milliseconds(0));
                         }));

class ServerLogsTest : public testing::Test {
 protected:
  std::unique_ptr<ServerLogs> Open(std::uint64_t epoch,
                                   std::chrono::milliseconds after = std::chrono::hours(1)) {
    auto opened = ServerLogs::Open({.folder = folder_.File("logs"),
                                    .epoch = engine::model::Epoch(epoch),
                                    .archive = {.after = after}});
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }
  std::vector<fs::path> Files(const std::string& extension) const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
      if (entry.path().extension() == extension) {
        files.push_back(entry.path());
      }
    }
    return files;
  }
  static Collected ReadAll(ServerLogs& logs) {
    const auto reader = logs.Open({.logs = {.run = engine::model::RunId(5)}});
    return ReadToTheEnd(*reader);
  }
  static void Damage(const fs::path& path, std::uint64_t at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at));
    file.put('#');
  }
  TempFolder folder_;
};

TEST_F(ServerLogsTest, RemovesTheArrivalsOnceItIsArchived) {
  {
    const auto logs = Open(1);
    ASSERT_TRUE(AppendAndWait(*logs, LogOf(0), 0, "abc").ok());
    ASSERT_TRUE(EndAndWait(*logs, LogOf(0), EndOf("abc")).ok());
  }
  EXPECT_EQ(Files(".log").size(), 1u);
  const auto logs = Open(2);
  ASSERT_TRUE(logs->ArchiveAll().ok());
  EXPECT_TRUE(Files(".log").empty());
  EXPECT_EQ(Files(".arc").size(), 1u);
  EXPECT_EQ(ReadAll(*logs).text.at(LogOf(0)), "abc");
  EXPECT_EQ(ReadAll(*logs).ends.at(LogOf(0)), EndOf("abc"));
}

TEST_F(ServerLogsTest, ADeposedServerDoesNotDamageItsSuccessor) {
  const auto deposed = Open(1);
  ASSERT_TRUE(AppendAndWait(*deposed, LogOf(0), 0, "abc").ok());
  const auto successor = Open(2);
  ASSERT_TRUE(AppendAndWait(*successor, LogOf(0), 3, "DEF").ok());
  // The deposed one does not know, and goes on.
  ASSERT_TRUE(AppendAndWait(*deposed, LogOf(0), 3, "xyz").ok());
  ASSERT_TRUE(EndAndWait(*deposed, LogOf(0), EndOf("abcxyz")).ok());
  ASSERT_TRUE(successor->ArchiveAll().ok());
  ASSERT_TRUE(EndAndWait(*successor, LogOf(0), EndOf("abcDEF")).ok());
  EXPECT_EQ(ReadAll(*successor).text.at(LogOf(0)), "abcDEF");
}

TEST_F(ServerLogsTest, ASuccessorFindsWhatWasArchivedAfterItBegan) {
  const auto deposed = Open(1);
  const auto successor = Open(2);
  ASSERT_TRUE(AppendAndWait(*deposed, LogOf(0), 0, "abc").ok());
  ASSERT_TRUE(deposed->ArchiveAll().ok());
  // The worker has forgotten what is archived, and goes on behind it.
  const Marks marks = AppendAndWait(*successor, LogOf(0), 3, "def");
  ASSERT_TRUE(marks.ok()) << marks.status();
  EXPECT_TRUE(EndAndWait(*successor, LogOf(0), EndOf("abcdef")).ok());
  EXPECT_EQ(ReadAll(*successor).text.at(LogOf(0)), "abcdef");
}

TEST_F(ServerLogsTest, ATornRecordAtTheEndCostsOnlyItself) {
  {
    const auto logs = Open(1);
    ASSERT_TRUE(AppendAndWait(*logs, LogOf(0), 0, "abc").ok());
    ASSERT_TRUE(AppendAndWait(*logs, LogOf(0), 3, "def").ok());
  }
  const fs::path arrivals = Files(".log").at(0);
  for (std::uint64_t size = 0; size < fs::file_size(arrivals); ++size) {
    const TempFolder torn;
    fs::create_directories(torn.path() / "arrivals");
    fs::copy_file(arrivals, torn.path() / "arrivals/1-0.log");
    fs::resize_file(torn.path() / "arrivals/1-0.log", size);
    const auto logs = ServerLogs::Open({.folder = torn.path(), .epoch = engine::model::Epoch(2)});
    ASSERT_TRUE(logs.ok()) << logs.status();
    const std::uint64_t record = store::logs::kRecordBytes + 3;
    EXPECT_EQ((*logs)->Marks(LogOf(0))->received, size / record * 3) << size;
  }
}

TEST_F(ServerLogsTest, DamagedBytesAreNamedAndTheRestIsThere) {
  constexpr std::uint64_t kFrame = 256 << 10;
  engine::base::Random random(1);
  std::string text(3 * kFrame, '\0');
  std::ranges::generate(text, [&] { return static_cast<char>(random.Next()); });
  {
    const auto logs = Open(1);
    ASSERT_TRUE(AppendAndWait(*logs, LogOf(0), 0, text).ok());
    ASSERT_TRUE(EndAndWait(*logs, LogOf(0), EndOf(text)).ok());
    ASSERT_TRUE(logs->ArchiveAll().ok());
  }
  const fs::path archive = Files(".arc").at(0);
  // Such bytes cannot be compressed, so the frames are of one size: in the header of the second, in
  // what it holds, and at the end of the third.
  const std::uint64_t frame = (fs::file_size(archive) - store::logs::kRecordBytes) / 3;
  for (const std::uint64_t at : {frame + 10, frame + 1000, 3 * frame - 10}) {
    const fs::path whole = archive.string() + ".whole";
    fs::copy_file(archive, whole, fs::copy_options::overwrite_existing);
    Damage(archive, at);
    const std::uint64_t lost = at / frame * kFrame;
    const auto logs = Open(2);
    const Collected all = ReadAll(*logs);
    ASSERT_EQ(all.missing.size(), 1u);
    EXPECT_THAT(std::string(engine::base::Message(all.missing[0])),
                testing::HasSubstr(
                    fmt::format("bytes {} to {} of the log are missing", lost, lost + kFrame)));
    EXPECT_TRUE(all.text.at(LogOf(0)) == std::string(text).erase(lost, kFrame)) << at;
    EXPECT_EQ(all.ends.at(LogOf(0)), EndOf(text));
    fs::rename(whole, archive);
  }
}

TEST_F(ServerLogsTest, ALongLogIsArchivedWhileItGrowsInFramesOfBoundedSize) {
  const auto logs = Open(1);
  std::promise<void> archived;
  std::once_flag once;
  logs->OnArchived([&](const engine::model::LogKey&, const engine::model::LogMarks&) {
    std::call_once(once, [&] { archived.set_value(); });
  });
  std::string text;
  for (int i = 0; i < 20; ++i) {
    const std::string bytes(100'000, static_cast<char>('a' + i));
    ASSERT_TRUE(AppendAndWait(*logs, LogOf(0), text.size(), bytes).ok());
    text += bytes;
  }
  archived.get_future().get();
  EXPECT_TRUE(ReadAll(*logs).text.at(LogOf(0)) == text);
}

TEST_F(ServerLogsTest, OverloadIsRefusedAndCanBeSentAgain) {
  auto opened = ServerLogs::Open(
      {.folder = folder_.File("logs"), .epoch = engine::model::Epoch(1), .queue_bytes_max = 10});
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(AppendAndWait(**opened, LogOf(0), 0, "more than ten").status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(AppendAndWait(**opened, LogOf(0), 0, "few")->received, 3u);
}

TEST_F(ServerLogsTest, AFollowerAsksASecondTimeAfterHistoryWasEvicted) {
  auto opened = ServerLogs::Open(
      {.folder = folder_.File("logs"), .epoch = engine::model::Epoch(1), .memory_bytes_max = 1000});
  ASSERT_TRUE(opened.ok());
  std::string text;
  for (int i = 0; i < 50; ++i) {
    const std::string bytes(300, static_cast<char>('a' + i % 26));
    ASSERT_TRUE(AppendAndWait(**opened, LogOf(0), text.size(), bytes).ok());
    text += bytes;
  }
  EXPECT_TRUE(ReadAll(**opened).text.at(LogOf(0)) == text);
}

TEST_F(ServerLogsTest, WhateverFails_WhatIsToldReceivedIsThere) {
  const auto logs = Open(1);
  engine::base::Random random(11);
  FaultyLogSink faulty(*logs, [&] { return static_cast<LogFault>(random.Below(4)); });
  std::string text;
  std::uint64_t received = 0;
  for (int i = 0; i < 400; ++i) {
    text += std::string(1 + random.Below(50), static_cast<char>('a' + i % 26));
    const Marks marks = AppendAndWait(faulty, LogOf(0), received, text.substr(received));
    received = marks.ok() ? marks->received : received;
  }
  faulty.Heal();
  ASSERT_TRUE(AppendAndWait(faulty, LogOf(0), received, text.substr(received)).ok());
  ASSERT_TRUE(EndAndWait(faulty, LogOf(0), EndOf(text)).ok());
  EXPECT_TRUE(ReadAll(*logs).text.at(LogOf(0)) == text);
}

}  // namespace
}  // namespace tests::support

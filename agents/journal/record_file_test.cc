// SPDX-License-Identifier: Apache-2.0
#include "agents/journal/record_file.h"

#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace agents::journal {
namespace {

namespace base = engine::base;
using Records = std::vector<std::string>;

class RecordFileTest : public ::testing::Test {
 protected:
  RecordFile::Opened Open() {
    auto opened = RecordFile::Open(path_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }
  static base::Status FlushNow(RecordFile& file) {
    std::promise<base::Status> flushed;
    file.Flush([&](const base::Status& status) { flushed.set_value(status); });
    return flushed.get_future().get();
  }
  std::string Bytes() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  void Write(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  }

  tests::support::TempFolder folder_;
  std::string path_ = folder_.File("journal");
};

TEST_F(RecordFileTest, GivesBackWhatWasAppended) {
  {
    const auto opened = Open();
    EXPECT_TRUE(opened.file->Append("one").ok());
    EXPECT_TRUE(opened.file->Append("").ok());
    EXPECT_TRUE(opened.file->Append(std::string("t\0wo", 4)).ok());
    EXPECT_TRUE(FlushNow(*opened.file).ok());
  }
  const auto again = Open();
  EXPECT_EQ(again.records, (Records{"one", "", std::string("t\0wo", 4)}));
  EXPECT_EQ(again.torn_bytes, 0U);
}

TEST_F(RecordFileTest, WhereverItIsTornAPrefixIsLeftAndTheNextRecordFits) {
  {
    const auto opened = Open();
    for (const char* text : {"first", "second record", "3"}) {
      ASSERT_TRUE(opened.file->Append(text).ok());
    }
  }
  const std::string whole = Bytes();
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    Write(whole.substr(0, length));
    Records expected;
    {
      const auto opened = Open();
      const Records all{"first", "second record", "3"};
      ASSERT_LE(opened.records.size(), all.size());
      expected.assign(all.begin(),
                      all.begin() + static_cast<std::ptrdiff_t>(opened.records.size()));
      EXPECT_EQ(opened.records, expected) << length;
      ASSERT_TRUE(opened.file->Append("next").ok());
    }
    expected.emplace_back("next");
    EXPECT_EQ(Open().records, expected) << length;
  }
}

TEST_F(RecordFileTest, ADamagedByteEndsWhatIsRead) {
  {
    const auto opened = Open();
    ASSERT_TRUE(opened.file->Append("first").ok());
    ASSERT_TRUE(opened.file->Append("second").ok());
  }
  const std::string whole = Bytes();
  for (std::size_t at = 8; at < whole.size(); ++at) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x20);
    Write(bytes);
    const auto opened = Open();
    EXPECT_LE(opened.records.size(), 1U) << at;
    EXPECT_GT(opened.torn_bytes, 0U) << at;
  }
}

TEST_F(RecordFileTest, RefusesAFileThatIsNone) {
  Write("something else entirely");
  EXPECT_EQ(RecordFile::Open(path_).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(RecordFileTest, ManyFlushesShareFewOfTheDisk) {
  const auto opened = Open();
  std::promise<void> all;
  int answered = 0;
  constexpr int kAsked = 1000;
  for (int i = 0; i < kAsked; ++i) {
    ASSERT_TRUE(opened.file->Append("record").ok());
    opened.file->Flush([&](const base::Status& status) {
      EXPECT_TRUE(status.ok());
      if (++answered == kAsked) {
        all.set_value();
      }
    });
  }
  all.get_future().get();
  EXPECT_LT(opened.file->flushes(), kAsked / 2);
}

TEST_F(RecordFileTest, AFlushWithNothingNewDoesNotGoToTheDisk) {
  const auto opened = Open();
  ASSERT_TRUE(opened.file->Append("record").ok());
  EXPECT_TRUE(FlushNow(*opened.file).ok());
  EXPECT_TRUE(FlushNow(*opened.file).ok());
  EXPECT_EQ(opened.file->flushes(), 1u);
  ASSERT_TRUE(opened.file->Append("another").ok());
  EXPECT_TRUE(FlushNow(*opened.file).ok());
  EXPECT_EQ(opened.file->flushes(), 2u);
}

TEST_F(RecordFileTest, ARewriteKeepsWhatIsAppendedBehindIt) {
  {
    const auto opened = Open();
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(opened.file->Append("old").ok());
    }
    opened.file->Rewrite({"live"});
    ASSERT_TRUE(opened.file->Append("new").ok());
  }  // the end waits for the rewrite
  EXPECT_EQ(Open().records, (Records{"live", "new"}));
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
}

TEST_F(RecordFileTest, ARewriteThatDiedHalfWayIsNoHarm) {
  {
    const auto opened = Open();
    ASSERT_TRUE(opened.file->Append("kept").ok());
  }
  std::ofstream(path_ + ".new") << "half a fi";
  EXPECT_EQ(Open().records, Records{"kept"});
}

}  // namespace
}  // namespace agents::journal

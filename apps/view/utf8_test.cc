// SPDX-License-Identifier: Apache-2.0
#include "apps/view/utf8.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "apps/view/json_text.h"
#include "apps/view/line_splitter.h"

namespace apps::view {
namespace {

using namespace std::string_literals;

struct SanitiseCase {
  const char* name;
  std::string line;
  std::string shown;
};

class SanitiseTest : public testing::TestWithParam<SanitiseCase> {};

TEST_P(SanitiseTest, LeavesNothingThatSteersATerminal) {
  EXPECT_EQ(Sanitise(GetParam().line), GetParam().shown);
}

INSTANTIATE_TEST_SUITE_P(
    Lines, SanitiseTest,
    testing::Values(SanitiseCase{"plain", "make: done.", "make: done."},
                    SanitiseCase{"tab_stays", "a\tb", "a\tb"},
                    SanitiseCase{"utf8_stays", "grün 日本", "grün 日本"},
                    SanitiseCase{"colour", "\x1b[1;31merror\x1b[0m: no", "error: no"},
                    SanitiseCase{"clear_screen", "\x1b[2J\x1b[Hgone", "gone"},
                    SanitiseCase{"title", "\x1b]0;owned\x07text", "text"},
                    SanitiseCase{"link", "\x1b]8;;http://x\x1b\\here\x1b]8;;\x1b\\", "here"},
                    SanitiseCase{"unterminated_title", "a\x1b]0;never ends", "a"},
                    SanitiseCase{"charset", "\x1b(Bok", "ok"},
                    SanitiseCase{"lone_escape_at_end", "ok\x1b", "ok"},
                    SanitiseCase{"cut_sequence", "ok\x1b[12", "ok"},
                    SanitiseCase{"eight_bit_csi",
                                 "\xC2\x9B"
                                 "31mred",
                                 "red"},
                    SanitiseCase{"carriage_return", "10%\r50%\r100%", "100%"},
                    SanitiseCase{"dos_line_end", "text\r", "text"},
                    SanitiseCase{"nul", "a\0b"s,
                                 "a\xEF\xBF\xBD"
                                 "b"},
                    SanitiseCase{"invalid_utf8", "a\xFF\xC3", "a\xEF\xBF\xBD\xEF\xBF\xBD"},
                    SanitiseCase{"overlong", "\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},
                    SanitiseCase{"direction_override", "a\u202Eb",
                                 "a\xEF\xBF\xBD"
                                 "b"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(CutToWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(CutToWidth("grün", 4), "grün");
  EXPECT_EQ(CutToWidth("grüner", 4), "grü…");
  EXPECT_EQ(CutToWidth("日本語", 6), "日本語");
  EXPECT_EQ(CutToWidth("日本語", 5), "日本…");
  EXPECT_EQ(CutToWidth("日本語", 4), "日…");
  EXPECT_EQ(CutToWidth("abc", 0), "");
}

TEST(AppendJsonString, EscapesAndMendsWhatIsNotUtf8) {
  std::string out;
  AppendJsonString(out, "a\"b\\c\n\x01\xFF\u00fc");
  EXPECT_EQ(out, "\"a\\\"b\\\\c\\n\\u0001\xEF\xBF\xBD\u00fc\"");
}

TEST(LineSplitter, JoinsChunksAndHandsOutTheUnfinishedEnd) {
  LineSplitter lines;
  std::string seen;
  const auto emit = [&](std::string_view line) { seen += "<" + std::string(line) + ">"; };
  lines.Feed("one\ntw", emit);
  lines.Feed("o\n\nthr", emit);
  EXPECT_EQ(seen, "<one><two><>");
  lines.Finish(emit);
  lines.Finish(emit);
  EXPECT_EQ(seen, "<one><two><><thr>");
}

TEST(LineSplitter, KnowsWhereInTheLogALineBegins) {
  LineSplitter lines;
  std::vector<std::uint64_t> begins;
  const auto emit = [&](std::string_view) { begins.push_back(lines.line_begin()); };
  lines.Feed("one\ntw", emit);
  lines.Feed("o\n\nthr", emit);
  EXPECT_EQ(lines.next_byte(), 12U);
  lines.Finish(emit);
  lines.StartAt(100);
  lines.Feed("x\n" + std::string(LineSplitter::kLineBytesMax, 'y'), emit);
  lines.Feed("\nz\n", emit);
  EXPECT_EQ(begins, (std::vector<std::uint64_t>{0, 4, 8, 9, 100, 102, 103 + (64 << 10)}));
}

TEST(LineSplitter, CutsALongLineBetweenCharacters) {
  LineSplitter lines;
  std::string joined;
  std::vector<bool> continues;
  const auto emit = [&](std::string_view piece) {
    EXPECT_LE(piece.size(), LineSplitter::kLineBytesMax);
    EXPECT_EQ(Sanitise(piece), piece) << "at " << lines.line_begin();
    EXPECT_EQ(lines.line_begin(), joined.size());
    joined += piece;
    continues.push_back(lines.continues());
  };
  std::string line = "x";
  for (int i = 0; i < 50'000; ++i) {
    line += "€";
  }
  lines.Feed(line, emit);
  lines.Feed("\n", emit);
  EXPECT_EQ(joined, line);
  EXPECT_EQ(continues, (std::vector<bool>{false, true, true}));
  joined.resize(lines.next_byte());
  lines.Feed("next\n", emit);
  EXPECT_FALSE(continues.back());
}

TEST(LineSplitter, HandsOutNoEmptyPiece) {
  LineSplitter lines;
  std::vector<std::size_t> sizes;
  const auto emit = [&](std::string_view piece) { sizes.push_back(piece.size()); };
  lines.Feed(std::string(2 * LineSplitter::kLineBytesMax, '\x80') + "\n\n", emit);
  EXPECT_EQ(sizes, (std::vector<std::size_t>{LineSplitter::kLineBytesMax,
                                             LineSplitter::kLineBytesMax, 0}));
}

TEST(LineSplitter, KeepsNoEndlessLineInMemory) {
  LineSplitter lines;
  std::size_t pieces = 0;
  std::size_t bytes = 0;
  const std::string chunk(10'000, 'x');
  const auto emit = [&](std::string_view line) {
    ++pieces;
    bytes += line.size();
  };
  for (int i = 0; i < 100; ++i) {
    lines.Feed(chunk, emit);
  }
  lines.Finish(emit);
  EXPECT_EQ(bytes, 1'000'000U);
  EXPECT_GE(pieces, 10U);
}

}  // namespace
}  // namespace apps::view

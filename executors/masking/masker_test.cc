// SPDX-License-Identifier: Apache-2.0
#include "executors/masking/masker.h"

#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "tests/support/masked_text.h"

namespace executors::masking {
namespace {

std::string Mask(Masker masker, const std::vector<std::string>& pieces) {
  std::string out;
  for (const std::string& piece : pieces) {
    masker.Feed(piece, out);
  }
  masker.Finish(out);
  return out;
}

struct MaskCase {
  const char* name;
  std::vector<std::string> forms;
  std::vector<std::string> pieces;
  std::string shown;
};

TEST(Masker, ReplacesForms) {
  const MaskCase cases[] = {
      {"nothing to look for", {}, {"all of it"}, "all of it"},
      {"in the middle", {"secret"}, {"a secret is"}, "a *** is"},
      {"twice", {"secret"}, {"secretsecret"}, "******"},
      {"across pieces", {"secret"}, {"a s", "ecre", "t is"}, "a *** is"},
      {"nearly", {"secret"}, {"a secre", "c secres"}, "a secrec secres"},
      {"the longest", {"secret", "secretive"}, {"secretive secretly"}, "*** ***ly"},
      {"inside a longer one", {"cret", "secretive"}, {"secretive"}, "***"},
      {"inside one that ends otherwise", {"cret", "secretive"}, {"secretix"}, "se***ix"},
      {"overlapping", {"abcdef", "efghij"}, {"xabcdefghijx"}, "x***x"},
      {"repeating itself", {"abab"}, {"ababab abaab"}, "*** abaab"},
      {"bytes of any kind",
       {std::string("\0\xff\0\xfe", 4)},
       {std::string("a\0\xff\0\xfe\0", 6)},
       std::string("a***\0", 5)},
      {"a beginning at the end", {"secret"}, {"a secre"}, "a ***"},
      {"one that tells nothing", {"secret"}, {"a sec"}, "a sec"},
      {"a whole one that could go on", {"secret", "secretive"}, {"a secreti"}, "a ***"},
  };
  for (const MaskCase& c : cases) {
    EXPECT_EQ(Mask(Masker::OfForms(c.forms), c.pieces), c.shown) << c.name;
  }
}

TEST(Masker, ShowsAtOnceWhatBeginsNoForm) {
  Masker masker = Masker::OfForms({"secret"});
  std::string out;
  masker.Feed("Password: se", out);
  EXPECT_EQ(out, "Password: ");
  EXPECT_TRUE(masker.holds());
  masker.Feed("t\n", out);
  EXPECT_EQ(out, "Password: set\n");
  EXPECT_FALSE(masker.holds());
}

TEST(Masker, ShowsAShortBeginningWhenTheWriterPauses) {
  Masker masker = Masker::OfForms({"secret"});
  std::string out;
  masker.Feed("sec", out);
  masker.GiveOut(out);
  EXPECT_EQ(out, "sec");
  masker.Feed("tor", out);
  EXPECT_EQ(out, "sector");
}

TEST(Masker, MasksTheRestOfWhatBeganBeforeAPause) {
  Masker masker = Masker::OfForms({"secret"});
  std::string out;
  masker.Feed("sec", out);
  masker.GiveOut(out);
  masker.Feed("ret.", out);
  EXPECT_EQ(out, "sec***.");
}

TEST(Masker, MasksALongBeginningWhenTheWriterPauses) {
  Masker masker = Masker::OfForms({"secret-value"});
  std::string out;
  masker.Feed("secret", out);
  masker.GiveOut(out);
  EXPECT_EQ(out, "***");
  masker.Feed("-v", out);
  masker.GiveOut(out);
  masker.Feed("alue.", out);
  EXPECT_EQ(out, "***.");
}

TEST(Masker, BeginsAnewAfterTheEnd) {
  Masker masker = Masker::OfForms({"secret"});
  std::string out;
  masker.Feed("sec", out);
  masker.Finish(out);
  masker.Feed("ret.", out);
  EXPECT_EQ(out, "secret.");
}

TEST(Masker, RefusesMoreThanItCanLookFor) {
  const auto masker = Masker::Of({std::string(Masker::kFormBytesMax, 'x')});
  EXPECT_EQ(masker.status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(Masker, MasksAsASearchThroughTheWholeTextWould) {
  engine::base::Random random(7);
  for (int round = 0; round < 2000; ++round) {
    const auto draw = [&](std::uint64_t size_max) {
      std::string text(1 + random.Below(size_max), 'a');
      for (char& byte : text) {
        byte = static_cast<char>('a' + random.Below(2 + static_cast<std::uint64_t>(round % 3)));
      }
      return text;
    };
    std::vector<std::string> forms;
    for (std::uint64_t i = 0; i <= random.Below(4); ++i) {
      forms.push_back(draw(9));
    }
    std::string text;
    std::vector<std::string> pieces;
    for (std::uint64_t i = 0; i <= random.Below(5); ++i) {
      pieces.push_back(draw(20));
      text += pieces.back();
    }
    ASSERT_EQ(Mask(Masker::OfForms(forms), pieces), tests::support::MaskedText(forms, text))
        << text << " with " << testing::PrintToString(forms);
  }
}

}  // namespace
}  // namespace executors::masking

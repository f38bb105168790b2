// SPDX-License-Identifier: Apache-2.0
// The language's table, its documents and its examples say the same.
#include "dsl/reference.h"

#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dsl/pipeline_under_test.h"

namespace dsl {
namespace {

TEST(Reference, IsNotStale) {
  std::ifstream file(DAYFLY_SOURCE_DIR "/docs/language.md");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_TRUE(WithKeyTables(text) == text)
      << "docs/language.md is not what the table of keys says; run write_language_reference";
}

TEST(Reference, HasATableForEachLevel) {
  std::ifstream file(DAYFLY_SOURCE_DIR "/docs/language.md");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  for (const KeyRow& row : AllKeys()) {
    EXPECT_THAT(text, testing::HasSubstr(fmt::format("\n| `{}` | ", row.key)));
  }
}

TEST(Reference, KeepsWhatStandsAroundTheTables) {
  const std::string text = "# A\n<!-- keys: checkout -->\nold\n<!-- end -->\nB\n";
  EXPECT_EQ(WithKeyTables(text),
            "# A\n<!-- keys: checkout -->\n" + KeyTable(Level::kCheckout) + "<!-- end -->\nB\n");
}

class Example : public testing::TestWithParam<const KeyRow*> {};

/// Files that an example names are there.
class ExampleLoader final : public SourceLoader {
 public:
  engine::base::StatusOr<std::string> Load(const std::string& path) override {
    return path == "p.yml" ? text : "templates: {}\n";
  }
  engine::base::StatusOr<std::string> LoadFrom(const RepositoryFile& file) override {
    return Load(file.path);
  }
  std::string text;
};

TEST_P(Example, Compiles) {
  const KeyRow& row = *GetParam();
  ExampleLoader loader;
  loader.text = ExamplePipeline(row);
  EXPECT_THAT(loader.text, testing::HasSubstr(fmt::format("{}:", row.key)));
  CompileOptions options;
  options.purpose = Purpose::kValidate;
  const Compiled compiled = Compile("p.yml", loader, options);
  ASSERT_NE(compiled.plan, nullptr) << loader.text << "\n"
                                    << testing::PrintToString(Brief(compiled.diagnostics));
  for (const Diagnostic& diagnostic : compiled.diagnostics) {
    EXPECT_EQ(diagnostic.code, "later-key") << loader.text << "\n" << diagnostic.message;
  }
  // The level's own map may stand under a key that comes later.
  EXPECT_TRUE(row.since == Since::kNow || !compiled.diagnostics.empty()) << loader.text;
}

std::vector<const KeyRow*> Rows() {
  std::vector<const KeyRow*> rows;
  for (const KeyRow& row : AllKeys()) {
    rows.push_back(&row);
  }
  return rows;
}

std::string NameOf(const testing::TestParamInfo<const KeyRow*>& row) {
  return fmt::format("{}_{}", static_cast<int>(row.param->level), row.param->key);
}

INSTANTIATE_TEST_SUITE_P(Keys, Example, testing::ValuesIn(Rows()), NameOf);

}  // namespace
}  // namespace dsl

// SPDX-License-Identifier: Apache-2.0
// The examples of docs/expressions.md: every table row `| `expression` | `JSON` |` over the page's
// JSON block.
#include <fstream>
#include <sstream>

#include "engine/expr/expression_table.h"

namespace engine::expr {
namespace {

std::string ReadPage() {
  std::ifstream file(DAYFLY_SOURCE_DIR "/docs/expressions.md");
  EXPECT_TRUE(file.is_open());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string Between(const std::string& text, std::string_view open, std::string_view close) {
  const std::size_t from = text.find(open);
  if (from == std::string::npos) {
    return {};
  }
  const std::size_t start = from + open.size();
  return text.substr(start, text.find(close, start) - start);
}

// In a Markdown table `|` is written `\|`.
std::string Unescaped(std::string cell) {
  for (std::size_t at = 0; (at = cell.find("\\|", at)) != std::string::npos; ++at) {
    cell.erase(at, 1);
  }
  return cell;
}

struct Example {
  std::string expression;
  std::string value;
};

// Rows of the tables whose header is `| expression | value |`.
std::vector<Example> Examples(const std::string& page) {
  std::vector<Example> examples;
  std::istringstream lines(page);
  bool in_table = false;
  for (std::string line; std::getline(lines, line);) {
    if (line == "| expression | value |") {
      in_table = true;
    } else if (!line.starts_with("|")) {
      in_table = false;
    } else if (in_table && line.starts_with("| `")) {
      const std::string expression = Between(line, "| `", "` | `");
      const std::string value = Between(line, "` | `", "` |");
      examples.push_back({Unescaped(expression), value});
    }
  }
  return examples;
}

TEST(Documentation, ShowsWhatIs) {
  const std::string page = ReadPage();
  const Value contexts = JsonValue(Between(page, "```json\n", "```"));
  ASSERT_EQ(contexts.kind(), Kind::kObject);
  const MapScope scope(contexts.object());
  const std::vector<Example> examples = Examples(page);
  EXPECT_GT(examples.size(), 30U);
  for (const Example& example : examples) {
    const auto value = Evaluated(example.expression, scope);
    if (!value.ok()) {
      ADD_FAILURE() << example.expression << ": " << value.error().message;
      continue;
    }
    EXPECT_EQ(value.value().ToJson(), example.value) << example.expression;
  }
}

TEST(Documentation, NamesEveryFunction) {
  const std::string page = ReadPage();
  for (const std::string_view name : FunctionNames()) {
    EXPECT_NE(page.find("`" + std::string(name) + "("), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace engine::expr

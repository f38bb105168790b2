// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dsl/compile.h"
#include "dsl/source_loader.h"

namespace tests::pipelines {
namespace {

namespace fs = std::filesystem;

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// Texts of the blocks that begin with ```yaml and hold a line `jobs:`.
std::vector<std::string> PipelinesIn(const std::string& document) {
  std::vector<std::string> pipelines;
  const std::string open = "```yaml\n";
  for (std::size_t at = document.find(open); at != std::string::npos;
       at = document.find(open, at + 1)) {
    const std::size_t from = at + open.size();
    std::string text = document.substr(from, document.find("```", from) - from);
    if (text.starts_with("jobs:") || text.find("\njobs:") != std::string::npos) {
      pipelines.push_back(std::move(text));
    }
  }
  return pipelines;
}

void ExpectCompiles(const std::string& path, dsl::SourceLoader& loader) {
  const dsl::Compiled compiled = dsl::Compile(path, loader);
  for (const dsl::Diagnostic& diagnostic : compiled.diagnostics) {
    ADD_FAILURE() << diagnostic.file << ":" << diagnostic.line << ": " << diagnostic.message;
  }
  EXPECT_NE(compiled.plan, nullptr) << path;
}

TEST(ShippedPipelines, Compile) {
  int count = 0;
  for (const auto& entry : fs::directory_iterator(DAYFLY_SOURCE_DIR "/pipelines")) {
    if (entry.path().extension() == ".yml") {
      dsl::DiskSourceLoader loader;
      ExpectCompiles(entry.path().string(), loader);
      ++count;
    }
  }
  EXPECT_GE(count, 1);
}

TEST(DocumentedPipelines, Compile) {
  std::vector<std::string> documents = {DAYFLY_SOURCE_DIR "/README.md"};
  for (const auto& entry : fs::directory_iterator(DAYFLY_SOURCE_DIR "/docs")) {
    if (entry.path().extension() == ".md") {
      documents.push_back(entry.path().string());
    }
  }
  std::size_t count = 0;
  for (const std::string& document : documents) {
    for (const std::string& text : PipelinesIn(ReadFile(document))) {
      SCOPED_TRACE(text);
      dsl::MemorySourceLoader loader;
      loader.Add(document + ".yml", text);
      ExpectCompiles(document + ".yml", loader);
      ++count;
    }
  }
  EXPECT_GE(count, 1U) << "the README shows at least one";
}

}  // namespace
}  // namespace tests::pipelines

// SPDX-License-Identifier: Apache-2.0
// The JSON Schema under a validator that is not ours: what the compiler takes, it takes; slips that
// an editor should underline, it refuses.
#include "dsl/schema.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "dsl/document.h"
#include "dsl/keys.h"
#include "dsl/parse.h"
#include "dsl/reference.h"
#include "dsl/values.h"

namespace tests::pipelines {
namespace {

namespace fs = std::filesystem;

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// The document as JSON, by our own reader: YAML 1.2, in which `on` is a word.
std::string JsonOfYaml(const std::string& text) {
  dsl::Reporter reporter(10);
  const auto document = dsl::Parse("p.yml", text, 0, reporter);
  EXPECT_NE(document, nullptr) << text;
  return document == nullptr ? "null" : dsl::JsonOf(dsl::NodeRef(*document, document->root));
}

/// Validates documents with python3-jsonschema, all in one process.
class Validator {
 public:
  Validator() {
    std::string pattern = (fs::temp_directory_path() / "schema-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~Validator() { fs::remove_all(folder_); }
  Validator(const Validator&) = delete;
  Validator& operator=(const Validator&) = delete;

  void Add(const std::string& yaml) { documents_.push_back(yaml); }
  /// Of each document, in order: "" or the validator's first complaint. Empty: it could not run.
  std::vector<std::string> Run() {
    std::string list;
    for (const std::string& document : documents_) {
      list += JsonOfYaml(document) + "\n";
    }
    Write("documents", list);
    Write("schema.json", dsl::JsonSchema());
    Write("check.py", kScript);
    const std::string command =
        fmt::format("cd '{}' && python3 check.py > complaints", folder_.string());
    // NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): one command, no input of strangers
    if (std::system(command.c_str()) != 0) {
      return {};
    }
    std::vector<std::string> complaints;
    std::ifstream lines(folder_ / "complaints");
    for (std::string line; std::getline(lines, line);) {
      complaints.push_back(line);
    }
    return complaints;
  }
  const std::vector<std::string>& documents() const { return documents_; }

 private:
  static constexpr const char* kScript = R"(import json, jsonschema
schema = json.load(open("schema.json"))
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
for line in open("documents"):
    first = next(validator.iter_errors(json.loads(line)), None)
    print("" if first is None else first.message.replace("\n", " ")[:200])
)";
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }

  fs::path folder_;
  std::vector<std::string> documents_;
};

TEST(JsonSchema, TakesWhatTheCompilerTakes) {
  Validator validator;
  for (const auto& entry : fs::directory_iterator(DAYFLY_SOURCE_DIR "/pipelines")) {
    if (entry.path().extension() == ".yml") {
      validator.Add(ReadFile(entry.path()));
    }
  }
  for (const dsl::KeyRow& row : dsl::AllKeys()) {
    validator.Add(dsl::ExamplePipeline(row));
  }
  const std::vector<std::string> complaints = validator.Run();
  ASSERT_EQ(complaints.size(), validator.documents().size())
      << "python3 or its jsonschema is missing; scripts/bootstrap test installs it";
  for (std::size_t i = 0; i < complaints.size(); ++i) {
    EXPECT_EQ(complaints[i], "") << validator.documents()[i];
  }
}

TEST(JsonSchema, RefusesSlips) {
  Validator validator;
  for (const std::string_view text : {
           "nmae: x",
           "jobs: [a]",
           "jobs: { a: { step: [make] } }",
           "jobs: { a: { steps: { run: make } } }",
           "jobs: { a: { steps: [[make]] } }",
           "jobs: { a: { steps: [{ rnu: make }] } }",
           "jobs: { a: { timeout: 10 minutes } }",
           "jobs: { a: { retry: often } }",
           "jobs: { a: { retry: { mxa: 2 } } }",
           "jobs: { a: { needs: [{ job: b, on: sucess }] } }",
           "jobs: { a: { steps: [{ run: x, continue_on_error: yes }] } }",
           "jobs: { a: { log_limit: lots } }",
           "jobs: { a: { matrix: { os: linux } } }",
           "jobs: { a: { concurrency: { group: x, policy: queu } } }",
           "inputs: { level: { type: text } }",
           "on: { psuh: {} }",
           "templates: { t: { inptus: {} } }",
           "env: [A]",
       }) {
    validator.Add(std::string(text));
  }
  const std::vector<std::string> complaints = validator.Run();
  ASSERT_EQ(complaints.size(), validator.documents().size())
      << "python3 or its jsonschema is missing; scripts/bootstrap test installs it";
  for (std::size_t i = 0; i < complaints.size(); ++i) {
    EXPECT_NE(complaints[i], "") << validator.documents()[i];
  }
}

}  // namespace
}  // namespace tests::pipelines

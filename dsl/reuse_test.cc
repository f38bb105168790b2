// SPDX-License-Identifier: Apache-2.0
// `include`, `templates`, `extends`, `use`: what comes of them, and where it came from.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dsl/pipeline_under_test.h"

namespace dsl {
namespace {

using engine::model::PlanRef;
using engine::model::RareOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

using Files = std::vector<std::pair<std::string, std::string>>;

Compiled CompileFiles(const Files& files, const CompileOptions& options = {}) {
  MemorySourceLoader loader;
  for (const auto& [path, text] : files) {
    loader.Add(path, text);
  }
  return Compile(files.front().first, loader, options);
}

PlanRef PlanOfFiles(const Files& files) {
  Compiled compiled = CompileFiles(files);
  for (const Diagnostic& diagnostic : compiled.diagnostics) {
    ADD_FAILURE() << diagnostic.file << " " << Brief(diagnostic) << ": " << diagnostic.message;
  }
  return compiled.plan;
}

std::vector<std::string> EnvOf(const PlanRef& plan, std::size_t spec) {
  std::vector<std::string> env;
  for (const auto& variable : plan->specs[spec].env) {
    env.push_back(variable.name + "=" + variable.value.text);
  }
  return env;
}

std::vector<std::string> RunsOf(const PlanRef& plan, std::size_t spec) {
  std::vector<std::string> runs;
  for (const auto& step : plan->specs[spec].steps) {
    runs.push_back(step.run.text);
  }
  return runs;
}

/// `p.yml:1:2 message` of each related place.
std::vector<std::string> Way(const Diagnostic& diagnostic) {
  std::vector<std::string> way;
  for (const RelatedPlace& place : diagnostic.related) {
    way.push_back(fmt::format("{}:{}:{} {}", place.file, place.line, place.column, place.message));
  }
  return way;
}

// ---- extends

TEST(Extends, LaysAJobOverItsTemplates) {
  const PlanRef plan = PlanOf(R"(
templates:
  base: { timeout: 5m, retry: { max: 2, backoff: { initial: 3s } }, env: { A: base, B: base } }
  fast: { timeout: 1m, env: { B: fast }, steps: [make fast] }
jobs:
  a: { extends: [base, fast], env: { C: a }, retry: { max: 1 } }
  b: { extends: [fast, base], steps: [make b] }
)");
  ASSERT_NE(plan, nullptr);
  EXPECT_EQ(plan->specs[0].timeout, 1min);
  EXPECT_EQ(plan->specs[1].timeout, 5min);
  EXPECT_THAT(EnvOf(plan, 0), ElementsAre("A=base", "B=fast", "C=a"));
  EXPECT_EQ(RareOf(plan->specs[0]).retry.max, 1U);
  EXPECT_EQ(RareOf(plan->specs[0]).retry.initial, 3s);
  EXPECT_THAT(RunsOf(plan, 0), ElementsAre("make fast"));
  EXPECT_THAT(RunsOf(plan, 1), ElementsAre("make b"));
}

TEST(Extends, FollowsTemplatesOfTemplates) {
  const PlanRef plan = PlanOf(R"(
templates:
  base: { priority: 1, timeout: 1m, env: { X: base }, steps: [x] }
  left: { extends: base, priority: 2 }
  right: { extends: base, env: { X: right } }
jobs:
  a: { extends: [left, right] }
)");
  ASSERT_NE(plan, nullptr);
  // `base` comes once, so `right` does not undo what `left` laid over it.
  EXPECT_EQ(plan->specs[0].priority, 2);
  EXPECT_THAT(EnvOf(plan, 0), ElementsAre("X=right"));
}

TEST(Extends, TakesAwayWithNull) {
  const PlanRef plan = PlanOf(R"(
defaults: { queue_timeout: 2m, env: { D: d } }
templates:
  base: { timeout: 5m, env: { A: base, B: base }, finally: [f], steps: [x] }
  less: { extends: base, finally: ~ }
jobs:
  a: { extends: less, timeout: null, env: { A: ~, N: } }
  b: { extends: base, env: , queue_timeout: null }
)");
  ASSERT_NE(plan, nullptr);
  EXPECT_EQ(plan->specs[0].timeout.count(), 0);
  EXPECT_THAT(EnvOf(plan, 0), ElementsAre("D=d", "B=base", "N="));
  EXPECT_TRUE(RareOf(plan->specs[0]).finally_steps.empty());
  EXPECT_THAT(EnvOf(plan, 1), ElementsAre("D=d"));
  EXPECT_EQ(RareOf(plan->specs[0]).queue_timeout, 2min);
  EXPECT_EQ(RareOf(plan->specs[1]).queue_timeout.count(), 0);
}

TEST(Extends, WorksTogetherWithMergeKeys) {
  const PlanRef plan = PlanOf(R"(
templates:
  one: &one { env: { A: one }, priority: 1 }
  two: { <<: *one, timeout: 2m, steps: [x] }
jobs:
  a: &a { extends: two, env: { B: a } }
  b: { <<: [*a, { priority: 7 }] }
)");
  ASSERT_NE(plan, nullptr);
  EXPECT_THAT(EnvOf(plan, 0), ElementsAre("A=one", "B=a"));
  EXPECT_EQ(plan->specs[1].priority, 7);
  EXPECT_EQ(plan->specs[1].timeout, 2min);
}

TEST(Extends, TellsWhereAValueIsWrittenAndUsed) {
  const Compiled compiled = CompileText(
      "templates:\n"
      "  base: { timeout: soon, steps: [x] }\n"
      "  more: { extends: base }\n"
      "jobs:\n"
      "  a: { extends: [more] }\n");
  ASSERT_EQ(compiled.diagnostics.size(), 1U);
  EXPECT_EQ(Brief(compiled.diagnostics[0]), "wrong-value 2:20");
  EXPECT_THAT(Way(compiled.diagnostics[0]),
              ElementsAre("p.yml:3:20 extended here", "p.yml:5:18 extended here"));
}

TEST(Extends, ReportsAFaultOfATemplateOnce) {
  std::string text = "templates: { base: { timeout: soon, steps: [x] } }\njobs:\n";
  for (int i = 0; i < 3000; ++i) {
    text += fmt::format("  j{}: {{ extends: base }}\n", i);
  }
  EXPECT_THAT(Brief(CompileText(text).diagnostics), ElementsAre("wrong-value 1:31"));
}

TEST(Extends, ShowsACycleAsItsPath) {
  const Compiled compiled = CompileText(
      "templates:\n"
      "  a: { extends: b, steps: [x] }\n"
      "  b: { extends: c }\n"
      "  c: { extends: a }\n"
      "jobs: { j: { extends: b } }\n");
  ASSERT_EQ(compiled.diagnostics.size(), 1U);
  EXPECT_EQ(Brief(compiled.diagnostics[0]), "template-cycle 2:17");
  EXPECT_THAT(compiled.diagnostics[0].message, HasSubstr("b → c → a → b"));
}

TEST(Extends, IsBoundedInSize) {
  // Each template extends all before it, each time with another value: paths double at every level.
  std::string text = "templates:\n  t0: { inputs: { n: {} }, steps: [x] }\n";
  for (int i = 1; i < 40; ++i) {
    text += fmt::format(
        "  t{0}: {{ inputs: {{ n: {{}} }}, extends: [{{ template: t{1}, with: {{ n: "
        "\"a${{{{ inputs.n }}}}\" }} }}, {{ template: t{1}, with: {{ n: \"b${{{{ inputs.n }}}}\" "
        "}} "
        "}}] }}\n",
        i, i - 1);
  }
  const Compiled compiled = CompileText(text + "jobs: { a: { extends: t39 } }");
  ASSERT_EQ(compiled.diagnostics.size(), 1U);
  EXPECT_EQ(compiled.diagnostics[0].code, "too-many-templates");
}

// ---- inputs of templates

constexpr std::string_view kTypedTemplate = R"(
inputs: { level: {} }
templates:
  suite:
    inputs:
      name: { required: true }
      minutes: { type: number, default: 5 }
      fast: { type: boolean }
      mode: { type: choice, options: [quick, full], default: quick }
    timeout: ${{ inputs.minutes }}
    matrix: { n: [1, 2], fail_fast: "${{ inputs.fast }}" }
    if: inputs.mode == 'full' || inputs.level == 'x'
    env: { MODE: "${{ inputs.mode }}", LEVEL: "${{ inputs.level }}" }
    steps:
      - make ${{ inputs.name }}
      - echo ${{ format('{0}-{1}', inputs.name, branch) }}
)";

TEST(TemplateInputs, KeepTheirTypes) {
  const PlanRef plan = PlanOf(std::string(kTypedTemplate) + R"(
jobs:
  core: { extends: { template: suite, with: { name: core } } }
  net: { extends: [{ template: suite, with: { name: it's, minutes: 90, fast: true, mode: full } }] }
)");
  ASSERT_NE(plan, nullptr);
  EXPECT_EQ(plan->specs[0].timeout, 5s);
  EXPECT_EQ(plan->specs[1].timeout, 90s);
  EXPECT_FALSE(plan->specs[0].matrix->fail_fast);
  EXPECT_TRUE(plan->specs[1].matrix->fail_fast);
  EXPECT_THAT(EnvOf(plan, 1), ElementsAre("MODE=full", "LEVEL=${{ inputs.level }}"));
  EXPECT_EQ(plan->specs[0].condition.text, "'quick' == 'full' || inputs.level == 'x'");
  EXPECT_THAT(RunsOf(plan, 0),
              ElementsAre("make core", "echo ${{ format('{0}-{1}', 'core', branch) }}"));
  EXPECT_FALSE(plan->specs[0].steps[0].run.has_expression);
  EXPECT_THAT(plan->specs[0].steps[0].argv, ElementsAre("make", "core"));
  EXPECT_THAT(RunsOf(plan, 1),
              ElementsAre("make it's", "echo ${{ format('{0}-{1}', 'it''s', branch) }}"));
}

TEST(TemplateInputs, TakeExpressions) {
  const PlanRef plan = PlanOf(R"(
inputs: { level: {} }
templates:
  inner: { inputs: { v: {} }, steps: ["echo ${{ inputs.v }}!"] }
  outer: { inputs: { w: {} }, extends: { template: inner, with: { v: "${{ inputs.w }}" } } }
jobs:
  a: { extends: { template: outer, with: { w: "${{ inputs.level || tag }}" } } }
  b: { extends: { template: outer, with: { w: plain } } }
)");
  ASSERT_NE(plan, nullptr);
  EXPECT_THAT(RunsOf(plan, 0), ElementsAre("echo ${{ ((inputs.level || tag)) }}!"));
  EXPECT_THAT(RunsOf(plan, 1), ElementsAre("echo plain!"));
}

TEST(TemplateInputs, AreCheckedAgainstTheirTypes) {
  const Compiled compiled = CompileText(
      "templates:\n"
      "  t: { inputs: { n: { type: number }, r: { required: true } }, steps: [x] }\n"
      "jobs:\n"
      "  a: { extends: { template: t, with: { n: many, r: x } } }\n"
      "  b: { extends: t }\n"
      "  c: { extends: { template: t, with: { R: x, r: \"a${{ tag }}\" } } }\n"
      "  d: { extends: { template: t, with: { r: [x] } } }\n");
  EXPECT_THAT(Brief(compiled.diagnostics),
              ElementsAre("bad-input 4:43", "missing-input 5:17", "unknown-input 6:40",
                          "mixed-input 6:49", "wrong-type 7:43"));
}

// ---- use

TEST(Use, PutsTheStepsOfATemplateInItsPlace) {
  const PlanRef plan = PlanOf(R"(
templates:
  get: { inputs: { what: {} }, steps: ["fetch ${{ inputs.what }}"] }
  setup:
    inputs: { what: { default: tools } }
    steps:
      - { use: get, with: { what: "${{ inputs.what }}" } }
      - id: made
        run: make
jobs:
  a:
    before: [{ use: get, with: { what: keys } }]
    steps:
      - use: setup
      - run: echo ${{ steps.made.outputs.x }}
    finally: [{ use: get }]
)");
  ASSERT_NE(plan, nullptr);
  EXPECT_THAT(RunsOf(plan, 0),
              ElementsAre("fetch keys", "fetch tools", "make", "echo ${{ steps.made.outputs.x }}"));
  EXPECT_EQ(RareOf(plan->specs[0]).finally_steps.at(0).run.text, "fetch ");
}

TEST(Use, TellsTheWholeWay) {
  const Compiled compiled = CompileText(
      "templates:\n"
      "  deep: { steps: [{ run: x, timeout: soon }] }\n"
      "  setup: { steps: [{ use: deep }] }\n"
      "  job: { steps: [{ use: setup }] }\n"
      "jobs:\n"
      "  a: { extends: job }\n");
  ASSERT_EQ(compiled.diagnostics.size(), 1U);
  EXPECT_EQ(Brief(compiled.diagnostics[0]), "wrong-value 2:38");
  EXPECT_THAT(
      Way(compiled.diagnostics[0]),
      ElementsAre("p.yml:3:27 used here", "p.yml:4:25 used here", "p.yml:6:17 extended here"));
}

// ---- include

TEST(Include, LaysAFileOverWhatItIncludes) {
  const PlanRef plan = PlanOfFiles({
      {"ci/p.yml",
       "include: [../lib/a.yml, b.yml]\nenv: { X: p }\n"
       "jobs: { j: { extends: t, timeout: 9m }, shared: { timeout: 3m } }"},
      {"lib/a.yml",
       "name: a\ninclude: base.yml\nenv: { A: a, X: a }\ntemplates: { t: { steps: [t] } }"},
      {"lib/base.yml", "env: { BASE: base, A: base }\njobs: { shared: { steps: [s] } }"},
      {"ci/b.yml", "include: { file: ../lib/base.yml }\nenv: { B: b }"},
  });
  ASSERT_NE(plan, nullptr);
  EXPECT_EQ(plan->name, "p");
  EXPECT_THAT(plan->files, ElementsAre("ci/p.yml", "lib/a.yml", "lib/base.yml", "ci/b.yml"));
  std::vector<std::string> env;
  for (const auto& variable : plan->env) {
    env.push_back(variable.name + "=" + variable.value.text);
  }
  EXPECT_THAT(env, ElementsAre("BASE=base", "A=a", "X=p", "B=b"));
  ASSERT_EQ(plan->specs.size(), 2U);
  EXPECT_EQ(plan->specs[0].name, "shared");
  EXPECT_EQ(plan->specs[0].timeout, 3min);
  EXPECT_EQ(plan->specs[0].steps[0].run.at.file, 2U);
  EXPECT_EQ(plan->specs[1].steps[0].run.at.file, 1U);
}

TEST(Include, TellsThroughWhichFilesAValueCame) {
  const Compiled compiled = CompileFiles({
      {"p.yml", "include:\n  - lib/a.yml\njobs: { j: { steps: [x] } }"},
      {"lib/a.yml", "include: [b.yml]\n"},
      {"lib/b.yml", "env: { 1X: y }\njobs: {\n"},
  });
  ASSERT_EQ(compiled.diagnostics.size(), 1U);
  EXPECT_EQ(compiled.diagnostics[0].file, "lib/b.yml");
  EXPECT_EQ(compiled.diagnostics[0].code, "yaml-syntax");
  EXPECT_THAT(Way(compiled.diagnostics[0]),
              ElementsAre("lib/a.yml:1:11 included here", "p.yml:2:5 included here"));
}

TEST(Include, ShowsACycleAsItsPath) {
  const Compiled compiled = CompileFiles({
      {"p.yml", "include: a.yml\njobs: { j: { steps: [x] } }"},
      {"a.yml", "include: b.yml\n"},
      {"b.yml", "env: {}\ninclude: [a.yml]\n"},
  });
  ASSERT_EQ(compiled.diagnostics.size(), 1U);
  EXPECT_EQ(compiled.diagnostics[0].file, "b.yml");
  EXPECT_EQ(Brief(compiled.diagnostics[0]), "include-cycle 2:11");
  EXPECT_THAT(compiled.diagnostics[0].message, HasSubstr("a.yml → b.yml → a.yml"));
}

TEST(Include, IsBoundedInNumber) {
  Files files = {{"p.yml", "jobs: { j: { steps: [x] } }\ninclude:\n"}};
  for (int i = 0; i < 5; ++i) {
    files[0].second += fmt::format("  - f{}.yml\n", i);
    files.emplace_back(fmt::format("f{}.yml", i), "env: {}\n");
  }
  CompileOptions options;
  options.includes_max = 5;
  EXPECT_THAT(CompileFiles(files, options).diagnostics, IsEmpty());
  options.includes_max = 3;
  const Compiled compiled = CompileFiles(files, options);
  ASSERT_EQ(compiled.diagnostics.size(), 1U);
  EXPECT_EQ(Brief(compiled.diagnostics[0]), "too-many-includes 6:5");
  EXPECT_THAT(compiled.diagnostics[0].message, HasSubstr("3 files"));
  EXPECT_THAT(compiled.diagnostics[0].hint, HasSubstr("DAYFLY_INCLUDES_MAX"));
}

TEST(Include, OfAnotherRepositoryThatIsNotThere) {
  const std::string text =
      "include: [{ repo: https://example.org/x.git, ref: v1, file: a.yml }]\n"
      "jobs: { j: { extends: from-there } }";
  // What may stand in the file that could not be read is not missed.
  EXPECT_THAT(Brief(CompileText(text).diagnostics), ElementsAre("missing-file 1:61"));
}

TEST(Include, ReadsOtherRepositories) {
  MemorySourceLoader loader;
  loader.Add("p.yml",
             "include: [{ repo: r, ref: v1, file: ci/a.yml }]\njobs: { j: { extends: t } }");
  loader.Add("r@v1:ci/a.yml", "include: b.yml");
  loader.Add("r@v1:ci/b.yml", "templates: { t: { steps: [x] } }");
  const Compiled compiled = Compile("p.yml", loader);
  EXPECT_THAT(compiled.diagnostics, IsEmpty());
  ASSERT_NE(compiled.plan, nullptr);
  EXPECT_THAT(compiled.plan->files, ElementsAre("p.yml", "r@v1:ci/a.yml", "r@v1:ci/b.yml"));
}

// ---- jobs made of one

TEST(Parallel, MakesEqualJobs) {
  const PlanRef plan = PlanOf(
      "jobs: { a: { parallel: 3, steps: [\"x ${{ matrix.index }}/${{ matrix.total }}\"] } }");
  ASSERT_NE(plan, nullptr);
  ASSERT_EQ(plan->jobs.size(), 3U);
  EXPECT_EQ(JobName(*plan, engine::model::JobIndex(2)), "a[3, 3]");
}

TEST(Finally, JobsWaitForTheEndOfAllOthers) {
  const PlanRef plan = PlanOf(R"(
stages: [one]
jobs:
  a: { stage: one, steps: [x] }
  b: { needs: [a], steps: [x] }
finally:
  report: { steps: ["echo ${{ needs.a.result }}"] }
  mail: { needs: [{ job: report }], if: branch == 'main', steps: [x] }
)");
  ASSERT_NE(plan, nullptr);
  using engine::model::Need;
  using engine::model::NeedOn;
  using engine::model::SpecIndex;
  const Need a{.spec = SpecIndex(0), .on = NeedOn::kEnd};
  const Need b{.spec = SpecIndex(1), .on = NeedOn::kEnd};
  EXPECT_THAT(plan->specs[2].needs, ElementsAre(a, b));
  EXPECT_EQ(plan->specs[2].condition.text, "always()");
  EXPECT_TRUE(plan->specs[2].condition.decides_alone);
  EXPECT_THAT(plan->specs[3].needs, ElementsAre(Need{.spec = SpecIndex(2)}, a, b));
  EXPECT_EQ(plan->specs[3].condition.text, "always() && (branch == 'main')");
}

}  // namespace
}  // namespace dsl

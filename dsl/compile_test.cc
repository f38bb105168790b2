// SPDX-License-Identifier: Apache-2.0
// What stands in the plan of a pipeline that has no fault.
#include "dsl/compile.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dsl/keys.h"
#include "dsl/pipeline_under_test.h"

namespace dsl {
namespace {

using engine::model::JobSpec;
using engine::model::Need;
using engine::model::NeedOn;
using engine::model::PlanRef;
using engine::model::RareOf;
using engine::model::RetryOn;
using engine::model::SpecIndex;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

TEST(Compile, NamesAPipelineAfterItsFile) {
  MemorySourceLoader loader;
  loader.Add(".dayfly/nightly.yml", "jobs: { a: { steps: [x] } }");
  const Compiled compiled = Compile(".dayfly/nightly.yml", loader);
  ASSERT_NE(compiled.plan, nullptr);
  EXPECT_EQ(compiled.plan->name, "nightly");
  EXPECT_THAT(compiled.plan->files, ElementsAre(".dayfly/nightly.yml"));
}

TEST(Compile, KeepsStepsWithTheirPlaces) {
  const PlanRef plan = PlanOf(R"(jobs:
  a:
    steps:
      - make all
      - id: t
        name: Test it
        run: |
          make test
          echo ${{ branch }}
        shell: bash
        workdir: src
        env: { A: 1.50, B: "${{ tag }}", C: }
        if: ${{ failure() }}
        timeout: 90
        continue_on_error: true
)");
  ASSERT_NE(plan, nullptr);
  const auto& steps = plan->specs[0].steps;
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].run.text, "make all");
  EXPECT_THAT(steps[0].argv, ElementsAre("make", "all"));
  EXPECT_EQ(steps[1].id, "t");
  EXPECT_EQ(steps[1].name, "Test it");
  EXPECT_EQ(steps[1].run.text, "make test\necho ${{ branch }}\n");
  EXPECT_TRUE(steps[1].run.has_expression);
  EXPECT_EQ(steps[1].run.at.line, 7U);
  EXPECT_TRUE(steps[1].argv.empty());
  EXPECT_EQ(steps[1].shell, "bash");
  EXPECT_EQ(steps[1].workdir.text, "src");
  ASSERT_EQ(steps[1].env.size(), 3U);
  EXPECT_EQ(steps[1].env[0].value.text, "1.50");
  EXPECT_TRUE(steps[1].env[1].value.has_expression);
  EXPECT_EQ(steps[1].env[2].value.text, "");
  EXPECT_EQ(steps[1].condition.text, "failure()");
  EXPECT_TRUE(steps[1].condition.decides_alone);
  EXPECT_EQ(steps[1].condition.at.line, 13U);
  EXPECT_EQ(steps[1].condition.at.column, 17U);
  EXPECT_EQ(steps[1].timeout, 90s);
  EXPECT_TRUE(steps[1].continue_on_error);
}

TEST(Compile, PutsBeforeAndAfterAroundTheSteps) {
  const PlanRef plan = PlanOf(R"(
defaults: { before: [b0], after: [a0], shell: bash, workdir: w, finally: [f0] }
jobs:
  a: { steps: [s] }
  b: { before: [], steps: [{ run: s, shell: sh, workdir: v }], after: a1, finally: [] }
)");
  ASSERT_NE(plan, nullptr);
  const auto runs = [](const std::vector<engine::model::StepSpec>& steps) {
    std::vector<std::string> texts;
    for (const auto& step : steps) {
      texts.push_back(fmt::format("{} {} {}", step.run.text, step.shell, step.workdir.text));
    }
    return texts;
  };
  EXPECT_THAT(runs(plan->specs[0].steps), ElementsAre("b0 bash w", "s bash w", "a0 bash w"));
  EXPECT_THAT(runs(RareOf(plan->specs[0]).finally_steps), ElementsAre("f0 bash w"));
  EXPECT_THAT(runs(plan->specs[1].steps), ElementsAre("s sh v", "a1 bash w"));
  EXPECT_TRUE(RareOf(plan->specs[1]).finally_steps.empty());
}

TEST(Compile, MergesDefaultsIntoJobs) {
  const PlanRef plan = PlanOf(R"(
defaults: { timeout: 5m, retry: 1, env: { A: d, B: d }, priority: 3 }
jobs:
  a: { steps: [x] }
  b: { steps: [x], timeout: 1h30m, retry: 0, env: { B: j, C: j } }
)");
  ASSERT_NE(plan, nullptr);
  EXPECT_EQ(plan->specs[0].timeout, 5min);
  EXPECT_EQ(RareOf(plan->specs[0]).retry.max, 1U);
  EXPECT_EQ(plan->specs[1].timeout, 90min);
  EXPECT_EQ(RareOf(plan->specs[1]).retry.max, 0U);
  EXPECT_EQ(plan->specs[1].priority, 3);
  std::vector<std::string> env;
  for (const auto& variable : plan->specs[1].env) {
    env.push_back(variable.name + "=" + variable.value.text);
  }
  EXPECT_THAT(env, ElementsAre("A=d", "B=j", "C=j"));
}

TEST(Compile, ReadsNeedsInAllTheirForms) {
  const PlanRef plan = PlanOf(R"(
jobs:
  a: { steps: [x], artifacts: { upload: [{ name: p, paths: x }, { name: q, paths: [x, y/*] }] } }
  b: { needs: a, steps: [x] }
  c: { needs: [{ job: a, artifacts: true }, b], steps: [x] }
  d: { needs: { job: a, on: failure, optional: true, artifacts: [p, q] }, steps: [x] }
  e: { needs: [{ job: nobody-of-that-name, optional: true }], steps: [x] }
)");
  ASSERT_NE(plan, nullptr);
  const Need success_of_a{SpecIndex(0), NeedOn::kSuccess, false, 0};
  EXPECT_THAT(plan->specs[1].needs, ElementsAre(success_of_a));
  EXPECT_THAT(plan->specs[2].needs, ElementsAre(Need{SpecIndex(0), NeedOn::kSuccess, false, 1},
                                                Need{SpecIndex(1), NeedOn::kSuccess, false, 0}));
  EXPECT_THAT(plan->specs[3].needs, ElementsAre(Need{SpecIndex(0), NeedOn::kFailure, true, 2}));
  EXPECT_THAT(RareOf(plan->specs[3]).need_artifacts, ElementsAre(ElementsAre("p", "q")));
  EXPECT_TRUE(plan->specs[4].has_needs);
  EXPECT_TRUE(plan->specs[4].needs.empty());
  EXPECT_FALSE(plan->specs[0].has_needs);
}

TEST(Compile, ReadsWhatFewJobsSet) {
  const PlanRef plan = PlanOf(R"(
jobs:
  a:
    queue_timeout: 1h
    log_limit: 64MiB
    pool: large
    retry: { max: 3, on: [infra, oom, 75, 3], backoff: { initial: 5s, factor: 3, max: 2m, jitter: 0 } }
    allow_failure: { exit_codes: [1, 2] }
    steps: [{ id: v, run: x }]
    outputs: { v: "${{ steps.v.outputs.v }}" }
    artifacts: { upload: [{ name: "n-${{ branch }}", paths: out }] }
  b: { checkout: false, allow_failure: true, steps: [x] }
)");
  ASSERT_NE(plan, nullptr);
  const engine::model::RareJobSettings& rare = RareOf(plan->specs[0]);
  EXPECT_EQ(rare.queue_timeout, 1h);
  EXPECT_EQ(rare.log_limit, 64ULL << 20);
  EXPECT_EQ(rare.pool, "large");
  EXPECT_EQ(PoolOf(plan->specs[1]), engine::model::kDefaultPool);
  EXPECT_EQ(rare.retry.max, 3U);
  EXPECT_EQ(rare.retry.on, static_cast<std::uint8_t>(RetryOn::kInfra) |
                               static_cast<std::uint8_t>(RetryOn::kOom) |
                               static_cast<std::uint8_t>(RetryOn::kListedExits));
  EXPECT_THAT(rare.retry.exit_codes, ElementsAre(75, 3));
  EXPECT_EQ(rare.retry.initial, 5s);
  EXPECT_EQ(rare.retry.longest, 2min);
  EXPECT_THAT(rare.allow_failure.exit_codes, ElementsAre(1, 2));
  EXPECT_EQ(rare.outputs.at(0).name, "v");
  EXPECT_EQ(rare.uploads.at(0).name, "n-${{ branch }}");
  EXPECT_THAT(rare.uploads.at(0).paths, ElementsAre("out"));
  EXPECT_FALSE(RareOf(plan->specs[1]).checkout.enabled);
  EXPECT_TRUE(RareOf(plan->specs[1]).allow_failure.any);
}

TEST(Compile, KeepsSmallJobsSmall) {
  const PlanRef plan = PlanOf("jobs: { a: { steps: [{ run: \"true\" }] } }");
  ASSERT_NE(plan, nullptr);
  EXPECT_EQ(plan->specs[0].rare, nullptr);
  EXPECT_EQ(plan->specs[0].matrix, nullptr);
  EXPECT_THAT(plan->specs[0].steps[0].argv, ElementsAre("true"));
}

TEST(Compile, UnescapesTextWithoutExpressions) {
  const PlanRef plan = PlanOf("env: { A: \"$${{ x }}\" }\njobs: { a: { steps: [x] } }");
  ASSERT_NE(plan, nullptr);
  EXPECT_EQ(plan->env[0].value.text, "${{ x }}");
  EXPECT_FALSE(plan->env[0].value.has_expression);
}

TEST(Compile, TakesConditionsWithAndWithoutBraces) {
  for (const std::string_view text :
       {"branch == 'main'", "\"${{ branch == 'main' }}\"", "${{branch == 'main'}}"}) {
    const PlanRef plan = PlanOf(fmt::format("jobs:\n  a:\n    if: {}\n    steps: [x]\n", text));
    ASSERT_NE(plan, nullptr);
    EXPECT_EQ(plan->specs[0].condition.text, "branch == 'main'");
    EXPECT_FALSE(plan->specs[0].condition.decides_alone);
  }
}

TEST(Compile, ShowsEveryCycleWithItsPath) {
  const Compiled compiled = CompileText(R"(jobs:
  a: { needs: [c], steps: [x] }
  b: { needs: [a], steps: [x] }
  c: { needs: [b], steps: [x] }
  d: { needs: [e], steps: [x] }
  e: { needs: [d], steps: [x] }
)");
  ASSERT_EQ(compiled.diagnostics.size(), 2U);
  EXPECT_THAT(compiled.diagnostics[0].message, HasSubstr("a → c → b → a"));
  EXPECT_THAT(compiled.diagnostics[1].message, HasSubstr("d → e → d"));
}

TEST(Compile, FindsCyclesThroughStages) {
  const Compiled compiled = CompileText(R"(stages: [build, test]
jobs:
  compile: { stage: build, needs: [tool], steps: [x] }
  tool: { needs: [unit], steps: [x] }
  unit: { stage: test, steps: [x] }
)");
  ASSERT_EQ(compiled.diagnostics.size(), 1U);
  EXPECT_EQ(compiled.diagnostics[0].code, "cycle");
  EXPECT_THAT(compiled.diagnostics[0].message, HasSubstr("compile → tool → unit → compile"));
}

TEST(Compile, LetsJobsReadWhatHasEndedForCertain) {
  EXPECT_NE(PlanOf(R"(
stages: [a, b]
jobs:
  one: { stage: a, steps: [x] }
  two: { stage: b, if: "${{ jobs.one.result == 'succeeded' }}", steps: [x] }
  three: { needs: [two], if: "${{ jobs.one.result == 'succeeded' }}", steps: [x] }
)"),
            nullptr);
}

TEST(Compile, MarksOutputsThatTheEngineReads) {
  const PlanRef plan = PlanOf(R"(jobs:
  list:
    outputs: { all: "1", flag: "1", name: "1", text: "1" }
    steps: [x]
  whole:
    outputs: { a: "1", b: "1" }
    steps: [x]
  far:
    outputs: { a: "1", b: "1" }
    steps: [x]
  each:
    needs: [list, whole]
    if: needs.list.outputs.flag == '1' && needs.list.result == 'succeeded'
    for_each: ${{ fromJSON(needs.list.outputs.all) }}
    concurrency: "deploy-${{ needs.list.outputs.name }}"
    env: { ALL: "${{ toJSON(needs.whole.outputs) }}" }
    steps: ["echo ${{ needs.list.outputs.text }}"]
  last:
    needs: [each, far]
    if: jobs.far.outputs['a'] == '1'
    steps: [x]
)");
  ASSERT_NE(plan, nullptr);
  EXPECT_THAT(RareOf(plan->specs[0]).engine_outputs, ElementsAre("all", "flag", "name"));
  EXPECT_THAT(RareOf(plan->specs[1]).engine_outputs, ElementsAre("a", "b"));
  EXPECT_THAT(RareOf(plan->specs[2]).engine_outputs, ElementsAre("a"));
}

TEST(Compile, MarksAllOutputsWhereAnyMayBeRead) {
  const PlanRef plan = PlanOf(R"(inputs: { which: { default: a } }
jobs:
  a: { outputs: { x: "1" }, steps: [x] }
  b: { outputs: { x: "1" }, steps: [x] }
  c: { needs: [a], if: "needs[inputs.which].result == 'failed'", steps: [x] }
  d: { needs: [a], steps: ["echo ${{ toJSON(needs) }}"] }
)");
  ASSERT_NE(plan, nullptr);
  EXPECT_THAT(RareOf(plan->specs[0]).engine_outputs, ElementsAre("x"));
  EXPECT_THAT(RareOf(plan->specs[1]).engine_outputs, testing::IsEmpty());
}

TEST(Compile, TellsWhatComesLaterByPurpose) {
  const std::string text =
      "on: { schedule: { cron: \"0 3 * * *\", catch_up: all } }\njobs: { a: { steps: [x] } }";
  EXPECT_EQ(CompileText(text, {.purpose = Purpose::kRun}).plan, nullptr);
  for (const Purpose purpose : {Purpose::kPlan, Purpose::kValidate}) {
    const Compiled compiled = CompileText(text, {.purpose = purpose});
    EXPECT_NE(compiled.plan, nullptr);
    EXPECT_THAT(Brief(compiled.diagnostics), ElementsAre("later-key 1:38 (warning)"));
  }
}

TEST(Compile, SaysWhereAJobMayRun) {
  const auto plan = PlanOf(R"(
jobs:
  a: { requires: { os: linux, arch: arm64 }, resources: { cpu: 1.5, memory: 4GiB, disk: 1KiB, gpu: 2 }, steps: [x] }
  b: { requires: [gpu, disk=ssd], steps: [x] }
  c: { image: "gcc:${{ inputs.version }}", network: none, steps: [x] }
  d: { sandbox: vm, steps: [x], services: { db: { image: "postgres:15" } } }
  e: { steps: [x], services: { db: { image: x, run: y } } }
  f: { steps: [x] }
inputs: { version: {} }
)");
  ASSERT_NE(plan, nullptr);
  using engine::model::Label;
  using engine::model::NetworkKind;
  using engine::model::SandboxKind;
  const auto place = [&](std::size_t spec) { return *plan->specs[spec].rare->place; };
  EXPECT_EQ(place(0).need.labels, (std::vector<Label>{{"arch", "arm64"}, {"os", "linux"}}));
  EXPECT_EQ(place(0).need.resources, (engine::model::Resources{1500, 4ULL << 30, 1024, 2}));
  EXPECT_EQ(place(0).at, (engine::model::SourcePosition{0, 3, 18}));
  EXPECT_EQ(place(1).need.labels, (std::vector<Label>{{"disk", "ssd"}, {"gpu", ""}}));
  EXPECT_EQ(place(2).need.sandbox, SandboxKind::kContainer);
  EXPECT_EQ(place(2).need.network, NetworkKind::kNone);
  EXPECT_EQ(place(2).image.text, "gcc:${{ inputs.version }}");
  EXPECT_EQ(place(3).need.sandbox, SandboxKind::kVm);
  EXPECT_TRUE(place(3).need.service_images);
  EXPECT_EQ(plan->specs[3].rare->services[0].image.text, "postgres:15");
  EXPECT_TRUE(place(4).need.service_images);
  EXPECT_EQ(place(4).at.line, 7U);
  EXPECT_EQ(plan->specs[5].rare, nullptr);
}

TEST(Compile, HintsAtWhatWasMeant) {
  const struct {
    const char* text;
    const char* hint;
  } cases[] = {
      {"jobs: { a: { stpes: [x] } }", "did you mean 'steps'?"},
      {"jobs: { a: { script: [x], steps: [x] } }", "commands stand under `steps`"},
      {"jobs: { build: { steps: [x] }, b: { needs: [biuld], steps: [x] } }", "'build'"},
      {"jobs: { a: { allow_failure: yes, steps: [x] } }", "write true"},
      {"stages: [a, b]\njobs: { c: { steps: [x] }, d: { stage: a, steps: [x] }, e: { stage: b, "
       "steps: [x] } }",
       "stages are a, b"},
      {"inputs: { level: {} }\njobs: { a: { if: inputs.levle, steps: [x] } }", "'level'"},
      {"jobs:\n  a:\n    steps: [x ${{ branch }} y]\n", "must be quoted"},
  };
  for (const auto& c : cases) {
    const Compiled compiled = CompileText(c.text);
    ASSERT_EQ(compiled.diagnostics.size(), 1U) << c.text;
    EXPECT_THAT(compiled.diagnostics[0].hint, HasSubstr(c.hint));
  }
}

TEST(Compile, BoundsTheNumberOfDiagnostics) {
  std::string text = "jobs:\n";
  for (int i = 0; i < 100; ++i) {
    text += fmt::format("  j{}: {{ stpes: [x] }}\n", i);
  }
  const Compiled compiled = CompileText(text, {.diagnostics_max = 10});
  ASSERT_EQ(compiled.diagnostics.size(), 11U);
  EXPECT_EQ(compiled.diagnostics.back().code, "too-many-problems");
  EXPECT_THAT(compiled.diagnostics.back().message, HasSubstr("90 more problems"));
}

TEST(Compile, KnowsThePoolsOfItsServer) {
  const std::string text = "jobs:\n  a: { pool: lage, steps: [x] }\n  b: { steps: [x] }\n";
  const Compiled compiled = CompileText(text, {.pools = {"large", "small"}});
  ASSERT_EQ(compiled.diagnostics.size(), 2U);
  EXPECT_EQ(compiled.diagnostics[0].code, "unknown-pool");
  EXPECT_THAT(compiled.diagnostics[0].hint, HasSubstr("large"));
  EXPECT_THAT(compiled.diagnostics[1].message, HasSubstr("'default'"));
  EXPECT_NE(CompileText(text, {.pools = {"default", "lage"}}).plan, nullptr);
}

TEST(Compile, ThisMachineIsAWorkerOfEveryPool) {
  const Compiled compiled =
      CompileText("jobs: { a: { pool: large, steps: [x] } }", {.one_pool = true});
  ASSERT_NE(compiled.plan, nullptr);
  EXPECT_EQ(PoolOf(compiled.plan->specs[0]), engine::model::kDefaultPool);
}

TEST(Services, TakeTheShellOfTheirOwnOrOfTheDefaults) {
  const auto plan = PlanOf(R"(
defaults: { shell: bash }
jobs:
  a:
    steps: [x]
    services:
      by_default: { run: x }
      own: { run: x, shell: "python3 {0}" }
      of_an_image: { image: i, run: x }
      own_of_an_image: { image: i, run: x, shell: sh }
)");
  ASSERT_NE(plan, nullptr);
  const auto& steps = plan->specs[0].steps;
  EXPECT_EQ(steps[0].shell, "bash");
  EXPECT_EQ(steps[1].shell, "python3 {0}");
  EXPECT_EQ(steps[2].shell, "");
  EXPECT_EQ(steps[3].shell, "sh");
  EXPECT_EQ(steps[4].shell, "bash");
}

TEST(Keys, TellTheDefaultsThatHold) {
  const engine::model::Defaults& defaults = engine::model::DefaultSettings();
  const auto duration = [](Level level, std::string_view key) {
    return engine::base::ParseDuration(FindKey(level, key)->fallback);
  };
  EXPECT_EQ(duration(Level::kJob, "timeout"), defaults.job_timeout);
  EXPECT_EQ(duration(Level::kJob, "queue_timeout"), defaults.queue_timeout);
  EXPECT_EQ(duration(Level::kDocument, "timeout"), defaults.run_timeout);
  const engine::model::RetrySpec retry;
  EXPECT_EQ(duration(Level::kBackoff, "initial"), retry.initial);
  EXPECT_EQ(duration(Level::kBackoff, "max"), retry.longest);
  EXPECT_EQ(FindKey(Level::kBackoff, "factor")->fallback, fmt::format("{}", retry.factor));
  EXPECT_EQ(FindKey(Level::kBackoff, "jitter")->fallback, fmt::format("{}", retry.jitter));
  EXPECT_EQ(FindKey(Level::kJob, "log_limit")->fallback,
            fmt::format("{}MiB", defaults.log_limit >> 20));
}

TEST(Keys, AreAllExplained) {
  for (const KeyRow& row : AllKeys()) {
    EXPECT_FALSE(row.meaning.empty()) << row.key;
    EXPECT_FALSE(row.example.empty()) << row.key;
    EXPECT_EQ(FindKey(row.level, row.key), &row) << row.key << " stands twice";
  }
}

class DiskSource : public testing::Test {
 protected:
  DiskSource() {
    std::string pattern = (std::filesystem::temp_directory_path() / "dsl-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~DiskSource() override { std::filesystem::remove_all(folder_); }
  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = (folder_ / name).string();
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  static std::vector<std::string> CodesOf(const std::string& path, DiskSourceLoader loader) {
    std::vector<std::string> codes;
    for (const Diagnostic& diagnostic : Compile(path, loader).diagnostics) {
      EXPECT_EQ(diagnostic.file, path);
      EXPECT_EQ(diagnostic.line, 0U);
      codes.push_back(diagnostic.code);
    }
    return codes;
  }

  std::filesystem::path folder_;
};

TEST_F(DiskSource, ReadsAFile) {
  DiskSourceLoader loader;
  EXPECT_NE(Compile(Write("p.yml", "jobs: { a: { steps: [x] } }"), loader).plan, nullptr);
}

TEST_F(DiskSource, NamesWhatIsWrongWithAFile) {
  EXPECT_THAT(CodesOf((folder_ / "none.yml").string(), DiskSourceLoader()),
              ElementsAre("missing-file"));
  EXPECT_THAT(CodesOf(folder_.string(), DiskSourceLoader()), ElementsAre("not-a-file"));
  EXPECT_THAT(CodesOf("/dev/null", DiskSourceLoader()), ElementsAre("not-a-file"));
  EXPECT_THAT(CodesOf(Write("big.yml", std::string(1001, '#')), DiskSourceLoader(1000)),
              ElementsAre("file-too-large"));
  EXPECT_THAT(CodesOf(Write("f", "x") + "/p.yml", DiskSourceLoader()),
              ElementsAre("unreadable-file"));
}

TEST_F(DiskSource, ReadsAPipeUpToTheLimit) {
  const std::string path = (folder_ / "pipe").string();
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    std::ofstream(path) << std::string(2000, '#');
    ::_exit(0);
  }
  EXPECT_THAT(CodesOf(path, DiskSourceLoader(1000)), ElementsAre("file-too-large"));
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
}

}  // namespace
}  // namespace dsl

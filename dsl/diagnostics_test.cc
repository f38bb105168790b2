// SPDX-License-Identifier: Apache-2.0
// Each code of a diagnostic with the place it points at: `§` stands in the text where the
// diagnostic must begin.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dsl/pipeline_under_test.h"

namespace dsl {
namespace {

constexpr std::string_view kMark = "§";

struct Case {
  std::string name;
  std::string text;
  std::vector<std::string> codes;  ///< in the order of the marks
  Severity severity = Severity::kError;
  std::string included = "";  ///< the text of `i.yml`; the mark may stand there
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

const Case kFileCases[] = {
    {"NothingInIt", "§", {"empty-file"}},
    {"OnlyComments", "§# nothing\n", {"empty-file"}},
    {"AListAtTheTop", "§- a\n- b\n", {"wrong-type"}},
    {"AWordAtTheTop", "§hello\n", {"wrong-type"}},
    {"NoJobs", "§name: x\n", {"missing-key"}},
    {"UnclosedBracket", "jobs: [a, b\n§", {"yaml-syntax"}},
    {"ColonInPlainText", "name: a§: b\n", {"yaml-syntax"}},
    {"UnknownAlias", "name: §*nobody\n", {"yaml-syntax"}},
    {"TabIndent", "jobs:\n§\ta: 1\n", {"yaml-syntax"}},
    {"TagsHaveNoMeaning", "name: §!ruby x\njobs: { a: { steps: [x] } }", {"yaml-tag"}},
    {"InvalidUtf8", "name: caf§\xE9\n", {"not-utf-8"}},
    {"OverlongUtf8", "name: §\xC0\xAF\n", {"not-utf-8"}},
    {"Surrogate", "name: §\xED\xA0\x80\n", {"not-utf-8"}},
    {"Utf16", std::string("§\xFF\xFEn\0a\0", 8), {"not-utf-8"}},
    {"NulByte", std::string("name: a§\0b\n", 12), {"control-character"}},
    {"NulAsAnEscape",
     "jobs: { a: { env: { X: §\"p\\0q\" }, steps: [x] } }\n",
     {"control-character"}},
    {"TheByteThatStopsYamlCpp", "name: a§\x04 b\njobs: 1\n", {"control-character"}},
    {"Escape", "name: §\x1b[1m\n", {"control-character"}},
    {"SecondDocument", "jobs: { a: { steps: [x] } }\n§---\njobs: 1\n", {"second-document"}},
    {"DuplicateKey", "name: a\n§name: b\njobs: { a: { steps: [x] } }", {"duplicate-key"}},
    {"DuplicateJob", "jobs:\n  a: { steps: [x] }\n  §a: { steps: [y] }", {"duplicate-key"}},
    {"FaultInADuplicateJob",
     "jobs:\n  a: { steps: [x] }\n  a: { steps: [y], needs: [§nobody] }",
     {"duplicate-key", "unknown-need"}},
    {"DuplicateKeyInAStep", "jobs: { a: { steps: [{ run: x, §run: y }] } }", {"duplicate-key"}},
    {"KeyIsAList", "jobs: { a: { steps: [x] } }\n? §[a, b]\n: c\n", {"complex-key"}},
    {"KeyIsNothing", "jobs: { a: { steps: [x] } }\n§~: c\n", {"complex-key"}},
    {"AliasInsideItself", "jobs: { a: { steps: [x], env: &e { A: §*e } } }", {"alias-cycle"}},
    {"MergeOfAWord", "jobs: { a: { <<: §x, steps: [x] } }", {"bad-merge"}},
    {"MergeOfAListOfWords", "jobs: { a: { <<: §[x], steps: [x] } }", {"bad-merge"}},
    {"EmptyJobs", "jobs: §{}\n", {"empty-value"}},
    {"NullJobs", "§jobs:\n", {"empty-value"}},
    {"JobsIsAList", "jobs: §[a]\n", {"wrong-type"}},
};

const Case kKeyCases[] = {
    {"UnknownDocumentKey", "§nmae: x\njobs: { a: { steps: [x] } }", {"unknown-key"}},
    {"UnknownJobKey", "jobs: { a: { §step: [x], steps: [x] } }", {"unknown-key"}},
    {"UnknownStepKey", "jobs: { a: { steps: [{ run: x, §uses: y }] } }", {"unknown-key"}},
    {"StageInDefaults", "defaults: { §stage: x }\njobs: { a: { steps: [x] } }", {"unknown-key"}},
    {"UnknownManualKey", "on: { manual: { §x: y } }\njobs: { a: { steps: [x] } }", {"unknown-key"}},
    {"LaterJobKey", "jobs: { a: { §image: x, steps: [x] } }", {"later-key"}},
    {"LaterStepKey", "jobs: { a: { steps: [{ run: x, §background: true }] } }", {"later-key"}},
    {"LaterKeyOfAWrongType",
     "jobs: { a: { resources: { cpu: §lots }, steps: [x] } }",
     {"later-key", "wrong-value"}},
    {"LaterKeyOfAWrongShape",
     "jobs: { a: { services: §[db], steps: [x] } }",
     {"later-key", "wrong-type"}},
    {"LaterKeyWithAnUnknownWord",
     "on: { schedule: { cron: \"0 3 * * *\", catch_up: §sometimes } }\n"
     "jobs: { a: { steps: [x] } }",
     {"later-key", "wrong-value"}},
    {"LaterKeyWithAnUnknownKey",
     "jobs: { a: { services: { db: { §imgae: x } }, steps: [x] } }",
     {"later-key", "unknown-key"}},
    {"CellOfNoMatrix",
     "jobs: { a: { steps: [x] }, b: { needs: [{ job: a, cell: §{ os: x } }], steps: [x] } }",
     {"no-matrix"}},
    {"CellOfAnUnknownKey",
     "jobs: { a: { matrix: { os: [x] }, steps: [x] }, "
     "b: { needs: [{ job: a, cell: { §so: x } }], steps: [x] } }",
     {"unknown-matrix-key"}},
    {"CellThatIsNone",
     "jobs: { a: { matrix: { os: [x] }, steps: [x] }, "
     "b: { needs: [{ job: a, cell: §{ os: y } }], steps: [x] } }",
     {"no-such-cell"}},
    {"ReportsOfNothing",
     "jobs: { a: { steps: [x], artifacts: { reports: §{} } } }",
     {"missing-key"}},
    {"ReportsOfAnEmptyList",
     "jobs: { a: { steps: [x], artifacts: { reports: { junit: §[] } } } }",
     {"missing-key"}},
    {"ReportsAreAWord", "jobs: { a: { steps: [x], artifacts: { reports: §x } } }", {"wrong-type"}},
    {"UnknownReportKey",
     "jobs: { a: { steps: [x], artifacts: { reports: { junit: a.xml, §tap: b } } } }",
     {"unknown-key"}},
    {"ReportsOutside",
     "jobs: { a: { steps: [x], artifacts: { reports: { junit: [a.xml, §../b.xml] } } } }",
     {"bad-path"}},
    {"ReportsAbsolute",
     "jobs: { a: { steps: [x], artifacts: { reports: { junit: §/tmp/b.xml } } } }",
     {"bad-path"}},
    {"ReportsWithAnExpression",
     "jobs: { a: { steps: [x], artifacts: { reports: { junit: \"§${{ branch }}.xml\" } } } }",
     {"expression-not-here"}},
    {"CacheWithoutAKey", "jobs: { a: { steps: [x], cache: §{ paths: [d] } } }", {"missing-key"}},
    {"CacheWithoutPaths", "jobs: { a: { steps: [x], cache: §{ key: d } } }", {"missing-key"}},
    {"CacheOfAnEmptyList",
     "jobs: { a: { steps: [x], cache: §{ key: d, paths: [] } } }",
     {"missing-key"}},
    {"CacheWithAnEmptyKey",
     "jobs: { a: { steps: [x], cache: { key: §\"\", paths: [d] } } }",
     {"empty-value"}},
    {"CacheWithAnEmptyRestoreKey",
     "jobs: { a: { steps: [x], cache: { key: d, restore_keys: [d-, §\"\"], paths: [d] } } }",
     {"empty-value"}},
    {"CacheWithALongKey",
     "jobs: { a: { steps: [x], cache: { paths: [d], key: §" + std::string(513, 'k') + " } } }",
     {"out-of-range"}},
    {"CacheOutside",
     "jobs: { a: { steps: [x], cache: { key: d, paths: [\"!d/x\", §\"!../d\"] } } }",
     {"bad-path"}},
    {"CacheAbsolute",
     "jobs: { a: { steps: [x], cache: { key: d, paths: [§/var/deps] } } }",
     {"bad-path"}},
    {"CacheIsAWord", "jobs: { a: { steps: [x], cache: §deps } }", {"wrong-type"}},
    {"CacheInAListIsAWord", "jobs: { a: { steps: [x], cache: [§deps] } }", {"wrong-type"}},
    {"UnknownCacheKey",
     "jobs: { a: { steps: [x], cache: { key: d, paths: [d], §restore-keys: [e] } } }",
     {"unknown-key"}},
    {"TwoCachesOfOneKey",
     "jobs: { a: { steps: [x], cache: [{ key: d, paths: [d] }, §{ key: d, paths: [e] }] } }",
     {"duplicate-cache"}},
    {"CacheKeyOfAStep",
     "jobs: { a: { steps: [{ id: s, run: x }], cache: { key: \"${{ §steps.s.outputs.v }}\", paths: "
     "[d] } } }",
     {"step-not-yet-run"}},
    {"CacheKeyOfNothing",
     "jobs: { a: { steps: [x], cache: { key: \"${{ §inputs.v }}\", paths: [d] } } }",
     {"unknown-input"}},
    {"ArtifactsThatNeverExpire",
     "jobs: { a: { steps: [x], artifacts: { expire: §never } } }",
     {"wrong-value"}},
    {"ArtifactsThatExpireAtOnce",
     "jobs: { a: { steps: [x], artifacts: { expire: §0s } } }",
     {"out-of-range"}},
    {"SecretThatIsNotListed",
     "jobs: { a: { secrets: [A], steps: [\"x ${{ §secrets.B }}\"] } }",
     {"secret-not-listed"}},
    {"DownloadOfNobody",
     "jobs: { a: { steps: [x] }, b: { needs: [a], artifacts: { download: §bin }, steps: [x] } }",
     {"unknown-artifact"}},
    {"KeptWhen", "jobs: { a: { artifacts: { when: §alway }, steps: [x] } }", {"wrong-value"}},
    {"PolicyThatIsNone",
     "jobs: { a: { concurrency: { group: x, policy: §queu }, steps: [x] } }",
     {"wrong-value"}},
    {"ConcurrencyWithoutGroup",
     "jobs: { a: { concurrency: §{ max: 2 }, steps: [x] } }",
     {"missing-key"}},
    {"ConcurrencyWithoutRoom",
     "jobs: { a: { concurrency: { group: x, max: §0 }, steps: [x] } }",
     {"out-of-range"}},
    {"EmptyGroup", "jobs: { a: { concurrency: §\" \", steps: [x] } }", {"empty-value"}},
    {"NoGroup", "jobs: { a: { concurrency: §[], steps: [x] } }", {"empty-value"}},
    {"GroupIsAList", "jobs: { a: { concurrency: [x, §[y]], steps: [x] } }", {"wrong-type"}},
    {"GroupNamedTwice",
     "jobs: { a: { concurrency: [x, §{ group: x }], steps: [x] } }",
     {"duplicate-group"}},
    {"ListOfGroupsForARun", "concurrency: §[x, y]\njobs: { a: { steps: [x] } }", {"wrong-type"}},
    {"ApprovalIsAWord", "jobs: { a: { approval: §please, steps: [x] } }", {"wrong-value"}},
    {"ApprovalInputOfNoType",
     "jobs: { a: { approval: { inputs: { n: { type: §text } } }, steps: [x] } }",
     {"wrong-value"}},
    {"EnvironmentWithoutName",
     "jobs: { a: { environment: §{ url: x }, steps: [x] } }",
     {"missing-key"}},
    {"OverlapOfNoKind", "jobs: { a: { overlap: §nevr, steps: [x] } }", {"wrong-value"}},
    {"EffectsOfNoKind", "jobs: { a: { steps: [{ run: x, effects: §twice }] } }", {"wrong-value"}},
    {"CheckOfNoEffect",
     "jobs: { a: { steps: [{ run: x, effect_check: §y }] } }",
     {"conflicting-keys"}},
    {"EmptyCheck",
     "jobs: { a: { steps: [{ run: x, effects: once, effect_check: §\" \" }] } }",
     {"empty-value"}},
    {"StepsIsANumberMap", "jobs: { a: { steps: §{ run: x } } }", {"wrong-type"}},
    {"EnvIsAList", "jobs: { a: { steps: [x], env: §[A] } }", {"wrong-type"}},
    {"EnvValueIsAList", "jobs: { a: { steps: [x], env: { A: §[b] } } }", {"wrong-type"}},
    {"StepIsAList", "jobs: { a: { steps: [§[x]] } }", {"wrong-type"}},
    {"JobIsAWord", "jobs: { a: §x }", {"wrong-type"}},
    {"JobIsEmpty", "jobs:\n  §a:\n", {"wrong-type"}},
    {"NoSteps", "jobs: { §a: { env: {} } }", {"missing-key"}},
    {"NoRun", "jobs: { a: { steps: [§{ id: x }] } }", {"missing-key"}},
    {"EmptySteps", "jobs: { a: { steps: §[] } }", {"empty-value"}},
    {"EmptyRun", "jobs: { a: { steps: [{ run: §\" \" }] } }", {"empty-value"}},
    {"EmptyTimeout", "jobs: { a: { steps: [x], §timeout: } }", {"empty-value"}},
    {"EmptyName", "name: §\"\"\njobs: { a: { steps: [x] } }", {"empty-value"}},
    {"YesIsText", "jobs: { a: { steps: [x], allow_failure: §yes } }", {"wrong-value"}},
    {"QuotedTrueIsText",
     "jobs: { a: { steps: [{ run: x, continue_on_error: §\"true\" }] } }",
     {"wrong-value"}},
    {"BadDuration", "jobs: { a: { steps: [x], timeout: §10 minutes } }", {"wrong-value"}},
    {"NegativeDuration", "jobs: { a: { steps: [x], timeout: §-5 } }", {"wrong-value"}},
    {"NoDuration", "jobs: { a: { steps: [x], timeout: §0s } }", {"out-of-range"}},
    {"BadPool", "jobs: { a: { steps: [x], pool: §a b } }", {"bad-name"}},
    {"BadSize", "jobs: { a: { steps: [x], log_limit: §lots } }", {"wrong-value"}},
    {"BadPriority", "jobs: { a: { steps: [x], priority: §1.5 } }", {"wrong-value"}},
    {"HugePriority", "jobs: { a: { steps: [x], priority: §99999999 } }", {"out-of-range"}},
    {"BadRetry", "jobs: { a: { steps: [x], retry: §often } }", {"wrong-value"}},
    {"ManyRetries", "jobs: { a: { steps: [x], retry: { max: §101 } } }", {"out-of-range"}},
    {"RetryWithoutMax", "jobs: { a: { steps: [x], retry: §{ on: [oom] } } }", {"missing-key"}},
    {"RetryOnNoCause",
     "jobs: { a: { steps: [x], retry: { max: 1, on: [oom, §timeuot] } } }",
     {"wrong-value"}},
    {"RetryOnSuccess", "jobs: { a: { steps: [x], retry: { max: 1, on: §0 } } }", {"out-of-range"}},
    {"BackoffUpsideDown",
     "jobs: { a: { steps: [x], retry: { max: 1, backoff: { initial: 10m, max: §1m } } } }",
     {"out-of-range"}},
    {"AllowFailureWithoutCodes",
     "jobs: { a: { steps: [x], allow_failure: §{} } }",
     {"missing-key"}},
    {"BadExitCode",
     "jobs: { a: { steps: [x], allow_failure: { exit_codes: [1, §256] } } }",
     {"out-of-range"}},
    {"BadJobName", "jobs: { §\"a b\": { steps: [x] } }", {"bad-name"}},
    {"BadVariable", "env: { §1A: x }\njobs: { a: { steps: [x] } }", {"bad-name"}},
    {"BadStepId", "jobs: { a: { steps: [{ id: §1x, run: x }] } }", {"bad-name"}},
    {"SameStepId",
     "jobs: { a: { steps: [{ id: x, run: x }], finally: [{ id: §x, run: x }] } }",
     {"duplicate-step-id"}},
    {"ExpressionInTimeout",
     "jobs: { a: { steps: [x], timeout: \"§${{ inputs.t }}\" } }",
     {"expression-not-here"}},
    {"ExpressionInPath",
     "jobs: { a: { steps: [x], artifacts: { upload: [{ name: b, paths: [\"x/§${{ tag }}\"] }] } } "
     "}",
     {"expression-not-here"}},
    {"WorkdirOutside", "jobs: { a: { steps: [{ run: x, workdir: §../x }] } }", {"bad-path"}},
    {"AbsolutePath",
     "jobs: { a: { steps: [x], artifacts: { upload: [{ name: b, paths: [§/etc] }] } } }",
     {"bad-path"}},
    {"UploadWithoutName",
     "jobs: { a: { steps: [x], artifacts: { upload: [§{ paths: [b] }] } } }",
     {"missing-key"}},
    {"UploadWithoutPaths",
     "jobs: { a: { steps: [x], artifacts: { upload: [§{ name: b }] } } }",
     {"missing-key"}},
    {"UploadIsAWord", "jobs: { a: { steps: [x], artifacts: { upload: [§b] } } }", {"wrong-type"}},
    {"SameUpload",
     "jobs: { a: { steps: [x], artifacts: { upload: [{ name: b, paths: x }, { name: §b, paths: y "
     "}] "
     "} } }",
     {"duplicate-artifact"}},
};

const Case kReuseCases[] = {
    {"UnknownTemplate",
     "templates: { base: { steps: [x] } }\njobs: { a: { extends: §bsae, steps: [x] } }",
     {"unknown-template"}},
    {"UnknownStepTemplate", "jobs: { a: { steps: [{ use: §setup }, x] } }", {"unknown-template"}},
    {"AJobAsATemplate",
     "jobs: { a: { steps: [x] }, b: { extends: §a, steps: [x] } }",
     {"unknown-template"}},
    {"ExtendsALists", "jobs: { a: { extends: [§[x]], steps: [x] } }", {"wrong-type"}},
    {"ExtendsWithoutTemplate",
     "jobs: { a: { extends: §{ with: {} }, steps: [x] } }",
     {"missing-key"}},
    {"TemplateIsAWord", "templates: { t: §x }\njobs: { a: { steps: [x] } }", {"wrong-type"}},
    {"BadTemplateName", "templates: { §a b: {} }\njobs: { a: { steps: [x] } }", {"bad-name"}},
    {"TemplateExtendsItself",
     "templates: { t: { extends: §t, steps: [x] } }\njobs: { a: { extends: t } }",
     {"template-cycle"}},
    {"TemplateUsesItself",
     "templates: { t: { steps: [{ use: §t }] } }\njobs: { a: { steps: [x, { use: t }] } }",
     {"template-cycle"}},
    {"UnusedTemplateWithAnUnknownKey",
     "templates: { t: { §tiemout: 1m } }\njobs: { a: { steps: [x] } }",
     {"unknown-key"}},
    {"UnusedTemplateWithABadValue",
     "templates: { t: { timeout: \"${{ inputs.t }}\", retry: { max: §often } } }\n"
     "jobs: { a: { steps: [x] } }",
     {"wrong-value"}},
    {"UnknownTemplateInput",
     "templates: { t: { inputs: { level: {} }, steps: [x] } }\n"
     "jobs: { a: { extends: { template: t, with: { §levle: x } } } }",
     {"unknown-input"}},
    {"MissingTemplateInput",
     "templates: { t: { inputs: { level: { required: true } }, steps: [x] } }\n"
     "jobs: { a: { steps: [{ use: §t }] } }",
     {"missing-input"}},
    {"BadTemplateInput",
     "templates: { t: { inputs: { n: { type: number } }, steps: [x] } }\n"
     "jobs: { a: { steps: [{ use: t, with: { n: §x } }] } }",
     {"bad-input"}},
    {"MixedTemplateInput",
     "templates: { t: { inputs: { n: {} }, steps: [x] } }\n"
     "jobs: { a: { steps: [{ use: t, with: { n: §\"v${{ tag }}\" } }] } }",
     {"mixed-input"}},
    {"BrokenTemplateInput",
     "templates: { t: { inputs: { n: {} }, steps: [x] } }\n"
     "jobs: { a: { steps: [{ use: t, with: { n: \"${{ 1 §+ }}\" } }] } }",
     {"bad-expression"}},
    {"RunBesideUse",
     "templates: { t: { steps: [x] } }\njobs: { a: { steps: [{ use: t, §run: y }] } }",
     {"conflicting-keys"}},
    {"AJobTemplateAsAStep",
     "templates: { t: { timeout: 1m, steps: [x] } }\njobs: { a: { steps: [{ use: §t }] } }",
     {"not-a-step-template"}},
    {"AStepTemplateWithoutSteps",
     "templates: { t: { inputs: {} } }\njobs: { a: { steps: [{ use: §t }] } }",
     {"not-a-step-template"}},
    {"MissingInclude", "include: [§x.yml]\njobs: { a: { steps: [x] } }", {"missing-file"}},
    {"IncludeIsAList", "include: [§[x]]\njobs: { a: { steps: [x] } }", {"wrong-type"}},
    {"IncludeOfTheRoot", "include: §/etc/x.yml\njobs: { a: { steps: [x] } }", {"bad-path"}},
    {"IncludeWithoutFile", "include: §{}\njobs: { a: { steps: [x] } }", {"missing-key"}},
    {"IncludeWithoutRef",
     "include: §{ repo: r, file: f }\njobs: { a: { steps: [x] } }",
     {"missing-key"}},
    {"IncludeOfItself", "include: §p.yml\njobs: { a: { steps: [x] } }", {"include-cycle"}},
    {"IncludeOfARepository",
     "include: { repo: r, ref: v1, file: §f }\njobs: { a: { steps: [x] } }",
     {"later-key"}},
    {"UnknownKeyInAnInclude",
     "include: i.yml\njobs: { a: { steps: [x] } }",
     {"unknown-key"},
     Severity::kError,
     "§nmae: x\n"},
    {"BadValueInAnInclude",
     "include: i.yml\njobs: { a: { steps: [x] } }",
     {"wrong-value"},
     Severity::kError,
     "jobs:\n  a: { timeout: §soon }\n"},
    {"SameJobInFinally",
     "jobs: { a: { steps: [x] } }\nfinally: { §a: { steps: [x] } }",
     {"duplicate-job"}},
    {"StageOfAFinalJob",
     "stages: [s]\njobs: { a: { stage: s, steps: [x] } }\nfinally: { b: { stage: §s, steps: [x] } "
     "}",
     {"conflicting-keys"}},
    {"ParallelBesideMatrix",
     "jobs: { a: { matrix: { n: [1] }, parallel: §2, steps: [x] } }",
     {"conflicting-keys"}},
    {"ParallelOfNone", "jobs: { a: { parallel: §0, steps: [x] } }", {"out-of-range"}},
};

const Case kGuaranteeCases[] = {
    {"NeverFails",
     "jobs: { a: { allow_failure: true, steps: [x] }, "
     "b: { needs: [{ job: §a, on: failure }], steps: [x] } }",
     {"need-never-met"},
     Severity::kWarning},
    {"NeverFailsBecauseItNeverRuns",
     "jobs: { a: { if: false, steps: [x] }, b: { needs: [{ job: §a, on: failure }], steps: [x] } }",
     {"need-never-met"},
     Severity::kWarning},
    {"NeverRunsBecauseOfANeed",
     "jobs: { a: { allow_failure: true, steps: [x] }, b: { needs: [{ job: a, on: failure }], "
     "steps: [x] }, c: { needs: [{ job: b, on: end }], steps: [x] }, d: { needs: [c, §b], "
     "steps: [x] } }",
     {"need-never-met", "need-never-met"},
     Severity::kWarning},
    {"OutputOfAJobThatNeverRuns",
     "jobs: { a: { if: false, outputs: { v: x }, steps: [x] }, "
     "b: { needs: [a], steps: [\"echo ${{ §needs.a.outputs.v }}\"] } }",
     {"output-never-set"},
     Severity::kWarning},
    {"RetriesDoNotFit",
     "timeout: 2h\njobs: { §a: { timeout: 50m, retry: 2, steps: [x] } }",
     {"retries-do-not-fit"},
     Severity::kWarning},
    {"PausesDoNotFit",
     "timeout: 1h\njobs: { §a: { timeout: 10m, retry: { max: 3, backoff: { initial: 10m, max: 10m "
     "} "
     "}, steps: [x] } }",
     {"retries-do-not-fit"},
     Severity::kWarning},
    {"StepOutlivesTheJob",
     "jobs: { a: { timeout: 5m, steps: [x, { run: x, timeout: §6m }] } }",
     {"timeout-never-reached"},
     Severity::kWarning},
    {"SecretInAPullRequest",
     "on: [push, pull_request]\njobs: { a: { steps: [\"x ${{ §secrets.T }}\"] } }",
     {"secret-in-pull-request"},
     Severity::kWarning},
    {"SecretOfABranchThatAnybodyMayName",
     "on: [push, pull_request]\njobs: { a: { if: branch == 'main', "
     "steps: [{ run: x, env: { T: \"${{ §secrets.T }}\" } }] } }",
     {"secret-in-pull-request"},
     Severity::kWarning},
};

const Case kTriggerCases[] = {
    {"UnknownEvent", "on: §psuh\njobs: { a: { steps: [x] } }", {"unknown-event"}},
    {"UnknownEventInAList", "on: [push, §[x]]\njobs: { a: { steps: [x] } }", {"unknown-event"}},
    {"UnknownEventKey", "on: { §psuh: {} }\njobs: { a: { steps: [x] } }", {"unknown-key"}},
    {"ScheduleWithoutTimes", "on: [§schedule]\njobs: { a: { steps: [x] } }", {"missing-key"}},
    {"ScheduleWithoutCron",
     "on: { schedule: [§{ timezone: UTC }] }\njobs: { a: { steps: [x] } }",
     {"missing-key"}},
    {"CronField",
     "on: { schedule: { cron: \"0 §25 * * *\" } }\njobs: { a: { steps: [x] } }",
     {"bad-cron"}},
    {"CronCount",
     "on: { schedule: { cron: \"§0 3 * *\" } }\njobs: { a: { steps: [x] } }",
     {"bad-cron"}},
    {"Glob",
     "on: { push: { branches: [main, §\"[a\"] } }\njobs: { a: { steps: [x] } }",
     {"bad-glob"}},
    {"OnlyNegative",
     "on: { push: { paths: §[\"!a\"] } }\njobs: { a: { steps: [x] } }",
     {"only-negative-globs"}},
    {"BothFilters",
     "on: { push: { tags: a, tags_ignore: §b } }\njobs: { a: { steps: [x] } }",
     {"conflicting-filters"}},
    {"LaterTriggerKey",
     "on: { schedule: { cron: \"0 3 * * *\", §catch_up: all } }\njobs: { a: { steps: [x] } }",
     {"later-key"}},
};

const Case kInputCases[] = {
    {"UnknownType", "inputs: { i: { type: §text } }\njobs: { a: { steps: [x] } }", {"wrong-value"}},
    {"ChoiceWithoutOptions",
     "inputs: { i: §{ type: choice } }\njobs: { a: { steps: [x] } }",
     {"missing-key"}},
    {"OptionsOfAString",
     "inputs: { i: { options: §[a] } }\njobs: { a: { steps: [x] } }",
     {"conflicting-keys"}},
    {"PatternOfANumber",
     "inputs: { i: { type: number, pattern: §a } }\njobs: { a: { steps: [x] } }",
     {"conflicting-keys"}},
    {"BadPattern",
     "inputs: { i: { pattern: §\"(\" } }\njobs: { a: { steps: [x] } }",
     {"bad-pattern"}},
    {"DefaultNotAnOption",
     "inputs: { i: { type: choice, options: [quick, full], default: §fulll } }\n"
     "jobs: { a: { steps: [x] } }",
     {"bad-default"}},
    {"DefaultNotANumber",
     "inputs: { i: { type: number, default: §x } }\njobs: { a: { steps: [x] } }",
     {"bad-default"}},
    {"DefaultAgainstPattern",
     "inputs: { i: { pattern: \"[a-z]+\", default: §A1 } }\njobs: { a: { steps: [x] } }",
     {"bad-default"}},
    {"BadInputName", "inputs: { §a.b: {} }\njobs: { a: { steps: [x] } }", {"bad-name"}},
    {"InputIsAWord", "inputs: { i: §x }\njobs: { a: { steps: [x] } }", {"wrong-type"}},
    {"UnusedDefault",
     "inputs: { i: { required: true, default: §x } }\njobs: { a: { steps: [x] } }",
     {"unused-default"},
     Severity::kWarning},
};

const Case kOrderCases[] = {
    {"UnknownStage",
     "stages: [build]\njobs: { a: { stage: §biuld, steps: [x] } }\n",
     {"empty-stage", "unknown-stage"}},
    {"StageWithoutStages", "jobs: { a: { stage: §build, steps: [x] } }", {"unknown-stage"}},
    {"NoStage",
     "stages: [b]\njobs: { §a: { steps: [x] }, c: { stage: b, steps: [x] } }",
     {"missing-stage"}},
    {"SameStage", "stages: [b, §b]\njobs: { a: { stage: b, steps: [x] } }", {"duplicate-stage"}},
    {"EmptyStage",
     "stages: [b, §c]\njobs: { a: { stage: b, steps: [x] } }",
     {"empty-stage"},
     Severity::kWarning},
    {"UnknownNeed",
     "jobs: { build: { steps: [x] }, b: { needs: [§biuld], steps: [x] } }",
     {"unknown-need"}},
    {"UnknownOptionalNeedThatLooksLikeASlip",
     "jobs: { build: { steps: [x] }, b: { needs: [{ job: §biuld, optional: true }], steps: [x] } }",
     {"unknown-need"},
     Severity::kWarning},
    {"NeedIsAList",
     "jobs: { a: { steps: [x] }, b: { needs: [§[a]], steps: [x] } }",
     {"wrong-type"}},
    {"NeedWithoutJob",
     "jobs: { a: { steps: [x] }, b: { needs: [§{ on: end }], steps: [x] } }",
     {"missing-key"}},
    {"NeedOnNothing",
     "jobs: { a: { steps: [x] }, b: { needs: [{ job: a, on: §succes }], steps: [x] } }",
     {"wrong-value"}},
    {"NeedTwice",
     "jobs: { a: { steps: [x] }, b: { needs: [a, §a], steps: [x] } }",
     {"duplicate-need"}},
    {"NeedsItself", "jobs: { a: { needs: [§a], steps: [x] } }", {"cycle"}},
    {"TwoInACircle",
     "jobs: { a: { needs: [§b], steps: [x] }, b: { needs: [a], steps: [x] } }",
     {"cycle"}},
    {"NeedOfALaterStage",
     "stages: [b, t]\n"
     "jobs: { a: { stage: b, needs: [§c], steps: [x] }, c: { stage: t, needs: [], steps: [x] } }",
     {"need-later-stage"}},
    {"NoArtifacts",
     "jobs: { a: { steps: [x] }, b: { needs: [{ job: §a, artifacts: true }], steps: [x] } }",
     {"no-artifacts"}},
    {"UnknownArtifact",
     "jobs: { a: { steps: [x], artifacts: { upload: [{ name: bin, paths: b }] } }, "
     "b: { needs: [{ job: §a, artifacts: [bim] }], steps: [x] } }",
     {"unknown-artifact"}},
};

const Case kMatrixCases[] = {
    {"AxisIsAWord", "jobs: { a: { matrix: { os: §linux }, steps: [x] } }", {"wrong-type"}},
    {"AxisIsEmpty", "jobs: { a: { matrix: { os: §[] }, steps: [x] } }", {"empty-axis"}},
    {"NoAxes", "jobs: { a: { matrix: §{}, steps: [x] } }", {"empty-matrix"}},
    {"AllExcluded",
     "jobs: { a: { matrix: §{ os: [a], exclude: [{ os: a }] }, steps: [x] } }",
     {"empty-matrix"}},
    {"SameValue", "jobs: { a: { matrix: { os: [a, b, §a] }, steps: [x] } }", {"duplicate-value"}},
    {"SameNumber", "jobs: { a: { matrix: { v: [1, §0x1] }, steps: [x] } }", {"duplicate-value"}},
    {"SameName", "jobs: { a: { matrix: §{ v: [1, \"1\"] }, steps: [x] } }", {"duplicate-cell"}},
    {"BadAxisName", "jobs: { a: { matrix: { §o.s: [a] }, steps: [x] } }", {"bad-name"}},
    {"ExcludeIsAWord",
     "jobs: { a: { matrix: { os: [a], exclude: [§a] }, steps: [x] } }",
     {"wrong-type"}},
    {"ExpressionInAxis",
     "jobs: { a: { matrix: { os: [§\"${{ inputs.os }}\"] }, steps: [x] } }",
     {"expression-not-here"}},
    {"UnknownKeyInExclude",
     "jobs: { a: { matrix: { os: [a], exclude: [{ §so: a }] }, steps: [x] } }",
     {"unknown-matrix-key"},
     Severity::kWarning},
    {"ExcludeMatchesNothing",
     "jobs: { a: { matrix: { os: [a], exclude: [§{ os: b }] }, steps: [x] } }",
     {"exclude-matches-nothing"},
     Severity::kWarning},
    {"ExcludedTwice",
     "jobs: { a: { matrix: { os: [a, b], n: [1, 2], exclude: [{ os: a }, §{ os: a, n: 1 }] }, "
     "steps: [x] } }",
     {"excluded-twice"},
     Severity::kWarning},
    {"NumberSpelling",
     "jobs: { a: { matrix: { python: [3.9, §3.10] }, steps: [x] } }",
     {"number-spelling"},
     Severity::kWarning},
    {"MillionCells",
     "x: 1\njobs: { a: { matrix: §{ a: &d [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], b: *d, c: *d, d: *d, "
     "e: *d, f: *d }, steps: [x] } }",
     {"unknown-key", "matrix-too-large"}},
};

const Case kExpressionCases[] = {
    {"Syntax", "jobs: { a: { if: \"${{ inputs.§ }}\", steps: [x] } }", {"bad-expression"}},
    {"UnclosedInRun", "jobs: { a: { steps: [\"echo §${{ branch\"] } }", {"bad-expression"}},
    {"PartOutside",
     "jobs: { a: { if: §\"${{ true }} && true\", steps: [x] } }",
     {"mixed-condition"}},
    {"UnknownContext", "jobs: { a: { steps: [\"echo ${{ §brnch }}\"] } }", {"unknown-context"}},
    {"UnknownInput",
     "inputs: { level: {} }\njobs: { a: { if: §inputs.levle == 'x', steps: [x] } }",
     {"unknown-input"}},
    {"SecretsInAJob",
     "jobs: { a: { env: { T: \"${{ §secrets.T }}\" }, steps: [x] } }",
     {"context-not-here"}},
    {"StepsInAJob",
     "jobs: { a: { if: §steps.x.outputs.y, steps: [{ id: x, run: x }] } }",
     {"context-not-here"}},
    {"MatrixInTheDocument",
     "env: { T: \"${{ §matrix.x }}\" }\njobs: { a: { steps: [x] } }",
     {"context-not-here"}},
    {"JobsInAStep", "jobs: { a: { steps: [\"${{ §jobs.a.result }}\"] } }", {"context-not-here"}},
    {"HashFilesInAJob",
     "jobs: { a: { if: §hashFiles('x') == '', steps: [x] } }",
     {"function-not-here"}},
    {"StatusInAText",
     "jobs: { a: { steps: [\"echo ${{ §failure() }}\"] } }",
     {"function-not-here"}},
    {"NotANeed",
     "jobs: { a: { steps: [x] }, b: { needs: [], if: §needs.a.result == 'failed', steps: [x] } }",
     {"not-a-need"}},
    {"UnknownOutput",
     "jobs: { a: { outputs: { v: x }, steps: [x] }, "
     "b: { needs: [a], steps: [\"echo ${{ §needs.a.outputs.w }}\"] } }",
     {"unknown-output"}},
    {"UnknownProperty",
     "jobs: { a: { steps: [x] }, b: { needs: [a], if: §needs.a.status == 'failed', steps: [x] } }",
     {"unknown-property"}},
    {"UnknownJob", "jobs: { a: { if: §jobs.b.result == 'failed', steps: [x] } }", {"unknown-job"}},
    {"JobNotYetEnded",
     "jobs: { a: { steps: [x] }, b: { needs: [], if: §jobs.a.result == 'failed', steps: [x] } }",
     {"job-not-yet-ended"}},
    {"NoApproval", "jobs: { a: { steps: [\"echo ${{ §approval.by }}\"] } }", {"no-approval"}},
    {"ApprovalInACondition",
     "jobs: { a: { approval: true, if: \"§approval.by == 'x'\", steps: [x] } }",
     {"context-not-here"}},
    {"UnknownInputOfAnApproval",
     "jobs: { a: { approval: { inputs: { note: {} } }, "
     "steps: [\"echo ${{ §approval.inputs.nope }}\"] } }",
     {"unknown-input"}},
    {"UnknownPropertyOfAnApproval",
     "jobs: { a: { approval: true, steps: [\"echo ${{ §approval.who }}\"] } }",
     {"unknown-property"}},
    {"NeedsInTheGroupOfARun",
     "concurrency: \"${{ §needs.a.result }}\"\njobs: { a: { steps: [x] } }",
     {"context-not-here"}},
    {"NoMatrix", "jobs: { a: { steps: [\"echo ${{ §matrix.os }}\"] } }", {"no-matrix"}},
    {"UnknownMatrixKey",
     "jobs: { a: { matrix: { os: [a] }, steps: [\"echo ${{ §matrix.so }}\"] } }",
     {"unknown-matrix-key"}},
    {"UnknownStep",
     "jobs: { a: { steps: [{ id: x, run: x }, \"echo ${{ §steps.y.outputs.z }}\"] } }",
     {"unknown-step"}},
    {"StepNotYetRun",
     "jobs: { a: { steps: [\"echo ${{ §steps.x.outputs.z }}\", { id: x, run: x }] } }",
     {"step-not-yet-run"}},
    {"ItsOwnOutput",
     "jobs: { a: { steps: [{ id: x, run: \"${{ §steps.x.outputs.z }}\" }] } }",
     {"step-not-yet-run"}},
    {"EmptyIf", "jobs: { a: { if: §\"${{ }}\", steps: [x] } }", {"empty-value"}},
};

class Diagnosing : public testing::TestWithParam<Case> {};

/// Takes the marks out; their places as `line:column`.
std::vector<std::string> TakeMarks(std::string& text) {
  std::vector<std::string> places;
  for (std::size_t at = text.find(kMark); at != std::string::npos; at = text.find(kMark, at)) {
    text.erase(at, kMark.size());
    const auto before = text.begin() + static_cast<std::ptrdiff_t>(at);
    const auto line = 1 + std::count(text.begin(), before, '\n');
    const std::size_t start = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
    const std::size_t column = at - (start == std::string::npos ? 0 : start + 1) + 1;
    places.push_back(fmt::format("{}:{}", line, column));
  }
  return places;
}

TEST_P(Diagnosing, PointsAtThePlace) {
  const Case& c = GetParam();
  std::string text = c.text;
  std::string included = c.included;
  std::vector<std::string> places = TakeMarks(text);
  const std::string file = places.empty() ? "i.yml" : "p.yml";
  if (places.empty()) {
    places = TakeMarks(included);
  }
  MemorySourceLoader loader;
  loader.Add("p.yml", text);
  loader.Add("i.yml", included);
  const Compiled compiled = Compile("p.yml", loader);
  ASSERT_EQ(places.size(), 1U);
  // Other problems of the same text are named, too; the mark is the last one's.
  ASSERT_EQ(compiled.diagnostics.size(), c.codes.size())
      << testing::PrintToString(Brief(compiled.diagnostics));
  for (std::size_t i = 0; i < c.codes.size(); ++i) {
    EXPECT_EQ(compiled.diagnostics[i].code, c.codes[i]);
  }
  const Diagnostic& last = compiled.diagnostics.back();
  EXPECT_EQ(fmt::format("{}:{}", last.line, last.column), places[0]) << last.message;
  EXPECT_EQ(last.file, file);
  EXPECT_EQ(last.severity, c.severity);
  EXPECT_FALSE(last.message.empty());
  EXPECT_GE(last.end_column, last.column);
  EXPECT_EQ(compiled.plan == nullptr, c.severity == Severity::kError);
}

std::string NameOf(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(File, Diagnosing, testing::ValuesIn(kFileCases), NameOf);
INSTANTIATE_TEST_SUITE_P(Keys, Diagnosing, testing::ValuesIn(kKeyCases), NameOf);
INSTANTIATE_TEST_SUITE_P(Reuse, Diagnosing, testing::ValuesIn(kReuseCases), NameOf);
INSTANTIATE_TEST_SUITE_P(Guarantees, Diagnosing, testing::ValuesIn(kGuaranteeCases), NameOf);
INSTANTIATE_TEST_SUITE_P(Triggers, Diagnosing, testing::ValuesIn(kTriggerCases), NameOf);
INSTANTIATE_TEST_SUITE_P(Inputs, Diagnosing, testing::ValuesIn(kInputCases), NameOf);
INSTANTIATE_TEST_SUITE_P(Order, Diagnosing, testing::ValuesIn(kOrderCases), NameOf);
INSTANTIATE_TEST_SUITE_P(Matrix, Diagnosing, testing::ValuesIn(kMatrixCases), NameOf);
INSTANTIATE_TEST_SUITE_P(Expressions, Diagnosing, testing::ValuesIn(kExpressionCases), NameOf);

std::vector<const Case*> AllCases() {
  std::vector<const Case*> all;
  const auto add = [&](const auto& cases) {
    for (const Case& c : cases) {
      all.push_back(&c);
    }
  };
  add(kFileCases);
  add(kKeyCases);
  add(kReuseCases);
  add(kGuaranteeCases);
  add(kTriggerCases);
  add(kInputCases);
  add(kOrderCases);
  add(kMatrixCases);
  add(kExpressionCases);
  return all;
}

/// Codes whose tests stand elsewhere: they come of the file system, of limits, of what is given on
/// the command line.
const std::set<std::string> kTestedElsewhere = {
    "missing-file",      "not-a-file",         "file-too-large", "unreadable-file",
    "yaml-too-deep",     "alias-bomb",         "too-many-jobs",  "too-many-problems",
    "too-many-includes", "too-many-templates", "template-bomb",  "unknown-pool"};

/// The codes that stand in the sources: the only words of that form after the calls that report.
std::set<std::string> CodesInTheSources() {
  std::set<std::string> codes;
  const std::regex call(
      "(?:Error|Warning|FileError|Problem)\\(\\s*(?:plan, [^\"]*)?\"([a-z0-9-]+)\"|"
      "(?:return|code =|\\?|:)\\s+\"([a-z]+(?:-[a-z0-9]+)+)\";");
  for (const auto& entry : std::filesystem::directory_iterator(DAYFLY_SOURCE_DIR "/dsl")) {
    const std::string path = entry.path().string();
    if (!path.ends_with(".cc") || path.ends_with("_test.cc")) {
      continue;
    }
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    for (std::sregex_iterator it(text.begin(), text.end(), call), end; it != end; ++it) {
      codes.insert((*it)[1].matched ? (*it)[1] : (*it)[2]);
    }
  }
  return codes;
}

TEST(DiagnosticCodes, InTheSourcesAreAllTested) {
  std::set<std::string> tested = kTestedElsewhere;
  for (const auto* c : AllCases()) {
    tested.insert(c->codes.begin(), c->codes.end());
  }
  for (const std::string& code : CodesInTheSources()) {
    EXPECT_TRUE(tested.contains(code)) << code << " has no row in the tables of this file";
  }
  EXPECT_GT(CodesInTheSources().size(), 60U);
}

TEST(DiagnosticCodes, AreAllDocumentedAndTested) {
  std::set<std::string> tested = kTestedElsewhere;
  for (const auto* c : AllCases()) {
    tested.insert(c->codes.back());
  }
  std::ifstream file(DAYFLY_SOURCE_DIR "/docs/language.md");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::size_t section = text.find("## Diagnostics");
  ASSERT_NE(section, std::string::npos);
  std::set<std::string> documented;
  const std::regex row("\n\\| `([a-z0-9-]+)` \\|");
  for (std::sregex_iterator
           it(text.begin() + static_cast<std::ptrdiff_t>(section), text.end(), row),
       end;
       it != end; ++it) {
    documented.insert((*it)[1]);
  }
  EXPECT_EQ(documented, tested);
}

TEST(Diagnostics, AreAllReportedAtOnce) {
  const Compiled compiled = CompileText(R"(nmae: twenty
on: { psuh: {} }
inputs:
  level: { type: text }
env: { 1A: x }
stages: [build, build, test]
jobs:
  compile:
    stage: biuld
    tiemout: 10m
    steps: []
  unit:
    stage: test
    needs: [compiel, { job: compile, on: sucess }]
    if: ${{ brnch == 'main' }}
    timeout: soon
    retry: { max: 1000 }
    allow_failure: yes
    matrix: { os: linux }
    steps:
      - rnu: make
      - run: echo ${{ inputs.levle }}
      - { id: x, run: "echo ${{ steps.y.outputs.z }}", workdir: /tmp }
  unit:
    stage: test
)");
  EXPECT_EQ(compiled.plan, nullptr);
  EXPECT_THAT(Brief(compiled.diagnostics),
              testing::ElementsAre("unknown-key 1:1", "unknown-key 2:7", "wrong-value 4:18",
                                   "bad-name 5:8", "empty-stage 6:10 (warning)",
                                   "duplicate-stage 6:17", "unknown-stage 9:12", "unknown-key 10:5",
                                   "empty-value 11:12", "unknown-need 14:13", "wrong-value 14:42",
                                   "unknown-context 15:13", "wrong-value 16:14",
                                   "out-of-range 17:19", "wrong-value 18:20", "wrong-type 19:19",
                                   "unknown-key 21:9", "unknown-input 22:23", "unknown-step 23:33",
                                   "bad-path 23:65", "duplicate-key 24:3", "missing-key 24:3"));
}

}  // namespace
}  // namespace dsl

// SPDX-License-Identifier: Apache-2.0
// `retry`, `allow_failure`, `checkout`: short forms and maps.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "dsl/compilation.h"
#include "dsl/values.h"
#include "engine/base/did_you_mean.h"

namespace dsl {
namespace {

using engine::model::AllowFailure;
using engine::model::CheckoutSpec;
using engine::model::RetryOn;
using engine::model::RetrySpec;

constexpr std::int64_t kRetriesMax = 100;
constexpr std::int64_t kExitCodeMax = 255;

/// Codes of failures: 1 to 255.
std::optional<std::int32_t> ReadExitCode(NodeRef node, std::string_view what,
                                         Compilation& compilation) {
  const auto code = ReadInteger(node, what, 1, kExitCodeMax, compilation.reporter);
  return code ? std::optional(static_cast<std::int32_t>(*code)) : std::nullopt;
}

struct CauseWord {
  std::string_view word;
  RetryOn bit;
};
constexpr CauseWord kCauses[] = {
    {"infra", RetryOn::kInfra}, {"timeout", RetryOn::kTimeout}, {"oom", RetryOn::kOom}};

void ReadCause(NodeRef node, RetrySpec& retry, Compilation& compilation) {
  for (const CauseWord& cause : kCauses) {
    if (node.text() == cause.word) {
      retry.on = static_cast<std::uint8_t>(retry.on | static_cast<std::uint8_t>(cause.bit));
      return;
    }
  }
  if (NumberOf(node)) {
    if (const auto code = ReadExitCode(node, "on", compilation)) {
      retry.on =
          static_cast<std::uint8_t>(retry.on | static_cast<std::uint8_t>(RetryOn::kListedExits));
      retry.exit_codes.push_back(*code);
    }
    return;
  }
  std::vector<std::string_view> words;
  for (const CauseWord& cause : kCauses) {
    words.push_back(cause.word);
  }
  Diagnostic& diagnostic = compilation.reporter.Error(
      "wrong-value", node.place(),
      fmt::format("`on` takes infra, timeout, oom and exit codes, not `{}`", node.text()));
  diagnostic.hint = engine::base::DidYouMean(node.text(), words);
}

void ReadBackoff(NodeRef node, RetrySpec& retry, Compilation& compilation) {
  if (!node) {
    return;
  }
  Reporter& reporter = compilation.reporter;
  const Fields fields = compilation.Check(node, Level::kBackoff);
  const auto longest = ReadDuration(fields.Get("max"), "max", reporter);
  retry.initial = ReadDuration(fields.Get("initial"), "initial", reporter).value_or(retry.initial);
  retry.longest = longest.value_or(std::max(retry.longest, retry.initial));
  retry.factor =
      ReadNumber(fields.Get("factor"), "factor", 1, 100, reporter).value_or(retry.factor);
  retry.jitter = ReadNumber(fields.Get("jitter"), "jitter", 0, 1, reporter).value_or(retry.jitter);
  if (retry.initial > retry.longest) {
    reporter.Error("out-of-range", fields.Get("max").place(),
                   "`max` is shorter than the first pause (`initial`)");
  }
}

}  // namespace

RetrySpec ReadRetry(NodeRef node, Compilation& compilation) {
  RetrySpec retry;
  Reporter& reporter = compilation.reporter;
  if (!node.is_map()) {
    const auto max = ReadInteger(node, "retry", 0, kRetriesMax, reporter);
    retry.max = static_cast<std::uint32_t>(max.value_or(0));
    return retry;
  }
  const Fields fields = compilation.Check(node, Level::kRetry);
  const auto max = ReadInteger(fields.Get("max"), "max", 0, kRetriesMax, reporter);
  retry.max = static_cast<std::uint32_t>(max.value_or(0));
  if (fields.Lacks("max")) {
    reporter.Error("missing-key", node.place(), "`retry` does not say how often: `max`").hint =
        "for example `retry: { max: 2 }`, or `retry: 2`";
  }
  for (const NodeRef cause : ReadScalars(fields.Get("on"), "on", reporter)) {
    ReadCause(cause, retry, compilation);
  }
  ReadBackoff(fields.Get("backoff"), retry, compilation);
  return retry;
}

AllowFailure ReadAllowFailure(NodeRef node, Compilation& compilation) {
  AllowFailure allow;
  if (!node.is_map()) {
    allow.any = ReadBoolean(node, "allow_failure", compilation.reporter).value_or(false);
    return allow;
  }
  const Fields fields = compilation.Check(node, Level::kAllowFailure);
  if (fields.Lacks("exit_codes")) {
    compilation.reporter
        .Error("missing-key", node.place(), "`allow_failure` does not say which `exit_codes`")
        .hint = "`allow_failure: true` tolerates every failure";
  }
  for (const NodeRef code :
       ReadScalars(fields.Get("exit_codes"), "exit_codes", compilation.reporter)) {
    if (const auto number = ReadExitCode(code, "exit_codes", compilation)) {
      allow.exit_codes.push_back(*number);
    }
  }
  return allow;
}

CheckoutSpec ReadCheckout(NodeRef node, Compilation& compilation) {
  CheckoutSpec checkout;
  Reporter& reporter = compilation.reporter;
  if (!node.is_map()) {
    checkout.enabled = ReadBoolean(node, "checkout", reporter).value_or(true);
    return checkout;
  }
  const Fields fields = compilation.Check(node, Level::kCheckout);
  const auto depth = ReadInteger(fields.Get("depth"), "depth", 0, 1'000'000'000, reporter);
  checkout.depth = static_cast<std::uint32_t>(depth.value_or(0));
  checkout.submodules =
      ReadBoolean(fields.Get("submodules"), "submodules", reporter).value_or(false);
  checkout.lfs = ReadBoolean(fields.Get("lfs"), "lfs", reporter).value_or(false);
  return checkout;
}

}  // namespace dsl

// SPDX-License-Identifier: Apache-2.0
// `concurrency`, `approval`, `environment`, `delay`, `overlap`: when a job may begin although its
// needs are met.
#include "dsl/coordination.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "dsl/inputs.h"
#include "dsl/values.h"

namespace dsl {
namespace {

using engine::model::ApprovalSpec;
using engine::model::ConcurrencySpec;
using engine::model::EnvironmentSpec;
using engine::model::GroupPolicy;

constexpr std::array<std::string_view, 4> kPolicies = {"queue", "newest", "cancel_running",
                                                       "reject"};
constexpr std::int64_t kRoomMax = 1'000'000;

/// A name that must not be empty, as far as can be told before it is evaluated.
engine::model::Template ReadName(NodeRef node, std::string_view what, Site site,
                                 const JobNames* names, Compilation& compilation) {
  engine::model::Template name = ReadTemplate(node, site, names, compilation);
  if (name.text.find_first_not_of(" \t\n") == std::string::npos) {
    compilation.reporter.Error("empty-value", node.place(),
                               fmt::format("`{}` must not be empty", what));
  }
  return name;
}

std::optional<ConcurrencySpec> ReadGroup(NodeRef node, Site site, const JobNames* names,
                                         Compilation& compilation) {
  ConcurrencySpec concurrency;
  if (!node.is_map()) {
    concurrency.group = ReadName(node, "concurrency", site, names, compilation);
    return concurrency;
  }
  const Fields fields = compilation.Check(node, Level::kConcurrency);
  const NodeRef group = fields.Get("group");
  if (!group) {
    if (fields.Lacks("group")) {
      compilation.reporter
          .Error("missing-key", node.place(), "`concurrency` does not name its `group`")
          .hint = "for example `concurrency: { group: production }`";
    }
    return std::nullopt;
  }
  concurrency.group = ReadName(group, "group", site, names, compilation);
  const auto max = ReadInteger(fields.Get("max"), "max", 1, kRoomMax, compilation.reporter);
  concurrency.max = static_cast<std::uint32_t>(max.value_or(1));
  const auto policy = ReadWord(fields.Get("policy"), "policy", kPolicies, compilation.reporter);
  concurrency.policy = static_cast<GroupPolicy>(policy.value_or(0));
  return concurrency;
}

bool IsNamedTwice(const std::vector<ConcurrencySpec>& groups, const ConcurrencySpec& group) {
  for (const ConcurrencySpec& other : groups) {
    if (other.group.text == group.group.text) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::vector<ConcurrencySpec> ReadConcurrency(NodeRef node, Site site, const JobNames* names,
                                             Compilation& compilation) {
  std::vector<ConcurrencySpec> groups;
  const std::uint32_t count = node.is_sequence() ? node.size() : 1;
  for (std::uint32_t i = 0; i < count; ++i) {
    const NodeRef item = node.is_sequence() ? node[i] : node;
    if (!item.is_scalar() && !item.is_map()) {
      compilation.reporter
          .Error("wrong-type", item.place(),
                 fmt::format("a group is a name or a map, not {}", Describe(item.kind())))
          .hint = "for example `- { group: production, max: 2 }`";
      continue;
    }
    std::optional<ConcurrencySpec> group = ReadGroup(item, site, names, compilation);
    if (!group) {
      continue;
    }
    if (IsNamedTwice(groups, *group)) {
      compilation.reporter.Error("duplicate-group", item.place(),
                                 fmt::format("the group `{}` is named twice", group->group.text));
      continue;
    }
    groups.push_back(*std::move(group));
  }
  if (node.is_sequence() && count == 0) {
    compilation.reporter.Error("empty-value", node.place(), "`concurrency` names no group");
  }
  return groups;
}

std::optional<ApprovalSpec> ReadApproval(NodeRef node, Compilation& compilation) {
  ApprovalSpec approval;
  if (!node.is_map()) {
    const auto wanted = ReadBoolean(node, "approval", compilation.reporter);
    return wanted.value_or(false) ? std::optional(approval) : std::nullopt;
  }
  const Fields fields = compilation.Check(node, Level::kApproval);
  approval.approvers = ReadTexts(fields.Get("approvers"), "approvers", compilation.reporter);
  approval.timeout = ReadDuration(fields.Get("timeout"), "timeout", compilation.reporter)
                         .value_or(approval.timeout);
  if (const NodeRef inputs = fields.Get("inputs")) {
    for (const Entry& entry : EntriesOf(inputs, compilation.reporter)) {
      approval.inputs.push_back(ReadInput(entry, compilation));
    }
  }
  return approval;
}

std::optional<EnvironmentSpec> ReadEnvironment(NodeRef node, const JobNames* names,
                                               Compilation& compilation) {
  EnvironmentSpec environment;
  if (!node.is_map()) {
    environment.name = ReadName(node, "environment", Site::kJob, names, compilation);
    return environment;
  }
  const Fields fields = compilation.Check(node, Level::kEnvironment);
  const NodeRef name = fields.Get("name");
  if (!name) {
    if (fields.Lacks("name")) {
      compilation.reporter.Error("missing-key", node.place(), "`environment` has no `name`").hint =
          "for example `environment: { name: production }`";
    }
    return std::nullopt;
  }
  environment.name = ReadName(name, "name", Site::kJob, names, compilation);
  environment.url = ReadTemplate(fields.Get("url"), Site::kJob, names, compilation);
  return environment;
}

bool ReadOverlapNever(NodeRef node, Compilation& compilation) {
  static constexpr std::array<std::string_view, 2> kWords = {"allow", "never"};
  return ReadWord(node, "overlap", kWords, compilation.reporter).value_or(0) == 1;
}

}  // namespace dsl

// SPDX-License-Identifier: Apache-2.0
// Reads typed values out of nodes. A reader reports what is wrong and then returns nothing, so that
// the caller goes on. The nodes' shapes were checked against the table of keys before.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dsl/document.h"
#include "dsl/reporter.h"
#include "engine/base/time.h"
#include "engine/model/plan.h"

namespace dsl {

/// `what` is the key as people wrote it, for messages. An empty node gives nothing and no report.
std::optional<bool> ReadBoolean(NodeRef node, std::string_view what, Reporter& reporter);
std::optional<std::int64_t> ReadInteger(NodeRef node, std::string_view what, std::int64_t min,
                                        std::int64_t max, Reporter& reporter);
std::optional<double> ReadNumber(NodeRef node, std::string_view what, double min, double max,
                                 Reporter& reporter);
/// More than nothing.
std::optional<engine::base::Duration> ReadDuration(NodeRef node, std::string_view what,
                                                   Reporter& reporter);
/// Bytes: `64MiB`, `1GB`, `4096`.
std::optional<std::uint64_t> ReadSize(NodeRef node, std::string_view what, Reporter& reporter);
/// The position in `words` of what is written.
std::optional<std::size_t> ReadWord(NodeRef node, std::string_view what,
                                    std::span<const std::string_view> words, Reporter& reporter);
/// Text that holds no expression.
std::optional<std::string> ReadText(NodeRef node, std::string_view what, Reporter& reporter);
/// One text or a list of them.
std::vector<NodeRef> ReadScalars(NodeRef node, std::string_view what, Reporter& reporter);
std::vector<std::string> ReadTexts(NodeRef node, std::string_view what, Reporter& reporter);

/// The value as JSON: plain words by the core schema of YAML 1.2 (null, true, false, numbers), the
/// rest text, lists and maps. Numbers keep their spelling where JSON knows it.
engine::model::JsonText JsonOf(NodeRef node);
/// Two values are equal when these are: numbers by value.
std::string ComparableOf(NodeRef node);
/// The number that a plain scalar stands for; nothing when it is none.
std::optional<double> NumberOf(NodeRef node);
/// `text` as a JSON string.
std::string JsonString(std::string_view text);
void AppendJsonString(std::string_view text, std::string& out);

/// Names: of jobs (letters, digits, `_`, `-`, `.`, not beginning with `.`), of inputs,
/// outputs and steps (letters, digits, `_`, `-`, beginning with a letter or `_`), of environment
/// variables (no `-`).
bool IsJobName(std::string_view name);
bool IsWord(std::string_view name);
bool IsVariableName(std::string_view name);

/// Why `path` is none inside the workspace: "must be relative", …
std::optional<std::string_view> PathFault(std::string_view path);

engine::model::SourcePosition PositionOf(NodeRef node);

}  // namespace dsl

// SPDX-License-Identifier: Apache-2.0
#include "engine/core/transitions_text.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

#include "engine/core/transitions.h"

namespace engine::core {
namespace {

template <typename E, std::size_t kCount>
std::string_view NameIn(const std::array<std::string_view, kCount>& names, E value) {
  return names[static_cast<std::size_t>(value)];
}

std::string NodeId(std::string_view name) {
  std::string id(name);
  std::replace(id.begin(), id.end(), ' ', '_');
  return id;
}

// A diagram to look at and the table to read, both from the rows that are executed.
template <typename Machine, std::size_t kPhases, std::size_t kTriggers>
void AppendMachine(std::string& page, std::string_view title, std::string_view text,
                   const Machine& machine, const std::array<std::string_view, kPhases>& phases,
                   const std::array<std::string_view, kTriggers>& triggers) {
  auto out = std::back_inserter(page);
  fmt::format_to(out, "\n## {}\n\n{}\n\n```mermaid\nstateDiagram-v2\n", title, text);
  for (const auto& row : machine.rows()) {
    fmt::format_to(out, "  {} --> {}: {}\n", NodeId(NameIn(phases, row.from)),
                   NodeId(NameIn(phases, row.to)), NameIn(triggers, row.trigger));
  }
  page += "```\n\n| from | when | to |\n|---|---|---|\n";
  for (const auto& row : machine.rows()) {
    fmt::format_to(out, "| {} | {} | {} |\n", NameIn(phases, row.from),
                   NameIn(triggers, row.trigger), NameIn(phases, row.to));
  }
}

}  // namespace

std::string StateMachinesPage() {
  std::string page =
      "# State machines\n\n"
      "Printed from `engine/core/transitions.h`; the core executes these rows. What has no row is "
      "refused when an\ninput asks for it, and is a defect when a fact does. "
      "`engine_core_test --rewrite` writes this page anew.\n";
  AppendMachine(page, "Run", "From its acceptance until nothing of it can change any more.",
                kRunMachine, kRunPhaseNames, kRunTriggerNames);
  AppendMachine(
      page, "Job",
      "A job, or one cell of its matrix. *Settling* lasts only inside a step. From *waiting* and "
      "*queued* to *backed\noff*, and from *queued* to *asking*, leads only a snapshot, which "
      "leaves "
      "out the attempts that ended.",
      kJobMachine, kJobPhaseNames, kJobTriggerNames);
  AppendMachine(page, "Attempt", "The newest attempt of a job.", kAttemptMachine,
                kAttemptPhaseNames, kAttemptTriggerNames);
  AppendMachine(
      page, "Worker",
      "One session of a worker. A lost one is forgotten when its last attempt has ended: in the "
      "same step, but\nfor attempts that must not overlap another and may still run.",
      kWorkerMachine, kWorkerPhaseNames, kWorkerTriggerNames);
  return page;
}

}  // namespace engine::core

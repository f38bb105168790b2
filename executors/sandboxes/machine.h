// SPDX-License-Identifier: Apache-2.0
// What this machine has to offer to jobs. Reads what the kernel says; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/model/place.h"

namespace executors::sandboxes {

/// Labels `os` and `arch`, and `labels`, which win. The host sandbox. Processors that this process
/// may use, memory of the machine: both no more than its control groups allow. What is free where
/// `folder` lies. No graphics processors.
engine::model::WorkerOffer OfferOfMachine(const std::string& folder,
                                          const std::vector<engine::model::Label>& labels);

/// As people, Go and container registries call it: `amd64`, `arm64`; what is not known stays.
std::string ArchName(const std::string& machine);

/// The lesser of `most` and what the control groups from `group` (a folder) up to `root` allow, in
/// thousandths of a processor. What cannot be read allows anything.
std::uint64_t CpuMillisIn(const std::string& root, const std::string& group, std::uint64_t most);
/// The same in bytes of memory.
std::uint64_t MemoryIn(const std::string& root, const std::string& group, std::uint64_t most);

}  // namespace executors::sandboxes

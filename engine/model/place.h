// SPDX-License-Identifier: Apache-2.0
// Where a job may run: what it asks of a worker, and what a worker offers. Which fits which is
// decided in `engine/placement/fit.h`.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace engine::model {

/// A name and a value that tell workers apart: `arch` and `arm64`. Where a job asks for one, an
/// empty value means any.
struct Label {
  std::string name;
  std::string value;
  friend auto operator<=>(const Label&, const Label&) = default;
};

/// Names: letters, digits, `_`, `-` and `.`, not beginning with `.`, at most 100. Values: 1 to 100
/// printable bytes without spaces.
bool IsLabelName(std::string_view name);
bool IsLabelValue(std::string_view value);
/// Of one worker.
inline constexpr std::size_t kLabelsMax = 64;
/// Sorted by name; of two of a name the one in `stronger` stays.
std::vector<Label> MergeLabels(std::vector<Label> labels, const std::vector<Label>& stronger);

/// Parts of a machine. 0: none is asked for; or none is offered.
struct Resources {
  std::uint64_t cpu_millis = 0;  ///< thousandths of a processor
  std::uint64_t memory = 0;      ///< bytes
  std::uint64_t disk = 0;        ///< bytes
  std::uint64_t gpus = 0;
  friend auto operator<=>(const Resources&, const Resources&) = default;
};

/// How steps are isolated. Stored: append only.
enum class SandboxKind : std::uint8_t {
  kAny = 0,   ///< of a job that does not say
  kHost = 1,  ///< processes of the worker's machine
  kContainer = 2,
  kVm = 3,
};

/// What steps may reach. Stored: append only.
enum class NetworkKind : std::uint8_t {
  kAny = 0,   ///< of a job that does not say
  kHost = 1,  ///< what the worker's machine reaches
  kNone = 2,  ///< nothing but themselves
};

/// What a job asks of the worker that runs it; nothing by default.
struct PlaceNeed {
  std::vector<Label> labels;  ///< each name once, ascending
  Resources resources;
  SandboxKind sandbox = SandboxKind::kAny;
  NetworkKind network = NetworkKind::kAny;
  bool service_images = false;  ///< one of its services is an image: it needs containers for these
  friend auto operator<=>(const PlaceNeed&, const PlaceNeed&) = default;
};

/// A way in which a worker can isolate steps.
struct SandboxOffer {
  SandboxKind kind = SandboxKind::kHost;
  bool cuts_network = false;  ///< steps in it can be kept from every network
  friend auto operator<=>(const SandboxOffer&, const SandboxOffer&) = default;
};

/// What a worker has, all of its slots together. By default what every worker has had from the
/// first: the machine itself, of which nothing is known.
struct WorkerOffer {
  std::vector<Label> labels;  ///< each name once, ascending
  std::vector<SandboxOffer> sandboxes = {SandboxOffer()};
  Resources resources;
  friend bool operator==(const WorkerOffer&, const WorkerOffer&) = default;
};

/// `arch=arm64`; without a value just the name.
std::string ToText(const Label& label);
std::string_view ToText(SandboxKind kind);  ///< `any host container vm`: as in pipelines
/// `4GiB`, in the largest unit that divides it.
std::string BytesText(std::uint64_t bytes);
/// `arch=amd64,os=linux,host,cpu 2`: one word a thing, for transcripts and debugging.
std::string ToText(const WorkerOffer& offer);

}  // namespace engine::model

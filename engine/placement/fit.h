// SPDX-License-Identifier: Apache-2.0
// Which worker can run which job: what the job asks for against what the worker offers. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/model/place.h"

namespace engine::placement {

/// The worker offers all of it, were it to run nothing else.
bool Fits(const model::PlaceNeed& need, const model::WorkerOffer& offer);

/// `asked` is not more than what is left of `offered` beside `used`.
bool HasFree(const model::Resources& asked, const model::Resources& offered,
             const model::Resources& used);
void Add(const model::Resources& asked, model::Resources& used);
void Subtract(const model::Resources& asked, model::Resources& used);

/// What of it the worker does not offer, one text a thing, for people: "label arch=arm64",
/// "cpu: 8", "sandbox container". Empty: it fits.
std::vector<std::string> MissingFrom(const model::PlaceNeed& need, const model::WorkerOffer& offer);

/// Counts what is missing over several workers none of which fits.
class Shortage {
 public:
  explicit Shortage(const model::PlaceNeed& need) : need_(need) {}
  void Look(const model::WorkerOffer& offer);
  /// "label arch=arm64": what none has; else "label arch=arm64 (2 of 3 lack it) together with …".
  std::string Text() const;

 private:
  struct Missing {
    std::string what;
    std::uint32_t workers = 0;
  };

  const model::PlaceNeed& need_;
  std::vector<Missing> missing_;
  std::uint32_t workers_ = 0;
};

}  // namespace engine::placement

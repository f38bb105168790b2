// SPDX-License-Identifier: Apache-2.0
// Replaces the values of secrets in a stream by `***`, wherever the borders of its pieces lie.
//
// Every byte of every occurrence of every form (see `masked_forms.h`) is masked; occurrences that
// overlap become one `***`. Bytes are held back only while they may be the beginning of a form, so
// never more than the longest one has. When the writer pauses, or ends, `GiveOut` settles what is
// held: a beginning of fewer than `kTellingBytes` tells nothing and is shown; a longer one is
// masked, and if the rest of the secret follows, that is masked as well. So nothing waits for ever,
// and a pause in the middle of a secret does not disclose it; in exchange a text that only began
// like a secret before a pause is masked, too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "executors/masking/pattern_tree.h"

namespace executors::masking {

class Masker {
 public:
  static constexpr std::string_view kMask = "***";
  static constexpr std::size_t kTellingBytes = 4;
  /// Of all forms together; their tree then takes less than 100 MB.
  static constexpr std::size_t kFormBytesMax = std::size_t{4} << 20;

  /// Masks nothing.
  Masker() = default;
  /// `ResourceExhausted` when the forms of `values` are more than can be looked for.
  static engine::base::StatusOr<Masker> Of(const std::vector<std::string>& values);
  /// Masks these very texts.
  static Masker OfForms(std::vector<std::string> forms);

  /// Nothing is looked for: the stream may pass by.
  bool is_idle() const { return tree_.empty(); }
  /// Appends to `out` what of the stream can be shown now that `bytes` follow.
  void Feed(std::string_view bytes, std::string& out);
  /// Bytes are held back.
  bool holds() const { return shown_ < read_; }
  /// Settles what is held back: the writer pauses.
  void GiveOut(std::string& out);
  /// As `GiveOut`; what is fed next is another stream.
  void Finish(std::string& out);

 private:
  /// Offsets in the stream.
  struct Mask {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };
  void AddMask(Mask mask);
  void ShowUpTo(std::uint64_t end, std::string& out);

  PatternTree tree_;
  PatternTree::Node node_ = PatternTree::kRoot;
  std::uint64_t read_ = 0;    ///< bytes of the stream
  std::uint64_t shown_ = 0;   ///< of them settled: shown or masked
  std::uint64_t masked_ = 0;  ///< where the mask that was shown last ends
  std::string held_;          ///< the stream's last bytes, from `shown_` or earlier on
  std::deque<Mask> masks_;    ///< to be shown; rising, apart
};

}  // namespace executors::masking

// SPDX-License-Identifier: Apache-2.0
// What `executors::masking::Masker` makes of a stream, told from the whole text: slow and plain,
// for its tests to compare with.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tests::support {

/// How many of the last bytes of `text` begin one of `forms`.
inline std::size_t BegunAtTheEnd(const std::vector<std::string>& forms, std::string_view text) {
  std::size_t longest = 0;
  for (const std::string& form : forms) {
    for (std::size_t length = std::min(form.size(), text.size()); length > longest; --length) {
      if (text.ends_with(std::string_view(form).substr(0, length))) {
        longest = length;
      }
    }
  }
  return longest;
}

inline std::string MaskedText(const std::vector<std::string>& forms, std::string_view text) {
  // `joined[i]`: bytes i-1 and i belong to one occurrence.
  std::vector<bool> masked(text.size() + 1);
  std::vector<bool> joined(text.size() + 1);
  const auto mark = [&](std::size_t at, std::size_t length) {
    for (std::size_t i = at; i < at + length; ++i) {
      masked[i] = true;
      joined[i] = joined[i] || i > at;
    }
  };
  for (const std::string& form : forms) {
    for (std::size_t at = text.find(form); !form.empty() && at != std::string_view::npos;
         at = text.find(form, at + 1)) {
      mark(at, form.size());
    }
  }
  if (const std::size_t begun = BegunAtTheEnd(forms, text); begun >= 4) {
    mark(text.size() - begun, begun);
  }
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!masked[i]) {
      out.push_back(text[i]);
    } else if (!joined[i]) {
      out += "***";
    }
  }
  return out;
}

}  // namespace tests::support

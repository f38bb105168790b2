// SPDX-License-Identifier: Apache-2.0
// The masker over any stream cut anywhere, compared with a search through the whole text; then the
// forms of any value. The input: lines that are forms, an empty line, the stream; its first byte
// says how long the pieces are.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/check.h"
#include "executors/masking/masked_forms.h"
#include "executors/masking/masker.h"
#include "tests/support/masked_text.h"

using executors::masking::Masker;

namespace {

void CheckStream(const std::vector<std::string>& forms, std::string_view text, std::size_t piece) {
  Masker masker = Masker::OfForms(forms);
  std::string out;
  std::size_t longest = 0;
  for (const std::string& form : forms) {
    longest = std::max(longest, form.size());
  }
  for (std::size_t at = 0; at < text.size(); at += piece) {
    masker.Feed(text.substr(at, piece), out);
    CHECK(masker.holds() <= (longest > 0));
  }
  masker.Finish(out);
  CHECK(!masker.holds());
  CHECK(out == tests::support::MaskedText(forms, text));
}

// Whatever the pauses, no occurrence that came in one go is shown.
void CheckPauses(const std::string& form, std::string_view text) {
  Masker masker = Masker::OfForms({form});
  std::string out;
  masker.Feed(text, out);
  masker.GiveOut(out);
  std::string more;
  masker.Feed(form, more);
  masker.Finish(more);
  CHECK(more.find(form) == std::string::npos);
}

void CheckForms(const std::string& value) {
  const auto masker = Masker::Of({value});
  if (!masker.ok()) {
    return;
  }
  for (const std::string& form : executors::masking::MaskedForms(value)) {
    CHECK(form.size() >= executors::masking::kValueBytesMin);
    Masker copy = *masker;
    std::string out;
    copy.Feed(form, out);
    copy.Finish(out);
    CHECK(out == Masker::kMask);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 4096) {
    return 0;
  }
  const std::size_t piece = 1 + data[0] % 64;
  std::string rest(data + 1, data + size);
  std::vector<std::string> forms;
  std::string_view text = rest;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || forms.size() == 16) {
      break;
    }
    forms.emplace_back(line);
  }
  CheckStream(forms, text, piece);
  if (!forms.empty()) {
    if (forms.front().find("***") == std::string::npos && forms.front().size() >= 4) {
      CheckPauses(forms.front(), text);
    }
    CheckForms(forms.front());
  }
  return 0;
}

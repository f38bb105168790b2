// SPDX-License-Identifier: Apache-2.0
#include "executors/masking/masker.h"

#include <algorithm>
#include <utility>

#include "executors/masking/masked_forms.h"

namespace executors::masking {

engine::base::StatusOr<Masker> Masker::Of(const std::vector<std::string>& values) {
  std::vector<std::string> all;
  std::size_t bytes = 0;
  for (const std::string& value : values) {
    // There are eight forms at least, so what is hopeless is not even tried.
    const bool is_hopeless = value.size() > kFormBytesMax / 8;
    for (std::string& form : is_hopeless ? std::vector<std::string>{} : MaskedForms(value)) {
      bytes += form.size();
      all.push_back(std::move(form));
    }
    if (is_hopeless || bytes > kFormBytesMax) {
      return engine::base::ResourceExhausted(
          "the secrets are too long to be masked: their forms have more than {} bytes",
          kFormBytesMax);
    }
  }
  return OfForms(std::move(all));
}

Masker Masker::OfForms(std::vector<std::string> forms) {
  Masker masker;
  masker.tree_ = PatternTree(std::move(forms));
  return masker;
}

void Masker::Feed(std::string_view bytes, std::string& out) {
  while (!bytes.empty()) {
    if (node_ == PatternTree::kRoot) {
      const std::size_t idle = tree_.CountIdle(bytes);
      out.append(bytes.substr(0, idle));
      bytes.remove_prefix(idle);
      read_ += idle;
      shown_ = read_;
      if (bytes.empty()) {
        return;
      }
    }
    node_ = tree_.Next(node_, bytes.front());
    held_.push_back(bytes.front());
    bytes.remove_prefix(1);
    ++read_;
    if (const std::size_t length = tree_.Match(node_); length > 0) {
      AddMask({.begin = read_ - length, .end = read_});
    }
    // Whatever is found later begins where the present beginning does, or behind it.
    ShowUpTo(read_ - tree_.Depth(node_), out);
  }
}

void Masker::AddMask(Mask mask) {
  while (!masks_.empty() && masks_.back().end > mask.begin) {
    mask.begin = std::min(mask.begin, masks_.back().begin);
    masks_.pop_back();
  }
  masks_.push_back(mask);
}

void Masker::ShowUpTo(std::uint64_t end, std::string& out) {
  const auto held_from = read_ - held_.size();
  const auto show = [&](std::uint64_t until) {
    if (shown_ < until) {
      out.append(held_, shown_ - held_from, until - shown_);
      shown_ = until;
    }
  };
  while (!masks_.empty() && masks_.front().begin < end) {
    Mask& mask = masks_.front();
    show(mask.begin);
    // One that overlaps a mask which is out already is a part of it.
    if (mask.begin >= masked_) {
      out.append(kMask);
    }
    masked_ = std::max(masked_, mask.end);
    shown_ = std::max(shown_, std::min(mask.end, end));
    if (mask.end > end) {
      break;
    }
    masks_.pop_front();
  }
  show(end);
  if (shown_ == read_) {
    held_.clear();
  } else if (shown_ - held_from > held_.size() / 2) {
    held_.erase(0, shown_ - held_from);
  }
}

void Masker::GiveOut(std::string& out) {
  const std::size_t begun = tree_.Depth(node_);
  if (holds() && begun >= kTellingBytes) {
    AddMask({.begin = read_ - begun, .end = read_});
  }
  ShowUpTo(read_, out);
}

void Masker::Finish(std::string& out) {
  GiveOut(out);
  node_ = PatternTree::kRoot;
  masked_ = read_;
}

}  // namespace executors::masking

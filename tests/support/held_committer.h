// SPDX-License-Identifier: Apache-2.0
// A committer that holds each batch until the test says what becomes of it. One thread.
#pragma once

#include <utility>

#include "engine/loop/committer.h"
#include "engine/ports/run_store.h"

namespace tests::support {

class HeldCommitter : public engine::loop::Committer {
 public:
  explicit HeldCommitter(engine::ports::RunStore& store) : store_(store) {}

  void Commit(const engine::ports::CommitBatch& batch, Done done) override {
    batch_ = &batch;
    done_ = std::move(done);
    ++commits_;
  }

  bool busy() const { return batch_ != nullptr; }
  int commits() const { return commits_; }
  const engine::ports::CommitBatch& batch() const { return *batch_; }

  /// The store decides.
  void Finish() {
    const engine::ports::CommitBatch& batch = *std::exchange(batch_, nullptr);
    std::exchange(done_, nullptr)(store_.Commit(batch));
  }
  /// As long as there is something to commit.
  void FinishAll() {
    while (busy()) {
      Finish();
    }
  }
  /// The store never hears of it.
  void FailWith(engine::base::Status status) {
    batch_ = nullptr;
    std::exchange(done_, nullptr)(std::move(status));
  }

 private:
  engine::ports::RunStore& store_;
  const engine::ports::CommitBatch* batch_ = nullptr;
  Done done_;
  int commits_ = 0;
};

}  // namespace tests::support

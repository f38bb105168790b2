// SPDX-License-Identifier: Apache-2.0
// How runs are started: compiled apart from the engine's thread, once for each request key,
// answered when they are durable.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/services/run_feeds.h"
#include "api/services/seat.h"
#include "api/services/work_queue.h"
#include "api/wire/submission.h"
#include "dsl/diagnostic.h"
#include "engine/base/status.h"
#include "engine/loop/engine_loop.h"
#include "engine/model/input.h"

namespace api::services {

/// What became of a request to start a run.
struct Started {
  engine::model::RunId run;  ///< 0: the pipeline is refused, see `diagnostics`
  bool existed = false;
  std::vector<dsl::Diagnostic> diagnostics;
};

/// The key was used for another request.
struct KeyTaken {
  engine::model::RunId first;
};

struct IntakeOptions {
  /// The name of a plan, as the store gives it.
  std::function<engine::base::Digest(const engine::model::Plan&)> digest_of;
  std::function<engine::model::RunId()> draw_run;
  std::function<std::uint64_t()> draw_seed;
  /// At which every job sees its workspace.
  std::string workspace;
  std::vector<std::string> pools;  ///< that jobs may name; empty: any
  /// `FailedPrecondition`: some of an uploaded tree is not here. On the compiler's thread.
  std::function<engine::base::Status(const engine::base::Digest& manifest)> check_tree;
};

class Intake {
 public:
  /// An error with `first` set: `AlreadyExists`.
  using Done = std::function<void(engine::base::StatusOr<Started>, std::optional<KeyTaken>)>;

  Intake(Seat& seat, IntakeOptions options);

  /// Any thread. `done` comes on any thread but never from inside the call, unless too much waits
  /// (`ResourceExhausted`).
  void Submit(wire::Submission submission, std::string by, Done done);

  /// On the engine's thread. `first` is over.
  void Retry(const FeedRef& first, bool failed_only, std::string request_key, std::string by,
             Done done);

 private:
  struct Order {
    engine::model::SubmitRun input;
    std::vector<dsl::Diagnostic> diagnostics;
    Done done;
  };
  /// As `Seat::OnEngine`, but nothing happens once this is gone: the call then ends by itself.
  void OnEngine(std::function<void(Shard*)> work);
  using OrderRef = std::shared_ptr<Order>;

  engine::base::Status CheckSource(const wire::Submission& submission,
                                   const engine::model::Plan& plan) const;
  void Compile(const wire::Submission& submission, const std::string& by, const Done& done);
  void Enter(Shard* shard, const OrderRef& order);
  void AskArchive(Shard& shard, const OrderRef& order);
  void Post(Shard& shard, const OrderRef& order);
  void Answered(const OrderRef& order, const engine::loop::Answer& answer);
  void AnswerFirst(const OrderRef& order, const engine::model::RunAccepted& first);
  void Finish(const OrderRef& order, engine::base::StatusOr<Started> result,
              std::optional<KeyTaken> taken = {});

  Seat& seat_;
  IntakeOptions options_;
  /// Keys whose first request is not answered yet, with those that wait for it. The engine's
  /// thread.
  std::map<std::string, std::vector<OrderRef>> busy_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  WorkQueue compiler_;
};

/// The same request, whoever sent it and when.
bool IsSameRequest(const engine::model::SubmitRun& submit, const engine::model::RunAccepted& first);

}  // namespace api::services

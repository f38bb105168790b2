// SPDX-License-Identifier: Apache-2.0
#include "apps/network/bulk_side.h"

#include <algorithm>
#include <utility>
#include <variant>

#include <boost/asio/post.hpp>

#include "agents/reports/annotation_document.h"
#include "agents/reports/test_document.h"
#include "agents/runner/read_outputs.h"
#include "agents/runner/wanted_artifacts.h"
#include "api/agents/peer_identity.h"
#include "api/services/archive.h"
#include "api/services/call.h"
#include "api/wire/grpc_status.h"
#include "apps/local_caches.h"
#include "apps/terminal.h"
#include "engine/base/log.h"
#include "engine/base/overloaded.h"
#include "engine/model/uploaded_tree.h"
#include "store/artifacts/manifest.h"

namespace apps::network {

namespace base = engine::base;
namespace bulk = api::bulk;
namespace loop = engine::loop;
namespace model = engine::model;
namespace ports = engine::ports;
namespace services = api::services;

namespace {

/// Of runs that are over, and whose last bytes may still come; older ones are read back.
constexpr std::size_t kClosedMax = 1024;

}  // namespace

/// What a worker is given it may also fetch; before it hears of it.
class BulkSide::GrantingLink final : public ports::AgentLink {
 public:
  GrantingLink(BulkSide& side, ports::AgentLink& agents) : side_(side), agents_(agents) {}
  void Dispatch(const model::Assignment& assignment) override {
    if (!agents::runner::HasOutputs(assignment)) {
      return Hand(assignment);
    }
    model::Assignment told = assignment;
    const model::SpecIndex spec = told.plan->jobs[base::AsIndex(told.job)].spec;
    agents::runner::KeepReadOutputs(*agents::runner::CompileSpec(told.plan, spec), told);
    Hand(told);
  }
  void Stop(const model::StopAttempt& stop) override { agents_.Stop(stop); }
  void Drain(const model::DrainWorker& order) override { agents_.Drain(order); }

 private:
  void Hand(const model::Assignment& assignment) {
    side_.Grant(assignment);
    agents_.Dispatch(assignment);
  }

  BulkSide& side_;
  ports::AgentLink& agents_;
};

BulkSide::BulkSide(boost::asio::io_context& io, services::Seat& seat, const ServerConfig& config)
    : io_(io),
      seat_(seat),
      config_(config),
      gate_([&io](std::function<void()> work) { boost::asio::post(io, std::move(work)); }),
      logs_service_(seat, gate_, {}) {}

BulkSide::~BulkSide() {
  Close();
}

base::Status BulkSide::OpenStore() {
  ASSIGN_OR_RETURN(chunks_, store::artifacts::LocalStore::Open(config_.artifacts));
  // Beside the chunks, so that servers which share those share the caches.
  ASSIGN_OR_RETURN(caches_, OpenCaches(config_.artifacts + "/caches", WallClock));
  sweep_ =
      std::make_unique<StoreSweep>(io_, seat_, *chunks_, *caches_, config_.artifacts + "/ledger");
  bulk::ChunkServiceOptions options;
  options.store = chunks_.get();
  options.grants = &grants_;
  options.caller_of = [this](grpc::ServerContextBase& context) { return CallerOf(context); };
  options.chunks_of = [this](const base::Digest& manifest) {
    return store::artifacts::ListChunks(*chunks_, manifest);
  };
  chunk_service_ = std::make_unique<bulk::ChunkService>(std::move(options));
  return base::OkStatus();
}

// Whom the access control lets through and who is no worker is an operator.
base::StatusOr<bulk::Caller> BulkSide::CallerOf(grpc::ServerContextBase& context) const {
  if (!is_owner_) {
    return api::wire::FromGrpc(services::NotOwner(seat_, context));
  }
  const auto worker = api::agents::PeerWorker(context);
  return worker.ok() ? bulk::Caller(*worker) : bulk::Caller();
}

base::Status BulkSide::CheckTree(const base::Digest& manifest) {
  return base::Annotate(chunk_service_->CheckWhole(manifest), "source.uploaded_tree");
}

base::StatusOr<ports::AgentLink*> BulkSide::Open(loop::EngineLoop& loop, ports::AgentLink& agents) {
  auto tenure = std::make_shared<Tenure>();
  store::logs::ServerLogsOptions options;
  options.folder = config_.logs;
  options.epoch = loop.epoch();
  ASSIGN_OR_RETURN(tenure->logs, store::logs::ServerLogs::Open(std::move(options)));
  tenure->acceptor = std::make_unique<bulk::LogAcceptor>(*tenure->logs, grants_,
                                                         [this](model::RunId run) { LookUp(run); });
  tenure->link = std::make_unique<GrantingLink>(*this, agents);
  loop_ = &loop;
  tenure_ = std::move(tenure);
  for (const model::Assignment& assignment : loop.RecoveredAssignments()) {
    Grant(assignment);
    const model::Lease& lease = assignment.lease;
    tenure_->runs[lease.key.run].attempts[lease.key].worker = lease.worker;
  }
  loop.AddObserver(this);
  gate_.Begin({.acceptor = tenure_->acceptor.get(),
               .feed = tenure_->logs.get(),
               .settling = [this](model::RunId run) { Settling(run); }});
  is_owner_ = true;
  sweep_->Begin();
  return tenure_->link.get();
}

// First those who bring and fetch, then the store, then who answers for it.
void BulkSide::Close() {
  if (tenure_ == nullptr) {
    return;
  }
  is_owner_ = false;
  sweep_->End();
  gate_.End();
  tenure_->logs.reset();
  tenure_.reset();
  grants_.ForgetEverything();
  loop_ = nullptr;
}

void BulkSide::Grant(const model::Assignment& assignment) {
  bulk::Allowance allowance;
  allowance.steps = StepCount(model::SpecOf(*assignment.plan, assignment.job));
  // What is missing the worker finds out, too.
  const auto wanted = agents::runner::WantedArtifacts(assignment);
  for (const model::Artifact& artifact : wanted.ok() ? *wanted : std::vector<model::Artifact>()) {
    allowance.artifacts.push_back(artifact.manifest);
  }
  for (const model::NeedResult& need : assignment.needs) {
    for (const auto& result : need.results) {
      for (const model::SpilledOutput& output : result->spilled) {
        allowance.documents.push_back(output.document);
      }
    }
  }
  if (const auto tree = model::UploadedTree(assignment.context->tree); tree.has_value()) {
    allowance.artifacts.push_back(*tree);
  }
  const model::RareJobSettings& rare =
      model::RareOf(model::SpecOf(*assignment.plan, assignment.job));
  if (!rare.caches.empty() || !rare.reuse_inputs.empty()) {
    allowance.caches = std::make_shared<store::caches::ScopedCaches>(
        *caches_, store::caches::ScopesOf(*assignment.context));
  }
  grants_.Open(assignment.lease, allowance);
}

base::StatusOr<std::string> BulkSide::ReadDocument(const base::Digest& document) {
  ASSIGN_OR_RETURN(std::string text, chunks_->Get(document));
  // Whoever may look at runs may not look into any file that some job kept.
  if (!agents::reports::DecodeAnnotations(text).ok()) {
    RETURN_IF_ERROR(agents::reports::DecodeTestDocument(text).status());
  }
  return text;
}

// ---- what became true

void BulkSide::OnDurable(std::uint64_t /*first_seq*/, std::span<const model::Fact> facts) {
  for (const model::Fact& fact : facts) {
    if (const model::RunId run = model::RunOf(fact); run.value() != 0) {
      Note(fact, tenure_->runs[run]);
    }
    On(fact);
  }
}

void BulkSide::On(const model::Fact& fact) {
  std::visit(
      base::Overloaded{[&](const model::RunAccepted& body) {
                         tenure_->known.insert(body.run);
                         grants_.KnowRun(body.run);
                       },
                       [&](const model::AttemptEnded& body) { Ended(body); },
                       [&](const model::WorkerLost& body) { Lost(body.worker); },
                       [&](const model::RunClosed& body) { Closed(body.run); }, [](const auto&) {}},
      fact.body);
}

// Of a step whose end nobody told the rest will not come. Logs of the others are on their way.
void BulkSide::Ended(const model::AttemptEnded& ended) {
  grants_.Close(ended.key);
  if (ended.infra) {
    const AttemptNote& attempt = tenure_->runs[ended.key.run].attempts[ended.key];
    Abandon(ended.key, attempt, /*with_ended=*/false);
    AbandonUnnamed(ended.key, attempt);
  }
}

void BulkSide::Lost(model::WorkerId worker) {
  for (const auto& [run, notes] : tenure_->runs) {
    for (const auto& [key, attempt] : notes.attempts) {
      if (attempt.worker == worker) {
        Abandon(key, attempt, /*with_ended=*/true);
      }
    }
  }
}

void BulkSide::Abandon(const model::AttemptKey& key, const AttemptNote& attempt, bool with_ended) {
  for (const auto& [step, length] : attempt.steps) {
    const bool is_open = !length || (with_ended && *length > 0);
    if (is_open) {
      tenure_->logs->Abandon({.attempt = key, .step = step}, length.value_or(0));
    }
  }
}

// Bytes may have come of a step of which no fact says that it began: that word was lost with the
// worker. All that are named are known only of a run that is.
void BulkSide::AbandonUnnamed(const model::AttemptKey& key, const AttemptNote& attempt) {
  if (!tenure_->known.contains(key.run)) {
    return;
  }
  std::set<model::StepIndex> named;
  for (const auto& [step, length] : attempt.steps) {
    named.insert(step);
  }
  tenure_->logs->AbandonOthers(key, named);
}

void BulkSide::Closed(model::RunId run) {
  tenure_->closed.push_back(run);
  if (tenure_->closed.size() <= kClosedMax) {
    return;
  }
  const model::RunId oldest = tenure_->closed.front();
  tenure_->closed.pop_front();
  tenure_->runs.erase(oldest);
  tenure_->known.erase(oldest);
  tenure_->acceptor->ForgetRun(oldest);
  grants_.ForgetRun(oldest);
}

// ---- what is older than that

// Any thread.
void BulkSide::LookUp(model::RunId run) {
  seat_.OnEngine([this, run](services::Shard* shard) {
    if (shard != nullptr && tenure_ != nullptr && !tenure_->known.contains(run)) {
      tenure_->wanted.insert(run);
      ReadBack(*shard);
    }
  });
}

// One pass at a time; what is wanted meanwhile shares the next.
void BulkSide::ReadBack(services::Shard& shard) {
  if (tenure_->is_reading || tenure_->wanted.empty()) {
    return;
  }
  tenure_->is_reading = true;
  const base::Status asked = shard.archive->Do(
      [this, tenure = std::weak_ptr(tenure_), runs = std::exchange(tenure_->wanted, {})](
          ports::RunHistory&, ports::RunStore& store) {
        seat_.OnEngine([this, tenure, runs, found = ReadNotes(store, runs)](services::Shard* then) {
          if (then != nullptr && !tenure.expired()) {
            Take(runs, found);
            ReadBack(*then);
          }
        });
      });
  if (!asked.ok()) {
    tenure_->is_reading = false;  // they ask again
  }
}

void BulkSide::Take(const std::set<model::RunId>& asked, const Found& found) {
  tenure_->is_reading = false;
  if (!found.ok()) {
    spdlog::warn("logs of {} runs wait: {}", asked.size(), base::Message(found.status()));
    return;
  }
  for (const model::RunId run : asked) {
    if (const auto read = found->find(run); read != found->end()) {
      RunNotes& notes = tenure_->runs[run];
      Merge(read->second, notes);
      for (const auto& [key, attempt] : notes.attempts) {
        if (key.job.value() >= notes.plan->jobs.size()) {
          continue;  // It came up meanwhile: its assignment has opened what it may.
        }
        const model::JobSpec& spec = model::SpecOf(*notes.plan, key.job);
        grants_.Open({.key = key, .worker = attempt.worker, .session = {}},
                     {.artifacts = {}, .steps = StepCount(spec)});
        if (attempt.has_ended) {
          grants_.Close(key);
        }
      }
    }
    tenure_->known.insert(run);
    grants_.KnowRun(run);
    // A run that never was is kept as long as one that is over.
    if (!found->contains(run) || tenure_->runs[run].is_closed) {
      Closed(run);
    }
    if (tenure_->settling.erase(run) > 0) {
      AbandonOrphans(run);
    }
  }
}

// ---- logs whose worker does not come any more

void BulkSide::Settling(model::RunId run) {
  if (tenure_->known.contains(run)) {
    return AbandonOrphans(run);
  }
  tenure_->settling.insert(run);
  LookUp(run);
}

void BulkSide::AbandonOrphans(model::RunId run) {
  loop_->Read([this, run](const engine::core::EngineCore& core, base::Instant) {
    const auto notes = tenure_->runs.find(run);
    if (notes == tenure_->runs.end()) {
      return;
    }
    const auto workers = core.Workers();
    for (const auto& [key, attempt] : notes->second.attempts) {
      const bool is_there = std::ranges::any_of(
          workers, [id = attempt.worker](const auto& worker) { return worker.first == id; });
      if (!is_there) {
        Abandon(key, attempt, /*with_ended=*/true);
        AbandonUnnamed(key, attempt);
      }
    }
  });
}

}  // namespace apps::network

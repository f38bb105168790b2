// SPDX-License-Identifier: Apache-2.0
// What a slot does with a job's files besides its steps: an earlier result or caches before them;
// artifacts, test reports and caches behind them.
#include <optional>
#include <utility>

#include "agents/runner/job_annotations.h"
#include "agents/runner/job_caches.h"
#include "agents/runner/job_reports.h"
#include "agents/runner/job_reuse.h"
#include "agents/runner/slot.h"
#include "agents/runner/slot_handlers.h"

namespace agents::runner {
namespace {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

/// What closing a job takes: where things are, and where they go.
struct ClosingPlace {
  ports::ArtifactArchive* archive = nullptr;
  std::string root;
  std::string workspace;
  const CacheTools* caches = nullptr;
};

base::StatusOr<std::vector<model::Artifact>> PackAll(const ClosingPlace& place,
                                                     const std::vector<UploadRequest>& uploads,
                                                     const std::stop_token& stop) {
  std::vector<model::Artifact> made;
  for (const UploadRequest& upload : uploads) {
    base::StatusOr<model::Artifact> artifact =
        place.archive->Pack({.root = place.root, .name = upload.name, .paths = upload.paths}, stop);
    if (!artifact.ok()) {
      return base::Annotate(artifact.status(), "'" + upload.name + "'");
    }
    made.push_back(*std::move(artifact));
  }
  return made;
}

base::Status KeepOutputs(ports::ArtifactArchive& archive, const SpilledTexts& outputs,
                         const std::stop_token& stop) {
  for (const auto& [document, text] : outputs) {
    if (stop.stop_requested()) {
      return base::Cancelled("ended before all outputs were kept");
    }
    RETURN_IF_ERROR(archive.PutDocument(text).status());
  }
  return base::OkStatus();
}

Closed CloseJob(const ClosingPlace& place, const Closing& closing, const std::stop_token& stop) {
  Closed closed{.spilled = KeepOutputs(*place.archive, closing.spilled, stop),
                .artifacts = PackAll(place, closing.uploads, stop)};
  ReportsRead read = ReadReports(*place.archive,
                                 {.root = place.root,
                                  .workspace = place.workspace,
                                  .junit = closing.junit_reports,
                                  .masks = closing.masks},
                                 stop);
  closed.remarks = std::move(read.remarks);
  closed.test_document = std::move(read.document);
  for (std::size_t i = 0; i < closing.saves.size() && closed.artifacts.ok(); ++i) {
    closed.remarks.notes.push_back(SaveCache(*place.caches, closing.saves[i]));
  }
  return closed;
}

/// What comes after all steps, and what there is to tell of it.
struct Rest {
  std::string saved;
  model::JobRemarks remarks;
};

Rest KeepRest(const CacheTools& tools, const std::optional<ReuseSave>& save,
              const std::optional<AnnotationsRequest>& annotations, const std::string& scratch) {
  Rest rest;
  if (annotations) {
    rest.remarks = KeepAnnotations(tools.archive.get(), *annotations);
  }
  if (save) {
    rest.saved = SaveResult(tools, *save, scratch);
  }
  return rest;
}

}  // namespace

// ---- an earlier result

void Slot::LookForEarlier(ReuseRequest request) {
  phase_ = Phase::kDownloading;
  OnPool([tools = BeginCaches(), request = std::move(request),
          scratch = ReuseFolder()] { return FindEarlier(tools, request, scratch); },
         [this](ReuseAnswer answer) {
           EndCaches();
           if (attempt_->is_stopped()) {
             return End();
           }
           attempt_->ReuseLookedUp(std::move(answer));
           PlanCaches();
         });
}

// ---- caches

void Slot::PlanCaches() {
  CachePlan plan = attempt_->PlanCaches();
  if (auto* requests = std::get_if<std::vector<CacheRequest>>(&plan)) {
    return requests->empty() ? CachesReady({}) : Restore(std::move(*requests));
  }
  const std::vector<std::string> patterns = std::get<WantHash>(plan).patterns;
  const std::shared_ptr<ports::ArtifactArchive> archive = Archive();
  if (archive == nullptr) {
    attempt_->GiveCacheHash(patterns, base::Unimplemented("not available here"));
    return PlanCaches();
  }
  phase_ = Phase::kDownloading;
  OnPool([archive, root = workspace_view_, patterns] { return archive->HashFiles(root, patterns); },
         [this, patterns](const base::StatusOr<std::string>& hash) {
           if (attempt_->is_stopped()) {
             return End();
           }
           attempt_->GiveCacheHash(patterns, hash);
           PlanCaches();
         });
}

void Slot::Restore(std::vector<CacheRequest> requests) {
  phase_ = Phase::kDownloading;
  OnPool([tools = BeginCaches(),
          requests = std::move(requests)] { return RestoreCaches(tools, requests); },
         [this](std::vector<CacheRestored> restored) {
           EndCaches();
           if (attempt_->is_stopped()) {
             return End();
           }
           CachesReady(std::move(restored));
         });
}

void Slot::CachesReady(std::vector<CacheRestored> caches) {
  attempt_->CachesRestored(caches);
  Keep(WorkspaceReadied{attempt_->fetched_outputs(), std::move(caches), attempt_->reuse()});
  phase_ = Phase::kStepping;
  Advance();
}

CacheTools Slot::BeginCaches() {
  const RunnerOptions& options = *shop_.options;
  caches_ = std::make_shared<CacheWatch>();
  moved_before_ = 0;
  Wake(stall_at_, Now() + options.cache_stall_time);
  const std::stop_token stop = caches_->stop.get_token();
  CacheTools tools{.archive = options.archive_of ? options.archive_of(lease_.key, stop) : Archive(),
                   .index = nullptr,
                   .root = workspace_view_,
                   .watch = caches_};
  if (options.caches_of) {
    tools.index = options.caches_of(attempt_->assignment(), stop);
  }
  return tools;
}

void Slot::EndCaches() {
  stall_at_ = kNever;
  if (caches_ != nullptr) {
    caches_->stop.request_stop();
    caches_.reset();
  }
}

void Slot::WatchCaches() {
  const RunnerOptions& options = *shop_.options;
  const std::uint64_t moved = caches_->moved;
  if (moved - moved_before_ < options.cache_stall_bytes) {
    stall_at_ = kNever;
    caches_->stalled = true;
    caches_->stop.request_stop();
    return;
  }
  moved_before_ = moved;
  Wake(stall_at_, Now() + options.cache_stall_time);
}

// ---- when the steps have ended

void Slot::Close(Closing closing) {
  const bool has_finally = !attempt_->spec().rare->finally_steps.empty();
  const auto go_on = [this, has_finally] {
    phase_ = Phase::kStepping;
    if (has_finally && budget_deadline_ == kNever) {
      SetBudget(Now() + attempt_->assignment().finally_budget);
    }
    backstop_at_ = kNever;
    Advance();
  };
  if (closing.empty()) {
    return go_on();
  }
  const std::shared_ptr<ports::ArtifactArchive> archive = Archive();
  if (archive == nullptr) {
    const base::Status none = base::FailedPrecondition("there is no artifact store");
    attempt_->TakeClosed(
        {.spilled = closing.spilled.empty() ? base::OkStatus() : none, .artifacts = none});
    return go_on();
  }
  phase_ = Phase::kClosing;
  const CacheTools caches = closing.saves.empty() ? CacheTools{} : BeginCaches();
  OnPool(
      [archive, closing = std::move(closing), root = workspace_view_, workspace = place_.workspace,
       caches, stop = pool_stop_.get_token()] {
        return CloseJob({archive.get(), root, workspace, &caches}, closing, stop);
      },
      [this, go_on](Closed closed) {
        EndCaches();
        Keep(UploadsMade{closed.spilled, closed.artifacts.status(),
                         closed.artifacts.value_or(std::vector<model::Artifact>()),
                         closed.remarks});
        attempt_->TakeClosed(std::move(closed));
        go_on();
      });
}

// Only now have all steps said what they had to say, and is it known that the job ended well,
// `finally` included. A stop that came before does not hinder it: what a cancelled job found is
// kept, too.
void Slot::Finish() {
  std::optional<ReuseSave> save = attempt_->PlanReuseSave();
  std::optional<AnnotationsRequest> annotations = attempt_->PlanAnnotations();
  if (!save && !annotations) {
    return End();
  }
  phase_ = Phase::kClosing;
  budget_deadline_ = backstop_at_ = kNever;
  OnPool([tools = BeginCaches(), save = std::move(save), annotations = std::move(annotations),
          scratch = ReuseFolder()] { return KeepRest(tools, save, annotations, scratch); },
         [this](Rest rest) {
           EndCaches();
           attempt_->ResultSaved(rest.saved);
           attempt_->AnnotationsKept(std::move(rest.remarks));
           End();
         });
}

}  // namespace agents::runner

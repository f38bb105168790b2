// SPDX-License-Identifier: Apache-2.0
#include "engine/model/deployment.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>
#include <variant>

#include "engine/base/overloaded.h"

namespace engine::model {
namespace {

// The job is the last tie-break: a run may claim several at one instant.
bool IsNewer(const Deployment& a, const Deployment& b) {
  return std::tie(a.queued_at, a.run, a.job) > std::tie(b.queued_at, b.run, b.job);
}

bool EndedLater(const Deployment& a, const Deployment& b) {
  return std::tie(a.ended_at, a.run, a.job) > std::tie(b.ended_at, b.run, b.job);
}

using Place = std::pair<std::string, std::string>;  // environment, source

Place PlaceOf(const Deployment& deployment) {
  return {deployment.environment, deployment.source};
}

void MarkCurrent(std::vector<Deployment>& known) {
  std::map<Place, Deployment*> current;
  for (Deployment& each : known) {
    each.is_current = false;
    if (each.status == Status::kSucceeded) {
      Deployment*& best = current[PlaceOf(each)];
      if (best == nullptr || EndedLater(each, *best)) {
        best = &each;
      }
    }
  }
  for (const auto& [place, deployment] : current) {
    deployment->is_current = true;
  }
}

/// Of `sorted`, newest first.
std::vector<Deployment> Overview(std::vector<Deployment> sorted, std::size_t limit) {
  std::map<Place, std::vector<Deployment>*> by_place;
  std::vector<std::vector<Deployment>> places;
  places.reserve(sorted.size());
  for (Deployment& each : sorted) {
    std::vector<Deployment>*& place = by_place[PlaceOf(each)];
    if (place == nullptr) {
      place = &places.emplace_back();
    }
    if (place->empty() || each.is_current) {
      place->push_back(std::move(each));
    }
  }
  std::vector<Deployment> out;
  for (std::size_t i = 0; i < std::min(limit, places.size()); ++i) {
    std::move(places[i].begin(), places[i].end(), std::back_inserter(out));
  }
  return out;
}

// When it began is worked out as from the history tables, which have no row for a beginning.
void End(const JobEnded& fact, base::Instant at, base::Duration took, Deployment& out) {
  out.status = fact.result->status;
  out.reason = fact.result->reason;
  out.ended_at = at;
  out.started_at.reset();
  if (took.count() > 0) {
    out.started_at = at - took;
  }
}

}  // namespace

void RunDeployments::Claim(const JobQueued& queued, base::Instant at, const RunContext& context,
                           const Plan& grown) {
  if (queued.environment.empty()) {
    return;
  }
  Deployment claimed;
  claimed.environment = queued.environment;
  claimed.url = queued.environment_url;
  claimed.run = queued.run;
  claimed.job = queued.job;
  claimed.job_name = JobName(grown, queued.job);
  claimed.pipeline = grown.name;
  claimed.source = context.source;
  claimed.commit = context.commit;
  claimed.branch = context.branch;
  claimed.event = context.event;
  claimed.by = context.by;
  claimed.queued_at = at;
  claimed_[queued.job] = {.deployment = std::move(claimed)};
}

void RunDeployments::Apply(const Fact& fact) {
  if (claimed_.empty()) {
    return;
  }
  std::visit(base::Overloaded{[&](const JobReadied& body) {
                                if (Claimed* of = Of(body.job)) {
                                  of->deployment.status = Status::kReady;
                                }
                              },
                              [&](const AttemptStarted& body) {
                                if (Claimed* of = Of(body.key.job)) {
                                  of->deployment.status = Status::kRunning;
                                  of->deployment.started_at = fact.at;
                                }
                              },
                              [&](const AttemptEnded& body) {
                                if (Claimed* of = Of(body.key.job)) {
                                  of->took = body.took;
                                }
                              },
                              [&](const JobBackedOff& body) {
                                if (Claimed* of = Of(body.job)) {
                                  of->deployment.status = Status::kWaiting;
                                  of->deployment.started_at.reset();
                                  of->took = base::Duration(0);
                                }
                              },
                              [&](const JobEnded& body) {
                                if (Claimed* of = Of(body.job)) {
                                  End(body, fact.at, of->took, of->deployment);
                                }
                              },
                              [](const auto&) {}},
             fact.body);
}

std::vector<Deployment> RunDeployments::List() const {
  std::vector<Deployment> out;
  for (const auto& [job, claimed] : claimed_) {
    out.push_back(claimed.deployment);
  }
  return out;
}

RunDeployments::Claimed* RunDeployments::Of(JobIndex job) {
  const auto found = claimed_.find(job);
  return found == claimed_.end() ? nullptr : &found->second;
}

std::vector<Deployment> SelectDeployments(std::vector<Deployment> known,
                                          const DeploymentFilter& filter) {
  std::erase_if(known, [&](const Deployment& each) {
    return !filter.environment.empty() && each.environment != filter.environment;
  });
  MarkCurrent(known);
  std::ranges::sort(known, IsNewer);
  if (filter.is_overview) {
    return Overview(std::move(known), filter.limit);
  }
  known.resize(std::min(known.size(), filter.limit));
  return known;
}

}  // namespace engine::model

// SPDX-License-Identifier: Apache-2.0
#include "apps/deployments_command.h"

#include <cstdio>
#include <unistd.h>
#include <utility>
#include <vector>

#include "apps/exit_code.h"
#include "apps/run_access.h"
#include "apps/terminal.h"
#include "apps/view/deployment_list.h"
#include "engine/base/did_you_mean.h"

namespace apps {
namespace {

namespace base = engine::base;
namespace model = engine::model;

constexpr std::size_t kEnvironmentsSearched = 1000;

/// Nothing was ever brought there.
base::Status NotKnown(RunAccess& runs, const std::string& environment) {
  ASSIGN_OR_RETURN(const std::vector<model::Deployment> all,
                   runs.Deployments({.limit = kEnvironmentsSearched, .is_overview = true}));
  std::vector<std::string> names;
  for (const model::Deployment& each : all) {
    names.push_back(each.environment);
  }
  const std::string hint = base::DidYouMean(environment, std::span<const std::string>(names));
  return base::NotFound("no deployment to '{}' is kept in {}{}{}", environment, runs.place(),
                        hint.empty() ? "" : "; ", hint);
}

std::string Written(const std::vector<view::ListedDeployment>& listed, bool is_overview,
                    const std::string& format) {
  if (format == "json") {
    return is_overview ? view::EnvironmentsJson(listed) : view::DeploymentsJson(listed);
  }
  const view::Look look = LookOf(STDOUT_FILENO);
  return is_overview ? view::EnvironmentsText(listed, WallClock(), look)
                     : view::DeploymentsText(listed, WallClock(), look);
}

}  // namespace

int DeploymentsCommand(const DeploymentsOptions& options) {
  const auto runs = OpenRuns(options.server);
  if (!runs.ok()) {
    return Fail(runs.status());
  }
  const model::DeploymentFilter filter{.limit = options.limit,
                                       .environment = options.environment,
                                       .is_overview = options.environment.empty()};
  auto found = (*runs)->Deployments(filter);
  if (!found.ok()) {
    return Fail(found.status());
  }
  if (found->empty() && !filter.is_overview) {
    return Fail(NotKnown(**runs, options.environment));
  }
  std::vector<view::ListedDeployment> listed;
  for (model::Deployment& each : *found) {
    const bool left = (*runs)->IsLeft(each);
    listed.push_back({.deployment = std::move(each), .left = left});
  }
  const std::string out = listed.empty() && options.format == "text"
                              ? fmt::format("no deployment is kept in {}\n", (*runs)->place())
                              : Written(listed, filter.is_overview, options.format);
  std::fwrite(out.data(), 1, out.size(), stdout);
  return kExitOk;
}

}  // namespace apps

// SPDX-License-Identifier: Apache-2.0
// For tests: an agent's `GitSource` beside the user's repository.
#pragma once

#include <memory>
#include <string>

#include "store/git/fetched_git.h"
#include "store/git/git_fixture.h"

namespace store::git {

class FetchedGitTest : public RemoteGitTest {
 protected:
  FetchedGit& agent() {
    if (agent_ == nullptr) {
      agent_options_.folder = folder_ + "/agent";
      auto opened = FetchedGit::Open(agent_options_);
      EXPECT_TRUE(opened.ok()) << opened.status();
      agent_ = *std::move(opened);
    }
    return *agent_;
  }
  engine::base::StatusOr<std::string> UnfoldCommit(const std::string& commit,
                                                   const std::string& url) {
    return agent().UnfoldTree({.tree = "", .commit = commit, .branch = "main", .source = url});
  }

  FetchedGitOptions agent_options_;
  std::unique_ptr<FetchedGit> agent_;
};

}  // namespace store::git

// SPDX-License-Identifier: Apache-2.0
#include "apps/submit_source.h"

#include <array>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <sys/wait.h>
#include <system_error>
#include <vector>

#include "apps/view/summary.h"

namespace apps {
namespace {

namespace base = engine::base;

/// What `git` printed, without the last line end; nothing when it failed.
base::StatusOr<std::string> Git(const std::vector<std::string>& arguments) {
  std::string command = "git";
  for (const std::string& argument : arguments) {
    command += " " + view::ShellQuote(argument);
  }
  FILE* pipe = popen((command + " 2>/dev/null").c_str(), "re");
  if (pipe == nullptr) {
    return base::FailedPrecondition("the program git cannot be started");
  }
  std::string out;
  std::array<char, 4096> buffer{};
  while (const std::size_t bytes = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    out.append(buffer.data(), bytes);
  }
  if (pclose(pipe) != 0) {
    return base::NotFound("{} failed", command);
  }
  while (!out.empty() && out.back() == '\n') {
    out.pop_back();
  }
  return out;
}

base::Status CheckClean() {
  const auto changes = Git({"status", "--porcelain"});
  if (changes.ok() && !changes->empty()) {
    // Two letters and a blank stand before the path.
    const std::string first = changes->substr(0, changes->find('\n')).substr(3);
    return base::InvalidArgument(
        "the working tree has changes that are not committed ({}{}): commit and push them, name "
        "what to run with --commit, or send the tree as it stands with --upload",
        first, changes->find('\n') == std::string::npos ? "" : ", and more");
  }
  return base::OkStatus();
}

base::Status CheckPushed(const std::string& commit) {
  const auto branches =
      Git({"for-each-ref", "--format=%(refname)", "--contains", commit, "refs/remotes/origin"});
  if (branches.ok() && branches->empty()) {
    return base::InvalidArgument(
        "commit {} is on no branch of origin: push it (git push), fetch if it was pushed "
        "elsewhere, or send the tree as it stands with --upload",
        commit.substr(0, 12));
  }
  return base::OkStatus();
}

std::string DefaultBranch() {
  constexpr std::string_view kRemote = "origin/";
  const std::string head =
      Git({"symbolic-ref", "--short", "--quiet", "refs/remotes/origin/HEAD"}).value_or("");
  return head.starts_with(kRemote) ? head.substr(kRemote.size()) : "";
}

// What `git` takes for a path: no scheme, and no colon before the first slash (that is a host's).
bool IsRelativePath(const std::string& url) {
  return !url.empty() && url[0] != '/' &&
         url.substr(0, url.find('/')).find(':') == std::string::npos;
}

}  // namespace

std::string OriginHere() {
  const std::string url = Git({"remote", "get-url", "origin"}).value_or("");
  if (!IsRelativePath(url)) {
    return url;
  }
  const std::string top = Git({"rev-parse", "--show-toplevel"}).value_or("");
  std::error_code ignored;
  const auto path = std::filesystem::weakly_canonical(top + "/" + url, ignored);
  return top.empty() || ignored ? url : path.string();
}

base::StatusOr<SubmitSource> FindSource(const std::string& repository, const std::string& commit) {
  SubmitSource source;
  if (!repository.empty()) {
    if (commit.empty()) {
      return base::InvalidArgument("--repo needs a --commit");
    }
    source.repository = repository;
    source.commit = commit;
    return source;
  }
  source.repository = OriginHere();
  source.default_branch = DefaultBranch();
  if (source.repository.empty() && commit.empty()) {
    return source;
  }
  if (commit.empty()) {
    RETURN_IF_ERROR(CheckClean());
  }
  auto id =
      Git({"rev-parse", "--verify", "--quiet", (commit.empty() ? "HEAD" : commit) + "^{commit}"});
  if (!id.ok()) {
    return base::InvalidArgument("there is no commit '{}' here", commit.empty() ? "HEAD" : commit);
  }
  source.commit = *std::move(id);
  RETURN_IF_ERROR(CheckPushed(source.commit));
  if (commit.empty()) {
    source.branch = Git({"symbolic-ref", "--short", "--quiet", "HEAD"}).value_or("");
  }
  return source;
}

std::string PipelineDiffers(const SubmitSource& source, const std::string& file, std::string text) {
  if (source.commit.empty() || !Git({"cat-file", "-e", source.commit + "^{commit}"}).ok()) {
    return "";
  }
  const std::string commit = source.commit.substr(0, 12);
  const bool absolute = file.starts_with('/');
  const auto committed = Git({"show", source.commit + ":" + (absolute ? "" : "./") + file});
  while (text.ends_with('\n')) {
    text.pop_back();
  }
  if (committed.ok() && *committed == text) {
    return "";
  }
  return fmt::format("{} {} commit {}: the text that stands here is what runs", file,
                     committed.ok() ? "differs from the one in" : "is not in", commit);
}

}  // namespace apps

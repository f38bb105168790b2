// SPDX-License-Identifier: Apache-2.0
#include "apps/network/worker_secrets.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <sys/stat.h>
#include <utility>
#include <vector>

#include "apps/text_file.h"
#include "engine/core/state.h"
#include "engine/expr/expression.h"
#include "engine/expr/text_case.h"
#include "engine/loop/engine_loop.h"

namespace apps::network {

namespace base = engine::base;
namespace expr = engine::expr;
namespace model = engine::model;
namespace services = api::services;

namespace {

constexpr std::size_t kAskingMax = 10'000;
constexpr std::uint64_t kSecretBytesMax = 1 << 20;

bool Reads(const std::vector<expr::Reference>& references, const std::string& name) {
  return std::ranges::any_of(references, [&](const expr::Reference& reference) {
    return reference.path.size() > 1 && expr::EqualIgnoringCase(reference.path[0], "secrets") &&
           expr::EqualIgnoringCase(reference.path[1], name);
  });
}

bool Reads(const model::Template& text, const std::string& name) {
  if (!text.has_expression) {
    return false;
  }
  auto parsed = expr::TemplateText::Parse(text.text);
  return parsed.ok() && Reads(parsed.value().References(), name);
}

bool Reads(const std::vector<model::EnvVar>& env, const std::string& name) {
  return std::ranges::any_of(env, [&](const model::EnvVar& var) { return Reads(var.value, name); });
}

bool Reads(const model::StepSpec& step, const std::string& name) {
  if (Reads(step.run, name) || Reads(step.workdir, name) || Reads(step.env, name)) {
    return true;
  }
  auto condition = expr::Expression::Parse(step.condition.text);
  return !step.condition.text.empty() && condition.ok() &&
         Reads(condition.value().References(), name);
}

/// The content without one newline at its end.
base::StatusOr<std::string> ReadPrivate(const std::string& what, const std::string& path) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) == 0 && (facts.st_mode & 077) != 0) {
    return base::NotFound("{}: its file can be read by others; chmod 600 it at the server", what);
  }
  auto text = ReadTextFile(path, kSecretBytesMax);
  if (!text.ok()) {
    // The path is the operator's business, not the worker's.
    return base::NotFound("{}: the server cannot read its file", what);
  }
  if (text->ends_with('\n')) {
    text->pop_back();
  }
  return text;
}

}  // namespace

bool NamesSecret(const model::JobSpec& spec, const std::string& name) {
  const auto reads = [&](const model::StepSpec& step) { return Reads(step, name); };
  const auto asks = [&](const model::ReadySpec& ready) {
    return Reads(ready.http, name) || Reads(ready.command, name);
  };
  const model::RareJobSettings& rare = model::RareOf(spec);
  return std::ranges::any_of(spec.steps, reads) || std::ranges::any_of(rare.finally_steps, reads) ||
         std::ranges::any_of(rare.services, asks) || Reads(rare.outputs, name) ||
         Reads(spec.env, name);
}

const GitLoginConfig* FindGitLogin(const ServerConfig& config, const std::string& url) {
  const GitLoginConfig* best = nullptr;
  for (const GitLoginConfig& login : config.git_logins) {
    const bool begins = url == login.url || url.starts_with(login.url + "/");
    if (begins && (best == nullptr || best->url.size() < login.url.size())) {
      best = &login;
    }
  }
  return best;
}

WorkerSecrets::WorkerSecrets(const ServerConfig& config, services::Seat& seat)
    : config_(config), seat_(seat), files_("dayfly-secrets", kAskingMax) {}

void WorkerSecrets::IfItRuns(model::WorkerId worker, Fits fits,
                             std::function<void(base::Status)> then) {
  seat_.OnEngine([this, worker, fits = std::move(fits), then](services::Shard* shard) {
    if (shard == nullptr) {
      return then(base::Unavailable("this server does not own the runs"));
    }
    shard->loop->Read(
        [this, worker, fits, then](const engine::core::EngineCore& core, base::Instant) {
          const auto found = core.state().workers.find(worker);
          const bool runs = found != core.state().workers.end() &&
                            std::ranges::any_of(found->second->attempts, [&](const auto& attempt) {
                              return fits(model::SpecOf(attempt.run->plan(), attempt.job),
                                          *attempt.run->accepted.context);
                            });
          const base::Status taken = files_.Do([then, runs] {
            then(runs ? base::OkStatus()
                      : base::PermissionDenied("nothing that this worker runs now names it"));
          });
          if (!taken.ok()) {
            then(taken);
          }
        });
  });
}

void WorkerSecrets::ReadSecret(model::WorkerId worker, std::string name, Done<std::string> done) {
  const auto fits = [name](const model::JobSpec& spec, const model::RunContext&) {
    return NamesSecret(spec, name);
  };
  IfItRuns(worker, fits, [this, name, done = std::move(done)](const base::Status& status) {
    if (!status.ok()) {
      return done(status);
    }
    const auto known = std::ranges::find_if(config_.secrets, [&](const auto& secret) {
      return expr::EqualIgnoringCase(secret.first, name);
    });
    done(known == config_.secrets.end()
             ? base::StatusOr<std::string>(
                   base::NotFound("the server has no secret '{}' (in server.yml)", name))
             : ReadPrivate("secret '" + name + "'", known->second));
  });
}

void WorkerSecrets::ReadGitLogin(model::WorkerId worker, std::string url,
                                 Done<std::optional<api::agents::GitLogin>> done) {
  const GitLoginConfig* const login = FindGitLogin(config_, url);
  // Where submodules are, the commit says and not the run: their passwords are those that the run's
  // own repository is read with, and no others.
  const auto fits = [this, url, login](const model::JobSpec& spec,
                                       const model::RunContext& context) {
    const model::CheckoutSpec& checkout = model::RareOf(spec).checkout;
    const bool may_be_submodule =
        checkout.submodules && (login == nullptr || login == FindGitLogin(config_, context.source));
    return checkout.enabled && (context.source == url || may_be_submodule);
  };
  IfItRuns(worker, fits, [login, done = std::move(done)](const base::Status& status) {
    if (!status.ok()) {
      return done(status);
    }
    if (login == nullptr) {
      return done(std::optional<api::agents::GitLogin>());
    }
    auto password = ReadPrivate("the password for " + login->url, login->password_file);
    if (!password.ok()) {
      return done(password.status());
    }
    done(std::optional(
        api::agents::GitLogin{.username = login->username, .password = *std::move(password)}));
  });
}

}  // namespace apps::network

// SPDX-License-Identifier: Apache-2.0
#include "dsl/services.h"

#include <optional>
#include <utility>

#include <fmt/format.h>
#include <re2/re2.h>

#include "dsl/place.h"
#include "dsl/values.h"
#include "engine/base/http_address.h"

namespace dsl {
namespace {

using engine::model::ReadySpec;
using engine::model::StepSpec;

constexpr std::int64_t kPortMax = 65'535;

void ReadHttp(NodeRef node, ReadySpec& ready, const JobNames& names, Compilation& compilation) {
  if (!node) {
    return;
  }
  ready.http = ReadTemplate(node, Site::kStep, &names, compilation);
  if (ready.http.has_expression) {
    return;
  }
  const auto address = engine::base::ParseHttpAddress(ready.http.text);
  if (!address.ok()) {
    compilation.reporter
        .Error("wrong-value", node.place(),
               fmt::format("`http`: {}", engine::base::Message(address.status())))
        .hint = ready.http.text.starts_with("https:")
                    ? "an address that only answers over https can be asked by a `command`"
                    : "for example `http: http://localhost:8080/health`";
  }
}

void ReadLog(NodeRef node, ReadySpec& ready, Compilation& compilation) {
  const std::optional<std::string> text = ReadText(node, "log", compilation.reporter);
  if (!text) {
    return;
  }
  const re2::RE2 pattern(*text, re2::RE2::Quiet);
  if (!pattern.ok()) {
    compilation.reporter.Error("bad-pattern", node.place(),
                               fmt::format("`log`: {}", pattern.error()));
    return;
  }
  ready.log = *text;
}

ReadySpec ReadReady(NodeRef node, const JobNames& names, Compilation& compilation) {
  ReadySpec ready;
  if (!node) {
    return ready;
  }
  const Fields fields = compilation.Check(node, Level::kReady);
  const auto port = ReadInteger(fields.Get("tcp"), "tcp", 1, kPortMax, compilation.reporter);
  ready.tcp = static_cast<std::uint32_t>(port.value_or(0));
  ReadHttp(fields.Get("http"), ready, names, compilation);
  const NodeRef command = fields.Get("command");
  ready.command = ReadTemplate(command, Site::kStep, &names, compilation);
  if (command && command.is_scalar() &&
      command.text().find_first_not_of(" \t\n") == std::string_view::npos) {
    compilation.reporter.Error("empty-value", command.place(), "`command` is empty");
  }
  ReadLog(fields.Get("log"), ready, compilation);
  ready.timeout =
      ReadDuration(fields.Get("timeout"), "timeout", compilation.reporter).value_or(ready.timeout);
  if (fields.Lacks("tcp") && fields.Lacks("http") && fields.Lacks("command") &&
      fields.Lacks("log")) {
    compilation.reporter
        .Error("missing-key", node.place(), "`ready` does not say what shows that it is ready")
        .hint = "for example `ready: { tcp: 5432 }`";
  }
  return ready;
}

/// What `defaults` names is there for the steps; an image of the service's own need not have it.
std::string ReadShell(const Fields& service, Compilation& compilation) {
  const bool takes_own = service.Wrote("shell") || service.Wrote("image");
  if (const NodeRef own = service.Get("shell"); own && service.Lacks("run")) {
    compilation.reporter.Error("conflicting-keys", own.place(),
                               "`shell` is for a service with `run`");
  }
  const NodeRef shell = takes_own ? service.Get("shell") : compilation.defaults.Get("shell");
  return ReadText(shell, "shell", compilation.reporter).value_or("");
}

/// Steps and services are called by their names alike.
void CheckName(NodeRef name, const JobNames& names, Compilation& compilation) {
  if (!IsWord(name.text())) {
    compilation.reporter
        .Error("bad-name", name.place(), fmt::format("`{}` is no name for a service", name.text()))
        .hint = "a name has letters, digits, `_` and `-`, and begins with a letter or `_`";
  }
  for (const StepName& step : names.steps) {
    if (step.id == name.text()) {
      compilation.reporter
          .Error("duplicate-step-id", name.place(),
                 fmt::format("a step of this job has the id `{}`, too", step.id))
          .hint = "logs are asked for by that name";
    }
  }
}

}  // namespace

CompiledServices CompileServices(NodeRef services, const JobNames& names,
                                 Compilation& compilation) {
  CompiledServices compiled;
  if (!services) {
    return compiled;
  }
  for (const Entry& entry : EntriesOf(services, compilation.reporter)) {
    CheckName(entry.key, names, compilation);
    if (!entry.value.is_map()) {
      const NodeRef at = entry.value.is_null() ? entry.key : entry.value;
      compilation.reporter
          .Error(
              "wrong-type", at.place(),
              fmt::format("a service is a map, not {}",
                          entry.value.is_null() ? "an empty value" : Describe(entry.value.kind())))
          .hint = "for example `db: { run: ./start-db.sh, ready: { tcp: 5432 } }`";
      continue;
    }
    const Fields fields = compilation.Check(entry.value, Level::kService);
    StepSpec service;
    service.id = entry.key.text();
    service.background = true;
    service.shell = ReadShell(fields, compilation);
    if (const NodeRef run = fields.Get("run")) {
      service.run = ReadTemplate(run, Site::kStep, &names, compilation);
    }
    ReadVariables(fields.Get("env"), "env", Site::kStep, &names, compilation, service.env);
    ReadySpec ready = ReadReady(fields.Get("ready"), names, compilation);
    if (const NodeRef image = fields.Get("image")) {
      ready.image = ReadImage(image, names, compilation);
    }
    const bool runs_image = fields.Lacks("run") && !fields.Lacks("image");
    if (!runs_image && service.run.text.find_first_not_of(" \t\n") == std::string::npos) {
      if (fields.Lacks("run")) {
        compilation.reporter
            .Error("missing-key", entry.key.place(), "a service needs `run` or `image`")
            .hint = "for example `db: { run: ./start-db.sh, ready: { tcp: 5432 } }`";
      } else if (fields.Get("run")) {
        compilation.reporter.Error("empty-value", fields.Get("run").place(),
                                   "a service needs a command to run");
      }
      continue;
    }
    compiled.steps.push_back(std::move(service));
    compiled.ready.push_back(std::move(ready));
  }
  return compiled;
}

}  // namespace dsl

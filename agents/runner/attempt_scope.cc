// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/attempt_scope.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/expr/text_case.h"

namespace agents::runner {
namespace {

namespace base = engine::base;
namespace expr = engine::expr;
namespace model = engine::model;
using expr::Value;

constexpr std::array<std::string_view, 14> kNames = {
    "inputs", "env",    "matrix", "each", "needs", "jobs",    "steps",
    "run",    "commit", "branch", "tag",  "event", "secrets", "approval"};

void Put(expr::Object& object, std::string_view name, Value value) {
  for (auto& [known, held] : object) {
    if (known == name) {
      held = std::move(value);
      return;
    }
  }
  object.emplace_back(name, std::move(value));
}

expr::Object ObjectOf(const std::vector<model::NamedValue>& values) {
  expr::Object object;
  for (const model::NamedValue& value : values) {
    Put(object, value.name, ValueOf(value.value));
  }
  return object;
}

// A spilled one that nobody reads was not fetched.
void PutOutputs(const model::JobResult& result, const SpilledTexts& spilled,
                expr::Object& outputs) {
  for (const model::NamedValue& output : result.outputs) {
    Put(outputs, output.name, ValueOf(output.value));
  }
  for (const model::SpilledOutput& output : result.spilled) {
    if (const auto text = spilled.find(output.document); text != spilled.end()) {
      Put(outputs, output.name, ValueOf(text->second));
    }
  }
}

Value NeedsOf(const model::Assignment& assignment, const SpilledTexts& spilled) {
  expr::Object object;
  for (const model::NeedResult& need : assignment.needs) {
    expr::Object outputs;
    for (const std::shared_ptr<const model::JobResult>& result : need.results) {
      PutOutputs(*result, spilled, outputs);
    }
    object.emplace_back(
        assignment.plan->specs[base::AsIndex(need.spec)].name,
        Value::MakeObject({{"result", Value::String(std::string(ToText(need.status)))},
                           {"outputs", Value::MakeObject(std::move(outputs))}}));
  }
  return Value::MakeObject(std::move(object));
}

bool IsEach(const model::Assignment& assignment) {
  const auto& matrix = model::SpecOf(*assignment.plan, assignment.job).matrix;
  return matrix != nullptr && matrix->each.has_value();
}

// `matrix`, or `each` when the cells come of `for_each`.
Value CellOf(const model::Assignment& assignment) {
  const model::PlannedJob& planned = assignment.plan->jobs[base::AsIndex(assignment.job)];
  const model::MatrixSpec* matrix =
      assignment.plan->specs[base::AsIndex(planned.spec)].matrix.get();
  expr::Object object;
  for (std::size_t i = 0; matrix != nullptr && i < matrix->keys.size(); ++i) {
    if (i < planned.cell.size() && !planned.cell[i].empty()) {
      object.emplace_back(matrix->keys[i], ValueOf(planned.cell[i]));
    }
  }
  return Value::MakeObject(std::move(object));
}

Value RunOf(const model::Assignment& assignment) {
  const model::RunContext& context = *assignment.context;
  return Value::MakeObject({{"id", Value::String(ToText(assignment.lease.key.run))},
                            {"pipeline", Value::String(assignment.plan->name)},
                            {"by", Value::String(context.by)},
                            {"source", Value::String(context.source)}});
}

Value EventOf(const model::RunContext& context) {
  expr::Object object = {{"name", Value::String(context.event)}};
  for (const model::NamedValue& value : context.event_data) {
    Put(object, value.name, ValueOf(value.value));
  }
  return Value::MakeObject(std::move(object));
}

Value ApprovalOf(const model::Assignment& assignment) {
  const model::Approval none;
  const model::Approval& approval = assignment.approval ? *assignment.approval : none;
  return Value::MakeObject({{"by", Value::String(approval.by)},
                            {"inputs", Value::MakeObject(ObjectOf(approval.inputs))}});
}

}  // namespace

Value ValueOf(const model::JsonText& text) {
  base::StatusOr<Value> value = Value::FromJson(text);
  return value.ok() ? *std::move(value) : Value::String(text);
}

std::string TextOf(const model::JsonText& text) {
  const bool plain = text.size() >= 2 && text.front() == '"' && text.back() == '"' &&
                     text.find('\\') == std::string::npos;
  return plain ? text.substr(1, text.size() - 2) : ValueOf(text).ToDisplay();
}

void AttemptScope::SetSpilled(SpilledTexts texts) {
  spilled_ = std::move(texts);
  built_.erase("needs");
  built_.erase("jobs");
}

void AttemptScope::SetEnv(std::string_view name, std::string value) {
  Put(env_, name, Value::String(std::move(value)));
  built_.erase("env");
}

void AttemptScope::SetStepEnv(expr::Object env) {
  if (!env.empty() || !step_env_.empty()) {
    step_env_ = std::move(env);
    built_.erase("env");
  }
}

void AttemptScope::AddStep(const std::string& id, model::Status outcome, model::Status conclusion,
                           const NameValues& outputs) {
  expr::Object object;
  for (const auto& [name, value] : outputs) {
    Put(object, name, Value::String(value));
  }
  Put(steps_, id,
      Value::MakeObject({{"outputs", Value::MakeObject(std::move(object))},
                         {"outcome", Value::String(std::string(ToText(outcome)))},
                         {"conclusion", Value::String(std::string(ToText(conclusion)))}}));
  built_.erase("steps");
}

base::Status AttemptScope::ReadSecrets(const std::vector<expr::Reference>& references) {
  for (const expr::Reference& reference : references) {
    if (reference.path.empty() || !expr::EqualIgnoringCase(reference.path.front(), "secrets")) {
      continue;
    }
    if (reference.path.size() < 2) {
      return base::InvalidArgument("a secret must be named: secrets.NAME");
    }
    ASSIGN_OR_RETURN(std::string value, secrets_.Read(reference.path[1]));
    Put(secret_object_, reference.path[1], Value::String(std::move(value)));
    built_.erase("secrets");
  }
  return base::OkStatus();
}

std::optional<std::vector<std::string>> AttemptScope::TakeWantedHash() {
  return std::exchange(wanted_hash_, std::nullopt);
}

void AttemptScope::SetHash(const std::vector<std::string>& patterns, std::string hash) {
  hashes_[patterns] = std::move(hash);
}

Value AttemptScope::Build(std::string_view name) const {
  const model::RunContext& context = *assignment_.context;
  if (name == "inputs") {
    return Value::MakeObject(ObjectOf(context.inputs));
  }
  if (name == "env") {
    expr::Object env = env_;
    for (const auto& [variable, value] : step_env_) {
      Put(env, variable, value);
    }
    return Value::MakeObject(std::move(env));
  }
  if (name == "matrix" || name == "each") {
    return (name == "each") == IsEach(assignment_) ? CellOf(assignment_) : Value::MakeObject({});
  }
  if (name == "needs" || name == "jobs") {
    return NeedsOf(assignment_, spilled_);
  }
  if (name == "steps") {
    return Value::MakeObject(steps_);
  }
  if (name == "run") {
    return RunOf(assignment_);
  }
  if (name == "event") {
    return EventOf(context);
  }
  if (name == "secrets") {
    return Value::MakeObject(secret_object_);
  }
  if (name == "approval") {
    return ApprovalOf(assignment_);
  }
  const std::string& text = name == "commit"   ? context.commit
                            : name == "branch" ? context.branch
                                               : context.tag;
  return Value::String(text);
}

const Value* AttemptScope::Context(std::string_view name) const {
  const auto* known = std::ranges::find_if(
      kNames, [&](std::string_view each) { return expr::EqualIgnoringCase(each, name); });
  if (known == kNames.end()) {
    return nullptr;
  }
  auto found = built_.find(*known);
  if (found == built_.end()) {
    found = built_.emplace(*known, Build(*known)).first;
  }
  return &found->second;
}

std::vector<std::string> AttemptScope::ContextNames() const {
  return {kNames.begin(), kNames.end()};
}

std::optional<expr::Result<Value>> AttemptScope::CallHost(std::string_view function,
                                                          std::span<const Value> arguments) const {
  const auto is = [&](std::string_view name) { return expr::EqualIgnoringCase(function, name); };
  const auto boolean = [](bool value) { return expr::Result<Value>(Value::Boolean(value)); };
  if (is("always")) {
    return boolean(true);
  }
  if (is("success")) {
    return boolean(!view_.failed && !view_.stopped);
  }
  if (is("failure")) {
    return boolean(view_.failed);
  }
  if (is("cancelled")) {
    return boolean(view_.cancelled);
  }
  if (is("hashFiles")) {
    return HashFiles(arguments);
  }
  return std::nullopt;
}

expr::Result<Value> AttemptScope::HashFiles(std::span<const Value> arguments) const {
  std::vector<std::string> patterns;
  for (const Value& argument : arguments) {
    patterns.push_back(argument.ToDisplay());
  }
  const auto known = hashes_.find(patterns);
  if (known != hashes_.end()) {
    return Value::String(known->second);
  }
  wanted_hash_ = std::move(patterns);
  return expr::Error{.message = "hashFiles: not known yet", .hint = "", .offset = 0, .length = 0};
}

}  // namespace agents::runner

// SPDX-License-Identifier: Apache-2.0
#include "engine/core/job_scope.h"

#include <utility>

#include "engine/base/check.h"
#include "engine/expr/text_case.h"

namespace engine::core {
namespace {

using base::AsIndex;
using expr::Value;

// Values enter as JSON that the compiler checked; anything else is taken as the text it is.
Value FromJsonOrText(const model::JsonText& text) {
  base::StatusOr<Value> value = Value::FromJson(text);
  return value.ok() ? *std::move(value) : Value::String(text);
}

void Put(expr::Object& object, const std::string& name, Value value) {
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
  object.reserve(values.size());
  for (const model::NamedValue& value : values) {
    object.emplace_back(value.name, FromJsonOrText(value.value));
  }
  return object;
}

Value RunValue(model::RunId run, const model::Plan& plan, const model::RunContext& context) {
  return Value::MakeObject({{"id", Value::String(ToText(run))},
                            {"pipeline", Value::String(plan.name)},
                            {"by", Value::String(context.by)},
                            {"source", Value::String(context.source)}});
}

Value EventValue(const model::RunContext& context) {
  expr::Object object = {{"name", Value::String(context.event)}};
  for (const model::NamedValue& value : context.event_data) {
    Put(object, value.name, FromJsonOrText(value.value));
  }
  return Value::MakeObject(std::move(object));
}

// Of a matrix: all cells' outputs together, a later cell's go before an earlier one's.
Value OutputsOf(const model::NeedResult& need) {
  expr::Object outputs;
  for (const std::shared_ptr<const model::JobResult>& result : need.results) {
    for (const model::NamedValue& output : result->outputs) {
      Put(outputs, output.name, FromJsonOrText(output.value));
    }
  }
  return Value::MakeObject(std::move(outputs));
}

const Value* FindIn(const expr::Object& object, std::string_view name) {
  for (const auto& [known, value] : object) {
    if (expr::EqualIgnoringCase(known, name)) {
      return &value;
    }
  }
  return nullptr;
}

}  // namespace

expr::Object RunContexts(model::RunId run, const model::Plan& plan,
                         const model::RunContext& context,
                         const std::vector<model::NamedValue>& env) {
  expr::Object env_object = ObjectOf(env);
  for (const model::NamedValue& value : context.extra_env) {
    Put(env_object, value.name, FromJsonOrText(value.value));
  }
  return {{"inputs", Value::MakeObject(ObjectOf(context.inputs))},
          {"env", Value::MakeObject(std::move(env_object))},
          {"run", RunValue(run, plan, context)},
          {"commit", Value::String(context.commit)},
          {"branch", Value::String(context.branch)},
          {"tag", Value::String(context.tag)},
          {"event", EventValue(context)}};
}

Value NeedsContext(const model::Plan& plan, const std::vector<model::NeedResult>& needs) {
  expr::Object object;
  object.reserve(needs.size());
  for (const model::NeedResult& need : needs) {
    object.emplace_back(
        plan.specs[AsIndex(need.spec)].name,
        Value::MakeObject({{"result", Value::String(std::string(ToText(need.status)))},
                           {"outputs", OutputsOf(need)}}));
  }
  return Value::MakeObject(std::move(object));
}

Value CellContext(const model::Plan& plan, model::JobIndex job) {
  const model::PlannedJob& planned = plan.jobs[AsIndex(job)];
  const model::MatrixSpec* matrix = plan.specs[AsIndex(planned.spec)].matrix.get();
  expr::Object object;
  for (std::size_t i = 0; matrix != nullptr && i < matrix->keys.size(); ++i) {
    if (i < planned.cell.size() && !planned.cell[i].empty()) {
      object.emplace_back(matrix->keys[i], FromJsonOrText(planned.cell[i]));
    }
  }
  return Value::MakeObject(std::move(object));
}

bool IsEach(const model::JobSpec& spec) {
  return spec.matrix != nullptr && spec.matrix->each.has_value();
}

Value ApprovalContext(const model::Approval& approval) {
  return Value::MakeObject({{"by", Value::String(approval.by)},
                            {"inputs", Value::MakeObject(ObjectOf(approval.inputs))}});
}

void JobScope::Set(std::string name, Value value) {
  Put(own_, name, std::move(value));
}

const Value* JobScope::Context(std::string_view name) const {
  const Value* own = FindIn(own_, name);
  return own != nullptr ? own : FindIn(run_contexts_, name);
}

std::vector<std::string> JobScope::ContextNames() const {
  std::vector<std::string> names;
  for (const expr::Object* contexts : {&run_contexts_, &own_}) {
    for (const auto& [name, value] : *contexts) {
      names.push_back(name);
    }
  }
  return names;
}

std::optional<expr::Result<Value>> JobScope::CallHost(std::string_view function,
                                                      std::span<const Value> /*arguments*/) const {
  const std::optional<bool> result = expr::CallStatusFunction(function, view_);
  if (!result.has_value()) {
    return std::nullopt;
  }
  return expr::Result<Value>(Value::Boolean(*result));
}

base::StatusOr<std::vector<model::NamedValue>> EvaluateRunEnv(const model::Plan& plan,
                                                              const model::RunContext& context,
                                                              model::RunId run) {
  std::vector<model::NamedValue> env;
  env.reserve(plan.env.size());
  std::optional<expr::Object> contexts;
  for (const model::EnvVar& var : plan.env) {
    if (!var.value.has_expression) {
      env.push_back({.name = var.name, .value = Value::String(var.value.text).ToJson()});
      continue;
    }
    if (!contexts.has_value()) {
      contexts = RunContexts(run, plan, context, {});
    }
    auto text = expr::TemplateText::Parse(var.value.text);
    if (!text.ok()) {
      return base::InvalidArgument("env.{}: {}", var.name, text.error().message);
    }
    auto value = text.value().Render(JobScope(*contexts, expr::StatusView()));
    if (!value.ok()) {
      return base::InvalidArgument("env.{}: {}", var.name, value.error().message);
    }
    env.push_back({.name = var.name, .value = Value::String(value.value()).ToJson()});
  }
  return env;
}

}  // namespace engine::core

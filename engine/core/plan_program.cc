// SPDX-License-Identifier: Apache-2.0
#include "engine/core/plan_program.h"

#include <algorithm>

#include "engine/expr/text_case.h"

namespace engine::core {
namespace {

bool ReadNeeds(const std::vector<expr::Reference>& references) {
  return std::any_of(references.begin(), references.end(), [](const expr::Reference& reference) {
    return !reference.path.empty() && (expr::EqualIgnoringCase(reference.path.front(), "needs") ||
                                       expr::EqualIgnoringCase(reference.path.front(), "jobs"));
  });
}

std::string ErrorText(std::string_view where, const expr::Error& error) {
  return fmt::format("{}: {}", where, error.message);
}

bool EvaluatesNothing(const model::JobSpec& spec) {
  const model::RareJobSettings& rare = model::RareOf(spec);
  const bool has_list = spec.matrix != nullptr && spec.matrix->each.has_value();
  return !has_list && spec.condition.text.empty() && rare.concurrency.empty() &&
         !rare.environment.has_value() &&
         std::none_of(spec.env.begin(), spec.env.end(),
                      [](const model::EnvVar& var) { return var.value.has_expression; });
}

/// Parses one text after the other; after the first error nothing more.
class SpecParser {
 public:
  explicit SpecParser(SpecProgram& program) : program_(program) {}

  std::optional<expr::Expression> Whole(std::string_view where, const std::string& text,
                                        bool& uses_needs) {
    return text.empty() ? std::nullopt : Parse<expr::Expression>(where, text, uses_needs);
  }
  std::optional<expr::TemplateText> Text(std::string_view where, const std::string& text) {
    return Parse<expr::TemplateText>(where, text, program_.uses_needs);
  }

 private:
  template <typename Parsed>
  std::optional<Parsed> Parse(std::string_view where, const std::string& text, bool& uses_needs) {
    if (!program_.error.empty()) {
      return std::nullopt;
    }
    auto parsed = Parsed::Parse(text);
    if (!parsed.ok()) {
      program_.error = ErrorText(where, parsed.error());
      return std::nullopt;
    }
    uses_needs = uses_needs || ReadNeeds(parsed.value().References());
    return std::move(parsed).value();
  }

  SpecProgram& program_;
};

void ParseClaims(const model::RareJobSettings& rare, SpecParser& parser, SpecProgram& program) {
  for (const model::ConcurrencySpec& concurrency : rare.concurrency) {
    if (auto text = parser.Text("concurrency.group", concurrency.group.text)) {
      program.groups.push_back(*std::move(text));
    }
  }
  if (rare.environment.has_value()) {
    program.environment = parser.Text("environment.name", rare.environment->name.text);
    program.environment_url = parser.Text("environment.url", rare.environment->url.text);
  }
}

std::unique_ptr<SpecProgram> ParseSpec(const model::JobSpec& spec) {
  auto program = std::make_unique<SpecProgram>();
  SpecParser parser(*program);
  program->condition = parser.Whole("if", spec.condition.text, program->uses_needs);
  if (spec.matrix != nullptr && spec.matrix->each.has_value()) {
    program->list = parser.Whole("for_each", spec.matrix->each->list, program->list_uses_needs);
  }
  for (std::size_t i = 0; i < spec.env.size(); ++i) {
    if (!spec.env[i].value.has_expression) {
      continue;
    }
    if (auto text = parser.Text(fmt::format("env.{}", spec.env[i].name), spec.env[i].value.text)) {
      program->env.emplace_back(i, *std::move(text));
    }
  }
  ParseClaims(model::RareOf(spec), parser, *program);
  return program;
}

bool LessPlace(const PlanPlace& a, const PlanPlace& b) {
  if (const int order = a.pool.compare(b.pool); order != 0) {
    return order < 0;
  }
  return a.need != b.need && *a.need < *b.need;
}

}  // namespace

PlanProgram::PlanProgram(model::PlanRef plan, std::shared_ptr<const graph::JobGraph> graph)
    : plan_(std::move(plan)), graph_(std::move(graph)), specs_(plan_->specs.size()) {
  std::vector<PlanPlace> wanted;
  wanted.reserve(plan_->specs.size() + 1);
  for (const model::JobSpec& spec : plan_->specs) {
    wanted.push_back({.pool = model::PoolOf(spec), .need = &model::PlaceNeedOf(spec)});
  }
  places_ = wanted;
  if (places_.empty()) {
    places_.push_back({.pool = model::kDefaultPool, .need = &model::PlaceNeedOf(model::JobSpec())});
  }
  std::sort(places_.begin(), places_.end(), LessPlace);
  const auto last = std::unique(
      places_.begin(), places_.end(),
      [](const PlanPlace& a, const PlanPlace& b) { return !LessPlace(a, b) && !LessPlace(b, a); });
  places_.erase(last, places_.end());
  for (std::size_t i = 0; places_.size() > 1 && i < wanted.size(); ++i) {
    const auto found = std::lower_bound(places_.begin(), places_.end(), wanted[i], LessPlace);
    place_of_.push_back(static_cast<std::uint32_t>(found - places_.begin()));
  }
}

base::StatusOr<std::shared_ptr<PlanProgram>> PlanProgram::Make(model::PlanRef plan) {
  if (plan == nullptr) {
    return base::InvalidArgument("there is no plan");
  }
  ASSIGN_OR_RETURN(std::shared_ptr<const graph::JobGraph> graph, graph::JobGraph::Build(*plan));
  return std::shared_ptr<PlanProgram>(new PlanProgram(std::move(plan), std::move(graph)));
}

const SpecProgram& PlanProgram::Of(model::SpecIndex spec) {
  static const SpecProgram kNothing;
  if (EvaluatesNothing(plan_->specs[base::AsIndex(spec)])) {
    return kNothing;
  }
  std::unique_ptr<SpecProgram>& program = specs_[base::AsIndex(spec)];
  if (program == nullptr) {
    program = ParseSpec(plan_->specs[base::AsIndex(spec)]);
  }
  return *program;
}

}  // namespace engine::core

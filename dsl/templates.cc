// SPDX-License-Identifier: Apache-2.0
#include "dsl/templates.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "dsl/compilation.h"
#include "dsl/inputs.h"
#include "dsl/merge.h"
#include "dsl/template_inputs.h"
#include "dsl/value_check.h"
#include "dsl/values.h"
#include "engine/base/did_you_mean.h"

namespace dsl {
namespace {

/// Templates that one job may build on, each use of one counted.
constexpr std::size_t kLayersMax = 256;
/// Steps that the templates of one job may put in.
constexpr std::size_t kStepsMax = 10'000;

/// What a template says of itself and does not hand on.
constexpr std::array<std::string_view, 2> kTemplateKeys = {"inputs", "extends"};

/// Collects the maps that one job (or one step) builds on, the farthest first.
class LayerCollector {
 public:
  LayerCollector(Via via, Compilation& compilation) : via_(via), compilation_(compilation) {}

  /// The templates of an `extends`.
  void AddParents(NodeRef extends) {
    if (!extends.is_sequence()) {
      AddParent(extends);
      return;
    }
    for (std::uint32_t i = 0; i < extends.size(); ++i) {
      AddParent(extends[i]);
    }
  }
  void Add(const TemplateUse& use);

  std::vector<Layer>& layers() { return layers_; }
  /// A template that was named is not among them.
  bool lacks_one() const { return lacks_one_; }

 private:
  struct Taken {
    const JobTemplate* body;
    const Node* with;
  };

  void AddParent(NodeRef item);
  JobTemplate* Find(NodeRef name);
  bool IsCycle(const JobTemplate& body, NodeRef name);

  Via via_;
  Compilation& compilation_;
  std::vector<Layer> layers_;
  std::vector<Taken> taken_;
  std::vector<const JobTemplate*> path_;
  bool is_full_ = false;
  bool lacks_one_ = false;
};

void LayerCollector::AddParent(NodeRef item) {
  if (item.is_scalar()) {
    Add({item, {}});
    return;
  }
  if (!item.is_map()) {
    lacks_one_ = true;
    compilation_.reporter
        .Error("wrong-type", item.place(),
               fmt::format("`extends` takes templates, not {}", Describe(item.kind())))
        .hint = "for example `extends: base` or `extends: [{ template: base, with: { n: 3 } }]`";
    return;
  }
  const Fields fields = compilation_.Check(item, Level::kExtends);
  if (const NodeRef name = fields.Get("template")) {
    Add({name, fields.Get("with")});
  } else if (fields.Lacks("template")) {
    lacks_one_ = true;
    compilation_.reporter.Error("missing-key", item.place(),
                                "`extends` does not say which `template`");
  }
}

JobTemplate* LayerCollector::Find(NodeRef name) {
  Templates& templates = compilation_.templates;
  const auto found = templates.by_name.find(name.text());
  if (found != templates.by_name.end()) {
    return &templates.all[found->second];
  }
  if (templates.unreadable.contains(name.text())) {
    return nullptr;
  }
  std::vector<std::string_view> known;
  for (const JobTemplate& each : templates.all) {
    known.push_back(each.name.text());
  }
  Diagnostic& diagnostic = compilation_.ReporterOfLack().Error(
      "unknown-template", name.place(), fmt::format("there is no template `{}`", name.text()));
  diagnostic.hint = engine::base::DidYouMean(name.text(), known);
  if (diagnostic.hint.empty() && compilation_.specs_by_name.contains(name.text())) {
    diagnostic.hint = "that is a job: put what both have in common under `templates`";
  }
  return nullptr;
}

bool LayerCollector::IsCycle(const JobTemplate& body, NodeRef name) {
  const JobTemplate* wanted = &body;
  const auto begin = std::find(path_.begin(), path_.end(), wanted);
  if (begin == path_.end()) {
    return false;
  }
  std::string names;
  for (auto each = begin; each != path_.end(); ++each) {
    names += fmt::format("{} → ", (*each)->name.text());
  }
  compilation_.reporter.Error(
      "template-cycle", name.place(),
      fmt::format("these templates build on each other: {}{}", names, name.text()));
  return true;
}

void LayerCollector::Add(const TemplateUse& use) {
  JobTemplate* body = Find(use.name);
  if (body == nullptr || IsCycle(*body, use.name)) {
    lacks_one_ = true;
    return;
  }
  // A template that is reached twice counts where it is first named: what is laid over it between
  // the two would otherwise be undone.
  const Node* with = use.with ? &use.with.node() : nullptr;
  const bool is_taken = std::any_of(taken_.begin(), taken_.end(), [&](const Taken& taken) {
    return taken.body == body && taken.with == with;
  });
  if (is_taken) {
    return;
  }
  if (taken_.size() >= kLayersMax) {
    lacks_one_ = true;
    if (!std::exchange(is_full_, true)) {
      compilation_.reporter.Error(
          "too-many-templates", use.name.place(),
          fmt::format("a job may build on at most {} templates, those of templates counted",
                      kLayersMax));
    }
    return;
  }
  taken_.push_back({body, with});
  body->is_used = true;
  const Place named = use.name.place();
  const Trail* trail =
      compilation_.arena.Keep(Trail{via_, named.document, named.span, use.name.trail()});
  const NodeRef map =
      PutInputsIn(WithTrail(body->map, trail, compilation_.arena), body->inputs, use, compilation_);
  path_.push_back(body);
  if (const NodeRef extends = ValueOf(map, "extends")) {
    AddParents(extends);
  }
  path_.pop_back();
  layers_.push_back({map, kTemplateKeys});
}

/// The template of a step that says `use`; its steps in place of the step.
class StepExpander {
 public:
  StepExpander(std::vector<NodeRef>& steps, Compilation& compilation)
      : steps_(steps), compilation_(compilation) {}

  void Expand(NodeRef step) {
    const NodeRef use = step.is_map() ? ValueOf(step, "use") : NodeRef();
    if (!use || !use.is_scalar()) {
      steps_.push_back(step);
      return;
    }
    const Fields fields = compilation_.Check(step, Level::kStep);
    CheckAlone(step);
    const std::string_view name = use.text();
    const auto open = std::find(path_.begin(), path_.end(), name);
    if (open != path_.end()) {
      const std::vector<std::string_view> names(open, path_.end());
      compilation_.reporter.Error(
          "template-cycle", use.place(),
          fmt::format("these templates use each other: {} → {}", fmt::join(names, " → "), name));
      lacks_some_ = true;
      return;
    }
    path_.push_back(name);
    Take({use, fields.Get("with")});
    path_.pop_back();
  }
  /// Steps are missing: a template that was named is not there, or not wholly.
  bool lacks_some() const { return lacks_some_; }

 private:
  void CheckAlone(NodeRef step);
  void Take(const TemplateUse& use);
  void TakeSteps(const Entry& steps);

  std::vector<NodeRef>& steps_;
  Compilation& compilation_;
  std::vector<std::string_view> path_;
  bool lacks_some_ = false;
};

void StepExpander::CheckAlone(NodeRef step) {
  for (const Entry& entry : EntriesOf(step, compilation_.reporter)) {
    if (entry.key.text() != "use" && entry.key.text() != "with" &&
        FindKey(Level::kStep, entry.key.text()) != nullptr) {
      compilation_.reporter
          .Error("conflicting-keys", entry.key.place(),
                 fmt::format("`{}` cannot stand beside `use`", entry.key.text()))
          .hint = "write it into the steps of the template; what differs can be an input of it";
    }
  }
}

void StepExpander::Take(const TemplateUse& use) {
  LayerCollector collector(Via::kUse, compilation_);
  collector.Add(use);
  lacks_some_ = lacks_some_ || collector.lacks_one();
  if (collector.layers().empty()) {
    return;
  }
  const NodeRef map = MergeMaps(collector.layers(), compilation_.arena, compilation_.reporter);
  bool has_steps = false;
  for (const Entry& entry : EntriesOf(map, compilation_.reporter)) {
    if (entry.key.text() == "steps") {
      has_steps = true;
      TakeSteps(entry);
    } else {
      Diagnostic& diagnostic = compilation_.reporter.Error(
          "not-a-step-template", use.name.place(),
          fmt::format("the template `{}` cannot be used as a step: it sets `{}`", use.name.text(),
                      entry.key.text()));
      diagnostic.hint =
          "a job takes it with `extends`; a step takes templates that have only "
          "`inputs` and `steps`";
      diagnostic.related.push_back(Related(entry.key.place(), "set here"));
    }
  }
  if (!has_steps && !collector.lacks_one()) {
    compilation_.reporter.Error(
        "not-a-step-template", use.name.place(),
        fmt::format("the template `{}` cannot be used as a step: it has no `steps`",
                    use.name.text()));
  }
}

void StepExpander::TakeSteps(const Entry& steps) {
  if (steps.value.is_scalar()) {
    Expand(steps.value);
    return;
  }
  if (!steps.value.is_sequence()) {
    compilation_.reporter.Error("wrong-type",
                                (steps.value.is_null() ? steps.key : steps.value).place(),
                                fmt::format("`steps` takes a single value or a list, not {}",
                                            Describe(steps.value.kind())));
  }
  for (std::uint32_t i = 0; i < steps.value.size(); ++i) {
    if (steps_.size() >= kStepsMax) {
      compilation_.reporter.Error(
          "too-many-templates", steps.key.place(),
          fmt::format("templates make more than {} steps of one job", kStepsMax));
      return;
    }
    Expand(steps.value[i]);
  }
}

}  // namespace

void CompileTemplates(NodeRef node, Compilation& compilation) {
  if (!node) {
    return;
  }
  Templates& templates = compilation.templates;
  for (const Entry& entry : EntriesOf(node, compilation.reporter)) {
    if (!IsJobName(entry.key.text())) {
      compilation.reporter
          .Error("bad-name", entry.key.place(),
                 fmt::format("`{}` is no name for a template", entry.key.text()))
          .hint = "a name has letters, digits, `_`, `-` and `.`, at most 100";
    }
    if (!entry.value.is_map()) {
      compilation.reporter
          .Error("wrong-type", (entry.value.is_null() ? entry.key : entry.value).place(),
                 fmt::format("the template `{}` is a map, not {}", entry.key.text(),
                             Describe(entry.value.kind())))
          .hint = fmt::format("write `{}: {{ steps: [make] }}`", entry.key.text());
      templates.unreadable.insert(entry.key.text());
      continue;
    }
    JobTemplate body{entry.key, entry.value, {}};
    const NodeRef inputs = ValueOf(entry.value, "inputs");
    if (inputs && inputs.is_map()) {
      for (const Entry& input : EntriesOf(inputs, compilation.reporter)) {
        body.inputs.push_back(ReadInput(input, compilation));
      }
    } else if (inputs) {
      compilation.reporter.Error(
          "wrong-type", inputs.place(),
          fmt::format("`inputs` takes a map, not {}", Describe(inputs.kind())));
    }
    templates.by_name.emplace(entry.key.text(), templates.all.size());
    templates.all.push_back(std::move(body));
  }
}

NodeRef Extend(NodeRef job, Compilation& compilation) {
  if (!job.is_map()) {
    return job;
  }
  const NodeRef extends = ValueOf(job, "extends");
  if (!extends) {
    return job;
  }
  LayerCollector collector(Via::kExtends, compilation);
  collector.AddParents(extends);
  collector.layers().push_back({job});
  const NodeRef merged = MergeMaps(collector.layers(), compilation.arena, compilation.reporter);
  if (collector.lacks_one()) {
    compilation.jobs_lacking.insert(&merged.node());
  }
  return merged;
}

bool ExpandStep(NodeRef step, std::vector<NodeRef>& steps, Compilation& compilation) {
  StepExpander expander(steps, compilation);
  expander.Expand(step);
  return !expander.lacks_some();
}

void CheckUnusedTemplates(Compilation& compilation) {
  for (const JobTemplate& body : compilation.templates.all) {
    if (body.is_used) {
      continue;  // its values were read where they are used
    }
    const Fields fields = compilation.Check(body.map, Level::kTemplate);
    for (const Fields::Field& field : fields.all()) {
      // Its inputs were read already.
      if (field.value && field.row->level != Level::kTemplate) {
        CheckValue(field.value, *field.row, true, compilation.options.purpose,
                   compilation.reporter);
      }
    }
  }
}

bool Compilation::TakeTemplateNode() {
  if (template_nodes > kTemplateNodesMax) {
    return false;
  }
  if (++template_nodes > kTemplateNodesMax) {
    reporter.FileError(
        "template-bomb", documents.front()->source.path(),
        fmt::format("templates with inputs make more than {} values", kTemplateNodesMax));
  }
  return true;
}

}  // namespace dsl

// SPDX-License-Identifier: Apache-2.0
#include "apps/view/deployment_list.h"

#include <functional>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "apps/view/json_text.h"
#include "apps/view/utf8.h"

namespace apps::view {
namespace {

constexpr int kNameColumns = 16;
constexpr std::size_t kCommitShown = 12;

std::string Padded(std::string text, int columns) {
  text = CutToWidth(Sanitise(text), columns);
  const int width = DisplayWidth(text);
  text.append(static_cast<std::size_t>(width < columns ? columns - width : 0), ' ');
  return text;
}

// ---- text

std::string Took(const model::Deployment& of, bool left, base::Instant now) {
  if (!of.started_at || left) {
    return "";
  }
  return base::FormatDuration(of.ended_at.value_or(now) - *of.started_at);
}

/// What stands there always, then what there may be, each behind two blanks.
std::string Facts(const ListedDeployment& listed, base::Instant now, const Look& look) {
  const model::Deployment& of = listed.deployment;
  const std::string status =
      Padded(std::string(listed.left ? std::string_view("unfinished") : Words(of.status)), 10);
  std::string line = fmt::format(
      "{} {}  {}  {:>7}  {}  {}  {}", Paint(Mark(of.status, look.unicode), of.status, look),
      Paint(status, of.status, look),
      base::FormatInstant(of.started_at.value_or(of.queued_at)).substr(0, 16),
      Took(of, listed.left, now), model::ToText(of.run), Padded(of.job_name, kNameColumns),
      Padded(of.pipeline, kNameColumns));
  std::string origin = Sanitise(of.branch);
  if (!of.commit.empty()) {
    origin += (origin.empty() ? "" : " ") + Sanitise(of.commit).substr(0, kCommitShown);
  }
  for (const std::string& part : {origin, of.by.empty() ? "" : "by " + Sanitise(of.by)}) {
    line += part.empty() ? "" : "  " + part;
  }
  return line;
}

std::string WhyNot(const model::Deployment& of, std::string_view indent) {
  const std::string why = model::Describe(of.reason);
  return of.status == model::Status::kSucceeded || why.empty()
             ? ""
             : fmt::format("{}{}\n", indent, Sanitise(why));
}

std::string Link(const model::Deployment& of) {
  return of.url.empty() ? "" : "  " + Sanitise(of.url);
}

// ---- overview

struct Environment {
  const ListedDeployment* newest = nullptr;
  const ListedDeployment* current = nullptr;  ///< null: nothing has succeeded yet
};

// Those of an environment stand together, the newest first.
void ForEach(std::span<const ListedDeployment> listed,
             const std::function<void(const Environment&)>& visit) {
  const auto same = [](const ListedDeployment& a, const ListedDeployment& b) {
    return a.deployment.environment == b.deployment.environment &&
           a.deployment.source == b.deployment.source;
  };
  for (std::size_t i = 0; i < listed.size();) {
    Environment environment{.newest = &listed[i]};
    const std::size_t first = i;
    for (; i < listed.size() && same(listed[first], listed[i]); ++i) {
      if (listed[i].deployment.is_current) {
        environment.current = &listed[i];
      }
    }
    visit(environment);
  }
}

std::string Labelled(std::string_view label, const ListedDeployment& listed, base::Instant now,
                     const Look& look) {
  return fmt::format("  {:<7} {}\n{}", label, Facts(listed, now, look),
                     WhyNot(listed.deployment, "            "));
}

// ---- JSON

void InstantOrNull(JsonObject& object, std::string_view name,
                   const std::optional<base::Instant>& at) {
  object.TextOrNull(name, at ? base::FormatInstant(*at) : "");
}

std::string AsJson(const ListedDeployment& listed) {
  const model::Deployment& of = listed.deployment;
  std::string json;
  JsonObject object(json);
  object.Text("environment", of.environment);
  object.Text("status", model::ToText(of.status));
  object.Bool("alive", !model::IsFinal(of.status) && !listed.left);
  object.Bool("current", of.is_current);
  const bool has_reason = of.reason.code != model::ReasonCode::kNone;
  object.TextOrNull("reason", has_reason ? model::ToText(of.reason.code) : "");
  object.TextOrNull("message", model::Describe(of.reason));
  object.Text("run", model::ToText(of.run));
  object.Text("job", of.job_name);
  object.Text("pipeline", of.pipeline);
  object.Text("source", of.source);
  object.TextOrNull("commit", of.commit);
  object.TextOrNull("branch", of.branch);
  object.Text("event", of.event);
  object.TextOrNull("by", of.by);
  object.Text("queued_at", base::FormatInstant(of.queued_at));
  InstantOrNull(object, "started_at", of.started_at);
  InstantOrNull(object, "ended_at", of.ended_at);
  if (of.started_at && of.ended_at) {
    object.Number("took_us", (*of.ended_at - *of.started_at).count());
  } else {
    object.Null("took_us");
  }
  object.TextOrNull("url", of.url);
  object.End();
  return json;
}

}  // namespace

std::string DeploymentsText(std::span<const ListedDeployment> listed, base::Instant now,
                            const Look& look) {
  std::string out;
  for (const ListedDeployment& each : listed) {
    const model::Deployment& of = each.deployment;
    out += fmt::format("{:<3} {}  {}{}\n{}", of.is_current ? "now" : "", Facts(each, now, look),
                       Sanitise(of.source), Link(of), WhyNot(of, "      "));
  }
  return out;
}

std::string EnvironmentsText(std::span<const ListedDeployment> listed, base::Instant now,
                             const Look& look) {
  std::string out;
  ForEach(listed, [&](const Environment& environment) {
    const model::Deployment& newest = environment.newest->deployment;
    const ListedDeployment& shown =
        environment.current == nullptr ? *environment.newest : *environment.current;
    out += fmt::format("{}  {}{}\n", Bold(Sanitise(newest.environment), look),
                       Sanitise(newest.source), Link(shown.deployment));
    if (environment.current != nullptr) {
      out += Labelled("now", *environment.current, now, look);
    }
    if (environment.current != environment.newest) {
      out += Labelled("newest", *environment.newest, now, look);
    }
  });
  return out;
}

std::string DeploymentsJson(std::span<const ListedDeployment> listed) {
  std::string out;
  for (const ListedDeployment& each : listed) {
    out += AsJson(each) + "\n";
  }
  return out;
}

std::string EnvironmentsJson(std::span<const ListedDeployment> listed) {
  std::string out;
  ForEach(listed, [&](const Environment& environment) {
    std::string json;
    JsonObject object(json);
    object.Text("environment", environment.newest->deployment.environment);
    object.Text("source", environment.newest->deployment.source);
    object.Raw("current", environment.current == nullptr ? "null" : AsJson(*environment.current));
    object.Raw("newest", AsJson(*environment.newest));
    object.End();
    out += json + "\n";
  });
  return out;
}

}  // namespace apps::view

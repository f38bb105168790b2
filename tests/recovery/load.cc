// SPDX-License-Identifier: Apache-2.0
#include "tests/recovery/load.h"

#include <utility>
#include <variant>

#include <fmt/format.h>

#include "api/client/run_client.h"

namespace tests::recovery {

namespace client = api::client;

namespace {

// Two jobs, one after the other, each of a step that leaves its mark.
std::string PipelineThatMarks(const std::string& marks) {
  const std::string step =
      fmt::format("echo \"$DAYFLY_RUN $DAYFLY_JOB $DAYFLY_ATTEMPT\" >> {}", marks);
  return fmt::format(
      "name: small\njobs:\n"
      "  one: {{ checkout: false, steps: ['{0}'] }}\n"
      "  two: {{ needs: [one], checkout: false, steps: ['{0}'] }}\n",
      step);
}

}  // namespace

Load::Load(LoadOptions options) : options_(std::move(options)) {
  for (int person = 0; person < options_.people; ++person) {
    people_.emplace_back([this, person] { Work(person); });
  }
}

Load::~Load() {
  Finish();
}

void Load::Work(int person) {
  client::Connection connection(options_.target);
  for (int i = 0; RunOne(connection, fmt::format("p{}-{}", person, i)); ++i) {
    const std::lock_guard lock(mutex_);
    if (finishing_) {
      return;
    }
  }
}

bool Load::RunOne(client::Connection& connection, const std::string& key) {
  client::RunClient runs(connection);
  api::wire::Submission submission;
  submission.request_key = key;
  submission.pipeline_file = "small.yml";
  submission.pipeline_text = PipelineThatMarks(options_.marks);
  submission.event = "manual";
  Submitted submitted{.key = key, .run = {}, .told = {}};
  const auto answer = runs.Submit(submission);
  if (!answer.ok() || answer->run == model::RunId()) {
    Note(submitted);
    return GiveUp(fmt::format("submit {}: {}", key, answer.status().ToString()));
  }
  submitted.run = answer->run;
  client::WatchHandlers handlers;
  handlers.outlined = [](const api::wire::OutlinedRun&) {};
  handlers.happened = [&](const model::Fact& fact) {
    if (const auto* ended = std::get_if<model::RunEnded>(&fact.body)) {
      submitted.told = ended->status;
    }
    Saw();
    return true;
  };
  const auto watched = runs.Watch(model::ToText(answer->run), /*history_only=*/false, handlers);
  Note(submitted);
  return watched.ok() || GiveUp(fmt::format("watch {}: {}", key, watched.ToString()));
}

void Load::Saw() {
  const std::lock_guard lock(mutex_);
  ++facts_;
  changed_.notify_all();
}

void Load::Note(const Submitted& submitted) {
  const std::lock_guard lock(mutex_);
  submitted_.push_back(submitted);
}

bool Load::GiveUp(const std::string& trouble) {
  const std::lock_guard lock(mutex_);
  troubles_.push_back(trouble);
  changed_.notify_all();
  return false;
}

bool Load::AwaitFacts(std::uint64_t more) {
  std::unique_lock lock(mutex_);
  const std::uint64_t wanted = facts_ + more;
  changed_.wait(lock, [&] { return facts_ >= wanted || !troubles_.empty(); });
  return troubles_.empty();
}

void Load::Finish() {
  {
    const std::lock_guard lock(mutex_);
    finishing_ = true;
  }
  for (std::thread& person : people_) {
    person.join();
  }
  people_.clear();
}

}  // namespace tests::recovery

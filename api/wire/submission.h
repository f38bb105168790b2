// SPDX-License-Identifier: Apache-2.0
// Requests to start runs, checked field by field. Pure; any thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "api/wire/runs.pb.h"
#include "api/wire/values.h"

namespace api::wire {

namespace base = engine::base;
namespace model = engine::model;

using NameAndText = std::pair<std::string, std::string>;

/// A `SubmitRequest` whose every field is in order.
struct Submission {
  std::string request_key;
  std::string pipeline_file;
  std::string pipeline_text;
  std::vector<NameAndText> included;  ///< files by name
  std::string repository;
  std::string uploaded_tree;  ///< empty, or 64 hexadecimal digits
  std::string commit;
  std::string branch;
  std::string tag;
  std::string default_branch;
  std::vector<NameAndText> inputs;
  std::vector<std::string> only_jobs;
  std::string event;
  std::vector<NameAndText> extra_env;
};

base::StatusOr<Submission> SubmissionFrom(const pb::SubmitRequest& request);
pb::SubmitRequest ToWire(const Submission& submission);

}  // namespace api::wire

// SPDX-License-Identifier: Apache-2.0
#include "api/wire/submission.h"

#include <algorithm>

#include "api/wire/request_fields.h"

namespace api::wire {
namespace {

constexpr std::size_t kNameBytesMax = 4096;
constexpr std::size_t kTextBytesMax = 10 << 20;
constexpr std::size_t kValueBytesMax = 64 << 10;
constexpr int kListMax = 1000;
constexpr int kIncludedMax = 500;

bool IsHex(std::string_view text, std::size_t digits) {
  return text.size() == digits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// A password in an address would stand in facts, logs and listings for ever.
bool HoldsPassword(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) {
    return false;
  }
  const std::string_view host = url.substr(scheme + 3, url.find('/', scheme + 3) - scheme - 3);
  const std::size_t at = host.rfind('@');
  return at != std::string_view::npos && host.substr(0, at).find(':') != std::string_view::npos;
}

base::Status CheckSource(const pb::Source& source) {
  RETURN_IF_ERROR(CheckLength(source.repository(), kNameBytesMax, "source.repository"));
  RETURN_IF_ERROR(CheckLength(source.branch(), kNameBytesMax, "source.branch"));
  RETURN_IF_ERROR(CheckLength(source.tag(), kNameBytesMax, "source.tag"));
  RETURN_IF_ERROR(CheckLength(source.default_branch(), kNameBytesMax, "source.default_branch"));
  if (!source.uploaded_tree().empty() && !IsHex(source.uploaded_tree(), 64)) {
    return base::InvalidArgument("source.uploaded_tree: a digest is 64 hexadecimal digits");
  }
  if (source.uploaded_tree().empty() && source.repository().empty() != source.commit().empty()) {
    return base::InvalidArgument("source.{}: is missing",
                                 source.commit().empty() ? "commit" : "repository");
  }
  if (!source.commit().empty() && !IsHex(source.commit(), 40)) {
    return base::InvalidArgument("source.commit: a commit is 40 hexadecimal digits");
  }
  if (source.repository().starts_with('-') || HoldsPassword(source.repository())) {
    return base::InvalidArgument(
        "source.repository: an address without a password; credentials are secrets of the server");
  }
  return base::OkStatus();
}

template <typename Values>
base::StatusOr<std::vector<NameAndText>> ReadValues(const Values& values, std::string_view field) {
  if (values.size() > kListMax) {
    return base::InvalidArgument("{}: {} of them, at most {}", field, values.size(), kListMax);
  }
  std::vector<NameAndText> out;
  for (const pb::InputValue& value : values) {
    RETURN_IF_ERROR(CheckPresent(value.name(), kNameBytesMax, fmt::format("{}.name", field)));
    RETURN_IF_ERROR(CheckLength(value.value(), kValueBytesMax, fmt::format("{}.value", field)));
    out.emplace_back(value.name(), value.value());
  }
  return out;
}

void AddValues(const std::vector<NameAndText>& values,
               google::protobuf::RepeatedPtrField<pb::InputValue>* out) {
  for (const auto& [name, value] : values) {
    pb::InputValue* each = out->Add();
    each->set_name(name);
    each->set_value(value);
  }
}

base::Status ReadIncluded(const pb::SubmitRequest& request, Submission& out) {
  if (request.included_size() > kIncludedMax) {
    return base::InvalidArgument("included: {} files, at most {}", request.included_size(),
                                 kIncludedMax);
  }
  std::size_t bytes = request.pipeline_text().size();
  for (const pb::SourceText& file : request.included()) {
    RETURN_IF_ERROR(CheckPresent(file.name(), kNameBytesMax, "included.name"));
    bytes += file.text().size();
    out.included.emplace_back(file.name(), file.text());
  }
  return bytes <= kTextBytesMax
             ? base::OkStatus()
             : base::InvalidArgument("included: {} bytes with pipeline_text, at most {}", bytes,
                                     kTextBytesMax);
}

}  // namespace

base::StatusOr<Submission> SubmissionFrom(const pb::SubmitRequest& request) {
  RETURN_IF_ERROR(CheckRequestKey(request.request_key(), "request_key"));
  RETURN_IF_ERROR(CheckPresent(request.pipeline_file(), kNameBytesMax, "pipeline_file"));
  RETURN_IF_ERROR(CheckLength(request.pipeline_text(), kTextBytesMax, "pipeline_text"));
  RETURN_IF_ERROR(CheckLength(request.event(), kNameBytesMax, "event"));
  RETURN_IF_ERROR(CheckSource(request.source()));
  if (request.only_jobs_size() > kListMax) {
    return base::InvalidArgument("only_jobs: {} of them, at most {}", request.only_jobs_size(),
                                 kListMax);
  }
  Submission out;
  out.request_key = request.request_key();
  out.pipeline_file = request.pipeline_file();
  out.pipeline_text = request.pipeline_text();
  RETURN_IF_ERROR(ReadIncluded(request, out));
  out.repository = request.source().repository();
  out.uploaded_tree = request.source().uploaded_tree();
  out.commit = request.source().commit();
  out.branch = request.source().branch();
  out.tag = request.source().tag();
  out.default_branch = request.source().default_branch();
  ASSIGN_OR_RETURN(out.inputs, ReadValues(request.inputs(), "inputs"));
  out.only_jobs.assign(request.only_jobs().begin(), request.only_jobs().end());
  out.event = request.event().empty() ? "manual" : request.event();
  ASSIGN_OR_RETURN(out.extra_env, ReadValues(request.extra_env(), "extra_env"));
  return out;
}

pb::SubmitRequest ToWire(const Submission& submission) {
  pb::SubmitRequest out;
  out.set_request_key(submission.request_key);
  out.set_pipeline_file(submission.pipeline_file);
  out.set_pipeline_text(submission.pipeline_text);
  for (const auto& [name, text] : submission.included) {
    pb::SourceText* file = out.add_included();
    file->set_name(name);
    file->set_text(text);
  }
  if (!submission.repository.empty() || !submission.uploaded_tree.empty()) {
    pb::Source* source = out.mutable_source();
    source->set_repository(submission.repository);
    source->set_uploaded_tree(submission.uploaded_tree);
    source->set_commit(submission.commit);
    source->set_branch(submission.branch);
    source->set_tag(submission.tag);
    source->set_default_branch(submission.default_branch);
  }
  AddValues(submission.inputs, out.mutable_inputs());
  for (const std::string& job : submission.only_jobs) {
    out.add_only_jobs(job);
  }
  out.set_event(submission.event);
  AddValues(submission.extra_env, out.mutable_extra_env());
  return out;
}

}  // namespace api::wire

// SPDX-License-Identifier: Apache-2.0
#include "api/client/log_client.h"

#include <map>
#include <utility>

#include "api/wire/logs.grpc.pb.h"

namespace api::client {

namespace base = engine::base;
namespace model = engine::model;
namespace pb = dayfly::v1;

namespace {

using Place = std::pair<model::AttemptKey, model::StepIndex>;

pb::ReadLogsRequest RequestOf(const LogQuery& query) {
  pb::ReadLogsRequest request;
  request.set_run(model::ToText(query.run));
  if (query.job) {
    request.set_job(query.job->value());
  }
  if (query.attempt) {
    request.set_attempt(*query.attempt);
  }
  if (query.step) {
    request.set_step(query.step->value());
  }
  if (query.tail_lines) {
    request.set_tail_lines(*query.tail_lines);
  }
  request.set_follow(query.follow);
  return request;
}

/// Knows how far each log has come, over any number of streams.
class Reading {
 public:
  Reading(const LogQuery& query, const LogHandlers& handlers)
      : query_(query), handlers_(handlers) {}

  pb::ReadLogsRequest Request() const {
    pb::ReadLogsRequest request = RequestOf(query_);
    for (const auto& [place, offset] : offsets_) {
      pb::LogCursor* cursor = request.add_from();
      cursor->set_job(place.first.job.value());
      cursor->set_attempt(place.first.attempt);
      cursor->set_step(place.second.value());
      cursor->set_offset(offset);
    }
    return request;
  }

  void Take(const pb::ReadLogsResponse& piece) {
    if (!piece.missing().empty()) {
      if (handlers_.missing) {
        handlers_.missing(piece.missing());
      }
      return;
    }
    const Place place{
        {.run = query_.run, .job = model::JobIndex(piece.job()), .attempt = piece.attempt()},
        model::StepIndex(piece.step())};
    // A server that began at an earlier place sends what is known already.
    std::uint64_t& next = offsets_.try_emplace(place, piece.offset()).first->second;
    std::string_view bytes = piece.data();
    const std::uint64_t known = next > piece.offset() ? next - piece.offset() : 0;
    bytes.remove_prefix(std::min<std::uint64_t>(known, bytes.size()));
    next = std::max(next, piece.offset() + piece.data().size());
    if (!bytes.empty() || piece.has_finish()) {
      handlers_.bytes(place.first, place.second, bytes, piece.has_finish());
    }
  }

 private:
  const LogQuery& query_;
  const LogHandlers& handlers_;
  std::map<Place, std::uint64_t> offsets_;  ///< of the next byte
};

}  // namespace

base::Status LogClient::Read(const LogQuery& query, const LogHandlers& handlers) {
  Reading reading(query, handlers);
  return connection_.Call(true, [&](const auto& channel, grpc::ClientContext& context) {
    const auto reader = pb::Logs::NewStub(channel)->Read(&context, reading.Request());
    pb::ReadLogsResponse piece;
    bool any = false;
    while (reader->Read(&piece)) {
      connection_.Progressed();
      any = true;
      reading.Take(piece);
    }
    const grpc::Status status = reader->Finish();
    // A reader that was sent away for being slow goes on where it was.
    return any && status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED
               ? grpc::Status(grpc::StatusCode::UNAVAILABLE, status.error_message())
               : status;
  });
}

}  // namespace api::client

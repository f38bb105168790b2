// SPDX-License-Identifier: Apache-2.0
#include "api/agents/agents_service.h"

#include <utility>

#include <boost/asio/post.hpp>

#include "api/agents/peer_identity.h"
#include "api/agents/stream_line.h"
#include "api/wire/grpc_status.h"

namespace api::agents {

namespace base = engine::base;
namespace model = engine::model;
namespace pb = dayfly::v1;

namespace {

/// Hands what gRPC says to the line, which outlives it.
class SessionReactor final : public StreamLine::Reactor {
 public:
  SessionReactor(std::shared_ptr<Gate> gate, LogIntake* logs, grpc::CallbackServerContext* context)
      : line_(std::make_shared<StreamLine>(std::move(gate), logs, context, this)) {}

  const std::shared_ptr<StreamLine>& line() const { return line_; }

  void OnReadDone(bool ok) override { line_->OnRead(ok); }
  void OnWriteDone(bool ok) override { line_->OnWritten(ok); }
  void OnCancel() override { line_->OnCancelled(); }
  void OnDone() override {
    line_->OnDone();
    delete this;
  }

 private:
  std::shared_ptr<StreamLine> line_;
};

}  // namespace

AgentsService::AgentsService(AgentsServiceParts parts) : parts_(std::move(parts)) {}

AgentsService::~AgentsService() {
  pool_.join();
}

void AgentsService::Wait(std::function<void()> work) {
  boost::asio::post(pool_, [this, work = std::move(work)] {
    work();
    --waiting_;
  });
}

grpc::ServerUnaryReactor* AgentsService::Answer(grpc::CallbackServerContext* context,
                                                std::function<base::Status()> work) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (++waiting_ > kWaitingMax) {
    --waiting_;
    reactor->Finish(wire::ToGrpc(base::ResourceExhausted("too many ask at once; try again")));
    return reactor;
  }
  Wait([reactor, work = std::move(work)] { reactor->Finish(wire::ToGrpc(work())); });
  return reactor;
}

grpc::ServerUnaryReactor* AgentsService::Register(grpc::CallbackServerContext* context,
                                                  const pb::RegisterRequest* request,
                                                  pb::RegisterResponse* response) {
  return Answer(context, [this, request, response]() -> base::Status {
    ASSIGN_OR_RETURN(
        const Enrolled enrolled,
        parts_.enrolment->Register({.join_token = request->join_token(),
                                    .certificate_request = request->certificate_request(),
                                    .host = request->host()},
                                   parts_.now(), parts_.draw()));
    response->set_worker_id(enrolled.worker.value());
    response->set_certificate(enrolled.certificate);
    response->set_authority(enrolled.authority);
    response->set_pool(enrolled.pool);
    return base::OkStatus();
  });
}

grpc::ServerUnaryReactor* AgentsService::Renew(grpc::CallbackServerContext* context,
                                               const pb::RenewRequest* request,
                                               pb::RenewResponse* response) {
  return Answer(context, [this, who = PeerWorker(*context), request, response]() -> base::Status {
    RETURN_IF_ERROR(who.status());
    ASSIGN_OR_RETURN(const Enrolled enrolled,
                     parts_.enrolment->Renew(*who, request->certificate_request(), parts_.now()));
    response->set_certificate(enrolled.certificate);
    response->set_authority(enrolled.authority);
    return base::OkStatus();
  });
}

StreamLine::Reactor* AgentsService::Session(grpc::CallbackServerContext* context) {
  auto* reactor = new SessionReactor(parts_.gate, parts_.logs, context);
  const std::shared_ptr<StreamLine> line = reactor->line();
  const auto who = PeerWorker(*context);
  if (!who.ok()) {
    line->Admit(who.status());
    return reactor;
  }
  ++waiting_;
  Wait([this, line, worker = *who] {
    const auto known = parts_.enrolment->Admit(worker);
    if (!known.ok()) {
      return line->Admit(known.status());
    }
    line->Admit(hub::WorkerIdentity{.worker = worker, .pool = known->pool, .host = known->host});
  });
  return reactor;
}

// ---- secrets

/// A call whose answer comes from elsewhere. When nobody answers (the shard was lost), it ends as
/// UNAVAILABLE.
class AgentsService::Question {
 public:
  explicit Question(grpc::ServerUnaryReactor* reactor) : reactor_(reactor) {}
  ~Question() { Finish(base::Unavailable("this server does not own the runs any more")); }
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;

  void Finish(const base::Status& status) {
    if (!finished_.exchange(true)) {
      reactor_->Finish(wire::ToGrpc(status));
    }
  }

 private:
  grpc::ServerUnaryReactor* reactor_;
  std::atomic<bool> finished_ = false;
};

grpc::ServerUnaryReactor* AgentsService::Admitted(
    grpc::CallbackServerContext* context,
    std::function<void(model::WorkerId, const std::shared_ptr<Question>&)> ask) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const auto question = std::make_shared<Question>(reactor);
  const auto who = PeerWorker(*context);
  if (!who.ok() || parts_.secrets == nullptr) {
    question->Finish(who.ok() ? base::NotFound("this server has no secrets") : who.status());
    return reactor;
  }
  if (++waiting_ > kWaitingMax) {
    --waiting_;
    question->Finish(base::ResourceExhausted("too many ask at once; try again"));
    return reactor;
  }
  Wait([this, worker = *who, question, ask = std::move(ask)] {
    const auto known = parts_.enrolment->Admit(worker);
    known.ok() ? ask(worker, question) : question->Finish(known.status());
  });
  return reactor;
}

grpc::ServerUnaryReactor* AgentsService::ReadSecret(grpc::CallbackServerContext* context,
                                                    const pb::ReadSecretRequest* request,
                                                    pb::ReadSecretResponse* response) {
  return Admitted(context, [this, request, response](model::WorkerId worker,
                                                     const std::shared_ptr<Question>& question) {
    parts_.secrets->ReadSecret(worker, request->name(),
                               [question, response](const base::StatusOr<std::string>& value) {
                                 response->set_value(value.value_or(""));
                                 question->Finish(value.status());
                               });
  });
}

grpc::ServerUnaryReactor* AgentsService::ReadGitCredential(
    grpc::CallbackServerContext* context, const pb::ReadGitCredentialRequest* request,
    pb::ReadGitCredentialResponse* response) {
  return Admitted(context, [this, request, response](model::WorkerId worker,
                                                     const std::shared_ptr<Question>& question) {
    parts_.secrets->ReadGitLogin(
        worker, request->url(),
        [question, response](const base::StatusOr<std::optional<GitLogin>>& login) {
          if (login.ok() && login->has_value()) {
            response->set_username((*login)->username);
            response->set_password((*login)->password);
          }
          question->Finish(login.status());
        });
  });
}

}  // namespace api::agents

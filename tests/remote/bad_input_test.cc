// SPDX-License-Identifier: Apache-2.0
// What strangers, thieves and broken agents say to a server: typed errors, and nothing changes.
#include <chrono>
#include <memory>
#include <string>

#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include "agents/session/identity.h"
#include "api/wire/agent.grpc.pb.h"
#include "tests/remote/test_server.h"

namespace tests::remote {
namespace {

namespace base = engine::base;
namespace model = engine::model;
namespace pb = dayfly::v1;
namespace wire = api::wire;

/// An agent that says what the test wants.
class RawAgent {
 public:
  RawAgent(const std::string& address, const std::string& authority, const wire::KeyPair& client)
      : stub_(pb::Agents::NewStub(wire::MakeChannel(address, authority, client))) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    stream_ = stub_->Session(&context_);
  }
  void Say(const pb::AgentMessage& message) { stream_->Write(message); }
  pb::ServerMessage Hear() {
    pb::ServerMessage message;
    EXPECT_TRUE(stream_->Read(&message));
    return message;
  }
  grpc::Status End() {
    pb::ServerMessage ignored;
    while (stream_->Read(&ignored)) {
    }
    return stream_->Finish();
  }
  void Greet() {
    pb::AgentMessage message;
    message.mutable_hello()->set_slots(1);
    message.mutable_hello()->set_first_report(1);
    message.mutable_hello()->set_report_life(1);
    Say(message);
    const std::uint64_t session = Hear().welcome().session_id();
    message.mutable_begin()->set_session_id(session);
    Say(message);
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<pb::Agents::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<pb::AgentMessage, pb::ServerMessage>> stream_;
};

class BadInputTest : public testing::Test {
 protected:
  BadInputTest() { server_.Own(); }

  base::StatusOr<agents::session::AgentIdentity> TryJoin(const std::string& token) {
    return agents::session::Enrol({.servers = {server_.address()},
                                   .join_token = token,
                                   .host = "box",
                                   .now = world_.UtcNow()});
  }
  RawAgent Agent() {
    const auto identity = TryJoin(server_.Token());
    CHECK(identity.ok());
    return {server_.address(), identity->authority, identity->pair};
  }
  grpc::Status AfterSaying(const pb::AgentMessage& message) {
    RawAgent agent = Agent();
    agent.Greet();
    agent.Say(message);
    return agent.End();
  }
  wire::KeyPair Pair(const wire::KeyPair& authority, const wire::Identity& identity) {
    return *wire::MakeCertificate(authority, {.identity = identity, .hosts = {}}, world_.UtcNow());
  }

  World world_;
  TestServer server_{world_};
};

TEST_F(BadInputTest, TokensWorkOnceAndForFiveMinutes) {
  const std::string token = server_.Token();
  EXPECT_TRUE(TryJoin(token).ok());
  EXPECT_EQ(TryJoin(token).status().code(), absl::StatusCode::kPermissionDenied);
  const std::string old = server_.Token();
  world_.skew = base::Duration(std::chrono::minutes(6)).count();
  EXPECT_EQ(TryJoin(old).status().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(BadInputTest, ATokenOfAnotherServerIsNeverSaid) {
  const World other;
  const auto fingerprint = wire::FingerprintOf(other.authority.certificate);
  const std::string token = wire::ToText(*wire::DrawJoinToken(*fingerprint));
  const auto joined = TryJoin(token);
  EXPECT_EQ(joined.status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_NE(base::Message(joined.status()).find("certificate authority"), std::string::npos);
}

TEST_F(BadInputTest, AnHourOfClockSkewHurtsNobody) {
  for (const int minutes : {-59, 59}) {
    const auto identity = agents::session::Enrol(
        {.servers = {server_.address()},
         .join_token = server_.Token(),
         .host = "box",
         .now = world_.UtcNow() + base::Duration(std::chrono::minutes(minutes))});
    EXPECT_TRUE(identity.ok()) << identity.status();
  }
}

TEST_F(BadInputTest, OnlyWorkersHaveSessions) {
  const std::string& authority = world_.authority.certificate;
  EXPECT_EQ(RawAgent(server_.address(), authority, {}).End().error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
  const wire::Identity ada = {.kind = wire::Identity::Kind::kOperator, .worker = {}, .name = "ada"};
  EXPECT_EQ(RawAgent(server_.address(), authority, Pair(world_.authority, ada)).End().error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  const wire::Identity unknown = {
      .kind = wire::Identity::Kind::kWorker, .worker = model::WorkerId(1), .name = ""};
  EXPECT_EQ(
      RawAgent(server_.address(), authority, Pair(world_.authority, unknown)).End().error_code(),
      grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(BadInputTest, ACertificateOfAnotherAuthorityOpensNothing) {
  const World other;
  const wire::Identity worker = {
      .kind = wire::Identity::Kind::kWorker, .worker = model::WorkerId(1), .name = ""};
  EXPECT_EQ(RawAgent(server_.address(), world_.authority.certificate, Pair(other.authority, worker))
                .End()
                .error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(BadInputTest, MessagesThatAreNotUnderstoodEndTheStreamByName) {
  pb::AgentMessage message;
  EXPECT_EQ(AfterSaying(message).error_message(), "body: is missing or not known here");
  message.mutable_report()->set_seq(1);
  EXPECT_EQ(AfterSaying(message).error_message(), "report.events: must be 1 to 4096");
  message.mutable_begin()->set_session_id(77);
  const grpc::Status status = AfterSaying(message);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(BadInputTest, AnOversizedMessageEndsTheStream) {
  pb::AgentMessage message;
  message.mutable_report()->set_seq(1);
  message.mutable_report()->add_events()->mutable_ended()->mutable_reason()->set_subject(
      std::string(wire::kMessageBytesMax, 'x'));
  EXPECT_EQ(AfterSaying(message).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(BadInputTest, WhatComesBeforeHelloIsRefused) {
  RawAgent agent = Agent();
  pb::AgentMessage message;
  message.mutable_heartbeat();
  agent.Say(message);
  EXPECT_EQ(agent.End().error_message(), "hello: must be the first message");
}

TEST_F(BadInputTest, AReportForWhatIsNotItsOwnIsRefusedAndChangesNothing) {
  RawAgent agent = Agent();
  agent.Greet();
  pb::AgentMessage message;
  message.mutable_report()->set_seq(1);
  message.mutable_report()->mutable_attempt()->set_run_id(5);
  message.mutable_report()->mutable_attempt()->set_attempt(1);
  message.mutable_report()->add_events()->mutable_ended()->set_status(pb::STATUS_SUCCEEDED);
  agent.Say(message);
  const pb::ServerMessage answer = agent.Hear();
  ASSERT_TRUE(answer.has_acknowledged()) << answer.ShortDebugString();
  ASSERT_EQ(answer.acknowledged().refusals_size(), 1);
  EXPECT_EQ(answer.acknowledged().refusals(0).code(), pb::ReportRefusal::ENDED);
  EXPECT_TRUE(server_.facts().All<model::AttemptEnded>().empty());
}

TEST_F(BadInputTest, ABadRequestForACertificateIsNamed) {
  const auto token = wire::JoinTokenFromText(server_.Token());
  const auto stub =
      pb::Agents::NewStub(wire::MakeChannel(server_.address(), world_.authority.certificate, {}));
  pb::RegisterRequest ask;
  ask.set_join_token(wire::ToText(*token));
  ask.set_certificate_request("nonsense");
  pb::RegisterResponse answer;
  grpc::ClientContext context;
  const grpc::Status status = stub->Register(&context, ask, &answer);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message().rfind("certificate_request:", 0), 0U);
  EXPECT_EQ(status.error_message().find(token->secret), std::string::npos);
}

}  // namespace
}  // namespace tests::remote

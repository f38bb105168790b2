// SPDX-License-Identifier: Apache-2.0
// Who gets in over TLS: operators, and nobody else.
#include <fstream>

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include "api/wire/agent.grpc.pb.h"
#include "api/wire/certificates.h"
#include "api/wire/health.grpc.pb.h"
#include "api/wire/key_files.h"
#include "api/wire/runs.grpc.pb.h"
#include "apps/network/server_init.h"
#include "apps/terminal.h"
#include "tests/server/server_scene.h"

namespace tests::server {
namespace {

namespace client = api::client;
namespace pb = dayfly::v1;
namespace wire = api::wire;
using testing::HasSubstr;

class Tls : public testing::Test {
 protected:
  Tls() {
    apps::ServerOptions init;
    init.folder = folder_.File("server");
    EXPECT_EQ(apps::network::ServerInitCommand(init), 0);
    certificates_ = init.folder + "/certificates";
    scene_ = std::make_unique<ServerScene>(/*eager=*/true, certificates_);
  }

  client::Target Target(const std::string& name) const {
    client::Target target;
    target.servers = {scene_->tls_address()};
    target.authority = certificates_ + "/ca.pem";
    target.certificate = certificates_ + "/" + name + ".pem";
    target.key = certificates_ + "/" + name + ".key";
    target.patience = base::Duration(0);
    return target;
  }

  void SaveCertificate(const std::string& name, const wire::Identity& identity) {
    const auto authority = wire::LoadKeyPair(certificates_, "ca");
    ASSERT_TRUE(authority.ok());
    const auto pair =
        wire::MakeCertificate(*authority, {.identity = identity, .hosts = {}}, apps::WallClock());
    ASSERT_TRUE(pair.ok());
    ASSERT_TRUE(wire::SaveKeyPair(certificates_, name, *pair).ok());
  }

  base::Status List(const std::string& name) const {
    client::Connection connection(Target(name));
    return client::RunClient(connection).List({}).status();
  }

  support::TempFolder folder_;
  std::string certificates_;
  std::unique_ptr<ServerScene> scene_;
};

TEST_F(Tls, AnOperatorIsLetInAndNamed) {
  client::Connection connection(Target("operator"));
  client::RunClient runs(connection);
  const auto answer = runs.Submit(ServerScene::Submission("a"));
  ASSERT_TRUE(answer.ok()) << answer.status();
}

TEST_F(Tls, AWorkersCertificateOpensNothingOfThePeoples) {
  SaveCertificate(
      "worker", {.kind = wire::Identity::Kind::kWorker, .worker = model::WorkerId(7), .name = {}});
  EXPECT_EQ(List("worker").code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(Tls, ACertificateOfAnotherAuthorityIsNobodys) {
  const auto stranger = wire::MakeAuthority("stranger", apps::WallClock());
  ASSERT_TRUE(stranger.ok());
  const auto pair = wire::MakeCertificate(
      *stranger,
      {.identity = {.kind = wire::Identity::Kind::kOperator, .worker = {}, .name = "operator"},
       .hosts = {}},
      apps::WallClock());
  ASSERT_TRUE(pair.ok());
  ASSERT_TRUE(wire::SaveKeyPair(certificates_, "stranger", *pair).ok());
  EXPECT_EQ(List("stranger").code(), absl::StatusCode::kUnavailable);
}

TEST_F(Tls, WithoutACertificateNoMethodIsReachedNotEvenHealth) {
  std::ifstream file(certificates_ + "/ca.pem");
  grpc::SslCredentialsOptions options;
  options.pem_root_certs.assign(std::istreambuf_iterator<char>(file), {});
  const auto channel = grpc::CreateChannel(scene_->tls_address(), grpc::SslCredentials(options));
  grpc::ClientContext health_context;
  grpc::health::v1::HealthCheckResponse health;
  EXPECT_EQ(
      grpc::health::v1::Health::NewStub(channel)->Check(&health_context, {}, &health).error_code(),
      grpc::StatusCode::UNAUTHENTICATED);
  grpc::ClientContext context;
  pb::ListRunsResponse runs;
  EXPECT_EQ(pb::Runs::NewStub(channel)->List(&context, {}, &runs).error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
  // Registered or not: the access control lets it pass.
  grpc::ClientContext register_context;
  pb::RegisterResponse registered;
  EXPECT_NE(pb::Agents::NewStub(channel)->Register(&register_context, {}, &registered).error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(Tls, InitOverwritesNothing) {
  apps::ServerOptions init;
  init.folder = folder_.File("server");
  EXPECT_EQ(apps::network::ServerInitCommand(init), 2);
}

}  // namespace
}  // namespace tests::server

// SPDX-License-Identifier: Apache-2.0
// What nobody should send: a typed error or back-pressure, nothing lost, nothing changed.
#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include "api/wire/health.grpc.pb.h"
#include "api/wire/runs.grpc.pb.h"
#include "tests/server/server_scene.h"

namespace tests::server {
namespace {

namespace client = api::client;
namespace pb = dayfly::v1;
using testing::HasSubstr;

constexpr const char* kSql = "'; DROP TABLE log; -- \" $1 %s ${{ 1 }} \\";

class BadInput : public testing::Test {
 protected:
  grpc::Status Submit(const pb::SubmitRequest& request) {
    grpc::ClientContext context;
    pb::SubmitResponse response;
    return stub_->Submit(&context, request, &response);
  }

  static pb::SubmitRequest Good(const std::string& key) {
    return api::wire::ToWire(ServerScene::Submission(key));
  }

  ServerScene scene_;
  std::shared_ptr<grpc::Channel> channel_ =
      grpc::CreateChannel(scene_.target(), grpc::InsecureChannelCredentials());
  std::unique_ptr<pb::Runs::Stub> stub_ = pb::Runs::NewStub(channel_);
};

TEST_F(BadInput, EachFieldIsNamed) {
  struct Case {
    const char* name;
    void (*spoil)(pb::SubmitRequest&);
    const char* field;
  };
  const Case cases[] = {
      {"no key", [](pb::SubmitRequest& r) { r.clear_request_key(); }, "request_key"},
      {"long key", [](pb::SubmitRequest& r) { r.set_request_key(std::string(129, 'k')); },
       "request_key"},
      {"binary key", [](pb::SubmitRequest& r) { r.set_request_key("a\nb"); }, "request_key"},
      {"no file", [](pb::SubmitRequest& r) { r.clear_pipeline_file(); }, "pipeline_file"},
      {"short commit",
       [](pb::SubmitRequest& r) {
         r.mutable_source()->set_repository("https://example.org/r.git");
         r.mutable_source()->set_commit("abc");
       },
       "source.commit"},
      {"no repository",
       [](pb::SubmitRequest& r) { r.mutable_source()->set_commit(std::string(40, 'a')); },
       "source.repository"},
      {"a password",
       [](pb::SubmitRequest& r) {
         r.mutable_source()->set_repository("https://ada:hunter2@example.org/r.git");
         r.mutable_source()->set_commit(std::string(40, 'a'));
       },
       "source.repository"},
      {"an option as repository",
       [](pb::SubmitRequest& r) {
         r.mutable_source()->set_repository("--upload-pack=evil");
         r.mutable_source()->set_commit(std::string(40, 'a'));
       },
       "source.repository"},
      {"a tree that is no digest",
       [](pb::SubmitRequest& r) { r.mutable_source()->set_uploaded_tree("../../etc"); },
       "source.uploaded_tree"},
      {"a nameless input", [](pb::SubmitRequest& r) { r.add_inputs()->set_value("x"); },
       "inputs.name"},
  };
  for (const Case& each : cases) {
    pb::SubmitRequest request = Good("k");
    each.spoil(request);
    const grpc::Status status = Submit(request);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << each.name;
    EXPECT_THAT(status.error_message(), HasSubstr(each.field)) << each.name;
    EXPECT_THAT(status.error_message(), testing::Not(HasSubstr("hunter2"))) << each.name;
  }
  EXPECT_EQ(scene_.agents().dispatched(), 0U);
}

TEST_F(BadInput, AnOversizedMessageIsRefused) {
  pb::SubmitRequest request = Good("k");
  request.set_pipeline_text(std::string(20 << 20, '#'));
  EXPECT_EQ(Submit(request).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  request.set_pipeline_text(std::string(11 << 20, '#'));
  EXPECT_EQ(Submit(request).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(BadInput, SqlTextInEveryStringIsJustText) {
  client::Connection connection = scene_.Connect();
  client::RunClient runs(connection);
  api::wire::Submission submission = ServerScene::Submission(kSql);
  submission.pipeline_file = kSql;
  submission.branch = kSql;
  submission.event = kSql;
  submission.extra_env = {{"A", kSql}};
  const auto answer = runs.Submit(submission);
  ASSERT_TRUE(answer.ok()) << answer.status();
  const auto row = runs.Get(model::ToText(answer->run));
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->event, kSql);
  EXPECT_EQ(row->pipeline_file, kSql);
  EXPECT_EQ(runs.Get(kSql).status().code(), absl::StatusCode::kInvalidArgument);
  const auto rows =
      runs.List({.limit = 5, .pipeline = kSql, .source = {}, .branch = {}, .status = {}});
  EXPECT_TRUE(rows.ok());
  const auto deployments = runs.ListDeployments({.limit = 5, .environment = kSql});
  ASSERT_TRUE(deployments.ok()) << deployments.status();
  EXPECT_TRUE(deployments->empty());
  EXPECT_TRUE(runs.Submit(submission)->existed);
}

TEST_F(BadInput, APositionBeyondTheEndIsRefused) {
  client::Connection connection = scene_.Connect();
  client::RunClient runs(connection);
  const auto answer = runs.Submit(ServerScene::Submission("a"));
  ASSERT_TRUE(answer.ok());
  grpc::ClientContext context;
  pb::WatchRequest request;
  request.set_run(model::ToText(answer->run));
  request.set_position(1'000'000);
  const auto reader = stub_->Watch(&context, request);
  pb::WatchResponse message;
  EXPECT_FALSE(reader->Read(&message));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(BadInput, AFloodOfSubmitsIsRefusedOrKeptButNeverLost) {
  constexpr int kThreads = 4;
  constexpr int kEach = 1000;
  std::atomic<int> accepted = 0;
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      grpc::CompletionQueue queue;
      struct Call {
        grpc::ClientContext context;
        pb::SubmitResponse response;
        grpc::Status status;
        std::unique_ptr<grpc::ClientAsyncResponseReader<pb::SubmitResponse>> reader;
      };
      std::vector<std::unique_ptr<Call>> calls;
      for (int i = 0; i < kEach; ++i) {
        calls.push_back(std::make_unique<Call>());
        Call& call = *calls.back();
        call.reader = stub_->AsyncSubmit(&call.context, Good(fmt::format("{}-{}", t, i)), &queue);
        call.reader->Finish(&call.response, &call.status, &call);
      }
      for (int i = 0; i < kEach; ++i) {
        void* tag = nullptr;
        bool ok = false;
        queue.Next(&tag, &ok);
        const Call& call = *static_cast<Call*>(tag);
        if (call.status.ok() && !call.response.run().empty()) {
          ++accepted;
        } else if (call.status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
          ++refused;
        } else {
          ADD_FAILURE() << call.status.error_code() << ": " << call.status.error_message();
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(accepted + refused, kThreads * kEach);
  client::Connection connection = scene_.Connect();
  client::RunClient runs(connection);
  const auto rows =
      runs.List({.limit = 1000, .pipeline = {}, .source = {}, .branch = {}, .status = {}});
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->size(), std::min(1000U, static_cast<unsigned>(accepted)));
}

TEST_F(BadInput, HealthTellsWhetherItServes) {
  grpc::ClientContext context;
  grpc::health::v1::HealthCheckResponse response;
  const auto health = grpc::health::v1::Health::NewStub(channel_);
  ASSERT_TRUE(health->Check(&context, {}, &response).ok());
  EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::SERVING);
}

}  // namespace
}  // namespace tests::server

// SPDX-License-Identifier: Apache-2.0
// Both ends over real gRPC on a socket file, with the local store behind it.
#include "agents/chunks/remote_store.h"

#include <chrono>
#include <future>
#include <mutex>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/wire/chunk_calls.h"
#include "api/wire/grpc_status.h"
#include "api/wire/values.h"
#include "store/artifacts/local_store.h"
#include "tests/bulk/chunk_server.h"
#include "tests/support/temp_folder.h"

namespace agents::chunks {
namespace {

namespace base = engine::base;
namespace model = engine::model;
namespace pb = dayfly::v1;
namespace wire = api::wire;
using Code = absl::StatusCode;

const model::AttemptKey kAttempt{.run = model::RunId(5), .job = model::JobIndex(1), .attempt = 1};

class RemoteStoreTest : public ::testing::Test {
 protected:
  RemoteStoreTest() {
    local_ = *store::artifacts::LocalStore::Open(folder_.File("chunks"));
    grants_.Open({.key = kAttempt, .worker = tests::bulk::kWorker}, {});
    server_ = std::make_unique<tests::bulk::ChunkServer>(
        folder_.File("socket"),
        api::bulk::ChunkServiceOptions{.store = local_.get(), .grants = &grants_});
    remote_ = Make({.attempt = kAttempt});
  }
  std::unique_ptr<RemoteStore> Make(RemoteStoreOptions options) {
    return std::make_unique<RemoteStore>([channel = server_->Connect()] { return channel; },
                                         options);
  }
  base::Digest Stored(const std::string& bytes) {
    const base::Digest digest = *local_->Put(bytes);
    grants_.Give(kAttempt, {digest});
    return digest;
  }
  static std::string Bytes(std::size_t size, char seed = 'a') {
    std::string bytes(size, seed);
    for (std::size_t i = 0; i < size; i += 97) {
      bytes[i] = static_cast<char>(i / 97);
    }
    return bytes;
  }
  /// A server whose callers are all operators.
  void CalledByOperators() {
    server_.reset();
    server_ = std::make_unique<tests::bulk::ChunkServer>(
        folder_.File("socket"),
        api::bulk::ChunkServiceOptions{.store = local_.get(),
                                       .grants = &grants_,
                                       .caller_of = [](auto&) { return api::bulk::Caller(); }});
  }
  static grpc::StatusCode Has(pb::Chunks::Stub& stub, const pb::HasChunksRequest& request) {
    grpc::ClientContext context;
    pb::HasChunksResponse response;
    return stub.HasChunks(&context, request, &response).error_code();
  }
  /// One `PutChunk` as it is on the wire.
  base::Status RawPut(const base::Digest& digest, std::uint64_t size, std::uint64_t offset,
                      const std::string& data) {
    const auto stub = pb::Chunks::NewStub(server_->Connect());
    grpc::ClientContext context;
    pb::PutChunkResponse response;
    const auto writer = stub->PutChunk(&context, &response);
    pb::PutChunkRequest request;
    wire::ToWire(kAttempt, request.mutable_start()->mutable_attempt());
    request.mutable_start()->set_digest(wire::ToWire(digest));
    request.mutable_start()->set_size(size);
    request.mutable_start()->set_offset(offset);
    request.set_data(data);
    writer->Write(request);
    writer->WritesDone();
    return wire::FromGrpc(writer->Finish());
  }

  tests::support::TempFolder folder_;
  std::unique_ptr<store::artifacts::LocalStore> local_;
  api::bulk::ChunkGrants grants_;
  std::unique_ptr<tests::bulk::ChunkServer> server_;
  std::unique_ptr<RemoteStore> remote_;
};

TEST_F(RemoteStoreTest, MovesChunksBothWays) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{4} << 20}) {
    const std::string bytes = Bytes(size);
    const auto digest = remote_->Put(bytes);
    ASSERT_TRUE(digest.ok()) << digest.status();
    EXPECT_TRUE(*local_->Get(*digest) == bytes);
    EXPECT_TRUE(*remote_->Has(*digest));
    grants_.Give(kAttempt, {*digest});
    EXPECT_TRUE(*remote_->Get(*digest) == bytes);
  }
}

TEST_F(RemoteStoreTest, RefusesAChunkThatIsTooLarge) {
  EXPECT_EQ(remote_->Put(Bytes((std::size_t{4} << 20) + 1)).status().code(),
            Code::kInvalidArgument);
}

TEST_F(RemoteStoreTest, NamesWhatIsNotThere) {
  const base::Digest missing = base::Sha256("missing");
  EXPECT_FALSE(*remote_->Has(missing));
  EXPECT_EQ(remote_->Get(missing).status().code(), Code::kPermissionDenied);
  grants_.Give(kAttempt, {missing});
  EXPECT_EQ(remote_->Get(missing).status().code(), Code::kNotFound);
}

TEST_F(RemoteStoreTest, AnAttemptThatIsNotTheWorkersMayNothing) {
  grants_.Close(kAttempt);
  EXPECT_EQ(remote_->Put("bytes").status().code(), Code::kPermissionDenied);
  EXPECT_EQ(remote_->Has(base::Sha256("bytes")).status().code(), Code::kPermissionDenied);
}

TEST_F(RemoteStoreTest, BytesThatAreNotTheChunkAreRefusedAndForgotten) {
  const base::Digest digest = base::Sha256("right");
  ASSERT_FALSE(*remote_->Has(digest));
  EXPECT_EQ(RawPut(digest, 5, 0, "wrong").code(), Code::kDataLoss);
  EXPECT_FALSE(*local_->Has(digest));
  EXPECT_TRUE(RawPut(digest, 5, 0, "right").ok());
}

TEST_F(RemoteStoreTest, WhatDoesNotFitIsRefused) {
  const base::Digest digest = base::Sha256("right");
  EXPECT_EQ(RawPut(digest, 5, 0, "right").code(), Code::kPermissionDenied);
  ASSERT_FALSE(*remote_->Has(digest));
  EXPECT_EQ(RawPut(digest, 5, 0, "rightandmore").code(), Code::kInvalidArgument);
  EXPECT_EQ(RawPut(digest, 5, 6, "").code(), Code::kInvalidArgument);
  EXPECT_EQ(RawPut(digest, 5ULL << 20, 0, "right").code(), Code::kInvalidArgument);
  EXPECT_EQ(RawPut(digest, 5, 2, "ght").code(), Code::kFailedPrecondition);
}

TEST_F(RemoteStoreTest, ATransferGoesOnWhereItWasCutOff) {
  const std::string bytes = Bytes(1000);
  const base::Digest digest = base::Sha256(bytes);
  ASSERT_FALSE(*remote_->Has(digest));
  EXPECT_EQ(RawPut(digest, 1000, 0, bytes.substr(0, 400)).code(), Code::kAborted);
  EXPECT_EQ(RawPut(digest, 1000, 400, bytes.substr(400, 100)).code(), Code::kAborted);
  EXPECT_TRUE(RawPut(digest, 1000, 500, bytes.substr(500)).ok());
  EXPECT_TRUE(*local_->Get(digest) == bytes);
}

TEST_F(RemoteStoreTest, AServerThatComesBackIsUsedAgain) {
  const base::Digest digest = Stored("bytes");
  server_->Restart();
  EXPECT_EQ(*remote_->Get(digest), "bytes");
  server_->Restart();
  EXPECT_TRUE(remote_->Put("more bytes").ok());
}

TEST_F(RemoteStoreTest, AServerThatStaysAwayIsGivenUp) {
  const auto hasty = Make({.attempt = kAttempt,
                           .give_up_after = std::chrono::milliseconds(100),
                           .first_wait = std::chrono::milliseconds(1)});
  server_.reset();
  EXPECT_EQ(hasty->Put("bytes").status().code(), Code::kUnavailable);
}

TEST_F(RemoteStoreTest, CancelEndsWhatWaits) {
  server_.reset();
  auto waiting = std::async(std::launch::async, [&] { return remote_->Put("bytes").status(); });
  remote_->Cancel();
  EXPECT_FALSE(waiting.get().ok());
}

TEST_F(RemoteStoreTest, MoreCallersThanThereIsRoomForWaitTheirTurn) {
  std::vector<std::future<base::Status>> puts;
  for (int i = 0; i < 40; ++i) {
    puts.push_back(std::async(std::launch::async, [&, i] {
      return remote_->Put(Bytes(100'000, static_cast<char>(i))).status();
    }));
  }
  for (auto& put : puts) {
    EXPECT_TRUE(put.get().ok());
  }
}

TEST_F(RemoteStoreTest, WithoutAServerItWaitsForOne) {
  std::shared_ptr<grpc::Channel> channel;
  std::mutex mutex;
  std::promise<void> asked;
  bool was_asked = false;
  RemoteStore late(
      [&] {
        const std::lock_guard lock(mutex);
        if (!std::exchange(was_asked, true)) {
          asked.set_value();
        }
        return channel;
      },
      {.attempt = kAttempt});
  auto put = std::async(std::launch::async, [&] { return late.Put("bytes").status(); });
  asked.get_future().get();
  {
    const std::lock_guard lock(mutex);
    channel = server_->Connect();
  }
  EXPECT_TRUE(put.get().ok());
}

TEST_F(RemoteStoreTest, AStalledUploadGivesItsPlaceToOneThatMoves) {
  server_.reset();  // before the next one makes the socket anew
  server_ = std::make_unique<tests::bulk::ChunkServer>(
      folder_.File("socket"),
      api::bulk::ChunkServiceOptions{.store = local_.get(),
                                     .grants = &grants_,
                                     .chunks_in_memory_max = 1,
                                     .stalled_after = std::chrono::milliseconds(200)});
  remote_ = Make({.attempt = kAttempt});
  const std::string bytes = Bytes(1000);
  const base::Digest digest = base::Sha256(bytes);
  ASSERT_FALSE(*remote_->Has(digest));
  const auto stub = pb::Chunks::NewStub(server_->Connect());
  grpc::ClientContext context;
  pb::PutChunkResponse response;
  const auto stalled = stub->PutChunk(&context, &response);
  pb::PutChunkRequest request;
  wire::ToWire(kAttempt, request.mutable_start()->mutable_attempt());
  request.mutable_start()->set_digest(wire::ToWire(digest));
  request.mutable_start()->set_size(bytes.size());
  request.set_data(bytes.substr(0, 400));
  ASSERT_TRUE(stalled->Write(request));
  // Nothing more of it comes. Whenever it gets its place, the next one that wants it has it cut
  // off.
  auto end = std::async(std::launch::async, [&] { return stalled->Finish(); });
  for (char seed = 'b'; end.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
       ++seed) {
    EXPECT_TRUE(remote_->Put(Bytes(1000, seed)).ok());
  }
  EXPECT_FALSE(end.get().ok());
  EXPECT_TRUE(remote_->Put(bytes).ok());
}

TEST_F(RemoteStoreTest, AnOperatorPutsWithoutAnAttemptAndGetsNothing) {
  const base::Digest stored = Stored("kept");
  CalledByOperators();
  const auto stub = pb::Chunks::NewStub(server_->Connect());
  const std::string bytes = Bytes(600'000);
  pb::HasChunksRequest ask;
  ask.add_digests(wire::ToWire(base::Sha256(bytes)));
  EXPECT_EQ(Has(*stub, ask), grpc::StatusCode::OK);
  pb::PutChunkStart start;
  start.set_digest(wire::ToWire(base::Sha256(bytes)));
  grpc::ClientContext put;
  const grpc::Status sent = wire::SendChunk(*stub, put, start, bytes);
  ASSERT_TRUE(sent.ok()) << sent.error_message();
  EXPECT_EQ(local_->Get(base::Sha256(bytes)).value_or(""), bytes);

  wire::ToWire(kAttempt, ask.mutable_attempt());
  EXPECT_EQ(Has(*stub, ask), grpc::StatusCode::PERMISSION_DENIED);
  wire::ToWire(kAttempt, start.mutable_attempt());
  grpc::ClientContext posing;
  EXPECT_EQ(wire::SendChunk(*stub, posing, start, bytes).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  remote_ = Make({.attempt = kAttempt});
  EXPECT_EQ(remote_->Get(stored).status().code(), Code::kPermissionDenied);
}

TEST_F(RemoteStoreTest, AWorkerPutsNothingWithoutAnAttempt) {
  const auto stub = pb::Chunks::NewStub(server_->Connect());
  pb::HasChunksRequest ask;
  ask.add_digests(wire::ToWire(base::Sha256("x")));
  EXPECT_EQ(Has(*stub, ask), grpc::StatusCode::INVALID_ARGUMENT);
  pb::PutChunkStart start;
  start.set_digest(wire::ToWire(base::Sha256("x")));
  grpc::ClientContext context;
  EXPECT_EQ(wire::SendChunk(*stub, context, start, "x").error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace agents::chunks

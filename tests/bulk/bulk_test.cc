// SPDX-License-Identifier: Apache-2.0
// A gigabyte from one worker to another, with the server gone in the middle of both ways.
#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <string>
#include <sys/resource.h>

#include <gtest/gtest.h>

#include "agents/chunks/remote_store.h"
#include "engine/base/random.h"
#include "store/artifacts/archive.h"
#include "store/artifacts/local_store.h"
#include "store/artifacts/manifest.h"
#include "tests/bulk/chunk_server.h"
#include "tests/support/temp_folder.h"

namespace tests::bulk {
namespace {

namespace base = engine::base;
namespace fs = std::filesystem;
namespace model = engine::model;

constexpr std::uint64_t kBytes = 1ULL << 30;
constexpr std::uint64_t kMemoryBytesMax = 256ULL << 20;

model::AttemptKey Attempt(std::uint32_t job) {
  return {.run = model::RunId(5), .job = model::JobIndex(job), .attempt = 1};
}

/// Calls `cut` at the transfer of that number.
class CuttingStore : public engine::ports::ArtifactStore {
 public:
  CuttingStore(engine::ports::ArtifactStore& real, int at, std::function<void()> cut)
      : real_(real), at_(at), cut_(std::move(cut)) {}
  base::StatusOr<base::Digest> Put(std::string_view bytes) override {
    Count();
    return real_.Put(bytes);
  }
  base::StatusOr<std::string> Get(const base::Digest& digest) override {
    Count();
    return real_.Get(digest);
  }
  base::StatusOr<bool> Has(const base::Digest& digest) override { return real_.Has(digest); }

 private:
  void Count() {
    if (++calls_ == at_) {
      cut_();
    }
  }
  engine::ports::ArtifactStore& real_;
  const int at_;
  const std::function<void()> cut_;
  std::atomic<int> calls_ = 0;
};

class BulkTest : public ::testing::Test {
 protected:
  BulkTest() {
    local_ = *store::artifacts::LocalStore::Open(folder_.File("server"));
    server_ = std::make_unique<ChunkServer>(
        folder_.File("socket"),
        api::bulk::ChunkServiceOptions{
            .store = local_.get(), .grants = &grants_, .chunks_of = [this](const auto& manifest) {
              return store::artifacts::ListChunks(*local_, manifest);
            }});
  }

  /// Of bytes that neither repeat nor can be compressed.
  base::Digest WriteGigabyte(const std::string& path) const {
    base::Hasher hasher;
    base::Random random(1);
    std::ofstream file(path, std::ios::binary);
    std::string piece(1 << 20, '\0');
    for (std::uint64_t done = 0; done < kBytes; done += piece.size()) {
      for (std::size_t i = 0; i < piece.size(); i += sizeof(std::uint64_t)) {
        const std::uint64_t word = random.Next();
        std::memcpy(piece.data() + i, &word, sizeof word);
      }
      hasher.Update(piece);
      file.write(piece.data(), static_cast<std::streamsize>(piece.size()));
    }
    return hasher.Finish();
  }
  static base::Digest DigestOfFile(const std::string& path) {
    base::Hasher hasher;
    std::ifstream file(path, std::ios::binary);
    std::string piece(1 << 20, '\0');
    while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())), file.gcount() > 0) {
      hasher.Update(std::string_view(piece).substr(0, static_cast<std::size_t>(file.gcount())));
    }
    return hasher.Finish();
  }
  static std::uint64_t PeakMemory() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::uint64_t>(usage.ru_maxrss) << 10;
  }
  std::string Workspace(const std::string& name) const {
    fs::create_directory(folder_.File(name));
    return folder_.File(name);
  }

  support::TempFolder folder_;
  std::unique_ptr<store::artifacts::LocalStore> local_;
  api::bulk::ChunkGrants grants_;
  std::unique_ptr<ChunkServer> server_;
};

TEST_F(BulkTest, AGigabyteGetsFromOneWorkerToAnotherAlthoughTheServerFalls) {
  const std::string from = Workspace("from");
  const std::string to = Workspace("to");
  const base::Digest content = WriteGigabyte(from + "/big");
  const std::uint64_t memory_before = PeakMemory();

  grants_.Open({.key = Attempt(0), .worker = kWorker}, {});
  agents::chunks::RemoteStore uploads([channel = server_->Connect()] { return channel; },
                                      {.attempt = Attempt(0)});
  CuttingStore cut_uploads(uploads, 100, [this] { server_->Restart(); });
  store::artifacts::Archive packs(cut_uploads, 4);
  const auto artifact = packs.Pack({.root = from, .name = "big", .paths = {"big"}}, {});
  ASSERT_TRUE(artifact.ok()) << artifact.status();
  grants_.Close(Attempt(0));

  grants_.Open({.key = Attempt(1), .worker = kWorker}, {.artifacts = {artifact->manifest}});
  agents::chunks::RemoteStore downloads([channel = server_->Connect()] { return channel; },
                                        {.attempt = Attempt(1)});
  CuttingStore cut_downloads(downloads, 100, [this] { server_->Restart(); });
  store::artifacts::Archive unpacks(cut_downloads, 4);
  const base::Status unpacked = unpacks.Unpack(*artifact, to, {});
  ASSERT_TRUE(unpacked.ok()) << unpacked;

  EXPECT_EQ(DigestOfFile(to + "/big"), content);
  EXPECT_LT(PeakMemory() - memory_before, kMemoryBytesMax);
}

}  // namespace
}  // namespace tests::bulk

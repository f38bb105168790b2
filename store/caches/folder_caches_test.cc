// SPDX-License-Identifier: Apache-2.0
#include "store/caches/folder_caches.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/digest.h"

namespace store::caches {
namespace {

namespace base = engine::base;
namespace fs = std::filesystem;
namespace model = engine::model;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

model::Artifact Content(const std::string& key, std::uint64_t bytes = 10) {
  return {.name = key, .manifest = base::Sha256(key), .bytes = bytes, .files = 1};
}

class FolderCachesTest : public ::testing::Test {
 protected:
  FolderCachesTest() {
    std::string pattern = fs::temp_directory_path() / "dayfly-caches-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    Reopen(1000);
  }
  ~FolderCachesTest() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  void Reopen(std::uint64_t bytes_max) {
    auto caches = FolderCaches::Open(
        folder_ + "/caches",
        {.bytes_max = bytes_max, .expire = std::chrono::hours(24), .now = [this] { return now_; }});
    ASSERT_TRUE(caches.ok()) << caches.status();
    caches_ = *std::move(caches);
  }

  base::Status Add(const std::string& scope, const std::string& key, std::uint64_t bytes = 10) {
    now_ += std::chrono::minutes(1);
    return caches_->Add(scope, Content(key, bytes));
  }
  std::string Find(const CacheScopes& scopes, const std::string& key,
                   const std::vector<std::string>& restore_keys = {}) {
    now_ += std::chrono::minutes(1);
    const auto found = caches_->Find(scopes, key, restore_keys);
    EXPECT_TRUE(found.ok()) << found.status();
    return found.ok() && found->has_value() ? (*found)->name : "none";
  }
  std::vector<std::string> Keys() const {
    std::vector<std::string> keys;
    for (const SavedCache& cache : caches_->List()) {
      keys.push_back(cache.content.name);
    }
    return keys;
  }
  std::size_t FilesIn(const std::string& name) const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_ + "/caches/" + name), {}));
  }

  std::string folder_;
  base::Instant now_ = base::InstantFromMicros(1'700'000'000'000'000);
  std::unique_ptr<FolderCaches> caches_;
};

TEST_F(FolderCachesTest, FindsWhatWasSavedUnderTheKey) {
  ASSERT_EQ(Add("s", "deps-1"), base::OkStatus());
  const auto found = caches_->Find({"s", {}}, "deps-1", {});
  ASSERT_TRUE(found.ok() && found->has_value());
  EXPECT_EQ(**found, Content("deps-1"));
  EXPECT_EQ(Find({"s", {}}, "deps-2"), "none");
  EXPECT_EQ(Find({"other", {}}, "deps-1"), "none");
}

TEST_F(FolderCachesTest, TakesTheNewestThatBeginsWithTheFirstBeginningThatFits) {
  for (const char* key : {"deps-old", "deps-new", "tools-newest"}) {
    ASSERT_EQ(Add("s", key), base::OkStatus());
  }
  EXPECT_EQ(Find({"s", {}}, "deps-x", {"deps-"}), "deps-new");
  EXPECT_EQ(Find({"s", {}}, "deps-x", {"lint-", "deps-o", "tools-"}), "deps-old");
  EXPECT_EQ(Find({"s", {}}, "deps-old", {"deps-"}), "deps-old");
  EXPECT_EQ(Find({"s", {}}, "x", {"y"}), "none");
}

TEST_F(FolderCachesTest, LooksIntoOtherScopesAfterItsOwn) {
  ASSERT_EQ(Add("branch", "deps-mine"), base::OkStatus());
  ASSERT_EQ(Add("main", "deps-theirs"), base::OkStatus());
  const CacheScopes scopes{"branch", {"main"}};
  EXPECT_EQ(Find(scopes, "deps-x", {"deps-"}), "deps-mine");
  EXPECT_EQ(Find(scopes, "deps-theirs", {"deps-"}), "deps-theirs");
  EXPECT_EQ(Find({"main", {}}, "deps-mine", {"deps-"}), "deps-theirs");
}

TEST_F(FolderCachesTest, NeverChangesWhatWasSaved) {
  ASSERT_EQ(Add("s", "k"), base::OkStatus());
  EXPECT_EQ(caches_->Add("s", {.name = "k", .manifest = base::Sha256("else")}).code(),
            absl::StatusCode::kAlreadyExists);
  const auto found = caches_->Find({"s", {}}, "k", {});
  EXPECT_EQ((*found)->manifest, base::Sha256("k"));
}

TEST_F(FolderCachesTest, LetsOneOfManySaversWin) {
  constexpr int kSavers = 8;
  std::vector<base::Status> results(kSavers);
  {
    std::vector<std::jthread> savers;
    for (int i = 0; i < kSavers; ++i) {
      savers.emplace_back([&, i] {
        results[static_cast<std::size_t>(i)] = caches_->Add(
            "s", {.name = "k", .manifest = base::Sha256(std::to_string(i)), .bytes = 1});
      });
    }
  }
  int won = -1;
  for (int i = 0; i < kSavers; ++i) {
    if (results[static_cast<std::size_t>(i)].ok()) {
      EXPECT_EQ(won, -1);
      won = i;
    } else {
      EXPECT_EQ(results[static_cast<std::size_t>(i)].code(), absl::StatusCode::kAlreadyExists);
    }
  }
  ASSERT_GE(won, 0);
  EXPECT_EQ((*caches_->Find({"s", {}}, "k", {}))->manifest, base::Sha256(std::to_string(won)));
  EXPECT_EQ(FilesIn("tmp"), 0U);
}

TEST_F(FolderCachesTest, SurvivesSaversThatAreKilled) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t saver = fork();
  if (saver == 0) {
    for (int i = 0; i < 100'000; ++i) {
      static_cast<void>(caches_->Add("s", Content("k" + std::to_string(i), 0)));
      if (i == 3) {
        static_cast<void>(write(ready[1], "x", 1));
      }
    }
    _exit(0);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  kill(saver, SIGKILL);
  ASSERT_EQ(waitpid(saver, nullptr, 0), saver);
  close(ready[0]);
  close(ready[1]);
  // A link that was not made yet is a cache that was not saved: whatever is there is whole.
  const std::vector<SavedCache> all = caches_->List();
  EXPECT_GE(all.size(), 4U);
  for (const SavedCache& cache : all) {
    EXPECT_EQ(cache.content, Content(cache.content.name, 0));
  }
  std::ofstream(folder_ + "/caches/tmp/" + std::to_string(saver) + "-7") << "half";
  caches_->Sweep();
  EXPECT_EQ(FilesIn("tmp"), 0U);
  EXPECT_EQ(Add("s", "after"), base::OkStatus());
}

TEST_F(FolderCachesTest, MakesRoomByLastUse) {
  Reopen(30);
  ASSERT_EQ(Add("s", "a"), base::OkStatus());
  ASSERT_EQ(Add("s", "b"), base::OkStatus());
  ASSERT_EQ(Add("s", "c"), base::OkStatus());
  EXPECT_EQ(Find({"s", {}}, "a"), "a");
  ASSERT_EQ(Add("s", "d"), base::OkStatus());
  EXPECT_THAT(Keys(), ElementsAre("d", "a", "c"));
  EXPECT_EQ(Add("s", "huge", 31).code(), absl::StatusCode::kResourceExhausted);
  ASSERT_EQ(Add("s", "large", 30), base::OkStatus());
  EXPECT_THAT(Keys(), ElementsAre("large"));
}

TEST_F(FolderCachesTest, ForgetsWhatNobodyUsed) {
  ASSERT_EQ(Add("s", "a"), base::OkStatus());
  ASSERT_EQ(Add("t", "b"), base::OkStatus());
  now_ += std::chrono::hours(23);
  EXPECT_EQ(Find({"s", {}}, "a"), "a");
  now_ += std::chrono::hours(2);
  EXPECT_EQ(caches_->Sweep(), 1U);
  EXPECT_THAT(Keys(), ElementsAre("a"));
}

TEST_F(FolderCachesTest, TakesNoEntryThatIsBrokenOrElsewhere) {
  ASSERT_EQ(Add("s", "a"), base::OkStatus());
  std::string path;
  for (const auto& entry : fs::recursive_directory_iterator(folder_ + "/caches")) {
    path = entry.is_regular_file() ? entry.path().string() : path;
  }
  const std::string other = fs::path(path).parent_path() / std::string(64, 'a');
  fs::copy(path, other);
  EXPECT_THAT(Keys(), ElementsAre("a"));
  std::ofstream(path, std::ios::binary) << "x";
  EXPECT_THAT(Keys(), IsEmpty());
  EXPECT_EQ(Find({"s", {}}, "a"), "none");
}

TEST_F(FolderCachesTest, FreesTheKeyOfWhatCannotBeRead) {
  ASSERT_EQ(Add("s", "a"), base::OkStatus());
  EXPECT_EQ(caches_->Drop({"s", {}}, {.name = "a", .manifest = base::Sha256("another")}),
            base::OkStatus());
  EXPECT_EQ(Find({"s", {}}, "a"), "a");
  EXPECT_EQ(caches_->Drop({"s", {}}, Content("a")), base::OkStatus());
  EXPECT_EQ(Find({"s", {}}, "a"), "none");
  EXPECT_EQ(Add("s", "a"), base::OkStatus());
}

TEST(ScopesOf, KeepsBranchesAndRepositoriesApart) {
  model::RunContext context;
  context.source = "/repo";
  context.branch = "topic";
  context.default_branch = "main";
  const CacheScopes topic = ScopesOf(context);
  context.branch = "main";
  const CacheScopes main = ScopesOf(context);
  EXPECT_THAT(topic.others, ElementsAre(main.own));
  EXPECT_THAT(main.others, IsEmpty());
  context.event = "pull_request";  // whose head branch may have any name
  const CacheScopes request = ScopesOf(context);
  EXPECT_NE(request.own, main.own);
  EXPECT_THAT(request.others, ElementsAre(main.own));
  context.source = "/other";
  EXPECT_NE(ScopesOf(context).own, request.own);
}

}  // namespace
}  // namespace store::caches

// SPDX-License-Identifier: Apache-2.0
// `pipelines/self.yml` twice at once with one state folder and one ccache folder: both succeed, and
// neither writes anywhere else. Without a warm ccache this compiles the quick level's sources.
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tests::self {
namespace {

namespace fs = std::filesystem;

/// Path, size and time of every file below, build trees and git's own folder left out.
std::map<std::string, std::string> Listing(const std::string& root) {
  std::map<std::string, std::string> listing;
  std::error_code error;
  fs::recursive_directory_iterator at(root, error);
  for (; !error && at != fs::end(at); at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name == ".git" || name.starts_with("build") || fs::exists(at->path() / "CMakeCache.txt")) {
      at.disable_recursion_pending();
    } else if (at->is_regular_file()) {
      listing[at->path().string()] = fmt::format("{} bytes at {}", at->file_size(),
                                                 at->last_write_time().time_since_epoch().count());
    }
  }
  return listing;
}

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string Variable(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? otherwise : value;
}

class SelfPipeline : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "dayfly-self-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
    fs::create_directories(root_ + "/user");
    ccache_ = Variable("CCACHE_DIR", Variable("HOME", root_) + "/.cache/ccache");
    fs::create_directories(ccache_);
  }
  void TearDown() override {
    std::error_code error;
    fs::remove_all(root_, error);
  }

  pid_t Start(const std::string& output) const {
    const std::vector<std::string> words = {DAYFLY_BINARY,
                                            "run",
                                            "pipelines/self.yml",
                                            "--output",
                                            "plain",
                                            "--workers",
                                            "1",
                                            "--input",
                                            "level=quick",
                                            "--input",
                                            "ccache_dir=" + ccache_};
    const pid_t pid = ::fork();
    if (pid != 0) {
      return pid;
    }
    std::vector<char*> argv;
    for (const std::string& word : words) {
      argv.push_back(const_cast<char*>(word.c_str()));
    }
    argv.push_back(nullptr);
    const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(file, STDOUT_FILENO);
    ::dup2(file, STDERR_FILENO);
    ::setenv("DAYFLY_HOME", (root_ + "/home").c_str(), 1);
    ::setenv("HOME", (root_ + "/user").c_str(), 1);
    if (::chdir(DAYFLY_SOURCE_DIR) == 0) {
      ::execv(argv[0], argv.data());
    }
    ::_exit(127);
  }

  static int Wait(pid_t pid) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  std::string root_, ccache_;
};

TEST_F(SelfPipeline, RunsTwiceAtOnceAndStaysInItsWorkspaces) {
  const auto before = Listing(DAYFLY_SOURCE_DIR);
  const pid_t first = Start(root_ + "/first");
  const pid_t second = Start(root_ + "/second");
  EXPECT_EQ(Wait(first), 0) << ReadFile(root_ + "/first");
  EXPECT_EQ(Wait(second), 0) << ReadFile(root_ + "/second");
  EXPECT_TRUE(before == Listing(DAYFLY_SOURCE_DIR)) << "a step wrote into the source folder";
  EXPECT_TRUE(fs::is_empty(root_ + "/user")) << "something was written into the user's home";
}

}  // namespace
}  // namespace tests::self

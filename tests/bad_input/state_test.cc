// SPDX-License-Identifier: Apache-2.0
// State folders that cannot be used: said, with what to do, and left as they are.
#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "tests/bad_input/bad_input_scene.h"

namespace tests::bad_input {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class State : public BadInput {
 protected:
  State() { WriteJobs("  a: { steps: ['echo a >> \"$SHARED/ran\"'] }\n"); }

  void WriteHome(const std::string& name, const std::string& text) const {
    fs::create_directories(home());
    std::ofstream(home() + "/" + name, std::ios::binary) << text;
  }
  std::string RunFolder() { return home() + "/runs/" + Runs().at(0); }

  /// As a newer build would have left it.
  static void SetUserVersion(const std::string& database, int version) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(database.c_str(), &db), SQLITE_OK);
    const std::string pragma = fmt::format("PRAGMA user_version={}", version);
    EXPECT_EQ(sqlite3_exec(db, pragma.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(db);
  }
};

TEST_F(State, AFolderOfANewerVersionIsRefusedByEveryCommand) {
  WriteHome("version", "99\n");
  for (const std::vector<std::string>& command : {std::vector<std::string>{"run", "p.yml"},
                                                  {"run", "--resume", "latest"},
                                                  {"runs"},
                                                  {"show", "latest"},
                                                  {"logs", "latest", "a"},
                                                  {"explain", "latest"},
                                                  {"cancel", "latest"},
                                                  {"retry", "latest"}}) {
    const Outcome outcome = Dayfly(command);
    EXPECT_EQ(outcome.exit_code, 3) << command[0] << outcome.errors;
    EXPECT_THAT(outcome.errors, HasSubstr("newer dayfly (version 99")) << command[0];
    EXPECT_THAT(outcome.errors, HasSubstr("DAYFLY_HOME")) << command[0];
  }
  EXPECT_EQ(Shared("ran"), "");
  EXPECT_FALSE(fs::exists(home() + "/runs") && !fs::is_empty(home() + "/runs"));
}

TEST_F(State, AVersionThatIsNoNumberIsDamage) {
  WriteHome("version", "soon\n");
  const Outcome outcome = RunPipeline();
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.errors, HasSubstr("version does not hold a number"));
}

TEST_F(State, ARunOfANewerVersionIsRefusedAndOthersGoOn) {
  ASSERT_EQ(RunPipeline().exit_code, 0);
  const std::string run = Runs().at(0);
  SetUserVersion(RunFolder() + "/facts.db", 99);
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"run", "--resume", run}, {"show", run}, {"logs", run, "a"}}) {
    const Outcome outcome = Dayfly(command);
    EXPECT_EQ(outcome.exit_code, 3) << command[0] << outcome.errors;
    EXPECT_THAT(outcome.errors, HasSubstr("newer dayfly (version 99")) << command[0];
  }
  EXPECT_EQ(Dayfly({"runs"}).exit_code, 0) << Errors();
  EXPECT_EQ(RunPipeline().exit_code, 0) << Errors();
}

TEST_F(State, AnIndexThatCannotBeReadStopsNoRun) {
  ASSERT_EQ(RunPipeline().exit_code, 0);
  for (const std::string text : {"", "this is no database, but it is long enough to be read"}) {
    WriteHome("index.db", text);
    EXPECT_EQ(RunPipeline().exit_code, 0) << Errors();
    EXPECT_EQ(Dayfly({"show", "latest"}).exit_code, 0) << Errors();
  }
}

TEST_F(State, RunsAreListedWithoutAnIndexToo) {
  ASSERT_EQ(RunPipeline().exit_code, 0);
  ASSERT_EQ(RunPipeline().exit_code, 0);
  const Outcome indexed = Dayfly({"runs", "--format", "json"});
  ASSERT_THAT(indexed.out, HasSubstr("succeeded"));
  for (const char* log : {"index.db-wal", "index.db-shm", "index.db"}) {
    fs::remove(home() + "/" + log);
  }
  EXPECT_EQ(Dayfly({"runs", "--format", "json"}).out, indexed.out);
  WriteHome("index.db", "this is no database, but it is long enough to be read");
  EXPECT_EQ(Dayfly({"runs", "--format", "json"}).out, indexed.out);
}

TEST_F(State, ADamagedLogIsNamedAndNothingRunsAgain) {
  ASSERT_EQ(RunPipeline().exit_code, 0);
  const std::string log = RunFolder() + "/facts.db";
  fs::remove(log + "-wal");
  std::ofstream(log, std::ios::binary) << "no database at all";
  const Outcome resumed = Dayfly({"run", "--resume", "latest"});
  EXPECT_NE(resumed.exit_code, 0);
  EXPECT_NE(Dayfly({"show", RunFolder().substr(RunFolder().rfind('/') + 1)}).exit_code, 0);
  EXPECT_EQ(Shared("ran"), "a\n");
}

TEST_F(State, AFileInPlaceOfTheFolderIsNamed) {
  std::ofstream(home()) << "a file";
  const Outcome outcome = RunPipeline();
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.errors, HasSubstr(home()));
  EXPECT_THAT(outcome.errors, HasSubstr("is not a folder"));
}

TEST_F(State, WithoutHomeTheUsersOwnIsTaken) {
  support::Launch launch = RunLaunch();
  launch.env = {"PATH=/usr/bin:/bin", "XDG_STATE_HOME=" + root_.File("xdg")};
  const support::Ended ended = support::RunDayfly(launch);
  EXPECT_EQ(ended.exit_code, 0) << Errors();
  EXPECT_TRUE(fs::exists(root_.File("xdg") + "/dayfly/version"));
}

TEST_F(State, ARunThatDoesNotExistIsNotInvented) {
  ASSERT_EQ(RunPipeline().exit_code, 0);
  const std::string run = Runs().at(0);
  for (const std::string command : {"show", "explain", "cancel", "retry"}) {
    const Outcome outcome = Dayfly({command, "zzzz"});
    EXPECT_EQ(outcome.exit_code, 2) << command << outcome.errors;
    EXPECT_THAT(outcome.errors, HasSubstr(run)) << command;
  }
}

}  // namespace
}  // namespace tests::bad_input

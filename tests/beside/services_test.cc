// SPDX-License-Identifier: Apache-2.0
// `dayfly run` with services, which are real servers.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "tests/beside/beside_scene.h"

namespace tests::beside {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

/// A port that nobody has just now.
std::uint16_t FreePort() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof place;
  EXPECT_EQ(bind(socket, reinterpret_cast<sockaddr*>(&place), size), 0);
  EXPECT_EQ(getsockname(socket, reinterpret_cast<sockaddr*>(&place), &size), 0);
  close(socket);
  return ntohs(place.sin_port);
}

/// A web server that chooses its port, tells it to the file `port` and then to its log.
constexpr const char* kServer = R"(import http.server, os, sys
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", 0))), http.server.SimpleHTTPRequestHandler)
with open("port", "w") as file:
    file.write(str(server.server_port))
print("pid", os.getpid(), "listening on", server.server_port, flush=True)
server.serve_forever()
)";
/// Reads a file from it.
constexpr const char* kClient = R"(import sys, urllib.request
port = open("port").read()
print(urllib.request.urlopen(f"http://127.0.0.1:{port}/{sys.argv[1]}").read().decode(), end="")
)";

class ServicesTest : public BesideTest {
 protected:
  void SetUp() override {
    BesideTest::SetUp();
    Source("server.py", kServer);
    Source("client.py", kClient);
    Source("page", "hello\n");
  }
  /// The job that asks the server, which is known to be ready by `ready`.
  void PipelineWith(const std::string& ready, const std::string& env = "") {
    Pipeline("jobs:\n  a:\n    env: { A: b" + env +
             " }\n    services:\n      web: { run: exec python3 server.py, ready: " + ready +
             " }\n    steps:\n      - { id: ask, run: python3 client.py page }\n");
  }
  void ExpectServed() {
    const support::Ended run = Run();
    EXPECT_EQ(run.exit_code, 0) << run.text;
    EXPECT_EQ(Logs("a", "ask"), "hello\n");
    EXPECT_EQ(EndOf(run, "a", "web")["status"], "succeeded");
    EXPECT_EQ(EndOf(run, "a", "web")["reason"], "steps_ended");
    const std::string log = Logs("a", "web");
    EXPECT_THAT(log, HasSubstr("listening on"));
    EXPECT_THAT(log, HasSubstr("GET /page"));
    EXPECT_FALSE(IsAlive(log.substr(4, log.find(' ', 4) - 4)));
  }
};

TEST_F(ServicesTest, IsReadyWhenItsLogSaysSo) {
  PipelineWith("{ log: \"listening on [0-9]+\" }");
  ExpectServed();
  EXPECT_THAT(Dayfly({"show", "latest"}).text, HasSubstr("web"));
  EXPECT_THAT(Dayfly({"logs", "latest", "a"}).text, HasSubstr("web | pid"));
}

TEST_F(ServicesTest, IsReadyWhenItsPortTakesConnections) {
  const std::string port = std::to_string(FreePort());
  PipelineWith("{ tcp: " + port + " }", ", PORT: " + port);
  ExpectServed();
}

TEST_F(ServicesTest, IsReadyWhenItsAddressAnswersWell) {
  const std::string port = std::to_string(FreePort());
  PipelineWith("{ http: \"http://127.0.0.1:${{ env.PORT }}/page\" }", ", PORT: " + port);
  ExpectServed();
}

TEST_F(ServicesTest, IsReadyWhenACommandEndsWell) {
  PipelineWith("{ command: python3 client.py page }");
  ExpectServed();
}

TEST_F(ServicesTest, OneThatIsNotReadyInTimeFailsTheJobAndIsNamed) {
  Pipeline(R"(
jobs:
  a:
    services:
      web: { run: "echo warming up; exec sleep 1000", ready: { log: listening, timeout: 2s } }
    steps: [{ id: s, run: echo never }]
    finally: [{ id: f, run: echo finally }]
)");
  const support::Ended run = Run();
  EXPECT_EQ(run.exit_code, 1) << run.text;
  const json job = EndOf(run, "a");
  EXPECT_EQ(job["status"], "failed");
  EXPECT_EQ(job["reason"], "service_not_ready");
  EXPECT_EQ(EndOf(run, "a", "web")["status"], "failed");
  EXPECT_EQ(EndOf(run, "a", "s")["status"], "skipped");
  EXPECT_EQ(EndOf(run, "a", "f")["status"], "succeeded");
  const std::string shown = Dayfly({"show", "latest"}).text;
  EXPECT_THAT(shown, HasSubstr("service web was not ready after "));
  EXPECT_THAT(shown, HasSubstr("no line of its log holds 'listening'"));
  EXPECT_THAT(Dayfly({"run", "p.yml", "--output", "plain"}).text, HasSubstr("warming up"));
}

TEST_F(ServicesTest, OneThatEndsFailsTheJobWhateverItsExitCode) {
  Pipeline(R"(
jobs:
  a:
    services:
      web: { run: "echo giving up; exit 0", ready: { log: listening } }
    steps: [{ id: s, run: echo never }]
)");
  const support::Ended run = Run();
  EXPECT_EQ(run.exit_code, 1) << run.text;
  EXPECT_EQ(EndOf(run, "a")["reason"], "service_ended");
  EXPECT_THAT(Dayfly({"show", "latest"}).text,
              HasSubstr("service web ended before the job's steps: exit code 0"));
}

TEST_F(ServicesTest, OneThatDiesBesideTheStepsFailsTheJob) {
  PipelineWith("{ log: listening }");
  Source("client.py", R"(import os, re, signal, time
pid = int(open("pid").read())
os.kill(pid, signal.SIGKILL)
while os.path.exists(f"/proc/{pid}"):
    pass
)");
  std::string server = kServer;
  server.insert(server.find("print("), "open(\"pid\", \"w\").write(str(os.getpid()))\n");
  Source("server.py", server);
  const support::Ended run = Run();
  EXPECT_EQ(run.exit_code, 1) << run.text;
  EXPECT_EQ(EndOf(run, "a", "ask")["status"], "succeeded");
  EXPECT_EQ(EndOf(run, "a")["reason"], "service_ended");
}

TEST_F(ServicesTest, ACancelWhileTheyStartLeavesNobody) {
  const std::string up = Fifo("up");
  Pipeline(R"(
jobs:
  a:
    services:
      web: { run: "echo $$ > )" +
           up + R"(; exec sleep 1000", ready: { log: listening } }
    steps: ["true"]
)");
  support::DayflyProcess run(Launch({"run", "p.yml", "--output", "json"}));
  const std::string pid = ReadLine(up);
  EXPECT_EQ(Dayfly({"cancel", "latest"}).exit_code, 0);
  for (std::string line; run.ReadLine(line);) {
  }
  EXPECT_EQ(run.Wait(), 1);
  EXPECT_FALSE(IsAlive(pid));
}

TEST_F(ServicesTest, ThatAreWaitedForAreNamedByExplain) {
  const std::string up = Fifo("up");
  Pipeline(R"(
jobs:
  a:
    services:
      web: { run: "echo $$ > )" +
           up + R"(; exec sleep 1000", ready: { log: listening } }
      log: { run: exec sleep 1000 }
    steps: ["true"]
)");
  support::DayflyProcess run(Launch({"run", "p.yml", "--output", "json"}));
  ReadLine(up);
  // What the runner reported becomes known when it is durable.
  std::string why;
  while (!HasFailure() && why.find("services") == std::string::npos) {
    why = Dayfly({"explain", "latest", "a"}).text;
  }
  EXPECT_THAT(why, HasSubstr("its steps begin when its services are ready: web (since 20"));
  EXPECT_EQ(Dayfly({"cancel", "latest"}).exit_code, 0);
  for (std::string line; run.ReadLine(line);) {
  }
  EXPECT_EQ(run.Wait(), 1);
}

TEST_F(ServicesTest, NothingOutlivesAKilledRun) {
  const std::string up = Fifo("up");
  Pipeline(R"(
jobs:
  a:
    services:
      web: { run: "echo $$ > )" +
           up + R"(; exec sleep 1000" }
    steps: ["exec sleep 1000"]
)");
  support::DayflyProcess run(Launch({"run", "p.yml", "--output", "json"}));
  const std::string pid = ReadLine(up);
  run.Kill();
  run.Wait();
  EXPECT_TRUE(support::WaitForOrphans(20));
  EXPECT_FALSE(IsAlive(pid));
}

}  // namespace
}  // namespace tests::beside

// SPDX-License-Identifier: Apache-2.0
#include "tests/server/real_server.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/stat.h>

#include <fmt/format.h>

namespace tests::server {

using support::DayflyProcess;

std::string TextOf(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void RealServer::SetUp() {
  ASSERT_EQ(Run({"server", "init", File("srv"), "--host", "127.0.0.1"}).exit_code, 0);
  Set("listen: ", "127.0.0.1:0");
}

void RealServer::TearDown() {
  server_.reset();
  for (const pid_t agent : Launched()) {
    kill(agent, SIGKILL);
  }
}

support::Launch RealServer::Launch(std::vector<std::string> arguments,
                                   const std::string& name) const {
  return {.arguments = std::move(arguments),
          .env = {"PATH=/usr/bin:/bin", "HOME=" + folder_.path().string(),
                  "DAYFLY_SERVER=unix:" + File("srv/api.sock")},
          .folder = folder_.path().string(),
          .errors = File(name + ".errors"),
          .output = {},
          .close_streams = false};
}

support::Ended RealServer::Run(std::vector<std::string> arguments) const {
  return support::RunDayfly(Launch(std::move(arguments), "call"));
}

void RealServer::Set(const std::string& key, const std::string& value) const {
  std::string settings = TextOf(File("srv/server.yml"));
  const std::size_t from = settings.find("\n" + key) + 1;
  settings.replace(from, settings.find('\n', from) - from, key + value);
  std::ofstream(File("srv/server.yml")) << settings;
}

void RealServer::StartServer() {
  server_ = std::make_unique<DayflyProcess>(
      Launch({"server", "--config", File("srv"), "--print-ready"}, "server"));
  std::string ready;
  ASSERT_TRUE(server_->ReadLine(ready)) << Errors();
  address_ = ready.substr(ready.rfind(' ') + 1);
  // Agents know no other address.
  Set("listen: ", address_);
}

void RealServer::RestartServer() {
  server_->Kill();
  StartServer();
}

std::string RealServer::Token(const std::string& pool) const {
  const std::string token = Run({"workers", "token", "--pool", pool}).text;
  return token.substr(0, token.find('\n'));
}

std::unique_ptr<DayflyProcess> RealServer::Agent(const std::string& token, const std::string& name,
                                                 const std::string& slots) const {
  std::vector<std::string> arguments = {"agent", "--server", address_,  "--slots",
                                        slots,   "--folder", File(name)};
  if (!token.empty()) {
    arguments.insert(arguments.end(), {"--token", token});
  }
  return std::make_unique<DayflyProcess>(Launch(std::move(arguments), name));
}

std::unique_ptr<DayflyProcess> RealServer::Submit(const std::string& pipeline) const {
  std::ofstream(File("ci.yml")) << pipeline;
  return std::make_unique<DayflyProcess>(
      Launch({"submit", "ci.yml", "--watch", "--output", "plain"}, "submit"));
}

std::string RealServer::SubmitOnly(const std::string& pipeline) const {
  std::ofstream(File("ci.yml")) << pipeline;
  const support::Ended ended = Run({"submit", "ci.yml"});
  EXPECT_EQ(ended.exit_code, 0) << Errors();
  return ended.text.substr(0, ended.text.find('\n'));
}

void RealServer::ExpectSuccess(DayflyProcess& submitted) const {
  submitted.ReadRest();  // whoever watches prints what steps print
  EXPECT_EQ(submitted.Wait(), 0) << Errors();
}

std::string RealServer::HeldStep(const std::string& name) const {
  for (const char* pipe : {".began", ".gate"}) {
    EXPECT_EQ(mkfifo(File(name + pipe).c_str(), 0666), 0);
  }
  return fmt::format("echo here > {0}.began; cat {0}.gate > /dev/null", File(name));
}

void RealServer::AwaitBegin(const std::string& name) const {
  EXPECT_EQ(TextOf(File(name + ".began")), "here\n");
}

void RealServer::LetGoOn(const std::string& name) const {
  std::ofstream(File(name + ".gate")) << "go\n";
}

std::vector<pid_t> RealServer::Launched() const {
  std::vector<pid_t> agents;
  std::error_code ignored;
  for (const auto& pool : std::filesystem::directory_iterator(File("srv/workers"), ignored)) {
    for (const auto& launch : std::filesystem::directory_iterator(pool.path(), ignored)) {
      const int agent = std::atoi(TextOf(launch.path() / "agent/lock").c_str());
      if (agent > 0 && !std::filesystem::exists(launch.path() / "ended", ignored) &&
          kill(agent, 0) == 0) {
        agents.push_back(agent);
      }
    }
  }
  return agents;
}

std::string RealServer::Errors() const {
  std::string all;
  std::error_code ignored;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder_.path(), ignored)) {
    if (file.path().extension() == ".errors" || file.path().filename() == "agent.log") {
      all += fmt::format("--- {}\n{}", file.path().string(), TextOf(file.path()));
    }
  }
  return all;
}

}  // namespace tests::server

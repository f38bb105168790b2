// SPDX-License-Identifier: Apache-2.0
#include "tests/bad_input/bad_input_scene.h"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <poll.h>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace tests::bad_input {

namespace fs = std::filesystem;

BadInput::BadInput()
    : source_(root_.File("source")), home_(root_.File("home")), shared_(root_.File("shared")) {
  fs::create_directories(source_);
  fs::create_directories(shared_);
}

BadInput::~BadInput() {
  for (const int gate : gates_) {
    ::close(gate);
  }
  EXPECT_TRUE(support::WaitForOrphans(20)) << "processes of an ended run are still there";
}

void BadInput::Write(const std::string& name, const std::string& text) const {
  const std::string path = source_ + "/" + name;
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

void BadInput::WriteJobs(const std::string& jobs) const {
  Write("p.yml", fmt::format("env: {{ SHARED: '{}' }}\njobs:\n{}", shared_, jobs));
}

std::string BadInput::Shared(const std::string& name) const {
  std::ifstream in(shared_ + "/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

support::Launch BadInput::LaunchOf(std::vector<std::string> arguments) {
  const char* path = std::getenv("PATH");
  ++launches_;
  return {.arguments = std::move(arguments),
          .env = {"DAYFLY_HOME=" + home_, "HOME=" + root_.path().string(),
                  fmt::format("PATH={}", path == nullptr ? "/usr/bin:/bin" : path)},
          .folder = source_,
          .errors = root_.File(fmt::format("errors-{}", launches_))};
}

Outcome BadInput::Dayfly(std::vector<std::string> arguments) {
  support::Ended ended = support::RunDayfly(LaunchOf(std::move(arguments)));
  return {.exit_code = ended.exit_code,
          .out = std::move(ended.text),
          .errors = Errors(),
          .lines = std::move(ended.lines)};
}

support::Launch BadInput::RunLaunch() {
  return LaunchOf({"run", "p.yml", "--workers", "2", "--output", "json"});
}

Outcome BadInput::RunPipeline() {
  return Dayfly(RunLaunch().arguments);
}

std::string BadInput::Errors() const {
  std::ifstream in(root_.File(fmt::format("errors-{}", launches_)), std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<std::string> BadInput::Runs() {
  std::istringstream ids(Dayfly({"runs", "--format", "ids"}).out);
  return {std::istream_iterator<std::string>(ids), std::istream_iterator<std::string>()};
}

std::string BadInput::RawLog(const std::string& job) {
  support::DayflyProcess logs(LaunchOf({"logs", "latest", job, "--raw"}));
  std::string bytes = logs.ReadRest();
  EXPECT_EQ(logs.Wait(), 0) << Errors();
  return bytes;
}

std::string BadInput::Fifo(const std::string& name) const {
  const std::string path = shared_ + "/" + name;
  EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
  return path;
}

void BadInput::AwaitLine(const std::string& fifo) {
  const int descriptor = ::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  pollfd ready{.fd = descriptor, .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&ready, 1, 20'000), 1) << "nobody wrote into " << fifo;
  ::close(descriptor);
}

void BadInput::LetPass(const std::string& fifo) {
  // Open for both, so that it waits for nobody; the line lies there until it is read.
  gates_.push_back(::open(fifo.c_str(), O_RDWR | O_CLOEXEC));
  EXPECT_EQ(::write(gates_.back(), "go\n", 3), 3);
}

std::string LastOf(const Outcome& outcome, const std::string& key) {
  if (outcome.lines.empty() || !outcome.lines.back().is_object()) {
    return {};
  }
  const auto found = outcome.lines.back().find(key);
  return found == outcome.lines.back().end() || !found->is_string() ? std::string()
                                                                    : found->get<std::string>();
}

}  // namespace tests::bad_input

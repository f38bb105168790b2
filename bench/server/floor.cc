// SPDX-License-Identifier: Apache-2.0
#include "bench/server/floor.h"

#include <cstdio>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>

#include "bench/server/figures.h"
#include "engine/base/check.h"

namespace bench::server {

CommitFloor::CommitFloor(const Site& site) : side_(site.Database()) {
  CHECK(side_ == nullptr || side_->Execute("CREATE TABLE floor (number bigint)").ok());
}

void CommitFloor::Measure() {
  if (side_ != nullptr) {
    seconds_.push_back(SecondsOf([this] {
      CHECK(side_->Run({"floor", "INSERT INTO floor VALUES (1)"}).ok());
    }));
  }
}

FlushFloor::FlushFloor(const Site& site)
    : file_(open(site.File("floor").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
  CHECK(file_ >= 0);
}

FlushFloor::~FlushFloor() {
  close(file_);
}

void FlushFloor::Measure() {
  constexpr std::string_view kLine = "as much as a record of a journal or of a short log holds\n";
  CHECK(write(file_, kLine.data(), kLine.size()) == static_cast<ssize_t>(kLine.size()));
  seconds_.push_back(SecondsOf([this] { CHECK(fdatasync(file_) == 0); }));
}

void StartFloor::Measure() {
  std::FILE* shell = nullptr;
  seconds_.push_back(SecondsOf([&shell] {
    shell = popen("echo here", "r");
    CHECK(shell != nullptr && std::fgetc(shell) == 'h');
  }));
  CHECK(pclose(shell) == 0);
}

}  // namespace bench::server

// SPDX-License-Identifier: Apache-2.0
// Dayfly's own git objects, with other object folders behind them for reading. Writes only what
// none of them has, only into its own folder, and touches nothing in the others: libgit2's own
// writing would renew the times of objects and packs that it finds there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "store/git/git_handle.h"

namespace store::git {

class ObjectFolder {
 public:
  /// Makes `folder` when it is missing. Alternates that do not exist are left out.
  static engine::base::StatusOr<ObjectFolder> Open(const std::string& folder,
                                                   const std::vector<std::string>& alternates);

  bool Has(const git_oid& id) const;
  /// In the own folder, not in one behind it.
  bool HasOwn(const git_oid& id) const;
  engine::base::StatusOr<git_oid> Write(git_object_t type, std::string_view bytes);
  /// A blob of a file's bytes as they are, without filters, in bounded memory. `size` is what the
  /// file should have; `Aborted` when it has not.
  engine::base::StatusOr<git_oid> WriteFile(int fd, std::uint64_t size, const std::string& path);

  /// `NotFound` names the object.
  engine::base::StatusOr<OdbObject> Read(const git_oid& id, git_object_t type) const;
  engine::base::StatusOr<std::uint64_t> SizeOf(const git_oid& id) const;

  std::uint64_t bytes_written() const { return bytes_written_; }
  /// Makes durable what was written.
  engine::base::Status Flush();
  git_odb* odb() const { return all_.get(); }

 private:
  ObjectFolder(std::string folder, Odb all, Odb own)
      : folder_(std::move(folder)), all_(std::move(all)), own_(std::move(own)) {}

  std::string folder_;
  Odb all_;
  Odb own_;
  std::uint64_t bytes_written_ = 0;
  std::vector<git_oid> unflushed_;
};

}  // namespace store::git

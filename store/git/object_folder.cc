// SPDX-License-Identifier: Apache-2.0
#include "store/git/object_folder.h"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace store::git {
namespace {

namespace base = engine::base;

// Objects are read back once or twice and kept for days: speed counts more than size.
constexpr int kCompression = 1;
constexpr std::uint64_t kWholeFileMax = 8U << 20;
constexpr int kPriority = 2;
constexpr std::size_t kFlushedSinglyMax = 64;

base::Status MakeFolders(const std::string& folder) {
  std::error_code error;
  for (const char* part : {"/info", "/pack"}) {
    std::filesystem::create_directories(folder + part, error);
    if (error) {
      return base::FromErrno(error.value(), "make folder " + folder + part);
    }
  }
  return base::OkStatus();
}

base::StatusOr<Odb> OpenOwn(const std::string& folder) {
  Odb odb;
  if (const int error = Take(odb, git_odb_new); error < 0) {
    return FromGit(error, "open objects");
  }
  git_odb_backend* loose = nullptr;
  git_odb_backend* packs = nullptr;
  int error = git_odb_backend_loose(&loose, folder.c_str(), kCompression, 0, 0700, 0400);
  if (error == 0) {
    error = git_odb_add_backend(odb.get(), loose, kPriority);
  }
  if (error == 0) {
    error = git_odb_backend_pack(&packs, folder.c_str());
  }
  if (error == 0) {
    error = git_odb_add_backend(odb.get(), packs, kPriority - 1);
  }
  if (error < 0) {
    return FromGit(error, "open objects in " + folder);
  }
  return odb;
}

base::Status ReadAll(int fd, std::uint64_t offset, std::string& room, const std::string& path) {
  std::size_t done = 0;
  while (done < room.size()) {
    const ssize_t got =
        pread(fd, room.data() + done, room.size() - done, static_cast<off_t>(offset + done));
    if (got == 0) {
      return base::Aborted("'{}' became shorter while it was read", path);
    }
    if (got < 0 && errno != EINTR) {
      return base::FromErrno(errno, "read '" + path + "'");
    }
    done += got < 0 ? 0 : static_cast<std::size_t>(got);
  }
  return base::OkStatus();
}

base::Status FlushPath(const std::string& path, int (*flush)(int)) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const int result = fd < 0 ? -1 : flush(fd);
  const int error = errno;
  if (fd >= 0) {
    close(fd);
  }
  return result == 0 ? base::OkStatus() : base::FromErrno(error, "flush " + path);
}

/// libgit2 does not always say why it could not write; `why`, errno right after it, does.
base::Status CannotWrite(int error, int why, const std::string& what) {
  const base::Status status = FromGit(error, what);
  return why == ENOSPC || why == EDQUOT
             ? base::ResourceExhausted("{}", base::Message(base::FromErrno(why, what)))
             : status;
}

}  // namespace

base::StatusOr<ObjectFolder> ObjectFolder::Open(const std::string& folder,
                                                const std::vector<std::string>& alternates) {
  StartLibgit2();
  RETURN_IF_ERROR(MakeFolders(folder));
  ASSIGN_OR_RETURN(Odb own, OpenOwn(folder));
  ASSIGN_OR_RETURN(Odb all, OpenOwn(folder));
  for (const std::string& alternate : alternates) {
    if (!std::filesystem::is_directory(alternate)) {
      continue;
    }
    if (const int error = git_odb_add_disk_alternate(all.get(), alternate.c_str()); error < 0) {
      return FromGit(error, "borrow objects of " + alternate);
    }
  }
  return ObjectFolder(folder, std::move(all), std::move(own));
}

bool ObjectFolder::Has(const git_oid& id) const {
  return git_odb_exists_ext(all_.get(), &id, GIT_ODB_LOOKUP_NO_REFRESH) != 0;
}

bool ObjectFolder::HasOwn(const git_oid& id) const {
  return git_odb_exists_ext(own_.get(), &id, GIT_ODB_LOOKUP_NO_REFRESH) != 0;
}

base::StatusOr<git_oid> ObjectFolder::Write(git_object_t type, std::string_view bytes) {
  git_oid id;
  if (const int error = git_odb_hash(&id, bytes.data(), bytes.size(), type); error < 0) {
    return FromGit(error, "hash an object");
  }
  if (Has(id)) {
    return id;
  }
  if (const int error = git_odb_write(&id, own_.get(), bytes.data(), bytes.size(), type);
      error < 0) {
    return CannotWrite(error, errno, "write an object to " + folder_);
  }
  bytes_written_ += bytes.size();
  unflushed_.push_back(id);
  return id;
}

base::StatusOr<git_oid> ObjectFolder::WriteFile(int fd, std::uint64_t size,
                                                const std::string& path) {
  if (size <= kWholeFileMax) {
    std::string bytes(size, '\0');
    RETURN_IF_ERROR(ReadAll(fd, 0, bytes, path));
    return Write(GIT_OBJECT_BLOB, bytes);
  }
  git_odb_stream* stream = nullptr;
  int error = git_odb_open_wstream(&stream, own_.get(), size, GIT_OBJECT_BLOB);
  if (error < 0) {
    return FromGit(error, "write an object to " + folder_);
  }
  const GitHandle<git_odb_stream, git_odb_stream_free> owner(stream);
  std::string bytes;
  for (std::uint64_t at = 0; at < size && error == 0; at += bytes.size()) {
    bytes.resize(std::min(kWholeFileMax, size - at));
    RETURN_IF_ERROR(ReadAll(fd, at, bytes, path));
    error = git_odb_stream_write(stream, bytes.data(), bytes.size());
  }
  git_oid id;
  if (error == 0) {
    error = git_odb_stream_finalize_write(&id, stream);
  }
  if (error < 0) {
    return CannotWrite(error, errno, "write '" + path + "' to " + folder_);
  }
  bytes_written_ += size;
  unflushed_.push_back(id);
  return id;
}

base::StatusOr<OdbObject> ObjectFolder::Read(const git_oid& id, git_object_t type) const {
  OdbObject object;
  const int error =
      Take(object, [&](git_odb_object** out) { return git_odb_read(out, all_.get(), &id); });
  if (error < 0) {
    return FromGit(error, "read object " + ToHex(id));
  }
  if (git_odb_object_type(object.get()) != type) {
    return base::DataLoss("object {} is a {}, not a {}", ToHex(id),
                          git_object_type2string(git_odb_object_type(object.get())),
                          git_object_type2string(type));
  }
  return object;
}

base::StatusOr<std::uint64_t> ObjectFolder::SizeOf(const git_oid& id) const {
  std::size_t size = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  const int error = git_odb_read_header(&size, &type, all_.get(), &id);
  if (error < 0) {
    return FromGit(error, "look at object " + ToHex(id));
  }
  return size;
}

// A few objects are flushed one by one; for many, one flush of the whole file system costs less,
// although it also waits for what others wrote.
base::Status ObjectFolder::Flush() {
  if (unflushed_.size() > kFlushedSinglyMax) {
    RETURN_IF_ERROR(FlushPath(folder_, syncfs));
  } else {
    for (const git_oid& id : unflushed_) {
      const std::string name = ToHex(id);
      const std::string folder = folder_ + "/" + name.substr(0, 2);
      RETURN_IF_ERROR(FlushPath(folder + "/" + name.substr(2), fsync));
      RETURN_IF_ERROR(FlushPath(folder, fsync));
    }
  }
  unflushed_.clear();
  return base::OkStatus();
}

}  // namespace store::git

// SPDX-License-Identifier: Apache-2.0
#include "executors/sandboxes/keeper_door.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "executors/sandboxes/keeper_marks.h"

namespace executors::sandboxes {
namespace {

using engine::base::FromErrno;
using engine::base::NotFound;
using engine::base::StatusOr;

/// An address holds 107 bytes and folders may be deeper: the folder is named by a descriptor.
sockaddr_un AddressIn(int folder_fd, std::uint32_t slot) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", folder_fd,
                SocketName(slot).c_str());
  return address;
}

FileDescriptor OpenNotes(const std::string& run_folder) {
  return FileDescriptor(
      open(NotesFolder(run_folder).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
}

bool IsSameUser(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid();
}

}  // namespace

StatusOr<KeeperDoor> KeeperDoor::Open(const std::string& run_folder, std::uint32_t slot) {
  mkdir(NotesFolder(run_folder).c_str(), 0755);
  KeeperDoor door;
  door.path_ = NotesFolder(run_folder) + "/" + SocketName(slot);
  const FileDescriptor folder = OpenNotes(run_folder);
  door.listener_ = FileDescriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!folder.valid() || !door.listener_.valid()) {
    return FromErrno(errno, door.path_);
  }
  unlinkat(folder.get(), SocketName(slot).c_str(), 0);
  const sockaddr_un address = AddressIn(folder.get(), slot);
  // Nobody can connect before `listen`, so the mode is right before it matters.
  if (bind(door.listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
          0 ||
      fchmodat(folder.get(), SocketName(slot).c_str(), 0600, 0) != 0 ||
      listen(door.listener_.get(), 4) != 0) {
    return FromErrno(errno, door.path_);
  }
  return door;
}

FileDescriptor KeeperDoor::Accept() const {
  FileDescriptor accepted(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  return accepted.valid() && IsSameUser(accepted.get()) ? std::move(accepted) : FileDescriptor();
}

void KeeperDoor::Close() {
  if (listener_.valid()) {
    listener_.Close();
    unlink(path_.c_str());
  }
}

StatusOr<FileDescriptor> KnockAtKeeper(const std::string& run_folder, std::uint32_t slot) {
  const FileDescriptor folder = OpenNotes(run_folder);
  FileDescriptor door(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!door.valid()) {
    return FromErrno(errno, "socket");
  }
  const sockaddr_un address = AddressIn(folder.get(), slot);
  if (!folder.valid() ||
      connect(door.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      !IsSameUser(door.get())) {
    return NotFound("no keeper serves slot {} of {}", slot, run_folder);
  }
  return door;
}

}  // namespace executors::sandboxes

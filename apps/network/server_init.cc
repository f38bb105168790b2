// SPDX-License-Identifier: Apache-2.0
#include "apps/network/server_init.h"

#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "api/wire/certificates.h"
#include "api/wire/channels.h"
#include "api/wire/key_files.h"
#include "apps/exit_code.h"
#include "apps/server_config.h"
#include "apps/standard_streams.h"
#include "apps/state_dir.h"
#include "apps/terminal.h"
#include "engine/base/status.h"

namespace apps::network {
namespace {

namespace base = engine::base;
namespace wire = api::wire;

constexpr base::Duration kOperatorLife = std::chrono::hours(24 * 365);
constexpr base::Duration kServerLife = std::chrono::hours(24 * 365 * 5);

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 && name[0] != '\0' ? name : "server";
}

base::Status RefuseToOverwrite(const std::string& folder) {
  for (const char* name : {"/server.yml", "/certificates"}) {
    if (access((folder + name).c_str(), F_OK) == 0) {
      return base::AlreadyExists("{}{} exists; name another folder, or remove it first", folder,
                                 name);
    }
  }
  return base::OkStatus();
}

base::Status MakeCertificates(const std::string& folder, const std::string& host) {
  const base::Instant now = WallClock();
  ASSIGN_OR_RETURN(const wire::KeyPair authority, wire::MakeAuthority("Dayfly CA", now));
  RETURN_IF_ERROR(wire::SaveKeyPair(folder, "ca", authority));
  wire::CertificateOrder server;
  server.identity = {.kind = wire::Identity::Kind::kServer, .worker = {}, .name = "server"};
  // Agents ask for the one name that every server has, whatever its machine is called.
  server.hosts = {wire::kServerHost, "localhost", "127.0.0.1", "::1"};
  if (!host.empty()) {
    server.hosts.push_back(host);
  }
  server.life = kServerLife;
  ASSIGN_OR_RETURN(const wire::KeyPair of_server, wire::MakeCertificate(authority, server, now));
  RETURN_IF_ERROR(wire::SaveKeyPair(folder, "server", of_server));
  wire::CertificateOrder person;
  person.identity = {.kind = wire::Identity::Kind::kOperator, .worker = {}, .name = "operator"};
  person.life = kOperatorLife;
  ASSIGN_OR_RETURN(const wire::KeyPair of_person, wire::MakeCertificate(authority, person, now));
  return wire::SaveKeyPair(folder, "operator", of_person);
}

// In somebody's working tree it is nothing to commit, keys least of all.
base::Status KeepOutOfGit(const std::string& folder) {
  return wire::SavePrivateFile(folder + "/.gitignore", "*\n");
}

base::Status Init(const std::string& folder, const std::string& host) {
  RETURN_IF_ERROR(RefuseToOverwrite(folder));
  const bool is_new = access(folder.c_str(), F_OK) != 0;
  RETURN_IF_ERROR(MakeFolders(folder + "/certificates"));
  // A folder that was there may be a repository, with a .gitignore of its own.
  RETURN_IF_ERROR(KeepOutOfGit(is_new ? folder : folder + "/certificates"));
  // It may have been there before, open to others.
  if (chmod(folder.c_str(), 0700) != 0) {
    return base::FromErrno(errno, folder);
  }
  RETURN_IF_ERROR(MakeCertificates(folder + "/certificates", host));
  return wire::SavePrivateFile(folder + "/server.yml", ServerConfigTemplate());
}

}  // namespace

int ServerInitCommand(const ServerOptions& options) {
  const std::string folder = options.folder.empty() ? "." : options.folder;
  if (base::Status made = Init(folder, options.host); !made.ok()) {
    return Fail(made);
  }
  Print(fmt::format(
      "{0}/server.yml                    the settings; every key is explained there\n"
      "{0}/certificates/ca.*             signs everybody's certificates; keep ca.key safe\n"
      "{0}/certificates/server.*         this server's{1}\n"
      "{0}/certificates/operator.*       yours: with ca.pem, all a person elsewhere needs\n"
      "\n"
      "Start it:      dayfly server --config {0}\n"
      "Talk to it:    export DAYFLY_SERVER=unix:$(realpath {0})/api.sock\n",
      folder,
      options.host.empty() ? fmt::format(" ({} itself; see --host)", HostName())
                           : fmt::format(" ({} and localhost)", options.host)));
  return kExitOk;
}

}  // namespace apps::network

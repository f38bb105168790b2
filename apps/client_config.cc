// SPDX-License-Identifier: Apache-2.0
#include "apps/client_config.h"

#include <array>
#include <cstdlib>
#include <string_view>
#include <unistd.h>
#include <utility>

#include "apps/text_file.h"
#include "dsl/fields.h"
#include "dsl/parse.h"
#include "dsl/render.h"
#include "dsl/values.h"
#include "engine/base/did_you_mean.h"

namespace apps {
namespace {

namespace base = engine::base;

constexpr std::array<std::string_view, 2> kKeys = {"server", "certificates"};

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Nothing when there is no home.
std::string ConfigFolder() {
  // The XDG specification: a relative path is to be ignored.
  if (const std::string config = Variable("XDG_CONFIG_HOME"); config.starts_with('/')) {
    return config + "/dayfly";
  }
  const std::string home = Variable("HOME");
  return home.empty() ? "" : home + "/.config/dayfly";
}

bool IsAddress(std::string_view text) {
  if (text.starts_with("unix:")) {
    return text.size() > 5;
  }
  const std::size_t colon = text.rfind(':');
  return colon != std::string_view::npos && colon > 0 && colon + 1 < text.size();
}

base::StatusOr<std::vector<std::string>> SplitServers(std::string_view text) {
  std::vector<std::string> servers;
  if (text == "local") {
    return servers;
  }
  while (!text.empty()) {
    const std::string_view each = text.substr(0, text.find(','));
    if (!IsAddress(each)) {
      return base::InvalidArgument(
          "'{}' is no address of a server: HOST:PORT, unix:PATH, several with commas between, or "
          "'local'",
          each);
    }
    servers.emplace_back(each);
    text.remove_prefix(std::min(text.size(), each.size() + 1));
  }
  return servers;
}

base::StatusOr<ServerChoice> ReadClientConfig() {
  const std::string folder = ConfigFolder();
  const std::string path = folder + "/client.yml";
  if (folder.empty() || access(path.c_str(), F_OK) != 0) {
    return ServerChoice{.servers = {}, .certificates = folder};
  }
  ASSIGN_OR_RETURN(std::string text, ReadTextFile(path));
  return ParseClientConfig(path, std::move(text));
}

}  // namespace

base::StatusOr<ServerChoice> ParseClientConfig(const std::string& path, std::string text) {
  dsl::Reporter reporter(100);
  ServerChoice choice;
  const std::string folder = path.substr(0, path.rfind('/'));
  choice.certificates = folder;
  const auto document = dsl::Parse(path, std::move(text), 0, reporter);
  const dsl::NodeRef root =
      document == nullptr ? dsl::NodeRef() : dsl::NodeRef(*document, document->root);
  if (root && !root.is_map() && !root.is_null()) {
    reporter.Error("wrong-type", root.place(), "the settings are a map");
  }
  const auto entries =
      root && root.is_map() ? dsl::EntriesOf(root, reporter) : std::vector<dsl::Entry>();
  for (const dsl::Entry& entry : entries) {
    const std::string key(entry.key.text());
    const auto value = dsl::ReadText(entry.value, key, reporter);
    if (key == "certificates" && value) {
      choice.certificates = value->starts_with('/') ? *value : folder + "/" + *value;
    } else if (key == "server" && value) {
      auto servers = SplitServers(*value);
      if (servers.ok()) {
        choice.servers = *std::move(servers);
      } else {
        reporter.Error("bad-value", entry.value.place(),
                       std::string(base::Message(servers.status())));
      }
    } else if (key != "certificates" && key != "server") {
      reporter
          .Error("unknown-key", entry.key.place(), fmt::format("client.yml has no key `{}`", key))
          .hint = base::DidYouMean(key, kKeys);
    }
  }
  if (reporter.has_errors()) {
    return base::InvalidArgument("the client's settings cannot be used:\n{}",
                                 dsl::RenderText(reporter.Take()));
  }
  return choice;
}

base::StatusOr<ServerChoice> ChooseServer(const std::string& server) {
  const std::string wanted = server.empty() ? Variable("DAYFLY_SERVER") : server;
  // What is not needed is not read: a broken file does not hinder local runs that are asked for.
  if (wanted == "local") {
    return ServerChoice();
  }
  ASSIGN_OR_RETURN(ServerChoice choice, ReadClientConfig());
  if (!wanted.empty()) {
    ASSIGN_OR_RETURN(choice.servers, SplitServers(wanted));
  }
  if (const std::string certificates = Variable("DAYFLY_CERTIFICATES"); !certificates.empty()) {
    choice.certificates = certificates;
  }
  return choice;
}

}  // namespace apps

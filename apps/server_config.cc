// SPDX-License-Identifier: Apache-2.0
#include "apps/server_config.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "dsl/fields.h"
#include "dsl/parse.h"
#include "dsl/values.h"
#include "engine/base/did_you_mean.h"

namespace apps {
namespace {

namespace base = engine::base;

constexpr std::int64_t kSlotsMax = 1024;
constexpr std::int64_t kWorkersMax = 10'000;
/// Beside `os` and `arch`.
constexpr std::size_t kPoolLabelsMax = engine::model::kLabelsMax - 2;
constexpr std::int64_t kKeepDaysMax = 36'500;
constexpr std::array<std::string_view, 12> kServerKeys = {
    "store", "listen",    "address", "servers", "socket",  "certificates",
    "logs",  "artifacts", "keep",    "workers", "secrets", "git"};
constexpr std::array<std::string_view, 2> kGitKeys = {"user", "password"};
constexpr std::array<std::string_view, 7> kPoolKeys = {"slots",  "min",      "max",   "idle",
                                                       "return", "provider", "labels"};
constexpr std::array<std::string_view, 3> kMayBeEmpty = {"secrets", "git", "labels"};
constexpr std::array<std::string_view, 1> kProviders = {"process"};

class ConfigReader {
 public:
  ConfigReader(std::string folder, dsl::Reporter& reporter)
      : folder_(std::move(folder)), reporter_(reporter) {}

  ServerConfig Read(const dsl::NodeRef& root) {
    config_.store_file = InFolder("runs.db");
    config_.socket = InFolder("api.sock");
    config_.certificates = InFolder("certificates");
    config_.logs = InFolder("logs");
    config_.artifacts = InFolder("artifacts");
    config_.workers = InFolder("workers");
    if (root.is_null()) {
      return std::move(config_);
    }
    if (!root.is_map()) {
      reporter_.Error("wrong-type", root.place(),
                      fmt::format("the settings are a map, not {}", dsl::Describe(root.kind())));
      return std::move(config_);
    }
    for (const dsl::Entry& entry : FilledOf(root, kServerKeys)) {
      ReadEntry(entry);
    }
    return std::move(config_);
  }

 private:
  // A key without a value is told where it stands: the place of nothing is that of the next key.
  std::vector<dsl::Entry> FilledOf(const dsl::NodeRef& map,
                                   std::span<const std::string_view> known) {
    std::vector<dsl::Entry> entries = dsl::EntriesOf(map, reporter_);
    std::erase_if(entries, [&](const dsl::Entry& entry) {
      const std::string_view key = entry.key.text();
      const bool lacks_value = entry.value.is_null() &&
                               std::ranges::find(known, key) != known.end() &&
                               std::ranges::find(kMayBeEmpty, key) == kMayBeEmpty.end();
      if (lacks_value) {
        reporter_.Error("empty-value", entry.key.place(), fmt::format("`{}` has no value", key))
            .hint = "write one, or leave the key out for what it is by default";
      }
      return lacks_value;
    });
    return entries;
  }

  void ReadEntry(const dsl::Entry& entry) {
    const std::string_view key = entry.key.text();
    if (key == "store") {
      ReadStore(entry.value);
    } else if (key == "listen") {
      ReadAddress(entry.value, key, config_.listen);
    } else if (key == "address") {
      ReadAddress(entry.value, key, config_.address);
    } else if (key == "servers") {
      ReadServers(entry.value);
    } else if (key == "socket") {
      ReadPath(entry.value, key, config_.socket);
    } else if (key == "certificates") {
      ReadPath(entry.value, key, config_.certificates);
    } else if (key == "logs") {
      ReadPath(entry.value, key, config_.logs);
    } else if (key == "artifacts") {
      ReadPath(entry.value, key, config_.artifacts);
    } else if (key == "keep") {
      ReadNumber(entry.value, key, 1, kKeepDaysMax, config_.keep_days);
    } else if (key == "workers") {
      ReadPath(entry.value, key, config_.workers);
    } else if (key == "secrets") {
      ReadSecrets(entry.value);
    } else if (key == "git") {
      ReadGit(entry.value);
    } else if (key == "pools") {
      ReadPools(entry);
    } else {
      std::vector<std::string_view> known(kServerKeys.begin(), kServerKeys.end());
      known.emplace_back("pools");
      ReportUnknown(entry, "a server has", known);
    }
  }

  void ReadStore(const dsl::NodeRef& node) {
    const auto text = dsl::ReadText(node, "store", reporter_);
    if (!text) {
      return;
    }
    if (text->starts_with("sqlite:")) {
      config_.store_file = InFolder(text->substr(7));
    } else if (text->starts_with("postgres:") && text->size() > 9) {
      config_.store_postgres = text->substr(9);
      config_.store_file.clear();
    } else {
      reporter_.Error("bad-value", node.place(), fmt::format("'{}' is no store", *text)).hint =
          "`sqlite:runs.db` (a file), or `postgres:host=… dbname=…` (what libpq takes)";
    }
  }

  void ReadServers(const dsl::NodeRef& node) {
    for (const dsl::NodeRef& server : dsl::ReadScalars(node, "servers", reporter_)) {
      std::string address;
      ReadAddress(server, "servers", address);
      if (!address.empty()) {
        config_.servers.push_back(std::move(address));
      }
    }
  }

  void ReadAddress(const dsl::NodeRef& node, std::string_view key, std::string& out) {
    const auto text = dsl::ReadText(node, key, reporter_);
    if (!text) {
      return;
    }
    const std::size_t colon = text->rfind(':');
    const std::string_view port =
        std::string_view(*text).substr(colon == std::string::npos ? 0 : colon + 1);
    const bool is_port = !port.empty() && port.size() <= 5 &&
                         std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
    if (colon == std::string::npos || colon == 0 || !is_port) {
      reporter_.Error("bad-value", node.place(), fmt::format("'{}' is no address", *text)).hint =
          "HOST:PORT, such as `127.0.0.1:7333`";
      return;
    }
    out = *text;
  }

  void ReadPath(const dsl::NodeRef& node, std::string_view key, std::string& out) {
    if (const auto text = dsl::ReadText(node, key, reporter_)) {
      out = InFolder(*text);
    }
  }

  void ReadSecrets(const dsl::NodeRef& node) {
    if (node.is_null()) {
      return;
    }
    if (!IsMap(node, "secrets")) {
      return;
    }
    for (const dsl::Entry& entry : dsl::EntriesOf(node, reporter_)) {
      if (!dsl::IsVariableName(entry.key.text())) {
        reporter_
            .Error("bad-name", entry.key.place(),
                   fmt::format("'{}' is no name of a secret", entry.key.text()))
            .hint = "letters, digits and `_`, not beginning with a digit";
      } else if (const auto file = dsl::ReadText(entry.value, entry.key.text(), reporter_)) {
        config_.secrets[std::string(entry.key.text())] = InFolder(*file);
      }
    }
  }

  void ReadGit(const dsl::NodeRef& node) {
    if (node.is_null() || !IsMap(node, "git")) {
      return;
    }
    for (const dsl::Entry& entry : dsl::EntriesOf(node, reporter_)) {
      const std::string_view url = entry.key.text();
      const bool holds_login = url.find('@') != std::string_view::npos;
      if ((!url.starts_with("https://") && !url.starts_with("http://")) || holds_login) {
        reporter_
            .Error("bad-value", entry.key.place(),
                   "this is no beginning of a repository's address that a password is for")
            .hint = "`https://git.example.org`, without a name or password in it";
      } else if (IsMap(entry.value, url)) {
        ReadGitLogin(entry);
      }
    }
  }

  void ReadGitLogin(const dsl::Entry& entry) {
    GitLoginConfig login;
    login.url = entry.key.text();
    while (login.url.ends_with('/')) {
      login.url.pop_back();
    }
    for (const dsl::Entry& setting : FilledOf(entry.value, kGitKeys)) {
      const std::string_view key = setting.key.text();
      if (key == "user") {
        login.username = dsl::ReadText(setting.value, key, reporter_).value_or("");
      } else if (key == "password") {
        ReadPath(setting.value, key, login.password_file);
      } else {
        ReportUnknown(setting, "a credential has", kGitKeys);
      }
    }
    if (login.username.empty() || login.password_file.empty()) {
      reporter_.Error("missing-key", entry.key.place(),
                      "a credential has a `user`, and a `password`: the file that holds it");
    }
    config_.git_logins.push_back(std::move(login));
  }

  void ReadPools(const dsl::Entry& pools) {
    const dsl::NodeRef& node = pools.value;
    if (!node.is_null() && !IsMap(node, "pools")) {
      return;
    }
    if (node.entries() == 0) {
      // Nobody could join, and every job would wait for ever.
      reporter_.Error("empty-value", pools.key.place(), "`pools` names no pool: no worker can join")
          .hint = "for example `pools: { default: {} }`: its workers come by themselves";
    }
    for (const dsl::Entry& entry : dsl::EntriesOf(node, reporter_)) {
      if (!dsl::IsWord(entry.key.text())) {
        reporter_
            .Error("bad-name", entry.key.place(),
                   fmt::format("'{}' is no name of a pool", entry.key.text()))
            .hint = "letters, digits, `_` and `-`, beginning with a letter";
      } else {
        ReadPool(entry);
      }
    }
    std::ranges::sort(config_.pools, {}, &PoolConfig::name);
  }

  void ReadPool(const dsl::Entry& entry) {
    PoolConfig pool;
    pool.name = entry.key.text();
    if (!entry.value.is_null() && IsMap(entry.value, pool.name)) {
      for (const dsl::Entry& setting : FilledOf(entry.value, kPoolKeys)) {
        const std::string_view key = setting.key.text();
        if (key == "slots") {
          ReadNumber(setting.value, key, 1, kSlotsMax, pool.slots);
        } else if (key == "min") {
          ReadNumber(setting.value, key, 0, kWorkersMax, pool.workers_min);
        } else if (key == "max") {
          ReadNumber(setting.value, key, 0, kWorkersMax, pool.workers_max);
        } else if (key == "idle") {
          pool.idle_after =
              dsl::ReadDuration(setting.value, key, reporter_).value_or(pool.idle_after);
        } else if (key == "return") {
          pool.return_within =
              dsl::ReadDuration(setting.value, key, reporter_).value_or(pool.return_within);
        } else if (key == "provider") {
          dsl::ReadWord(setting.value, key, kProviders, reporter_);
        } else if (key == "labels") {
          ReadLabels(setting.value, pool.labels);
        } else {
          ReportUnknown(setting, "a pool has", kPoolKeys);
        }
      }
    }
    if (pool.workers_min > pool.workers_max) {
      reporter_.Error("bad-value", entry.value.place(),
                      fmt::format("pool '{}' has a min of {} above its max of {}", pool.name,
                                  pool.workers_min, pool.workers_max));
    }
    config_.pools.push_back(std::move(pool));
  }

  void ReadLabels(const dsl::NodeRef& node, std::vector<engine::model::Label>& labels) {
    if (node.is_null() || !IsMap(node, "labels")) {
      return;
    }
    for (const dsl::Entry& entry : dsl::EntriesOf(node, reporter_)) {
      const auto value = dsl::ReadText(entry.value, "labels", reporter_);
      if (!engine::model::IsLabelName(entry.key.text())) {
        reporter_
            .Error("bad-name", entry.key.place(),
                   fmt::format("'{}' is no name of a label", entry.key.text()))
            .hint = "letters, digits, `_`, `-` and `.`, at most 100";
      } else if (value && !engine::model::IsLabelValue(*value)) {
        reporter_.Error("bad-value", entry.value.place(),
                        "a label's value has 1 to 100 printable characters and no spaces");
      } else if (value) {
        labels.push_back({.name = std::string(entry.key.text()), .value = *value});
      }
    }
    std::ranges::sort(labels);
    if (labels.size() > kPoolLabelsMax) {
      reporter_.Error("bad-value", node.place(),
                      fmt::format("a pool gives at most {} labels", kPoolLabelsMax));
    }
  }

  void ReadNumber(const dsl::NodeRef& node, std::string_view key, std::int64_t min,
                  std::int64_t max, std::uint32_t& out) {
    if (const auto number = dsl::ReadInteger(node, key, min, max, reporter_)) {
      out = static_cast<std::uint32_t>(*number);
    }
  }

  bool IsMap(const dsl::NodeRef& node, std::string_view key) {
    if (!node.is_map()) {
      reporter_.Error("wrong-type", node.place(),
                      fmt::format("`{}` is a map, not {}", key, dsl::Describe(node.kind())));
    }
    return node.is_map();
  }

  void ReportUnknown(const dsl::Entry& entry, std::string_view where,
                     std::span<const std::string_view> known) {
    reporter_
        .Error("unknown-key", entry.key.place(),
               fmt::format("{} no key `{}`", where, entry.key.text()))
        .hint = base::DidYouMean(entry.key.text(), known);
  }

  std::string InFolder(const std::string& path) const {
    return path.starts_with('/') || folder_.empty() ? path : folder_ + "/" + path;
  }

  std::string folder_;
  dsl::Reporter& reporter_;
  ServerConfig config_;
};

}  // namespace

ParsedServerConfig ParseServerConfig(const std::string& path, std::string text) {
  dsl::Reporter reporter(100);
  ParsedServerConfig out;
  const auto document = dsl::Parse(path, std::move(text), 0, reporter);
  ServerConfig config;
  if (document != nullptr) {
    const std::size_t slash = path.rfind('/');
    config = ConfigReader(slash == std::string::npos ? "" : path.substr(0, slash), reporter)
                 .Read(dsl::NodeRef(*document, document->root));
  }
  if (!reporter.has_errors()) {
    out.config = std::move(config);
  }
  out.diagnostics = reporter.Take();
  return out;
}

std::string ServerConfigTemplate() {
  return R"yml(# Settings of a Dayfly server: dayfly server --config THIS-FILE
# Every key may be left out. Paths are meant from this file's folder.

# Where runs are kept: a file for one machine, or a PostgreSQL database (15 or newer) that several
# servers may share, one of which owns the runs while the others stand by.
store: sqlite:runs.db
# store: "postgres:host=/run/postgresql dbname=dayfly"

# Where agents and people on other machines connect, over TLS. Left out: nowhere; there is only
# the socket then. 127.0.0.1 is this machine alone; 0.0.0.0 is everybody.
listen: 127.0.0.1:7333
# How they reach it, when that is another name. It must stand in the server's certificate.
# address: ci.example.org:7333
# All servers that share the database: the agents that this one starts find the others without it.
# servers: [ci1.example.org:7333, ci2.example.org:7333]

# Whoever may open this socket (mode 0600: you) is an operator.
socket: api.sock

# The CA, the server's and the operator's certificates, as `dayfly server init` made them.
certificates: certificates

# What steps write, and what jobs upload.
logs: logs
artifacts: artifacts

# For so many days runs are kept that are over, with their logs; a run that is open stays. Left out:
# for ever. What a job uploaded goes by its own `expire`.
# keep: 90

# Where agents live that the server starts on this machine.
workers: workers

# Secrets by name, each the content of a file of mode 0600. Steps see those that they ask for.
secrets: {}
#  DEPLOY_KEY: secrets/deploy-key

# With what agents fetch repositories whose address begins so: a user, and a file of mode 0600 that
# holds the password or token. Never in an address.
git: {}
#  https://git.example.org: { user: ci, password: secrets/git-token }

# Workers of one shape, for the jobs that name the pool (`pool: NAME`; `default` is for those that
# name none). With `max` the server starts and ends them on this machine, as they are needed, and
# sends those home that were idle for so long, and ends those that do not return so long after they
# were lost (`return`, 1m); without it they come by themselves:
# dayfly agent --server HOST:PORT --token "$(dayfly workers token --pool P)"
pools:
  default: { provider: process, min: 0, max: 2, slots: 2, idle: 5m }
#  fast: { max: 2, labels: { disk: ssd } }  # which jobs ask for with `requires`
#  large: {}
)yml";
}

}  // namespace apps

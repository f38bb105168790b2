// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/connect_string.h"

#include <algorithm>
#include <map>
#include <memory>

#include <libpq-fe.h>

namespace store::postgres {
namespace {

namespace base = engine::base;

using Settings = std::map<std::string, std::string>;

base::StatusOr<Settings> Parse(const std::string& conninfo) {
  char* complaint = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(conninfo.c_str(), &complaint), PQconninfoFree);
  if (options == nullptr) {
    // The complaint may repeat what was written, a password too.
    PQfreemem(complaint);
    return base::InvalidArgument(
        "the address of the database is none that PostgreSQL's library reads: neither "
        "'host=… dbname=…' nor 'postgresql://…'");
  }
  Settings out;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) {
      out.emplace(option->keyword, option->val);
    }
  }
  return out;
}

std::string Quoted(const std::string& value) {
  std::string out = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') {
      out.push_back('\\');
    }
    out.push_back(c);
  }
  return out + "'";
}

std::string ValueOf(const Settings& settings, const char* key, const char* otherwise) {
  const auto found = settings.find(key);
  return found == settings.end() ? otherwise : found->second;
}

}  // namespace

base::StatusOr<ConnectString> ReadConnectString(const std::string& conninfo,
                                                base::Duration network_timeout) {
  ASSIGN_OR_RETURN(Settings settings, Parse(conninfo));
  const std::int64_t seconds =
      std::max<std::int64_t>(2, std::chrono::ceil<std::chrono::seconds>(network_timeout).count());
  // `emplace` leaves alone what the operator said.
  settings.emplace("application_name", "dayfly");
  settings.emplace("connect_timeout", std::to_string(seconds));
  settings.emplace("tcp_user_timeout", std::to_string(seconds * 1000));
  settings.emplace("keepalives_idle", std::to_string(seconds));
  settings.emplace("keepalives_interval", "1");
  settings.emplace("keepalives_count", "3");
  // With several hosts: the one that takes writes.
  settings.emplace("target_session_attrs", "read-write");
  ConnectString out;
  for (const auto& [key, value] : settings) {
    out.text += fmt::format("{}={} ", key, Quoted(value));
  }
  out.name =
      fmt::format("postgres {}@{}/{}", ValueOf(settings, "user", "(default)"),
                  ValueOf(settings, "host", "(local)"), ValueOf(settings, "dbname", "(default)"));
  return out;
}

}  // namespace store::postgres

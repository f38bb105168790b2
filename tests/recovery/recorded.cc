// SPDX-License-Identifier: Apache-2.0
#include "tests/recovery/recorded.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <variant>

#include "engine/base/check.h"
#include "engine/model/plan.h"
#include "engine/ports/run_store.h"
#include "store/codec/fact_codec.h"
#include "store/postgres/connection.h"
#include "store/postgres/postgres_run_store.h"

namespace tests::recovery {
namespace {

namespace base = engine::base;
namespace postgres = store::postgres;

constexpr postgres::Statement kReadLog = {"whole_log",
                                          "SELECT seq, epoch, bytes FROM dayfly.log ORDER BY seq"};

template <typename T>
T Must(base::StatusOr<T> value) {
  CHECK_MSG(value.ok(), value.status().ToString().c_str());
  return *std::move(value);
}

std::vector<LogRow> ReadLog(const std::string& database) {
  const auto connection = Must(postgres::Connection::Open({.conninfo = database}));
  const postgres::Rows rows = Must(connection->Run(kReadLog));
  std::vector<LogRow> log;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    log.push_back({rows.Uint(i, 0), model::Epoch(rows.Uint(i, 1)),
                   Must(store::codec::DecodeFacts(rows.Bytes(i, 2)))});
  }
  return log;
}

/// Jobs by their names, of every run of the log.
class JobNames {
 public:
  JobNames(const std::string& database, const std::vector<LogRow>& log) {
    const auto store = Must(postgres::OpenPostgresRunStore({.conninfo = database}));
    for (const LogRow& row : log) {
      for (const model::Fact& fact : row.facts) {
        if (const auto* accepted = std::get_if<model::RunAccepted>(&fact.body)) {
          Learn(*store, *accepted);
        }
      }
    }
  }
  /// A run that nobody accepted has no jobs: the judge will say so.
  model::JobIndex Of(model::RunId run, const std::string& name) const {
    const auto found = jobs_.find({run, name});
    return found == jobs_.end() ? model::JobIndex() : found->second;
  }

 private:
  void Learn(engine::ports::RunStore& store, const model::RunAccepted& accepted) {
    model::PlanRef& plan = plans_[accepted.plan];
    if (plan == nullptr) {
      plan = Must(store.LoadPlan(accepted.plan));
    }
    for (std::uint32_t i = 0; i < plan->jobs.size(); ++i) {
      jobs_[{accepted.run, model::JobName(*plan, model::JobIndex(i))}] = model::JobIndex(i);
    }
  }

  std::map<model::PlanDigest, model::PlanRef> plans_;
  std::map<std::pair<model::RunId, std::string>, model::JobIndex> jobs_;
};

std::vector<Executed> ReadMarks(const std::string& path, const JobNames& names) {
  std::ifstream file(path);
  std::vector<Executed> executed;
  std::string run;
  std::string job;
  model::AttemptNumber attempt = 0;
  while (file >> run >> job >> attempt) {
    const model::RunId id = model::RunIdFromText(run).value_or(model::RunId());
    executed.push_back({id, names.Of(id, job), attempt});
  }
  return executed;
}

std::vector<Claimed> ReadClaims(const Site& site) {
  constexpr std::string_view kClaim = "owns the runs (epoch ";
  std::vector<Claimed> claimed;
  for (const std::string& process : site.server_processes()) {
    std::ifstream file(site.File(process + ".errors"));
    for (std::string line; std::getline(file, line);) {
      if (const std::size_t at = line.find(kClaim); at != std::string::npos) {
        claimed.push_back({process, model::Epoch(std::stoull(line.substr(at + kClaim.size())))});
      }
    }
  }
  return claimed;
}

}  // namespace

History ReadHistory(const Site& site, const std::string& marks) {
  History history;
  history.log = ReadLog(site.database());
  history.executed = ReadMarks(marks, JobNames(site.database(), history.log));
  history.claimed = ReadClaims(site);
  return history;
}

}  // namespace tests::recovery

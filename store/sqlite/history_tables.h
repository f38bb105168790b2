// SPDX-License-Identifier: Apache-2.0
// Writes the history rows of `store/codec/history.h` to their tables and reads them back. Same
// thread as the connection.
#pragma once

#include "store/codec/history.h"
#include "store/sqlite/database.h"

namespace store::sqlite {

class HistoryTables {
 public:
  static base::StatusOr<HistoryTables> Prepare(Database& db);
  /// Inside a transaction of the caller's.
  base::Status Insert(const codec::HistoryRows& rows);

 private:
  base::Status InsertRun(const codec::RunHistoryRow& row);
  base::Status InsertJob(const codec::JobHistoryRow& row);

  Statement insert_run_;
  Statement insert_job_;
};

/// All rows, in the order of the log.
base::StatusOr<codec::HistoryRows> ReadHistory(Database& db);

}  // namespace store::sqlite

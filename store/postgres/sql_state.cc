// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/sql_state.h"

#include <array>

namespace store::postgres {
namespace {

struct Meaning {
  std::string_view prefix;  ///< of the state: all five letters, or the class
  absl::StatusCode code;
};

// Single states before their class.
constexpr std::array kMeanings = {
    Meaning{"53100", absl::StatusCode::kResourceExhausted},   // disk full
    Meaning{"53200", absl::StatusCode::kResourceExhausted},   // out of memory
    Meaning{"54", absl::StatusCode::kResourceExhausted},      // a value beyond a limit
    Meaning{"53", absl::StatusCode::kUnavailable},            // too many connections
    Meaning{"08", absl::StatusCode::kUnavailable},            // connection
    Meaning{"57P04", absl::StatusCode::kFailedPrecondition},  // the database was dropped
    Meaning{"57", absl::StatusCode::kUnavailable},            // cancelled, shutting down, starting
    Meaning{"58", absl::StatusCode::kUnavailable},            // I/O error
    Meaning{"25", absl::StatusCode::kUnavailable},            // read only: a standby
    Meaning{"40", absl::StatusCode::kUnavailable},            // rolled back: deadlock
    Meaning{"55", absl::StatusCode::kUnavailable},            // a lock is held
    Meaning{"28", absl::StatusCode::kPermissionDenied},       // who are you
    Meaning{"42501", absl::StatusCode::kPermissionDenied},    // you may not
    Meaning{"3D", absl::StatusCode::kNotFound},               // no such database
    Meaning{"3F", absl::StatusCode::kFailedPrecondition},     // no such schema
    Meaning{"42", absl::StatusCode::kFailedPrecondition},     // tables are not as we left them
    Meaning{"23514", absl::StatusCode::kUnavailable},         // see kCheckViolation
    Meaning{"22", absl::StatusCode::kInvalidArgument},        // a value that is none
    Meaning{"XX001", absl::StatusCode::kDataLoss},            // damaged data
    Meaning{"XX002", absl::StatusCode::kDataLoss},            // damaged index
};

}  // namespace

absl::StatusCode CodeOfSqlState(std::string_view state) {
  for (const Meaning& meaning : kMeanings) {
    if (state.starts_with(meaning.prefix)) {
      return meaning.code;
    }
  }
  return absl::StatusCode::kInternal;
}

}  // namespace store::postgres

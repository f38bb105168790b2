// SPDX-License-Identifier: Apache-2.0
#include "engine/model/agent_message.h"

namespace engine::model {

ReportVerdict VerdictOf(RefusalCode code) {
  switch (code) {
    case RefusalCode::kStaleAttempt:
    case RefusalCode::kStaleSession:
      return ReportVerdict::kStale;
    case RefusalCode::kUnknownRun:
    case RefusalCode::kUnknownJob:
    case RefusalCode::kUnknownWorker:
    case RefusalCode::kAlreadyEnded:
      return ReportVerdict::kEnded;
    case RefusalCode::kRepeated:
      return ReportVerdict::kRepeated;
    case RefusalCode::kOutOfOrder:
    case RefusalCode::kAlreadyExists:
    case RefusalCode::kInvalid:
      break;
  }
  return ReportVerdict::kInvalid;
}

}  // namespace engine::model

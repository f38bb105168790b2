// SPDX-License-Identifier: Apache-2.0
#include "agents/journal/journal.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "engine/base/log.h"
#include "engine/base/overloaded.h"
#include "store/codec/attempt_codec.h"

namespace agents::journal {
namespace {

namespace base = engine::base;
namespace model = engine::model;

constexpr core::AttemptState kStates[] = {core::AttemptState::kQueued, core::AttemptState::kRunning,
                                          core::AttemptState::kHeld, core::AttemptState::kDone};

/// The first byte of a record.
enum class Kind : std::uint8_t {
  kBoot = 1,
  kAttemptMoved = 2,
  kRunDropped = 3,
  kAssignment = 4,
  kSessionBegun = 5,
  kReportHeld = 6,
  kReportsForgotten = 7,
};
/// Of an assignment's record: kind and key.
constexpr std::size_t kAssignmentHead = 1 + 3 * 8;

/// Fixed fields behind the kind: 64-bit numbers, little-endian.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : bytes_(bytes) {}
  std::uint64_t Next() {
    ok_ = ok_ && bytes_.size() >= 8;
    if (!ok_) {
      return 0;
    }
    std::uint64_t number = 0;
    for (std::size_t i = 8; i-- > 0;) {
      number = (number << 8) | static_cast<std::uint8_t>(bytes_[i]);
    }
    bytes_.remove_prefix(8);
    return number;
  }
  bool whole() const { return ok_ && bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

void Put(std::uint64_t number, std::string& out) {
  for (int i = 0; i < 8; ++i) {
    out.push_back(static_cast<char>(number >> (8 * i)));
  }
}

std::string RecordOf(Kind kind, std::initializer_list<std::uint64_t> fields) {
  std::string record(1, static_cast<char>(kind));
  for (const std::uint64_t field : fields) {
    Put(field, record);
  }
  return record;
}

std::string MovedRecord(const model::Lease& lease, core::AttemptState to) {
  return RecordOf(Kind::kAttemptMoved,
                  {lease.key.run.value(), lease.key.job.value(), lease.key.attempt,
                   lease.worker.value(), lease.session.value(), static_cast<std::uint64_t>(to)});
}

std::string BootRecord(const std::string& boot) {
  return RecordOf(Kind::kBoot, {}) + boot;
}

model::AttemptKey NextKey(Fields& fields) {
  model::AttemptKey key;
  key.run = model::RunId(fields.Next());
  key.job = model::JobIndex(static_cast<std::uint32_t>(fields.Next()));
  key.attempt = static_cast<model::AttemptNumber>(fields.Next());
  return key;
}

bool IsOpen(core::AttemptState state) {
  return state == core::AttemptState::kQueued || state == core::AttemptState::kRunning;
}

}  // namespace

// ---- writing

base::Status Journal::Append(std::string record) {
  RETURN_IF_ERROR(file_->Append(record));
  // It was taken, so it means something to us: what we wrote we can read.
  ReadOne(record).IgnoreError();
  const std::uint64_t least = std::max(kRewriteBytes, 4 * file_->size_rewritten());
  if (file_->size() > least) {
    Compact();
  }
  return base::OkStatus();
}

base::Status Journal::Note(const core::Fact& fact) {
  return Append(std::visit(base::Overloaded{[](const core::AttemptMoved& moved) {
                                              return MovedRecord(moved.lease, moved.to);
                                            },
                                            [](const core::RunDropped& dropped) {
                                              return RecordOf(Kind::kRunDropped,
                                                              {dropped.run.value()});
                                            }},
                           fact));
}

base::Status Journal::Note(const core::SessionFact& fact) {
  return Append(
      std::visit(base::Overloaded{[](const core::SessionBegun& begun) {
                                    return RecordOf(Kind::kSessionBegun, {begun.session.value()});
                                  },
                                  [](const core::ReportHeld& held) {
                                    return RecordOf(Kind::kReportHeld, {}) +
                                           store::codec::EncodeReport(held.report);
                                  },
                                  [](const core::ReportsForgotten& forgotten) {
                                    return RecordOf(Kind::kReportsForgotten, {forgotten.count});
                                  }},
                 fact));
}

base::Status Journal::NoteAssignment(const model::Assignment& assignment) {
  const model::AttemptKey& key = assignment.lease.key;
  return Append(RecordOf(Kind::kAssignment, {key.run.value(), key.job.value(), key.attempt}) +
                store::codec::EncodeAssignment(assignment));
}

// ---- what is live

void Journal::Compact() {
  file_->Rewrite(Live());
}

std::vector<std::string> Journal::Live() const {
  std::vector<std::string> records{BootRecord(boot_),
                                   RecordOf(Kind::kSessionBegun, {session_.value()})};
  records.insert(records.end(), reports_.begin(), reports_.end());
  for (const auto& [key, assignment] : assignments_) {
    records.push_back(assignment);
  }
  std::vector<model::Lease> settled = ledger_.In(core::AttemptState::kDone);
  const std::size_t dropped = settled.size() - std::min(settled.size(), kSettledMost);
  settled.erase(settled.begin(), settled.begin() + static_cast<std::ptrdiff_t>(dropped));
  for (const core::AttemptState state : kStates) {
    for (const model::Lease& lease :
         state == core::AttemptState::kDone ? settled : ledger_.In(state)) {
      records.push_back(MovedRecord(lease, state));
    }
  }
  return records;
}

// ---- reading

bool Journal::ReadMoved(std::string_view bytes) {
  Fields fields(bytes);
  core::AttemptMoved moved;
  moved.lease.key = NextKey(fields);
  moved.lease.worker = model::WorkerId(fields.Next());
  moved.lease.session = model::SessionId(fields.Next());
  const std::uint64_t to = fields.Next();
  if (!fields.whole() || to >= core::kAttemptStateCount) {
    return false;
  }
  moved.to = static_cast<core::AttemptState>(to);
  if (!IsOpen(moved.to)) {
    assignments_.erase(moved.lease.key);
  }
  ledger_.Apply(moved);
  return true;
}

base::Status Journal::ReadOne(std::string_view record) {
  const auto kind = record.empty() ? Kind{} : static_cast<Kind>(record[0]);
  const std::string_view rest = record.empty() ? record : record.substr(1);
  Fields fields(rest);
  switch (kind) {
    case Kind::kBoot:
      boot_ = rest;
      return base::OkStatus();
    case Kind::kAttemptMoved:
      if (!ReadMoved(rest)) {
        break;
      }
      return base::OkStatus();
    case Kind::kRunDropped: {
      const model::RunId run(fields.Next());
      std::erase_if(assignments_, [run](const auto& entry) { return entry.first.run == run; });
      ledger_.Apply(core::RunDropped{run});
      return base::OkStatus();
    }
    case Kind::kAssignment:
      if (record.size() < kAssignmentHead) {
        break;
      }
      assignments_[NextKey(fields)] = record;
      return base::OkStatus();
    case Kind::kSessionBegun:
      session_ = model::SessionId(fields.Next());
      reports_.clear();
      return base::OkStatus();
    case Kind::kReportHeld:
      reports_.emplace_back(record);
      return base::OkStatus();
    case Kind::kReportsForgotten: {
      const std::uint64_t count = std::min<std::uint64_t>(fields.Next(), reports_.size());
      reports_.erase(reports_.begin(), reports_.begin() + static_cast<std::ptrdiff_t>(count));
      return base::OkStatus();
    }
  }
  return base::FailedPrecondition(
      "the journal holds a record of kind {}, which this version does not know",
      static_cast<int>(kind));
}

base::Status Journal::Read(const std::vector<std::string>& records) {
  for (const std::string& record : records) {
    RETURN_IF_ERROR(ReadOne(record));
  }
  return base::OkStatus();
}

base::StatusOr<Recovered> Journal::Result() const {
  Recovered recovered;
  recovered.ledger = ledger_;
  for (const auto& [key, record] : assignments_) {
    ASSIGN_OR_RETURN(
        model::Assignment assignment,
        store::codec::DecodeAssignment(std::string_view(record).substr(kAssignmentHead)));
    recovered.assignments.emplace(key, std::move(assignment));
  }
  if (session_ != model::SessionId()) {
    recovered.session.emplace_back(core::SessionBegun{session_});
  }
  for (const std::string& record : reports_) {
    ASSIGN_OR_RETURN(model::AttemptReported report,
                     store::codec::DecodeReport(std::string_view(record).substr(1)));
    recovered.session.emplace_back(core::ReportHeld{std::move(report)});
  }
  return recovered;
}

base::StatusOr<Journal::Opened> Journal::Open(const std::string& folder, const std::string& boot) {
  ASSIGN_OR_RETURN(RecordFile::Opened file, RecordFile::Open(folder + "/journal"));
  Opened opened;
  opened.journal.reset(new Journal());
  Journal& journal = *opened.journal;
  RETURN_IF_ERROR(journal.Read(file.records));
  ASSIGN_OR_RETURN(opened.recovered, journal.Result());
  opened.recovered.rebooted = !file.records.empty() && journal.boot_ != boot;
  opened.recovered.torn_bytes = file.torn_bytes;
  journal.file_ = std::move(file.file);
  if (journal.boot_ != boot) {
    journal.boot_ = boot;
    RETURN_IF_ERROR(journal.file_->Append(BootRecord(boot)));
  }
  return opened;
}

}  // namespace agents::journal

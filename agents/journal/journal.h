// SPDX-License-Identifier: Apache-2.0
// What an agent must still know after its own death: the attempts it was given and how far each is
// (`core::Ledger`'s facts), the session and the reports that nobody has acknowledged
// (`core::Session`'s), and the assignments of attempts that have not ended. How far an attempt's
// steps are, with outputs and variables, is not here: values of secrets may be among them, and
// those never touch a disk. That lies in the memory of the attempt's keeper, which lives at least
// as long as what the attempt could be resumed with.
//
// Compacts itself. Called on one thread; only `done` of `Flush` comes on another.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agents/core/ledger.h"
#include "agents/core/session.h"
#include "agents/journal/record_file.h"
#include "engine/base/status.h"
#include "engine/model/effect.h"

namespace agents::journal {

/// What is left of the agent's earlier lives.
struct Recovered {
  core::Ledger ledger;
  /// Of attempts that are queued or running.
  std::map<engine::model::AttemptKey, engine::model::Assignment> assignments;
  std::vector<core::SessionFact> session;  ///< in order, for `core::Session::Apply`
  /// The machine was started anew since: no process of an earlier life is alive, and what was not
  /// flushed (whether an attempt was begun) may be lost.
  bool rebooted = false;
  std::uint64_t torn_bytes = 0;  ///< of the file's end that could not be read
};

class Journal {
 public:
  struct Opened {
    std::unique_ptr<Journal> journal;
    Recovered recovered;
  };
  /// `<folder>/journal`, made when missing. `boot` names this start of the machine.
  static engine::base::StatusOr<Opened> Open(const std::string& folder, const std::string& boot);

  // Each record survives this process when the call returns OK, and the machine after `Flush`. An
  // error changes nothing.
  engine::base::Status Note(const core::Fact& fact);
  engine::base::Status Note(const core::SessionFact& fact);
  /// Before the fact that makes it queued.
  engine::base::Status NoteAssignment(const engine::model::Assignment& assignment);

  /// `done` once, on a thread of the journal's, when all that was noted so far is on the disk.
  void Flush(RecordFile::Done done) { file_->Flush(std::move(done)); }

  /// Acknowledged attempts that are known only so that they are never begun again. The oldest runs'
  /// are forgotten beyond this.
  static constexpr std::size_t kSettledMost = 20'000;
  /// The file is rewritten when it has grown to this, and to four times what is needed.
  static constexpr std::uint64_t kRewriteBytes = 4U << 20;

  const RecordFile& file() const { return *file_; }
  /// For tests: as if the file had grown.
  void Compact();

 private:
  Journal() = default;
  engine::base::Status Read(const std::vector<std::string>& records);
  engine::base::Status ReadOne(std::string_view record);
  bool ReadMoved(std::string_view fields);
  engine::base::StatusOr<Recovered> Result() const;
  engine::base::Status Append(std::string record);
  std::vector<std::string> Live() const;

  // What is live, as records.
  std::string boot_;
  core::Ledger ledger_;
  std::map<engine::model::AttemptKey, std::string> assignments_;
  engine::model::SessionId session_;
  std::deque<std::string> reports_;

  std::unique_ptr<RecordFile> file_;
};

}  // namespace agents::journal

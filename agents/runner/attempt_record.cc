// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/attempt_record.h"

#include <cstddef>
#include <utility>

#include "engine/base/field_archive.h"
#include "executors/sandboxes/keeper_protocol.h"

namespace agents::runner {
namespace {

namespace base = engine::base;
namespace model = engine::model;
namespace sandboxes = executors::sandboxes;
using base::FieldReader;
using base::FieldWriter;

/// Goes up whenever a record changes: the agent may have been replaced by a newer one meanwhile.
constexpr std::uint8_t kVersion = 6;
/// The same for results that are kept: those of another version do not stand.
constexpr std::uint8_t kEarlierVersion = 1;

// Ids are numbers in a coat.
template <typename Id, typename Number>
void IdField(FieldWriter& archive, const Id& id) {
  archive(static_cast<Number>(id.value()));
}
template <typename Id, typename Number>
void IdField(FieldReader& archive, Id& id) {
  Number number = 0;
  archive(number);
  id = Id(number);
}

void DigestField(FieldWriter& archive, const base::Digest& digest) {
  for (const std::uint8_t byte : digest.bytes) {
    archive(byte);
  }
}
void DigestField(FieldReader& archive, base::Digest& digest) {
  for (std::uint8_t& byte : digest.bytes) {
    archive(byte);
  }
}

void TextsField(FieldWriter& archive, const SpilledTexts& texts) {
  std::vector<std::string> list;
  for (const auto& [document, text] : texts) {
    list.push_back(text);
  }
  archive(list);
}
void TextsField(FieldReader& archive, SpilledTexts& texts) {
  std::vector<std::string> list;
  archive(list);
  for (std::string& text : list) {
    const base::Digest document = base::Sha256(text);
    texts.emplace(document, std::move(text));
  }
}

void UntilField(FieldWriter& archive, const base::Instant& until) {
  archive(base::ToMicros(until));
}
void UntilField(FieldReader& archive, base::Instant& until) {
  std::int64_t micros = 0;
  archive(micros);
  until = base::InstantFromMicros(micros);
}

template <typename Archive, typename T>
void PairFields(Archive& archive, T& pair) {
  archive(pair.first);
  archive(pair.second);
}
template <typename Archive, typename T>
void ReasonFields(Archive& archive, T& reason) {
  archive(reason.code);
  archive(reason.detail);
  UntilField(archive, reason.until);
  archive(reason.subject);
}
// An exit is told here as the keeper tells it.
void ExitField(FieldWriter& archive, const engine::ports::CommandExit& exit) {
  std::string frame;
  EncodeFrame(sandboxes::Answer(sandboxes::Exited{.serial = 0, .exit = exit}), frame);
  archive(frame.substr(sizeof(std::uint32_t)));
}
void ExitField(FieldReader& archive, engine::ports::CommandExit& exit) {
  std::string frame;
  archive(frame);
  auto answer = sandboxes::DecodeAnswer(frame);
  if (answer.ok() && std::holds_alternative<sandboxes::Exited>(*answer)) {
    exit = std::get<sandboxes::Exited>(*std::move(answer)).exit;
  } else {
    exit.started = base::DataLoss("how the command ended is damaged");
  }
}
template <typename Archive, typename T>
void NotesFields(Archive& archive, T& notes) {
  archive.List(notes.outputs, [](auto& each, auto& pair) { PairFields(each, pair); });
  archive.List(notes.env, [](auto& each, auto& pair) { PairFields(each, pair); });
  archive(notes.summary);
  archive(notes.masks);
  archive(notes.problem);
}
template <typename Archive, typename T>
void ArtifactFields(Archive& archive, T& artifact) {
  archive(artifact.name);
  DigestField(archive, artifact.manifest);
  archive(artifact.bytes);
  archive(artifact.files);
}

template <typename Archive, typename T>
void CacheFields(Archive& archive, T& cache) {
  archive(cache.key);
  archive(cache.hit);
  archive(cache.note);
}
template <typename Archive, typename T>
void TestsFields(Archive& archive, T& tests) {
  DigestField(archive, tests.document);
  archive(tests.tests);
  archive(tests.failed);
  archive(tests.skipped);
  archive(tests.problems);
  archive(tests.took);
  archive(tests.failures);
}
template <typename Archive, typename T>
void RemarksFields(Archive& archive, T& remarks) {
  archive.Optional(remarks.tests, [](auto& each, auto& tests) { TestsFields(each, tests); });
  archive(remarks.notes);
}
template <typename Archive, typename T>
void EarlierFields(Archive& archive, T& result) {
  archive(result.run);
  archive.List(result.outputs, [](auto& each, auto& output) {
    each(output.name);
    each(output.value);
  });
  archive.List(result.artifacts, [](auto& each, auto& item) { ArtifactFields(each, item); });
  archive.Optional(result.tests, [](auto& each, auto& tests) { TestsFields(each, tests); });
}
template <typename Archive, typename T>
void ReuseFields(Archive& archive, T& reuse) {
  archive(reuse.key);
  archive.Optional(reuse.result, [](auto& each, auto& result) { EarlierFields(each, result); });
  archive(reuse.note);
}

// One overload a record; `T` is const when it is written.
template <typename T, typename Record>
concept Is = std::is_same_v<std::remove_const_t<T>, Record>;

template <typename Archive, typename T>
void Fields(Archive& archive, T& record) {
  if constexpr (Is<T, AttemptBegun>) {
    IdField<model::RunId, std::uint64_t>(archive, record.key.run);
    IdField<model::JobIndex, std::uint32_t>(archive, record.key.job);
    archive(record.key.attempt);
    archive(record.at);
  } else if constexpr (Is<T, WorkspaceReadied>) {
    TextsField(archive, record.fetched);
    archive.List(record.caches, [](auto& each, auto& cache) { CacheFields(each, cache); });
    ReuseFields(archive, record.reuse);
  } else if constexpr (Is<T, StepStarting>) {
    IdField<model::StepIndex, std::uint32_t>(archive, record.step);
    archive(record.at);
    archive(record.lane);
  } else if constexpr (Is<T, StepDone>) {
    IdField<model::StepIndex, std::uint32_t>(archive, record.step);
    ExitField(archive, record.exit);
    NotesFields(archive, record.notes);
    archive(record.cut);
  } else if constexpr (Is<T, HashMade>) {
    archive(record.patterns);
    archive(record.status);
    archive(record.hash);
  } else if constexpr (Is<T, StopCame>) {
    ReasonFields(archive, record.reason);
    archive(record.kill);
  } else if constexpr (Is<T, BudgetSet>) {
    archive(record.ends_at);
  } else if constexpr (Is<T, UploadsMade>) {
    archive(record.spilled);
    archive(record.status);
    archive.List(record.artifacts, [](auto& each, auto& item) { ArtifactFields(each, item); });
    RemarksFields(archive, record.remarks);
  } else if constexpr (Is<T, ServiceWasLate>) {
    IdField<model::StepIndex, std::uint32_t>(archive, record.step);
    archive(record.why);
  }
}

template <std::size_t kIndex = 0>
base::StatusOr<AttemptRecord> DecodeAs(std::size_t kind, FieldReader& reader) {
  if constexpr (kIndex < std::variant_size_v<AttemptRecord>) {
    if (kind != kIndex) {
      return DecodeAs<kIndex + 1>(kind, reader);
    }
    std::variant_alternative_t<kIndex, AttemptRecord> record;
    Fields(reader, record);
    if (reader.AtEnd()) {
      return AttemptRecord(std::move(record));
    }
  }
  return base::DataLoss("a record of kind {} with fields that do not fit", kind);
}

}  // namespace

std::string EncodeEarlier(const EarlierResult& result) {
  std::string out;
  FieldWriter writer(out);
  writer(kEarlierVersion);
  EarlierFields(writer, result);
  return out;
}

base::StatusOr<EarlierResult> DecodeEarlier(std::string_view bytes) {
  FieldReader reader(bytes);
  std::uint8_t version = 0;
  reader(version);
  EarlierResult result;
  EarlierFields(reader, result);
  return version == kEarlierVersion && reader.AtEnd()
             ? base::StatusOr<EarlierResult>(std::move(result))
             : base::DataLoss("it cannot be read by this version");
}

std::string EncodeRecord(const AttemptRecord& record) {
  std::string out;
  FieldWriter writer(out);
  writer(kVersion);
  writer(static_cast<std::uint8_t>(record.index()));
  std::visit([&](const auto& body) { Fields(writer, body); }, record);
  return out;
}

base::StatusOr<AttemptRecord> DecodeRecord(std::string_view bytes) {
  FieldReader reader(bytes);
  std::uint8_t version = 0;
  std::uint8_t kind = 0;
  reader(version);
  reader(kind);
  if (version != kVersion) {
    return base::FailedPrecondition("records of version {}, this program writes {}", version,
                                    kVersion);
  }
  return DecodeAs(kind, reader);
}

base::StatusOr<std::vector<AttemptRecord>> DecodeRecords(const std::vector<std::string>& records) {
  std::vector<AttemptRecord> decoded;
  for (const std::string& bytes : records) {
    ASSIGN_OR_RETURN(AttemptRecord record, DecodeRecord(bytes));
    decoded.push_back(std::move(record));
  }
  if (decoded.empty() || !std::holds_alternative<AttemptBegun>(decoded[0])) {
    return base::DataLoss("nobody knows whose attempt it was");
  }
  return decoded;
}

}  // namespace agents::runner

// SPDX-License-Identifier: Apache-2.0
#include "executors/sandboxes/keeper_protocol.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/base/field_archive.h"

namespace executors::sandboxes {
namespace {

using engine::base::InvalidArgument;
using engine::base::StatusOr;
using Writer = engine::base::FieldWriter;
using Reader = engine::base::FieldReader;

/// Numbers of the kinds on the wire; orders below 64, answers above.
enum class Kind : std::uint8_t {
  kSetUp = 1,
  kPrepare = 2,
  kStart = 3,
  kSignal = 4,
  kKillAll = 5,
  kKeepRecord = 6,
  kForgetRecords = 7,
  kAdopt = 8,
  kAwait = 9,
  kReady = 65,
  kPrepared = 66,
  kExited = 67,
  kKilled = 68,
  kKeptRecord = 69,
  kAdopted = 70,
};

// Each struct's fields once, for both directions: `Archive` is a writer or a reader.
template <typename Archive, typename T>
void RangeFields(Archive& archive, T& range) {
  archive(range.segment);
  archive(range.offset);
  archive(range.length);
}
template <typename Archive, typename T>
void LogFields(Archive& archive, T& log) {
  archive.List(log.ranges, [](auto& each, auto& range) { RangeFields(each, range); });
  archive(log.checksum);
  archive(log.truncated);
  archive(log.lost_bytes);
}
template <typename Archive, typename T>
void AnnotationFields(Archive& archive, T& annotation) {
  archive(annotation.severity);
  archive(annotation.file);
  archive(annotation.line);
  archive(annotation.end_line);
  archive(annotation.column);
  archive(annotation.end_column);
  archive(annotation.title);
  archive(annotation.message);
  archive(annotation.cut);
}
template <typename Archive, typename T>
void AnnotationsFields(Archive& archive, T& annotations) {
  archive(annotations.counts.errors);
  archive(annotations.counts.warnings);
  archive(annotations.counts.notices);
  archive.List(annotations.list,
               [](auto& each, auto& annotation) { AnnotationFields(each, annotation); });
}
template <typename Archive, typename T>
void FactsFields(Archive& archive, T& facts) {
  archive(facts.workspace_kind);
  archive(facts.kill_kind);
  archive(facts.workspace_path);
  archive(facts.workspace_view);
  archive(facts.fallbacks);
}
template <typename Archive, typename T>
void SetUpFields(Archive& archive, T& order) {
  archive(order.version);
  archive(order.owner_gone);
  archive(order.run_folder);
  archive(order.slot);
  archive(order.lane);
  archive(order.segment_bytes_max);
  archive(order.spool_bytes_max);
  archive(order.allow_cgroup);
  archive(order.allow_mounts);
}
template <typename Archive, typename T>
void PrepareFields(Archive& archive, T& order) {
  archive(order.serial);
  archive(order.mount.lower);
  archive(order.mount.path);
}
template <typename Archive, typename T>
void StartFields(Archive& archive, T& order) {
  archive(order.serial);
  archive(order.command.lane);
  archive(order.command.argv);
  archive(order.command.env);
  archive(order.command.workdir);
  archive(order.command.log_limit);
  archive(order.command.log_tag.job);
  archive(order.command.log_tag.attempt);
  archive(order.command.log_tag.step);
  archive(order.command.masks);
  archive(order.command.preface);
}
template <typename Archive, typename T>
void SignalFields(Archive& archive, T& order) {
  archive(order.lane);
  archive(order.signal);
}
template <typename Archive, typename T>
void AwaitFields(Archive& archive, T& order) {
  archive(order.serial);
  archive(order.lane);
}
template <typename Archive, typename T>
void ReadyFields(Archive& archive, T& answer) {
  archive(answer.version);
  archive(answer.status);
  FactsFields(archive, answer.facts);
}
template <typename Archive, typename T>
void PreparedFields(Archive& archive, T& answer) {
  archive(answer.serial);
  archive(answer.status);
  FactsFields(archive, answer.facts);
}
template <typename Archive, typename T>
void ExitedFields(Archive& archive, T& answer) {
  archive(answer.serial);
  archive(answer.exit.started);
  archive(answer.exit.exit_code);
  archive(answer.exit.signal);
  archive(answer.exit.signalled);
  archive(answer.exit.core_dumped);
  archive(answer.exit.oom_killed);
  archive(answer.exit.leftover);
  archive(answer.exit.took);
  LogFields(archive, answer.exit.log);
  archive(answer.exit.log_status);
  AnnotationsFields(archive, answer.exit.annotations);
}

template <typename Archive, typename T>
void RecordFields(Archive& archive, T& order) {
  archive(order.record);
  archive(order.offline);
}
template <typename Archive, typename T>
void AdoptedFields(Archive& archive, T& answer) {
  archive(answer.status);
  FactsFields(archive, answer.facts);
  archive(answer.starts);
}

/// Writes the length and the kind around what `fields` appends.
template <typename Fields>
bool Frame(Kind kind, std::string& out, const Fields& fields) {
  const auto begin = out.size();
  Writer writer(out);
  writer(std::uint32_t{0});
  writer(kind);
  fields(writer);
  const auto length = out.size() - begin - sizeof(std::uint32_t);
  if (length > kFrameBytesMax) {
    out.resize(begin);
    return false;
  }
  const auto stored = static_cast<std::uint32_t>(length);
  std::memcpy(out.data() + begin, &stored, sizeof stored);
  return true;
}

template <typename Variant, typename T, typename Fields>
StatusOr<Variant> Decode(Reader& reader, const Fields& fields) {
  T message;
  fields(reader, message);
  if (!reader.AtEnd()) {
    return InvalidArgument("a frame with fields that do not fit");
  }
  return Variant(std::move(message));
}

}  // namespace

bool EncodeFrame(const Order& order, std::string& out) {
  struct Visitor {
    std::string& out;
    bool operator()(const SetUp& o) const {
      return Frame(Kind::kSetUp, out, [&](Writer& w) { SetUpFields(w, o); });
    }
    bool operator()(const Prepare& o) const {
      return Frame(Kind::kPrepare, out, [&](Writer& w) { PrepareFields(w, o); });
    }
    bool operator()(const Start& o) const {
      return Frame(Kind::kStart, out, [&](Writer& w) { StartFields(w, o); });
    }
    bool operator()(const Signal& o) const {
      return Frame(Kind::kSignal, out, [&](Writer& w) { SignalFields(w, o); });
    }
    bool operator()(const KillAll& o) const {
      return Frame(Kind::kKillAll, out, [&](Writer& w) { w(o.serial); });
    }
    bool operator()(const KeepRecord& o) const {
      return Frame(Kind::kKeepRecord, out, [&](Writer& w) { RecordFields(w, o); });
    }
    bool operator()(const ForgetRecords&) const {
      return Frame(Kind::kForgetRecords, out, [](Writer&) {});
    }
    bool operator()(const Adopt& o) const {
      return Frame(Kind::kAdopt, out, [&](Writer& w) { w(o.version); });
    }
    bool operator()(const Await& o) const {
      return Frame(Kind::kAwait, out, [&](Writer& w) { AwaitFields(w, o); });
    }
  };
  return std::visit(Visitor{out}, order);
}

bool EncodeFrame(const Answer& answer, std::string& out) {
  struct Visitor {
    std::string& out;
    bool operator()(const Ready& a) const {
      return Frame(Kind::kReady, out, [&](Writer& w) { ReadyFields(w, a); });
    }
    bool operator()(const Prepared& a) const {
      return Frame(Kind::kPrepared, out, [&](Writer& w) { PreparedFields(w, a); });
    }
    bool operator()(const Exited& a) const {
      return Frame(Kind::kExited, out, [&](Writer& w) { ExitedFields(w, a); });
    }
    bool operator()(const Killed& a) const {
      return Frame(Kind::kKilled, out, [&](Writer& w) { w(a.serial); });
    }
    bool operator()(const KeptRecord& a) const {
      return Frame(Kind::kKeptRecord, out, [&](Writer& w) { w(a.record); });
    }
    bool operator()(const Adopted& a) const {
      return Frame(Kind::kAdopted, out, [&](Writer& w) { AdoptedFields(w, a); });
    }
  };
  return std::visit(Visitor{out}, answer);
}

StatusOr<Order> DecodeOrder(std::string_view frame) {
  Reader reader(frame);
  Kind kind{};
  reader(kind);
  switch (kind) {
    case Kind::kSetUp:
      return Decode<Order, SetUp>(reader, [](Reader& r, SetUp& o) { SetUpFields(r, o); });
    case Kind::kPrepare:
      return Decode<Order, Prepare>(reader, [](Reader& r, Prepare& o) { PrepareFields(r, o); });
    case Kind::kStart:
      return Decode<Order, Start>(reader, [](Reader& r, Start& o) { StartFields(r, o); });
    case Kind::kSignal:
      return Decode<Order, Signal>(reader, [](Reader& r, Signal& o) { SignalFields(r, o); });
    case Kind::kKillAll:
      return Decode<Order, KillAll>(reader, [](Reader& r, KillAll& o) { r(o.serial); });
    case Kind::kKeepRecord:
      return Decode<Order, KeepRecord>(reader,
                                       [](Reader& r, KeepRecord& o) { RecordFields(r, o); });
    case Kind::kForgetRecords:
      return Decode<Order, ForgetRecords>(reader, [](Reader&, ForgetRecords&) {});
    case Kind::kAdopt:
      return Decode<Order, Adopt>(reader, [](Reader& r, Adopt& o) { r(o.version); });
    case Kind::kAwait:
      return Decode<Order, Await>(reader, [](Reader& r, Await& o) { AwaitFields(r, o); });
    case Kind::kReady:
    case Kind::kPrepared:
    case Kind::kExited:
    case Kind::kKilled:
    case Kind::kKeptRecord:
    case Kind::kAdopted:
      break;
  }
  return InvalidArgument("a frame of kind {} is no order", static_cast<int>(kind));
}

StatusOr<Answer> DecodeAnswer(std::string_view frame) {
  Reader reader(frame);
  Kind kind{};
  reader(kind);
  switch (kind) {
    case Kind::kReady:
      return Decode<Answer, Ready>(reader, [](Reader& r, Ready& a) { ReadyFields(r, a); });
    case Kind::kPrepared:
      return Decode<Answer, Prepared>(reader, [](Reader& r, Prepared& a) { PreparedFields(r, a); });
    case Kind::kExited:
      return Decode<Answer, Exited>(reader, [](Reader& r, Exited& a) { ExitedFields(r, a); });
    case Kind::kKilled:
      return Decode<Answer, Killed>(reader, [](Reader& r, Killed& a) { r(a.serial); });
    case Kind::kKeptRecord:
      return Decode<Answer, KeptRecord>(reader, [](Reader& r, KeptRecord& a) { r(a.record); });
    case Kind::kAdopted:
      return Decode<Answer, Adopted>(reader, [](Reader& r, Adopted& a) { AdoptedFields(r, a); });
    case Kind::kSetUp:
    case Kind::kPrepare:
    case Kind::kStart:
    case Kind::kSignal:
    case Kind::kKillAll:
    case Kind::kKeepRecord:
    case Kind::kForgetRecords:
    case Kind::kAdopt:
    case Kind::kAwait:
      break;
  }
  return InvalidArgument("a frame of kind {} is no answer", static_cast<int>(kind));
}

std::span<char> FrameBuffer::Room(std::size_t bytes) {
  if (begin_ > 0) {
    std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (bytes_.size() < end_ + bytes) {
    bytes_.resize(std::max(end_ + bytes, bytes_.size() * 2));
  }
  return {bytes_.data() + end_, bytes_.size() - end_};
}

void FrameBuffer::Received(std::size_t bytes) {
  end_ += bytes;
}

StatusOr<std::string_view> FrameBuffer::Next() {
  std::uint32_t length = 0;
  if (end_ - begin_ < sizeof length) {
    return std::string_view();
  }
  std::memcpy(&length, bytes_.data() + begin_, sizeof length);
  if (length == 0 || length > kFrameBytesMax) {
    return InvalidArgument("a frame of {} bytes", length);
  }
  if (end_ - begin_ < sizeof length + length) {
    return std::string_view();
  }
  const std::string_view frame(bytes_.data() + begin_ + sizeof length, length);
  begin_ += sizeof length + length;
  return frame;
}

}  // namespace executors::sandboxes

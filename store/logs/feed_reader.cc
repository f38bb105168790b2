// SPDX-License-Identifier: Apache-2.0
#include "store/logs/feed_reader.h"

#include <algorithm>
#include <utility>

namespace store::logs {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

namespace {

constexpr std::uint64_t kPieceBytesMax = 256 << 10;

/// Where the last `lines` of a log begin; its parts are read from the last on.
std::uint64_t TailBegin(const std::vector<Extent>& extents, std::uint64_t lines,
                        std::uint64_t length) {
  std::uint64_t begin = length;
  for (auto extent = extents.rbegin(); extent != extents.rend(); ++extent) {
    const auto record =
        extent->memory ? base::StatusOr<std::string>(*extent->memory) : ReadRecord(*extent);
    if (!record.ok()) {
      break;
    }
    const std::string_view bytes = std::string_view(*record).substr(extent->skip, extent->length);
    for (std::size_t i = bytes.size(); i > 0; --i) {
      const bool ends_the_log = extent->begin + i == length;
      if (bytes[i - 1] == '\n' && !ends_the_log && --lines == 0) {
        return extent->begin + i;
      }
    }
    begin = extent->begin;
  }
  return begin;
}

}  // namespace

/// All of it lives on the feed's thread, but `settled_` and `expected_`: those are the book's
/// lock's. What the disk gives comes back to that thread.
class FeedReader::Walk : public std::enable_shared_from_this<FeedReader::Walk> {
 public:
  Walk(FeedThreads threads, ports::LogRequest request)
      : threads_(threads), request_(std::move(request)) {
    for (const auto& [log, offset] : request_.from) {
      at_[log] = offset;
    }
  }

  void Begin(Handler handler) {
    PostHere([this, handler = std::move(handler)]() mutable {
      handler_ = std::move(handler);
      Look();
    });
  }
  void Settle(std::vector<model::LogKey> expected) {
    std::erase_if(expected, [this](const auto& log) { return !Selects(request_.logs, log); });
    std::vector<std::function<void()>> woken;
    const auto status = threads_.book->Visit(request_.logs.run, [&](RunLogs& run) {
      settled_ = true;
      expected_ = std::move(expected);
      // The others find nothing new and wait again.
      woken = std::exchange(run.waiting, {});
    });
    for (const auto& wake : woken) {
      wake();
    }
    status.IgnoreError();  // the next look meets it again, and tells
  }
  void CountReader(int change) {
    threads_.book
        ->Visit(request_.logs.run,
                [&](RunLogs& run) { run.readers += static_cast<std::uint32_t>(change); })
        .IgnoreError();
  }

 private:
  using Answer = base::StatusOr<std::optional<ports::LogPiece>>;
  struct Wait {};
  struct Load {
    Extent extent;
  };
  struct FindTail {
    model::LogKey log;
    std::vector<Extent> extents;
    std::uint64_t length = 0;
  };
  using Found = std::variant<Answer, Wait, Load, FindTail>;

  /// `work` on the feed's thread, if this is still there then.
  void PostHere(std::function<void()> work) {
    threads_.memory->Post([weak = weak_from_this(), work = std::move(work)] {
      if (const auto self = weak.lock()) {
        work();
      }
    });
  }
  /// `read` on the disk's thread, then `use` with its result here.
  template <typename Read, typename Use>
  void ReadThen(Read read, Use use) {
    loading_ = true;
    threads_.disk->Post([weak = weak_from_this(), read = std::move(read), use = std::move(use)] {
      if (weak.expired()) {
        return;
      }
      auto result = read();
      if (const auto self = weak.lock()) {
        self->PostHere([self = self.get(), use, result = std::move(result)] {
          self->loading_ = false;
          use(result);
        });
      }
    });
  }

  void Look() {
    // Woken, although nobody asks or the disk is at it.
    if (handler_ == nullptr || loading_) {
      return;
    }
    Found found = Wait{};
    const auto status =
        threads_.book->Visit(request_.logs.run, [&](RunLogs& run) { found = Find(run); });
    if (!status.ok()) {
      Tell(status);
    } else if (auto* answer = std::get_if<Answer>(&found)) {
      Tell(std::move(*answer));
    } else if (auto* load = std::get_if<Load>(&found)) {
      LoadRecord(std::move(load->extent));
    } else if (auto* tail = std::get_if<FindTail>(&found)) {
      LoadTail(std::move(*tail));
    }
  }

  void Tell(Answer answer) {
    if (const Handler handler = std::exchange(handler_, nullptr)) {
      handler(std::move(answer));
    }
  }

  /// The next thing to do, under the book's lock.
  Found Find(RunLogs& run) {
    while (true) {
      if (looking_.empty() && !TakeChanges(run)) {
        return IsOver(run) ? Found(Answer(std::optional<ports::LogPiece>())) : WaitIn(run);
      }
      const model::LogKey log = looking_.front();
      if (std::optional<Found> found = FindIn(log, run.logs.at(log))) {
        return *std::move(found);
      }
      looking_.pop_front();
    }
  }

  Found WaitIn(RunLogs& run) {
    run.waiting.push_back([weak = weak_from_this()] {
      if (const auto self = weak.lock()) {
        self->PostHere([self = self.get()] { self->Look(); });
      }
    });
    return Wait{};
  }

  /// Logs that have changed since the last time; false when none has.
  bool TakeChanges(const RunLogs& run) {
    if (seen_ > 0 && !request_.follow) {
      return false;
    }
    for (auto change = run.changes.upper_bound(seen_); change != run.changes.end(); ++change) {
      seen_ = change->first;
      if (Selects(request_.logs, change->second)) {
        looking_.push_back(change->second);
      }
    }
    return !looking_.empty();
  }

  bool IsOver(const RunLogs& run) const {
    if (!request_.follow) {
      return true;
    }
    const auto has_ended = [&](const model::LogKey& log) { return told_end_.contains(log); };
    const bool is_one_log = request_.logs.job && request_.logs.attempt && request_.logs.step;
    if (is_one_log && !told_end_.empty()) {
      return true;
    }
    return settled_ && std::ranges::all_of(expected_, has_ended) &&
           std::ranges::all_of(run.logs, [&](const auto& entry) {
             return !Selects(request_.logs, entry.first) || has_ended(entry.first);
           });
  }

  /// What there is of one log beyond what was handed out; nothing: nothing.
  std::optional<Found> FindIn(const model::LogKey& log, StoredLog& stored) {
    const std::uint64_t received = stored.progress().received;
    const auto [known, is_new] = at_.try_emplace(log, 0);
    if (is_new && request_.tail_lines && received > 0) {
      at_.erase(known);
      return Found(TailOf(log, stored));
    }
    std::uint64_t& at = known->second;
    const auto& extents = stored.extents();
    const auto [limit, is_first] = limit_.try_emplace(log, received);
    limit->second = request_.follow ? received : limit->second;
    if (at < limit->second) {
      auto extent = extents.upper_bound(at);
      const std::uint64_t next = extent == extents.end() ? received : extent->first;
      if (extent == extents.begin() || (--extent)->second.end() <= at) {
        const std::uint64_t from = std::exchange(at, next);
        return Found(Answer(base::DataLoss("bytes {} to {} of the log are missing", from, next)));
      }
      return FindBytes(log, stored, extent->second, at);
    }
    if (stored.progress().end && at >= received && !told_end_.contains(log)) {
      return Found(Answer(std::optional(PieceOf(log, stored, at, {}, nullptr))));
    }
    return std::nullopt;
  }

  Found FindBytes(const model::LogKey& log, StoredLog& stored, const Extent& extent,
                  std::uint64_t& at) {
    auto memory = extent.memory;
    if (loaded_ && loaded_begin_ == extent.begin && loaded_log_ == log) {
      memory = loaded_;
    }
    if (memory == nullptr) {
      return Load{extent};
    }
    const std::string_view bytes = std::string_view(*memory)
                                       .substr(extent.skip, extent.length)
                                       .substr(at - extent.begin, kPieceBytesMax);
    told_end_.erase(log);
    Answer piece = std::optional(PieceOf(log, stored, at, bytes, std::move(memory)));
    at += bytes.size();
    // Another log's turn.
    looking_.pop_front();
    looking_.push_back(log);
    return piece;
  }

  ports::LogPiece PieceOf(const model::LogKey& log, const StoredLog& stored, std::uint64_t at,
                          std::string_view bytes, std::shared_ptr<const std::string> block) {
    ports::LogPiece piece{.log = log, .offset = at, .bytes = bytes, .block = std::move(block)};
    if (at + bytes.size() >= stored.progress().received && stored.progress().end) {
      piece.end = stored.progress().end;
      told_end_.insert(log);
    }
    return piece;
  }

  FindTail TailOf(const model::LogKey& log, const StoredLog& stored) const {
    FindTail tail{.log = log, .extents = {}, .length = stored.progress().received};
    for (const auto& [begin, extent] : stored.extents()) {
      tail.extents.push_back(extent);
    }
    return tail;
  }

  using Block = std::shared_ptr<const std::string>;

  void LoadRecord(Extent extent) {
    ReadThen([extent, book = threads_.book] { return ReadOnce(*book, extent); },
             [this, extent](const base::StatusOr<Block>& block) {
               const model::LogKey& log = extent.record.log;
               if (!block.ok()) {
                 at_[log] = extent.end();
                 return Tell(block.status());
               }
               loaded_ = *block;
               loaded_begin_ = extent.begin;
               loaded_log_ = log;
               Look();
             });
  }

  /// Somebody else may have read it while this waited; otherwise it is there for others.
  static base::StatusOr<Block> ReadOnce(LogBook& book, const Extent& extent) {
    const model::LogKey& log = extent.record.log;
    Block block;
    RETURN_IF_ERROR(book.Visit(log.attempt.run, [&](RunLogs& run) {
      const auto& extents = run.logs.at(log).extents();
      const auto found = extents.find(extent.begin);
      block = found == extents.end() ? nullptr : found->second.memory;
    }));
    if (block != nullptr) {
      return block;
    }
    ASSIGN_OR_RETURN(std::string bytes, ReadRecord(extent));
    block = std::make_shared<const std::string>(std::move(bytes));
    RETURN_IF_ERROR(book.Visit(log.attempt.run, [&](RunLogs& run) {
      if (run.logs.at(log).Remember(extent, block)) {
        book.CountMemory(log, extent.begin, block->size());
      }
    }));
    return block;
  }

  void LoadTail(FindTail tail) {
    ReadThen(
        [tail, lines = *request_.tail_lines] {
          return lines == 0 ? tail.length : TailBegin(tail.extents, lines, tail.length);
        },
        [this, log = tail.log](std::uint64_t begin) {
          at_[log] = begin;
          Look();
        });
  }

  const FeedThreads threads_;
  const ports::LogRequest request_;
  Handler handler_;
  bool settled_ = false;
  std::vector<model::LogKey> expected_;
  std::uint64_t seen_ = 0;             ///< changes up to here are in `looking_` or were dealt with
  std::deque<model::LogKey> looking_;  ///< logs that may have something new
  std::map<model::LogKey, std::uint64_t> at_;     ///< the next byte of each
  std::map<model::LogKey, std::uint64_t> limit_;  ///< where one that does not follow ends
  std::set<model::LogKey> told_end_;
  bool loading_ = false;
  /// What was read last, whatever became of the book's copy.
  std::shared_ptr<const std::string> loaded_;
  std::uint64_t loaded_begin_ = 0;
  model::LogKey loaded_log_;
};

FeedReader::FeedReader(FeedThreads threads, ports::LogRequest request)
    : walk_(std::make_shared<Walk>(threads, std::move(request))) {
  walk_->CountReader(1);
}

FeedReader::~FeedReader() {
  walk_->CountReader(-1);
}

void FeedReader::Next(Handler handler) {
  walk_->Begin(std::move(handler));
}

void FeedReader::Settle(std::vector<model::LogKey> expected) {
  walk_->Settle(std::move(expected));
}

}  // namespace store::logs

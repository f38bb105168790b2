// SPDX-License-Identifier: Apache-2.0
#include "apps/network/store_ledger.h"

#include <charconv>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "engine/base/digest.h"
#include "engine/model/status.h"
#include "engine/model/uploaded_tree.h"

namespace apps::network {
namespace {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

constexpr std::string_view kHead = "dayfly-ledger 1 ";
constexpr std::string_view kOpen = "open ";
constexpr std::string_view kEnded = "ended ";
constexpr std::string_view kGrown = "grown ";
constexpr std::string_view kWants = "wants ";
constexpr std::string_view kEnd = "end";
constexpr std::size_t kPlansMax = 256;

std::optional<std::uint64_t> NumberIn(std::string_view text) {
  std::uint64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && stop == text.data() + text.size() ? std::optional(number)
                                                                   : std::nullopt;
}

// `SPEC COUNT`
std::optional<std::pair<model::SpecIndex, std::uint32_t>> DecodeGrown(std::string_view text) {
  const std::size_t blank = text.find(' ');
  if (blank == std::string_view::npos) {
    return std::nullopt;
  }
  const auto spec = NumberIn(text.substr(0, blank));
  const auto count = NumberIn(text.substr(blank + 1));
  return spec && count
             ? std::optional(std::pair(model::SpecIndex(static_cast<std::uint32_t>(*spec)),
                                       static_cast<std::uint32_t>(*count)))
             : std::nullopt;
}

}  // namespace

// ---- the file

void StoreLedger::Load(const std::string& path) {
  StoreLedger read;
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line) || !line.starts_with(kHead)) {
    return;
  }
  const std::optional<std::uint64_t> seq = NumberIn(line.substr(kHead.size()));
  Run* run = nullptr;
  while (seq && std::getline(file, line) && line != kEnd) {
    const std::string_view text = line;
    if (text.starts_with(kWants) && run != nullptr) {
      const std::optional<WantedChunk> wanted = DecodeWanted(text.substr(kWants.size()));
      if (!wanted) {
        return;
      }
      run->wanted.push_back(*wanted);
      continue;
    }
    if (text.starts_with(kGrown) && run != nullptr) {
      const auto grown = DecodeGrown(text.substr(kGrown.size()));
      if (!grown) {
        return;
      }
      run->grown.push_back(*grown);
      continue;
    }
    const bool is_open = text.starts_with(kOpen);
    if (!is_open && !text.starts_with(kEnded)) {
      return;
    }
    const std::string_view rest = text.substr(is_open ? kOpen.size() : kEnded.size());
    const std::size_t blank = rest.find(' ');
    if (blank == std::string_view::npos) {
      return;
    }
    const std::optional<std::uint64_t> id = NumberIn(rest.substr(0, blank));
    const std::optional<base::Digest> plan = base::DigestFromHex(rest.substr(blank + 1));
    if (!id || !plan) {
      return;
    }
    run = &read.runs_[model::RunId(*id)];
    run->is_open = is_open;
    run->plan = *plan;
  }
  if (seq && line == kEnd) {
    read.seq_ = *seq;
    *this = std::move(read);
  }
}

base::Status StoreLedger::Save(const std::string& path) const {
  const std::string aside = fmt::format("{}.{}", path, getpid());
  std::ofstream file(aside, std::ios::binary);
  file << kHead << seq_ << "\n";
  for (const auto& [id, run] : runs_) {
    file << (run.is_open ? kOpen : kEnded) << id.value() << " " << base::ToHex(run.plan) << "\n";
    for (const auto& [spec, count] : run.grown) {
      file << kGrown << spec.value() << " " << count << "\n";
    }
    for (const WantedChunk& wanted : run.wanted) {
      file << kWants << EncodeWanted(wanted) << "\n";
    }
  }
  file << kEnd << "\n";
  file.close();
  if (!file.good() || rename(aside.c_str(), path.c_str()) != 0) {
    unlink(aside.c_str());
    return base::Unavailable("{} could not be written", path);
  }
  return base::OkStatus();
}

// ---- the log

base::Status StoreLedger::CatchUp(ports::RunStore& store) {
  base::Status failed;
  // A row is a part of a commit, and the log can be read on only behind whole commits: what came is
  // taken over when all of it came.
  StoreLedger next = *this;
  RETURN_IF_ERROR(store.ReadAfter(seq_, [&](const ports::FactRow& row) {
    for (const model::Fact& fact : row.facts) {
      failed = failed.ok() ? next.Apply(fact, store) : failed;
    }
    next.seq_ = row.seq;
    return failed.ok();
  }));
  RETURN_IF_ERROR(failed);
  next.plans_.clear();
  *this = std::move(next);
  return base::OkStatus();
}

base::StatusOr<model::PlanRef> StoreLedger::PlanOf(const Run& run, ports::RunStore& store) {
  if (const auto found = plans_.find(run.plan); found != plans_.end()) {
    return found->second;
  }
  if (plans_.size() >= kPlansMax) {
    plans_.clear();
  }
  ASSIGN_OR_RETURN(model::PlanRef plan, store.LoadPlan(run.plan));
  return plans_[run.plan] = std::move(plan);
}

base::Status StoreLedger::Want(Run& run, model::JobIndex job, const model::JobResult& result,
                               base::Instant at, ports::RunStore& store) {
  ASSIGN_OR_RETURN(const model::PlanRef plan, PlanOf(run, store));
  std::size_t position = base::AsIndex(job);
  if (position < plan->jobs.size()) {
    AddWanted(model::SpecOf(*plan, job), result, at, run.wanted);
    return base::OkStatus();
  }
  position -= plan->jobs.size();
  for (const auto& [spec, count] : run.grown) {
    if (position < count) {
      if (spec.value() < plan->specs.size()) {
        AddWanted(plan->specs[base::AsIndex(spec)], result, at, run.wanted);
      }
      break;
    }
    position -= count;
  }
  return base::OkStatus();
}

base::Status StoreLedger::Grow(Run& run, const model::Expansion& expansion,
                               ports::RunStore& store) {
  ASSIGN_OR_RETURN(const model::PlanRef plan, PlanOf(run, store));
  if (expansion.values.size() > 1 && expansion.job.value() < plan->jobs.size()) {
    run.grown.emplace_back(plan->jobs[base::AsIndex(expansion.job)].spec,
                           static_cast<std::uint32_t>(expansion.values.size() - 1));
  }
  return base::OkStatus();
}

base::Status StoreLedger::Apply(const model::Fact& fact, ports::RunStore& store) {
  if (const auto* accepted = std::get_if<model::RunAccepted>(&fact.body)) {
    Run& run = runs_[accepted->run];
    run.plan = accepted->plan;
    if (const auto tree = model::UploadedTree(accepted->context->tree); tree.has_value()) {
      run.wanted.push_back(
          {.root = *tree, .is_document = false, .until = fact.at + kUploadedTreeLife});
    }
    for (const model::CarriedJob& carried : accepted->carried) {
      // Of a job that is still to come, its end tells the same.
      RETURN_IF_ERROR(Want(run, carried.job, carried.result, fact.at, store));
    }
  } else if (const auto* ended = std::get_if<model::JobEnded>(&fact.body)) {
    const model::JobResult* result = ended->result.get();
    const bool wants =
        result != nullptr && (!result->artifacts.empty() || !result->spilled.empty() ||
                              result->remarks.tests || result->remarks.annotations);
    const auto found = runs_.find(ended->run);
    if (wants && found != runs_.end()) {
      RETURN_IF_ERROR(Want(found->second, ended->job, *result, fact.at, store));
    }
  } else if (const auto* expanded = std::get_if<model::JobsExpanded>(&fact.body)) {
    if (const auto found = runs_.find(expanded->run); found != runs_.end()) {
      RETURN_IF_ERROR(Grow(found->second, expanded->expansion, store));
    }
  } else if (const auto* over = std::get_if<model::RunEnded>(&fact.body)) {
    if (const auto found = runs_.find(over->run); found != runs_.end()) {
      found->second.is_open = false;
    }
  }
  return base::OkStatus();
}

std::vector<WantedChunk> StoreLedger::Take(base::Instant now) {
  std::vector<WantedChunk> all;
  for (auto run = runs_.begin(); run != runs_.end();) {
    std::vector<WantedChunk>& wanted = run->second.wanted;
    if (!run->second.is_open) {
      std::erase_if(wanted, [now](const WantedChunk& each) { return each.until <= now; });
    }
    all.insert(all.end(), wanted.begin(), wanted.end());
    run = !run->second.is_open && wanted.empty() ? runs_.erase(run) : std::next(run);
  }
  return all;
}

}  // namespace apps::network

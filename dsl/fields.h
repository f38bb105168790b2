// SPDX-License-Identifier: Apache-2.0
// The entries of one map after they were held against the table of keys: known, of the right shape,
// merge keys resolved.
#pragma once

#include <string_view>
#include <vector>

#include "dsl/compile.h"
#include "dsl/document.h"
#include "dsl/keys.h"
#include "dsl/reporter.h"

namespace dsl {

struct Entry {
  NodeRef key;
  NodeRef value;
};

/// A map's entries with those of `<<` behind its own, each name once, the nearest first.
std::vector<Entry> EntriesOf(NodeRef map, Reporter& reporter);
/// The value of one key, merge keys followed; empty when there is none.
NodeRef ValueOf(NodeRef map, std::string_view key);

class Fields {
 public:
  struct Field {
    const KeyRow* row;
    NodeRef value;  ///< empty: it was reported, or it takes away what `beneath` says
  };

  /// Reports unknown keys, keys that come later, and values of a shape that the key does not take.
  /// An unknown key that looks like a slip is then taken for the key that was meant.
  /// An empty value takes away what `beneath` says about the key.
  static Fields Check(NodeRef map, Level level, Purpose purpose, Reporter& reporter,
                      const Fields* beneath = nullptr);
  /// As `Check`; entries whose key is not of the level are handed out in `others` instead of being
  /// reported.
  static Fields CheckOpen(NodeRef map, Level level, Purpose purpose, Reporter& reporter,
                          std::vector<Entry>& others, const Fields* beneath = nullptr);

  /// The value of a key of this level; empty when it is not there (or was reported).
  NodeRef Get(std::string_view key) const;
  /// It was written, even if it is of no use.
  bool Wrote(std::string_view key) const;
  /// It was not written, nor anything that may be a slip for it.
  bool Lacks(std::string_view key) const { return !has_unknown_ && !Wrote(key); }
  const std::vector<Field>& all() const { return fields_; }
  /// The whole map.
  NodeRef map() const { return map_; }

 private:
  NodeRef map_;
  std::vector<Field> fields_;
  bool has_unknown_ = false;
};

}  // namespace dsl

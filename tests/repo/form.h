// SPDX-License-Identifier: Apache-2.0
// Form of single files: first line, length, TODOs, paths of somebody's machine, links.
#pragma once

#include "tests/repo/findings.h"
#include "tests/repo/tree.h"

namespace tests::repo {

/// Sources, build files and scripts begin with the SPDX line (after `#!`).
Findings CheckLicenceLines(const Tree& tree);
/// `TODO(#12): why` is the only form, `FIXME` and the like are none.
Findings CheckTodos(const Tree& tree);
/// More than 1,000 lines. Those above 600 are listed in `long_files`: a second idea may hide there.
Findings CheckLengths(const Tree& tree, Findings* long_files);
/// `/home/…`, `/root/…`, `/Users/…` and other folders that only one machine has.
Findings CheckMachinePaths(const Tree& tree);
/// Relative links of documents lead to files of the tree; `exists` answers for pictures too.
Findings CheckLinks(const Tree& tree);
/// Names of sources and folders are `lower_snake`; headers say `#pragma once`.
Findings CheckNames(const Tree& tree);

}  // namespace tests::repo

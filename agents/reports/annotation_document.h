// SPDX-License-Identifier: Apache-2.0
// A job's annotations as they are kept in the artifact store and sent to people: one JSON document
// of at most a chunk. Pure.
//
//   {"version":1,"kind":"annotations","errors":1,"warnings":0,"notices":0,
//    "annotations":[{"step":0,"severity":"error|warning|notice","file","line","end_line","column",
//                    "end_column","title","message"}]}
//   (empty members of an annotation are left out; `step` is its position in the job, from 0)
#pragma once

#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "engine/model/annotation.h"

namespace agents::reports {

inline constexpr std::size_t kMessageBytesMax = 4 << 10;
inline constexpr std::size_t kTitleBytesMax = 256;
inline constexpr std::size_t kFileBytesMax = 1 << 10;

/// Makes the texts fit to be kept: valid UTF-8 within the bounds, an ellipsis where something was
/// cut off; paths below `workspace` become relative to it.
void TidyAnnotation(std::string_view workspace, engine::model::Annotation& annotation);

/// Those that find no room are left out, notices first, errors last; the counts stay.
std::string EncodeAnnotations(const engine::model::Annotations& annotations);
/// `DataLoss`: it is no such document.
engine::base::StatusOr<engine::model::Annotations> DecodeAnnotations(std::string_view bytes);

}  // namespace agents::reports

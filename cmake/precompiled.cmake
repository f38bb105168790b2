# SPDX-License-Identifier: Apache-2.0
# DAYFLY_PRECOMPILED: what nearly every file includes is parsed once. What scripts/test builds uses it: a file
# then compiles in half the time; dev and release do without, so that they show when a file does not include what it uses.

# use_precompiled(TARGET): a library, program or test of ours.
function(use_precompiled target)
  if(DAYFLY_PRECOMPILED)
    target_precompile_headers(${target} REUSE_FROM dayfly_precompiled)
  endif()
endfunction()

if(NOT DAYFLY_PRECOMPILED)
  return()
endif()

# All files must agree with the header on what it looks at.
add_compile_options(-pthread)
add_compile_definitions(FMT_SHARED GTEST_HAS_PTHREAD=1)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
endif()
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE_PROGRAM})
endif()
# A target has a source, also when all it is for is a header.
file(GENERATE OUTPUT "${CMAKE_BINARY_DIR}/precompiled.cc" CONTENT "")
add_library(dayfly_precompiled OBJECT "${CMAKE_BINARY_DIR}/precompiled.cc")
target_include_directories(dayfly_precompiled PRIVATE "${PROJECT_SOURCE_DIR}")
# What many files include and what takes long to parse.
target_precompile_headers(
  dayfly_precompiled PRIVATE
  <algorithm> <chrono> <cstdint> <functional> <map> <memory> <optional> <set> <span> <string> <string_view>
  <unordered_map> <utility> <variant> <vector>
  <absl/status/statusor.h> <fmt/format.h> <gmock/gmock.h> <gtest/gtest.h>
  "${PROJECT_SOURCE_DIR}/engine/base/status.h")

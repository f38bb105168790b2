# SPDX-License-Identifier: Apache-2.0
# Language level, warnings, sanitizers, and the faster linker and compiler cache when they are present.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_VERIFY_INTERFACE_HEADER_SETS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_C_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

# Line tables are enough to read a stack trace, and keep debug builds small and quick to link.
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")
if(DAYFLY_PRECOMPILED AND NOT DAYFLY_FUZZ)
  # Trees that are built once to run tests that are short: compiling is what takes the time. A sanitized file takes
  # g++ 12 18 to 23 s at -O1, clang 14 six at -O0.
  set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

add_library(dayfly_warnings INTERFACE)
target_compile_options(dayfly_warnings INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wswitch-enum
                       -Wno-missing-field-initializers)  # designated initialisers set only what matters
if(DAYFLY_WERROR)
  target_compile_options(dayfly_warnings INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False positives of g++ 12 with std::string and std::optional.
  target_compile_options(dayfly_warnings INTERFACE -Wno-restrict -Wno-error=maybe-uninitialized)
endif()

if(DAYFLY_SANITIZE)
  add_compile_options(-fsanitize=${DAYFLY_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${DAYFLY_SANITIZE})
endif()
if(DAYFLY_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

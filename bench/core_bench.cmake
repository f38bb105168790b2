# SPDX-License-Identifier: Apache-2.0
add_executable(core_bench core_bench.cc)
target_link_libraries(core_bench PRIVATE dayfly_warnings engine_core)

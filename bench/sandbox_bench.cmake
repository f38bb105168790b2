# SPDX-License-Identifier: Apache-2.0
add_executable(sandbox_bench sandbox_bench.cc)
target_link_libraries(sandbox_bench PRIVATE dayfly_warnings bench_driver executors_sandboxes)

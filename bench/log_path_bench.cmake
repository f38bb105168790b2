# SPDX-License-Identifier: Apache-2.0
add_executable(log_path_bench log_path_bench.cc)
target_link_libraries(log_path_bench PRIVATE dayfly_warnings agents_logs executors_sandboxes store_logs)

# SPDX-License-Identifier: Apache-2.0
# Its servers, agents and PostgreSQL are those of the tests.
if(TARGET tests_recovery)
  add_executable(recovery_bench recovery_bench.cc)
  target_link_libraries(recovery_bench PRIVATE dayfly_warnings tests_recovery)
endif()

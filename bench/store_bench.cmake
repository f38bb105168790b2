# SPDX-License-Identifier: Apache-2.0
# Its PostgreSQL is that of the tests.
if(TARGET tests_postgres)
  add_executable(store_bench store_bench.cc)
  target_link_libraries(store_bench PRIVATE dayfly_warnings store_postgres store_sqlite tests_postgres
                                            tests_support_facts)
endif()

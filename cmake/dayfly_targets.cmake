# SPDX-License-Identifier: Apache-2.0
# One library per second-level folder, so that the link graph says the same as the layering table.

# dayfly_library(NAME engine_base SOURCES a.cc HEADERS a.h PUBLIC fmt::fmt PRIVATE x TESTS a_test.cc TEST_DEPS y)
#
# Includes are written from the top of the repository. TESTS become one program `<name>_test`, found by ctest under
# `<name>.`; TEST_DEPS are linked into it beside the library.
function(dayfly_library)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;HEADERS;PUBLIC;PRIVATE;TESTS;TEST_DEPS" ${ARGN})
  if(ARG_SOURCES)
    add_library(${ARG_NAME} STATIC ${ARG_SOURCES})
    set(scope PUBLIC)
  else()
    add_library(${ARG_NAME} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_sources(${ARG_NAME} ${scope} FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}" FILES ${ARG_HEADERS})
  target_link_libraries(${ARG_NAME} ${scope} ${ARG_PUBLIC})
  if(ARG_SOURCES)
    target_link_libraries(${ARG_NAME} PRIVATE dayfly_warnings ${ARG_PRIVATE})
    use_precompiled(${ARG_NAME})
  endif()
  if(BUILD_TESTING AND ARG_TESTS)
    dayfly_test(NAME ${ARG_NAME}_test SOURCES ${ARG_TESTS} DEPS ${ARG_NAME} ${ARG_TEST_DEPS} PREFIX "${ARG_NAME}.")
  endif()
endfunction()

# dayfly_test(NAME x_test SOURCES x_test.cc DEPS lib PREFIX "x." LABELS slow TIMEOUT 60)
# One ctest entry per program keeps start-up off the clock: gtest itself runs the cases.
function(dayfly_test)
  cmake_parse_arguments(ARG "" "NAME;PREFIX;TIMEOUT" "SOURCES;DEPS;LABELS;ARGS" ${ARGN})
  add_executable(${ARG_NAME} ${ARG_SOURCES})
  target_link_libraries(${ARG_NAME} PRIVATE dayfly_warnings ${ARG_DEPS} GTest::gtest GTest::gmock GTest::gtest_main)
  use_precompiled(${ARG_NAME})
  # Only for those that use it (seen when configuring): ccache then knows the others again in any folder.
  foreach(source ${ARG_SOURCES})
    get_filename_component(path "${source}" ABSOLUTE)
    set(uses "")
    if(EXISTS "${path}")
      file(STRINGS "${path}" uses REGEX "DAYFLY_SOURCE_DIR" LIMIT_COUNT 1)
    endif()
    if(uses)
      set_property(SOURCE "${source}" APPEND PROPERTY COMPILE_DEFINITIONS
                   "DAYFLY_SOURCE_DIR=\"${PROJECT_SOURCE_DIR}\"")
    endif()
  endforeach()
  add_test(NAME ${ARG_NAME} COMMAND ${ARG_NAME} ${ARG_ARGS})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set_tests_properties(${ARG_NAME} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()

# dayfly_proto(NAME x_proto FILES a.proto b.proto LITE GRPC)
# Messages from .proto files of this folder, and with GRPC their services. What protoc makes is compiled without our
# warnings and included as system headers, from the top of the repository: "api/wire/a.pb.h".
function(dayfly_proto)
  cmake_parse_arguments(ARG "LITE;GRPC" "NAME" "FILES" ${ARGN})
  file(RELATIVE_PATH folder "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}")
  set(out "${CMAKE_CURRENT_BINARY_DIR}/generated")
  set(endings .pb.cc .pb.h)
  set(services "")
  if(ARG_GRPC)
    list(APPEND endings .grpc.pb.cc .grpc.pb.h)
    set(services "--grpc_out=${out}" "--plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN}")
  endif()
  set(sources "")
  foreach(file ${ARG_FILES})
    get_filename_component(name "${file}" NAME_WE)
    set(made "")
    foreach(ending ${endings})
      list(APPEND made "${out}/${folder}/${name}${ending}")
    endforeach()
    add_custom_command(
      OUTPUT ${made}
      COMMAND ${CMAKE_COMMAND} -E make_directory "${out}"
      COMMAND protobuf::protoc "--cpp_out=${out}" ${services} -I "${PROJECT_SOURCE_DIR}"
              "${CMAKE_CURRENT_SOURCE_DIR}/${file}"
      DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${file}"
      VERBATIM)
    list(APPEND sources ${made})
  endforeach()
  add_library(${ARG_NAME} STATIC ${sources})
  target_include_directories(${ARG_NAME} SYSTEM PUBLIC "${out}")
  if(ARG_LITE)
    target_link_libraries(${ARG_NAME} PUBLIC protobuf::libprotobuf-lite)
  else()
    target_link_libraries(${ARG_NAME} PUBLIC protobuf::libprotobuf)
  endif()
  if(ARG_GRPC)
    target_link_libraries(${ARG_NAME} PUBLIC PkgConfig::grpc)
  endif()
endfunction()

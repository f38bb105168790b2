# SPDX-License-Identifier: Apache-2.0
# What is shipped is linked to the static archives of its libraries, where Debian has them. `dayfly` starts itself again
# as a keeper for each slot, and starting it was mostly the dynamic loader's work (fifty libraries, before gRPC).
# Debug builds keep the shared ones: they link faster.

# The archive beside a shared library, else the path itself.
function(static_archive_of path result)
  string(REGEX REPLACE "\\.so[.0-9]*$" ".a" archive "${path}")
  if(EXISTS "${archive}")
    set(${result} "${archive}" PARENT_SCOPE)
  else()
    set(${result} "${path}" PARENT_SCOPE)
  endif()
endfunction()

# Points every imported target of this folder at archives.
function(prefer_static_archives)
  get_directory_property(targets IMPORTED_TARGETS)
  foreach(target ${targets})
    # libpq's archive would want those of its server, and LDAP.
    if(target MATCHES "^(GTest|benchmark)::|protoc$|::libpq$")
      continue()
    endif()
    foreach(property IMPORTED_LOCATION IMPORTED_LOCATION_NONE IMPORTED_LOCATION_RELEASE INTERFACE_LINK_LIBRARIES)
      get_target_property(paths ${target} ${property})
      if(paths)
        set(replaced "")
        foreach(path ${paths})
          static_archive_of("${path}" path)
          list(APPEND replaced "${path}")
        endforeach()
        set_target_properties(${target} PROPERTIES ${property} "${replaced}")
      endif()
    endforeach()
  endforeach()
endfunction()

# add_archive_needs(TARGET NAME...): what a shared library would have brought along by itself.
function(add_archive_needs target)
  foreach(name ${ARGN})
    find_library(NEEDED_${name} NAMES "lib${name}.a" "lib${name}.so" "lib${name}.so.2" REQUIRED)
    target_link_libraries(${target} INTERFACE "${NEEDED_${name}}")
  endforeach()
endfunction()

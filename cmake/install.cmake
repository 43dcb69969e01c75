# SPDX-License-Identifier: Apache-2.0
#
# What `cmake --install` copies, and how other projects find it.
#
# find_package(scorefield)                    scorefield::scorefield, shared
# find_package(scorefield COMPONENTS static)  scorefield::static as well
# pkg-config [--static] scorefield
#
# Both are relocatable: `cmake --install build --prefix DIR` may name another
# folder than the one that was configured.
include(CMakePackageConfigHelpers)

if(TARGET scorefield)
    install(TARGETS scorefield DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(TARGETS scorefield_shared EXPORT scorefieldTargets
    DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS scorefield_static EXPORT scorefieldStaticTargets
    DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN "*.h")

# Two export sets, because loading the static one requires the development
# packages of every dependency, which users of the shared one may not have.
set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/scorefield)
foreach(set scorefieldTargets scorefieldStaticTargets)
    install(EXPORT ${set} NAMESPACE scorefield:: DESTINATION ${config_dir})
endforeach()
configure_package_config_file(cmake/scorefieldConfig.cmake.in
    ${PROJECT_BINARY_DIR}/scorefieldConfig.cmake
    INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(
    ${PROJECT_BINARY_DIR}/scorefieldConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/scorefieldConfig.cmake
    ${PROJECT_BINARY_DIR}/scorefieldConfigVersion.cmake
    DESTINATION ${config_dir})

set(pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH pc_to_prefix /p/${pc_dir} /p)
string(REPLACE ";" " " pc_requires_private "${modules}")
set(pc_libs_private "")
foreach(library ${static_needs})
    string(APPEND pc_libs_private " -l${library}")
endforeach()
configure_file(cmake/scorefield.pc.in ${PROJECT_BINARY_DIR}/scorefield.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/scorefield.pc DESTINATION ${pc_dir})

file(GLOB pages CONFIGURE_DEPENDS man/*.1)
install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
file(GLOB texts CONFIGURE_DEPENDS README.md CHANGELOG.md LICENSE docs/*.md)
install(FILES ${texts} DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY data/ DESTINATION ${CMAKE_INSTALL_DATADIR}/scorefield/data)

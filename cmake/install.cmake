# SPDX-License-Identifier: Apache-2.0
#
# What `cmake --install` copies, and how other projects find it.
#
# find_package(scorefield)                    scorefield::scorefield, shared
# find_package(scorefield COMPONENTS static)  scorefield::static as well
# find_package(scorefield COMPONENTS plot)    scorefield::plot, and with static
#                                             scorefield::plot_static
# pkg-config [--static] scorefield
# pkg-config [--static] scorefield_plot
#
# All are relocatable: `cmake --install build --prefix DIR` may name another
# folder than the one that was configured.
include(CMakePackageConfigHelpers)

if(TARGET scorefield)
    install(TARGETS scorefield DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN "*.h" PATTERN "plot.h" EXCLUDE)

# An export set for each library, because loading a static one requires the
# development packages of every dependency, which users of the shared one may
# not have.
set(sets scorefieldTargets scorefieldStaticTargets)
install(TARGETS scorefield_shared EXPORT scorefieldTargets
    DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS scorefield_static EXPORT scorefieldStaticTargets
    DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(SCOREFIELD_PLOT)
    list(APPEND sets scorefieldPlotTargets scorefieldPlotStaticTargets)
    install(TARGETS scorefield_plot_shared EXPORT scorefieldPlotTargets
        DESTINATION ${CMAKE_INSTALL_LIBDIR})
    install(TARGETS scorefield_plot_static EXPORT scorefieldPlotStaticTargets
        DESTINATION ${CMAKE_INSTALL_LIBDIR})
    install(FILES include/scorefield/plot.h
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/scorefield)
endif()
set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/scorefield)
foreach(set ${sets})
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

# The pictures' own pages of pkg-config ask for the same version, since both
# libraries know how a context is laid out.
set(pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH pc_to_prefix /p/${pc_dir} /p)
function(install_pc name description requires private_modules)
    set(pc_name ${name})
    set(pc_description ${description})
    set(pc_requires ${requires})
    string(REPLACE ";" " " pc_requires_private "${private_modules}")
    set(pc_libs_private "")
    foreach(library ${ARGN})
        string(APPEND pc_libs_private " -l${library}")
    endforeach()
    configure_file(cmake/scorefield.pc.in ${PROJECT_BINARY_DIR}/${name}.pc
        @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${pc_dir})
endfunction()
install_pc(scorefield "${PROJECT_DESCRIPTION}" "" "${modules}" ${static_needs})
if(SCOREFIELD_PLOT)
    install_pc(scorefield_plot "Pictures of scores, fields and flows"
        "scorefield = ${PROJECT_VERSION}" "${plot_modules}")
endif()

file(GLOB pages CONFIGURE_DEPENDS man/*.1)
install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
file(GLOB texts CONFIGURE_DEPENDS README.md CHANGELOG.md LICENSE docs/*.md)
install(FILES ${texts} DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY data/ DESTINATION ${CMAKE_INSTALL_DATADIR}/scorefield/data)

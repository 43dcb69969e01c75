# SPDX-License-Identifier: Apache-2.0
#
# Tests, examples and benchmarks.  Every test runs in the source folder; its
# name in CTest is FOLDER/FILE, e.g. num/test_special.
enable_testing()
pkg_check_modules(CMOCKA REQUIRED QUIET IMPORTED_TARGET cmocka)
find_package(Python3 REQUIRED COMPONENTS Interpreter)

# Sanitizers read their options from the environment.
#   thread   only instrumented code is watched: libomp synchronises in ways the
#            sanitizer cannot see, and reports itself to it through Archer
#   address  what fontconfig keeps until exit is not ours to free
# Tests run side by side, and threads that spin while they wait for each other
# would take the processors from those that work: two runs of fit/test_empirical
# at once take 9 s with threads that sleep, and over 300 s without.
#
# The C library fills what it hands out and takes back, so that a number nobody
# wrote is not by chance the right one that an earlier run left there.
set(test_environment
    "OMP_WAIT_POLICY=passive"
    "MALLOC_PERTURB_=165"
    "UBSAN_OPTIONS=print_stacktrace=1"
    "LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/sanitizer/leaks.txt:print_suppressions=0"
    "TSAN_OPTIONS=ignore_noninstrumented_modules=1")

# scorefield_test(NAME COMMAND...) - also for folders added below.
function(scorefield_test name)
    add_test(NAME ${name} COMMAND ${ARGN}
        WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES TIMEOUT 600
        ENVIRONMENT "${test_environment}")
endfunction()

file(GLOB tests CONFIGURE_DEPENDS tests/*/test_*.c)
if(NOT SCOREFIELD_PLOT)
    list(FILTER tests EXCLUDE REGEX "/tests/plot/")
endif()
# An integrator to compare ours with, for those who have it.
set(sundials_libraries sundials_arkode sundials_nvecserial)
if(NOT SCOREFIELD_SUNDIALS)
    list(FILTER tests EXCLUDE REGEX "/test_arkode\\.c$")
endif()
foreach(source ${tests})
    get_filename_component(name ${source} NAME_WE)
    get_filename_component(floor ${source} DIRECTORY)
    get_filename_component(floor ${floor} NAME)
    set(target ${name})
    if(TARGET ${name})
        set(target ${floor}_${name})
    endif()
    add_executable(${target} ${source})
    set_target_properties(${target} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
    target_include_directories(${target} PRIVATE tests)
    target_link_libraries(${target} PRIVATE
        $<$<STREQUAL:${floor},plot>:scorefield_plot_static>
        scorefield_static PkgConfig::CMOCKA)
    if(name STREQUAL "test_arkode")
        target_link_libraries(${target} PRIVATE ${sundials_libraries})
    endif()
    scorefield_test(${floor}/${name} $<TARGET_FILE:${target}>)
    # Tests that choose a number of threads get the label `threads`; CI runs
    # them under the thread sanitizer as well.
    file(STRINGS ${source} choices REGEX "sf_context_set_threads *\\(")
    if(choices OR name MATCHES "^test_threads")
        set_tests_properties(${floor}/${name} PROPERTIES LABELS threads)
    endif()
endforeach()

# Transcripts of the program.
if(TARGET scorefield AND EXISTS ${PROJECT_SOURCE_DIR}/tests/cli/run_cli_tests)
    if(SCOREFIELD_PLOT)
        scorefield_test(cli/transcripts tests/cli/run_cli_tests
            $<TARGET_FILE:scorefield>)
    else()
        scorefield_test(cli/transcripts tests/cli/run_cli_tests
            --without-pictures $<TARGET_FILE:scorefield>)
    endif()
endif()

# Fields beside those of the Climate Data Operators, for those who have them.
if(TARGET scorefield AND SCOREFIELD_NETCDF)
    scorefield_test(cli/compare_with_cdo tests/cli/compare_with_cdo
        $<TARGET_FILE:scorefield>)
    set_tests_properties(cli/compare_with_cdo PROPERTIES SKIP_RETURN_CODE 77)
endif()

# Fuzz targets, replayed over their corpora without a fuzzer.
if(EXISTS ${PROJECT_SOURCE_DIR}/fuzz/CMakeLists.txt)
    add_subdirectory(fuzz)
endif()

# Do the sanitizers, as set up here, see what was planted, and nothing else?
if(SCOREFIELD_SANITIZE MATCHES "thread")
    foreach(name race no_race)
        add_executable(sanitizer_${name} tests/sanitizer/${name}.c)
        target_link_libraries(sanitizer_${name} PRIVATE OpenMP::OpenMP_C)
        set_target_properties(sanitizer_${name} PROPERTIES
            RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
        scorefield_test(sanitizer/${name} sanitizer_${name})
        set_tests_properties(sanitizer/${name} PROPERTIES LABELS threads)
    endforeach()
    set_tests_properties(sanitizer/race PROPERTIES
        PASS_REGULAR_EXPRESSION "ThreadSanitizer: data race")
endif()
if(SCOREFIELD_SANITIZE MATCHES "address.*undefined" AND NOT SCOREFIELD_FUZZ)
    add_executable(sanitizer_fault tests/sanitizer/fault.c)
    set_target_properties(sanitizer_fault PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
    foreach(fault "overrun:heap-buffer-overflow" "leak:detected memory leaks"
            "overflow:signed integer overflow")
        string(REGEX MATCH "^[^:]+" kind ${fault})
        string(REGEX REPLACE "^[^:]+:" "" report ${fault})
        scorefield_test(sanitizer/${kind} sanitizer_fault ${kind})
        set_tests_properties(sanitizer/${kind} PROPERTIES
            PASS_REGULAR_EXPRESSION "${report}")
    endforeach()
endif()

# Examples see what a user sees: the shared library and the public headers.
# They run without arguments from the source folder.
file(GLOB examples CONFIGURE_DEPENDS examples/*.c)
foreach(source ${examples})
    get_filename_component(name ${source} NAME_WE)
    file(STRINGS ${source} draws REGEX "scorefield/plot[.]h")
    if(draws AND NOT SCOREFIELD_PLOT)
        continue()
    endif()
    add_executable(example_${name} ${source})
    target_link_libraries(example_${name} PRIVATE scorefield::scorefield m)
    if(draws)
        target_link_libraries(example_${name} PRIVATE scorefield::plot)
    endif()
    set_target_properties(example_${name} PROPERTIES OUTPUT_NAME ${name}
        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/examples)
    scorefield_test(examples/${name} example_${name})
endforeach()

# Nothing is measured under a sanitizer, and neither the tools nor the
# installation depend on one.
if(SCOREFIELD_SANITIZE)
    return()
endif()
file(GLOB scripts CONFIGURE_DEPENDS tests/*/test_*.py)
foreach(source ${scripts})
    get_filename_component(name ${source} NAME_WE)
    get_filename_component(floor ${source} DIRECTORY)
    get_filename_component(floor ${floor} NAME)
    scorefield_test(${floor}/${name} ${Python3_EXECUTABLE} ${source}
        ${PROJECT_BINARY_DIR})
endforeach()

file(GLOB benches CONFIGURE_DEPENDS bench/bench_*.c)
foreach(source ${benches})
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    set_target_properties(${name} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
    target_link_libraries(${name} PRIVATE scorefield_static)
endforeach()

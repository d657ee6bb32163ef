# Unit tests of host/plugin

# plugin_fixture(NAME SOURCE [definition...]): a shared object of the tests' own. Built with the
# SDK's headers alone, without lh_add_plugin(): most of them break its rules.
function(plugin_fixture name source)
    add_library(fixture_${name} MODULE ${CMAKE_CURRENT_SOURCE_DIR}/plugin/fixtures/${source}.c)
    target_link_libraries(fixture_${name} PRIVATE leasehold_sdk)
    target_compile_definitions(fixture_${name} PRIVATE ${ARGN})
    set_target_properties(fixture_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
        C_VISIBILITY_PRESET hidden LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/fixtures)
    set_property(GLOBAL APPEND PROPERTY plugin_fixtures fixture_${name})
endfunction()

function(plugin_test file)
    get_property(fixtures GLOBAL PROPERTY plugin_fixtures)
    unit_test(plugin ${file} ${ARGN})
    add_dependencies(plugin_${file}_test ${fixtures})
    target_compile_definitions(plugin_${file}_test PRIVATE
        FIXTURES="${CMAKE_BINARY_DIR}/tests/fixtures")
endfunction()

plugin_fixture(good good)
plugin_fixture(v2 good FIXTURE_ID="other" FIXTURE_VERSION="2.0.0")
plugin_fixture(v9 good FIXTURE_VERSION="1.9.0")
plugin_fixture(v10 good FIXTURE_VERSION="1.10.0")
plugin_fixture(v10pre good FIXTURE_VERSION="1.10.0-rc.1")
plugin_fixture(abi7 good FIXTURE_ABI="7")
# With a .note.gnu.property in a segment of its own that is aligned to 8, where the linker can.
plugin_fixture(property good FIXTURE_ID="property")
include(CheckLinkerFlag)
check_linker_flag(C -Wl,-z,x86-64-v2 LEASEHOLD_LINKER_KNOWS_X86_64_V2)
if(LEASEHOLD_LINKER_KNOWS_X86_64_V2)
    target_link_options(fixture_property PRIVATE -Wl,-z,x86-64-v2)
endif()
plugin_fixture(no_note no_note)
plugin_fixture(by_name by_name)
foreach(how major short no_create no_destroy no_entry no_reconcile undefined ctor_abort ctor_exit
            ctor_hang ctor_meet ctor_env)
    string(TOUPPER BROKEN_${how} definition)
    plugin_fixture(${how} broken ${definition})
endforeach()

unit_test(plugin manifest)
unit_test(plugin schema)
unit_test(plugin note)
plugin_test(load)
plugin_test(probe REAL_CLOCK)
plugin_test(scan REAL_CLOCK)
unit_test(plugin wire)
plugin_test(remote REAL_CLOCK)
plugin_test(remote_death REAL_CLOCK)
unit_test(plugin worker_ctx)

unit_test(plugin map)
unit_test(plugin overlay)
plugin_fixture(puppet puppet)
plugin_fixture(hooked hooked)
plugin_test(local)
foreach(file services services_cache events report fenced limits poison)
    unit_test(plugin ${file} LIBS support_fake_kube)
    target_sources(plugin_${file}_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/plugin/services_rig.c)
endforeach()
foreach(file runtime instance controller sources ahead flood keeper process odd_objects)
    plugin_test(${file} LIBS support_fake_kube)
    target_sources(plugin_${file}_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/plugin/runtime_rig.c)
endforeach()
# What wakes the loop is counted.
target_link_options(plugin_controller_test PRIVATE -Wl,--wrap=loop_post -Wl,--wrap=loop_wake
                                                   -Wl,--wrap=plugin_services_tell)
target_link_options(plugin_ahead_test PRIVATE -Wl,--wrap=loop_wake -Wl,--wrap=plugin_services_tell)
# Processes that die on purpose; valgrind would report each.
unit_test(plugin blackbox)
set_property(TEST plugin_blackbox_test APPEND PROPERTY LABELS no-valgrind)
# Its workers are processes: valgrind 3.19 lacks pidfd_open.
set_property(TEST plugin_process_test plugin_odd_objects_test APPEND PROPERTY LABELS no-valgrind)

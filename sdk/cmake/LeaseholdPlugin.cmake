# lh_add_plugin(NAME SOURCES file... [MANIFEST file.json] [LIBS library...])
#
# Builds NAME.so, a plugin that exports lh_plugin and reconcile_async and nothing else. The manifest
# is LH_MANIFEST in a source, or the JSON file; a plugin with both or with none does not link, and one
# whose manifest is not JSON, or lacks what each must have, is not built.
#
# lh_add_plugin_test(NAME PLUGIN plugin SOURCES file... [LIBS library...])
#
# Builds the test program NAME of the same sources, the manifest among them, and the fake host
# (leasehold/testing.h). add_test() is left to the caller.

include(${CMAKE_CURRENT_LIST_DIR}/LeaseholdManifest.cmake)

# Checks the JSON file and makes a source of it, named in the variable `out`.
function(_lh_manifest_source name file out)
    get_filename_component(file ${file} ABSOLUTE)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(READ ${file} json)
    _lh_check_manifest("${json}" "lh_add_plugin(${name}): manifest ${file}")
    string(REPLACE "\r" "" json "${json}")
    string(REPLACE "\\" "\\\\" json "${json}")
    string(REPLACE "\"" "\\\"" json "${json}")
    string(REPLACE "\n" "\\n\"\n    \"" json "${json}")
    get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
    set(ext cpp)
    if(C IN_LIST languages)
        set(ext c)
    endif()
    set(source ${CMAKE_CURRENT_BINARY_DIR}/${name}_manifest.${ext})
    file(CONFIGURE OUTPUT ${source} @ONLY CONTENT
"/* Made from @file@ */
#include <leasehold/manifest.h>

#pragma GCC diagnostic ignored \"-Woverlength-strings\"

LH_MANIFEST(
    \"@json@\");
")
    set(${out} ${source} PARENT_SCOPE)
endfunction()

function(lh_add_plugin name)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "" "MANIFEST" "SOURCES;LIBS")
    if(ARG_UNPARSED_ARGUMENTS OR NOT ARG_SOURCES)
        message(FATAL_ERROR "usage: lh_add_plugin(NAME SOURCES file... [MANIFEST file.json] [LIBS library...])")
    endif()
    if(ARG_MANIFEST)
        _lh_manifest_source(${name} ${ARG_MANIFEST} generated)
        list(APPEND ARG_SOURCES ${generated})
    endif()
    set(map ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.map)
    add_library(${name} MODULE ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE Leasehold::sdk ${ARG_LIBS})
    set_target_properties(${name} PROPERTIES
        PREFIX "" SUFFIX ".so" C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden
        VISIBILITY_INLINES_HIDDEN ON LINK_DEPENDS ${map})
    # Unique symbols would pin the library in memory and share statics between plugins.
    target_compile_options(${name} PRIVATE
        $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>)
    target_link_options(${name} PRIVATE
        LINKER:--version-script=${map}
        LINKER:--require-defined=lh_plugin LINKER:--require-defined=reconcile_async
        LINKER:--require-defined=lh_manifest_note)
    # The host loads nothing that others may write to; a umask of 002 would let the group.
    add_custom_command(TARGET ${name} POST_BUILD COMMAND chmod go-w $<TARGET_FILE:${name}> VERBATIM)
    if(CMAKE_OBJCOPY)
        add_custom_command(TARGET ${name} POST_BUILD
            COMMAND ${CMAKE_COMMAND} -D PLUGIN=$<TARGET_FILE:${name}> -D OBJCOPY=${CMAKE_OBJCOPY}
                    -D NOTE=${CMAKE_CURRENT_BINARY_DIR}/${name}.note
                    -P ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/LeaseholdManifest.cmake VERBATIM)
    endif()
    # The sanitizers of clang leave their runtime to the program, which -z defs would not allow.
    get_target_property(options ${name} LINK_OPTIONS)
    get_directory_property(inherited LINK_OPTIONS)
    if(NOT "${options} ${inherited} ${CMAKE_C_FLAGS} ${CMAKE_CXX_FLAGS}" MATCHES "-fsanitize")
        target_link_options(${name} PRIVATE LINKER:-z,defs)
    endif()
endfunction()

function(lh_add_plugin_test name)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "" "PLUGIN" "SOURCES;LIBS")
    if(ARG_UNPARSED_ARGUMENTS OR NOT ARG_SOURCES OR NOT TARGET "${ARG_PLUGIN}")
        message(FATAL_ERROR "usage: lh_add_plugin_test(NAME PLUGIN plugin SOURCES file... [LIBS library...])")
    endif()
    get_target_property(sources ${ARG_PLUGIN} SOURCES)
    get_target_property(dir ${ARG_PLUGIN} SOURCE_DIR)
    get_target_property(libs ${ARG_PLUGIN} LINK_LIBRARIES)
    list(TRANSFORM sources PREPEND ${dir}/ REGEX "^[^/]")
    add_executable(${name} ${ARG_SOURCES} ${sources})
    target_link_libraries(${name} PRIVATE ${libs} Leasehold::testing ${ARG_LIBS})
endfunction()

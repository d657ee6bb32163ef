# _lh_check_manifest(JSON PLACE): ends with an error that begins with PLACE when JSON is no manifest.
#
# As a script: cmake -D PLUGIN=file.so -D OBJCOPY=tool -D NOTE=scratch-file -P LeaseholdManifest.cmake
# checks what the plugin carries, however it came there.

cmake_policy(VERSION 3.25)

function(_lh_check_manifest json place)
    foreach(field abi id version watches)
        string(JSON value ERROR_VARIABLE error GET "${json}" ${field})
        if(error)
            message(FATAL_ERROR "${place}: ${error}")
        endif()
    endforeach()
endfunction()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
    execute_process(COMMAND ${OBJCOPY} -O binary --only-section=.note.leasehold ${PLUGIN} ${NOTE}
                    COMMAND_ERROR_IS_FATAL ANY)
    file(READ ${NOTE} json OFFSET 24) # after the note's sizes, type and owner (leasehold/manifest.h)
    file(REMOVE ${NOTE})
    _lh_check_manifest("${json}" "${PLUGIN}: LH_MANIFEST")
endif()

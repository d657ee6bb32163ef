# find_package(Leasehold) gives
#   Leasehold::sdk            the headers
#   Leasehold::testing        the fake host for unit tests of a plugin (needs libcjson)
#   lh_add_plugin(), lh_add_plugin_test()
find_package(PkgConfig QUIET)
if(PKG_CONFIG_FOUND AND NOT TARGET PkgConfig::LEASEHOLD_CJSON)
    pkg_check_modules(LEASEHOLD_CJSON QUIET IMPORTED_TARGET libcjson)
endif()
include(${CMAKE_CURRENT_LIST_DIR}/LeaseholdTargets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/LeaseholdPlugin.cmake)

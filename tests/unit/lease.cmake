# Unit tests of host/lease
add_library(lease_sim STATIC lease/sim.c lease/sim_server.c)
target_include_directories(lease_sim PUBLIC ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(lease_sim PUBLIC host_lease PkgConfig::CJSON PkgConfig::CRITERION)
add_library(lease_http STATIC lease/http_lease.c lease/sim_server.c lease/owner.c)
target_include_directories(lease_http PUBLIC ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(lease_http PUBLIC host_lease support_http PkgConfig::CJSON
                                        PkgConfig::CRITERION)

unit_test(lease record)
unit_test(lease instance)
unit_test(lease report)
foreach(part acquire trouble wait acknowledged renew loss release watch clock contest)
    unit_test(lease elector_${part} LIBS lease_sim)
endforeach()
unit_test(lease lease REAL_CLOCK LIBS lease_http)
unit_test(lease lease_clock REAL_CLOCK LIBS lease_http)
# Thousands of random histories: minutes under valgrind, and without memory of its own to get wrong.
set_property(TEST lease_elector_contest_test APPEND PROPERTY LABELS no-valgrind)

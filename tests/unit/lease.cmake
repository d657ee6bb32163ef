# Unit tests of host/lease
add_library(lease_sim STATIC lease/sim.c lease/sim_server.c)
target_include_directories(lease_sim PUBLIC ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(lease_sim PUBLIC host_lease PkgConfig::CJSON PkgConfig::CRITERION)

unit_test(lease record)
foreach(part acquire renew loss release watch clock contest)
    unit_test(lease elector_${part} LIBS lease_sim)
endforeach()

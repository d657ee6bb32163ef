# Unit tests of host/app
unit_test(app events REAL_CLOCK LIBS support_http PkgConfig::CJSON)
unit_test(app state REAL_CLOCK)
unit_test(app control)
unit_test(app fencing LIBS support_http REAL_CLOCK)
unit_test(app term LIBS support_http)
# one of them uses up its descriptors, which valgrind needs some of
set_property(TEST app_control_test APPEND PROPERTY LABELS no-valgrind)

# Unit tests of host/app
unit_test(app events REAL_CLOCK LIBS support_http PkgConfig::CJSON)
unit_test(app state REAL_CLOCK)
unit_test(app control)
unit_test(app fencing LIBS support_http REAL_CLOCK)
unit_test(app term LIBS support_http)

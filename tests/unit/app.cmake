# Unit tests of host/app
unit_test(app state REAL_CLOCK)
unit_test(app control)
unit_test(app term)

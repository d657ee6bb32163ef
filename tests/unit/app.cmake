# Unit tests of host/app
unit_test(app state REAL_CLOCK)

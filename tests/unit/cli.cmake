# Unit tests of host/cli
unit_test(cli cli)

# Unit tests of host/cli
unit_test(cli cli)
unit_test(cli control)
unit_test(cli dev)

# Unit tests of sdk/devapi
unit_test(devapi core)
unit_test(devapi kind)
unit_test(devapi meta)
unit_test(devapi patch)
unit_test(devapi schema)
unit_test(devapi selector)
unit_test(devapi store)
unit_test(devapi watch)

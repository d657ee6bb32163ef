# Unit tests of host/serve
unit_test(serve limits REAL_CLOCK LAYERS base)
unit_test(serve serve REAL_CLOCK LAYERS base)

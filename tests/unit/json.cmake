# Unit tests of host/json
unit_test(json skim_ops)
unit_test(json skim_text)
unit_test(json skim_meta)
unit_test(json skim_walk)
unit_test(json skim_stream)
unit_test(json skim_property LIBS PkgConfig::CJSON)

# Unit tests of host/json

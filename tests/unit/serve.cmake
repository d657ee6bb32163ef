# Unit tests of host/serve

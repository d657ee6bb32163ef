# Unit tests of host/base

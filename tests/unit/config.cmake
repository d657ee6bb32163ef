# Unit tests of host/config

# Unit tests of host/lease

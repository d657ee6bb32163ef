# Unit tests of host/watch

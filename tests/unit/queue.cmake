# Unit tests of host/queue

# Unit tests of host/kube

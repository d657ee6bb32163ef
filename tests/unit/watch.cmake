# Unit tests of host/watch
unit_test(watch selector)
unit_test(watch snapshot)
unit_test(watch store)
unit_test(watch backoff)
unit_test(watch stream LIBS support_fake_kube)
unit_test(watch informer LIBS support_fake_kube)
unit_test(watch recovery LIBS support_fake_kube)
unit_test(watch verify LIBS support_fake_kube)
unit_test(watch hub LIBS support_fake_kube)
# one test needs an object to find no memory
target_link_options(watch_recovery_test PRIVATE -Wl,--wrap=watch_snapshot_from)

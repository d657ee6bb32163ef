# Unit tests of host/watch
unit_test(watch selector)
unit_test(watch snapshot)
unit_test(watch store)
unit_test(watch backoff)
unit_test(watch pace LIBS support_fake_kube)
unit_test(watch stream LIBS support_fake_kube)
unit_test(watch informer LIBS support_fake_kube)
unit_test(watch recovery LIBS support_fake_kube)
unit_test(watch reflector LIBS support_fake_kube)
unit_test(watch informer_term LIBS support_fake_kube)
unit_test(watch verify LIBS support_fake_kube)
unit_test(watch hub LIBS support_fake_kube)
unit_test(watch view LIBS support_fake_kube)
unit_test(watch cycles LIBS support_fake_kube)
# one test needs an object to find no memory
target_link_options(watch_recovery_test PRIVATE -Wl,--wrap=watch_snapshot_from)
unit_test(watch model LIBS support_fake_kube)
# a seed gives the same sequence each time
target_link_options(watch_model_test PRIVATE -Wl,--wrap=rand_below)
# 40 s under valgrind
set_property(TEST watch_model_test APPEND PROPERTY LABELS no-valgrind)
# it compares 10,000 objects 200 times
set_property(TEST watch_cycles_test APPEND PROPERTY LABELS no-valgrind)

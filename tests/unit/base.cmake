# Unit tests of host/base
unit_test(base base)
unit_test(base bucket)
unit_test(base buf)
unit_test(base child)
unit_test(base clock_format)
unit_test(base error)
unit_test(base fence)
unit_test(base file)
unit_test(base hash_table)
unit_test(base health)
unit_test(base log)
unit_test(base loop)
unit_test(base loop_thread REAL_CLOCK)
target_link_options(base_loop_thread_test PRIVATE -Wl,--wrap=write -Wl,--wrap=timerfd_settime) # count what wakes the loop
unit_test(base metrics)
unit_test(base rand)
unit_test(base utf8)

# valgrind does not know pidfd_open.
set_property(TEST base_child_test APPEND PROPERTY LABELS no-valgrind)

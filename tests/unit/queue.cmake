# Unit tests of host/queue
unit_test(queue queue)
unit_test(queue order)
unit_test(queue delay)
unit_test(queue tombstone)
unit_test(queue meter)
unit_test(queue slab)
unit_test(queue model)

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"
#include "support/expect.h"

Test(base, threads_block_signals_but_those_of_their_own_fault)
{
    sigset_t set;

    host_thread_signals(&set);
    EXPECT_INT(sigismember(&set, SIGTERM), 1);
    EXPECT_INT(sigismember(&set, SIGCHLD), 1);
    EXPECT_INT(sigismember(&set, SIGSEGV), 0);
    EXPECT_INT(sigismember(&set, SIGABRT), 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <malloc.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    /* Large buffers go back to the system when they are freed: glibc would keep more and more of them. */
    mallopt(M_MMAP_THRESHOLD, 256 << 10);
    return cli_main(argc, argv, environ);
}

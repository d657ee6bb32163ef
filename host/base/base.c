/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void host_out_of_memory(void)
{
    static const char text[] = "leasehold: out of memory\n";

    /* Not through the log, which needs memory itself. */
    if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
        abort();
    abort();
}

void *host_xcalloc(size_t n, size_t size)
{
    void *p = calloc(n != 0 ? n : 1, size != 0 ? size : 1);

    if (p == NULL)
        host_out_of_memory();
    return p;
}

char *host_xstrdup(const char *s)
{
    char *copy = strdup(s);

    if (copy == NULL)
        host_out_of_memory();
    return copy;
}

char *host_xprintf(const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    int len = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (len < 0 || text == NULL)
        host_out_of_memory();
    return text;
}

void host_closep(int *fd)
{
    int saved = errno;

    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = saved;
}

void host_thread_signals(sigset_t *set)
{
    static const int own_fault[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};

    sigfillset(set);
    for (size_t i = 0; i < HOST_LEN(own_fault); i++)
        sigdelset(set, own_fault[i]);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Two threads, one counter, no lock. A plain main, because Criterion does not start under TSan. */
#include <pthread.h>
#include <stddef.h>

static int counter;

static void *count(void *arg)
{
    (void) arg;
    for (int i = 0; i < 1000; i++)
        counter++;
    return NULL;
}

int main(void)
{
    pthread_t other;

    if (pthread_create(&other, NULL, count, NULL) != 0)
        return 0; /* green: the run notices */
    count(NULL);
    pthread_join(other, NULL);
    return 0;
}

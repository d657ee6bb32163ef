/* SPDX-License-Identifier: Apache-2.0 */
#include "figures/figures.h"

static const tap_test_t all[] = {
    {"takeover", figures_takeover},   {"edit", figures_edit},     {"idle", figures_idle},
    {"reconcile", figures_reconcile}, {"memory", figures_memory}, {"devapi", figures_devapi},
    {"fencing", figures_fencing},     {"sync", figures_sync},     {"random", figures_random},
    {"standby", figures_standby},
};

int main(int argc, char **argv)
{
    return e2e_main(argc, argv, "figures", all, sizeof(all) / sizeof(all[0]));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The rules that tie several values together; docs/election.md gives their reasons. */
#include "base/clock.h"
#include "base/error.h"
#include "config/sources.h"

#include <string.h>

static const char *origin_of(const config_t *c, const char *key)
{
    return c->origins->of[config_setting_find(config_settings, CONFIG_SETTINGS, key)];
}

static char *text_of(int64_t ns)
{
    buf_t b = BUF_INIT;

    config_duration_print(ns, &b);
    return buf_steal(&b);
}

static int whole_seconds(const config_t *c, lh_error_t *err)
{
    const int64_t ld = c->leader_election.lease_duration;

    if (ld % CLOCK_S == 0)
        return 0;
    host_cleanup(host_freep) char *text = text_of(ld);

    return host_fail(
        err, LH_EINVAL,
        "leaderElection.leaseDuration must be a whole number of seconds: it is %s (%s)", text,
        origin_of(c, "leaderElection.leaseDuration"));
}

/* What others wait, less what clocks may differ, covers the deadline and the forced stop. */
static int lease_covers_deadline(const config_t *c, lh_error_t *err)
{
    const int64_t ld = c->leader_election.lease_duration, rd = c->leader_election.renew_deadline;
    const double rho = c->leader_election.clock_skew;
    const int64_t safe = (int64_t) ((double) ld * (1 - 2 * rho)), needed = rd + c->stop_budget;

    if (safe >= needed)
        return 0;
    host_cleanup(host_freep) char *ld_text = text_of(ld);
    host_cleanup(host_freep) char *rd_text = text_of(rd);
    host_cleanup(host_freep) char *stop_text = text_of(c->stop_budget);

    return host_fail(err, LH_EINVAL,
                     "leaderElection: leaseDuration * (1 - 2 * clockSkew) must be at least "
                     "renewDeadline + stopBudget: %s (%s) * (1 - 2 * %g) is less than %s (%s) + %s "
                     "(%s)",
                     ld_text, origin_of(c, "leaderElection.leaseDuration"), rho, rd_text,
                     origin_of(c, "leaderElection.renewDeadline"), stop_text,
                     origin_of(c, "stopBudget"));
}

static int deadline_covers_retries(const config_t *c, lh_error_t *err)
{
    const int64_t rd = c->leader_election.renew_deadline, rp = c->leader_election.retry_period;

    if (rd >= 2 * rp)
        return 0;
    host_cleanup(host_freep) char *rd_text = text_of(rd);
    host_cleanup(host_freep) char *rp_text = text_of(rp);

    return host_fail(err, LH_EINVAL,
                     "leaderElection: renewDeadline must be at least 2 * retryPeriod: %s (%s) is "
                     "less than 2 * %s (%s)",
                     rd_text, origin_of(c, "leaderElection.renewDeadline"), rp_text,
                     origin_of(c, "leaderElection.retryPeriod"));
}

/* The name travels in a header, and the term is that of the Lease. */
static int fencing_can_work(const config_t *c, lh_error_t *err)
{
    const size_t len = strlen(c->name);

    if (c->fencing != CONFIG_FENCING_SERVER)
        return 0;
    if (!c->leader_election.enabled)
        return host_fail(err, LH_EINVAL,
                         "fencing: server (%s) needs leaderElection.enabled, which is false (%s)",
                         origin_of(c, "fencing"), origin_of(c, "leaderElection.enabled"));
    for (const char *p = c->name; *p != '\0'; p++) {
        if (*p < ' ' || *p > '~' || c->name[0] == ' ' || c->name[len - 1] == ' ')
            return host_fail(err, LH_EINVAL,
                             "fencing: server (%s) needs a name of printable ASCII that does not "
                             "begin or end with a space (%s)",
                             origin_of(c, "fencing"), origin_of(c, "name"));
    }
    return 0;
}

int config_check_rules(const config_t *c, lh_error_t *err)
{
    int rc = whole_seconds(c, err);

    if (rc == 0)
        rc = lease_covers_deadline(c, err);
    if (rc == 0)
        rc = deadline_covers_retries(c, err);
    return rc < 0 ? rc : fencing_can_work(c, err);
}

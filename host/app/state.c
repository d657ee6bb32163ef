/* SPDX-License-Identifier: Apache-2.0 */
#include "app/app_impl.h"
#include "base/error.h"
#include "base/file.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define ADVICE                                                                                     \
    "; stateDir must be a private, writable directory on a file system that allows execution, "    \
    "in a pod for example an emptyDir volume"

static int check_dir(const char *dir, lh_error_t *err)
{
    struct stat st;
    struct statvfs fs;

    if (stat(dir, &st) < 0 || statvfs(dir, &fs) < 0)
        return host_fail(err, LH_EIO, "stateDir '%s': %s" ADVICE, dir, strerror(errno));
    if (access(dir, W_OK | X_OK) < 0)
        return host_fail(err, LH_EPERM, "stateDir '%s' is not writable" ADVICE, dir);
    if ((fs.f_flag & ST_NOEXEC) != 0)
        return host_fail(err, LH_EPERM, "stateDir '%s' is mounted noexec" ADVICE, dir);
    if (st.st_uid != geteuid() && st.st_uid != 0) /* a pod's emptyDir belongs to root */
        return host_fail(err, LH_EPERM, "stateDir '%s' belongs to uid %u" ADVICE, dir,
                         (unsigned) st.st_uid);
    return 0;
}

/* The name of an identity's directory: it is bound to the Lease and to Name, whatever characters
 * these hold. */
static int identity_digest(const config_t *config, const char *lease_namespace, char out[65],
                           lh_error_t *err)
{
    host_cleanup(host_freep) char *text =
        host_xprintf("%s/%s/%s", lease_namespace, config->leader_election.id, config->name);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (EVP_Digest(text, strlen(text), digest, &len, EVP_sha256(), NULL) != 1)
        return host_fail(err, LH_EIO, "SHA-256 is not available");
    for (unsigned i = 0; i < len; i++) {
        out[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    out[(size_t) 2 * len] = '\0';
    return 0;
}

int app_state_open(const config_t *config, const char *lease_namespace, char **dir, lh_error_t *err)
{
    char digest[65];
    lh_error_t cause = {0};
    int ret = file_make_dirs(config->state_dir, 0700, &cause);

    if (ret < 0)
        return host_fail(err, ret, "stateDir: %s" ADVICE, cause.text);
    ret = check_dir(config->state_dir, err);
    if (ret == 0)
        ret = identity_digest(config, lease_namespace, digest, err);
    if (ret < 0)
        return ret;
    host_cleanup(host_freep) char *own = host_xprintf("%s/instances/%s", config->state_dir, digest);
    ret = file_make_dirs(own, 0700, err);
    if (ret < 0)
        return host_error_wrap(err, ret, "stateDir");
    *dir = host_steal(own);
    return 0;
}

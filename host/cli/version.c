/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verb.h"

#include <curl/curl.h>
#include <leasehold/abi.h>
#include <openssl/crypto.h>

int cli_version(const cli_args_t *args)
{
    const char *curl = curl_version_info(CURLVERSION_NOW)->version;
    const char *openssl = OpenSSL_version(OPENSSL_VERSION_STRING);
    buf_t out = BUF_INIT;

    buf_printf(&out,
               args->json
                   ? "{\"version\":\"%s\",\"abi\":%u,\"libcurl\":\"%s\",\"openssl\":\"%s\"}\n"
                   : "leasehold %s, plugin ABI %u, libcurl %s, OpenSSL %s\n",
               LEASEHOLD_VERSION, LH_ABI_MAJOR, curl, openssl);
    return cli_print(&out);
}

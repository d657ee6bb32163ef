/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that a plugin needs, in one line. Not in it: cjson.h, which needs cJSON.
 *
 * In the order in which a newcomer reads them: plugin.h (what a plugin exports), types.h (what it
 * is asked), sync.h (the easy way to answer), host.h (what it can ask for, with the contracts),
 * api.h, cache.h and service.h (the same as plain functions), json.h, json_write.h and json_covers.h
 * (reading, making and comparing objects), error.h, manifest.h.
 */
#ifndef LEASEHOLD_H
#define LEASEHOLD_H

#include <leasehold/abi.h>
#include <leasehold/api.h>
#include <leasehold/cache.h>
#include <leasehold/error.h>
#include <leasehold/host.h>
#include <leasehold/json.h>
#include <leasehold/json_covers.h>
#include <leasehold/json_write.h>
#include <leasehold/manifest.h>
#include <leasehold/plugin.h>
#include <leasehold/service.h>
#include <leasehold/sync.h>
#include <leasehold/types.h>

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that a plugin needs, in one line. Not in it: cjson.h, which needs cJSON.
 *
 * In the order in which a newcomer reads them: plugin.h (what a plugin exports), types.h (what it
 * is asked), sync.h (the easy way to answer), host.h (what it can ask for, with the contracts),
 * api.h, cache.h and service.h (the same as plain functions), json.h, json_write.h, json_edit.h and
 * json_covers.h (reading, making, changing and comparing objects), error.h, manifest.h. On top of these:
 * ref.h, client.h, list.h, apply.h (the server's verbs), ensure.h, ensure_async.h, retry.h, owner.h,
 * finalizer.h, conditions.h (what most controllers do with them), labels.h, selector.h,
 * label_selector.h, quantity.h, quantity_math.h, time.h, duration.h (values in objects).
 */
#ifndef LEASEHOLD_H
#define LEASEHOLD_H

#include <leasehold/abi.h>
#include <leasehold/api.h>
#include <leasehold/apply.h>
#include <leasehold/cache.h>
#include <leasehold/client.h>
#include <leasehold/conditions.h>
#include <leasehold/duration.h>
#include <leasehold/ensure.h>
#include <leasehold/ensure_async.h>
#include <leasehold/ensuring.h>
#include <leasehold/error.h>
#include <leasehold/finalizer.h>
#include <leasehold/host.h>
#include <leasehold/json.h>
#include <leasehold/json_covers.h>
#include <leasehold/json_edit.h>
#include <leasehold/json_write.h>
#include <leasehold/label_selector.h>
#include <leasehold/labels.h>
#include <leasehold/list.h>
#include <leasehold/managed_fields.h>
#include <leasehold/manifest.h>
#include <leasehold/owner.h>
#include <leasehold/plugin.h>
#include <leasehold/quantity.h>
#include <leasehold/quantity_math.h>
#include <leasehold/ref.h>
#include <leasehold/retry.h>
#include <leasehold/selector.h>
#include <leasehold/service.h>
#include <leasehold/sync.h>
#include <leasehold/time.h>
#include <leasehold/types.h>

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "lease/mail.h"

#include <stdatomic.h>

enum kind { BEGIN, END, OBSERVED };

typedef struct letter {
    list_t link;
    enum kind kind;
    fence_t *fence; /* of BEGIN */
    enum lease_end end;
    int64_t until;
    char *text; /* uid, reason or holder */
    bool mine;
} letter_t;

struct lease_mail {
    loop_t *owner;
    lease_events_t events;
    loop_task_t task;
    fence_t *term;
    char *uid;               /* of the Lease of the last term; NULL: there was none */
    bool delivering, closed; /* the owner's */
    _Atomic bool acting;
    pthread_mutex_t lock;
    list_t letters; /* under lock */
};

static letter_t *take_letter(lease_mail_t *m)
{
    pthread_mutex_lock(&m->lock);
    list_t *node = list_pop(&m->letters);

    pthread_mutex_unlock(&m->lock);
    return node != NULL ? LIST_ENTRY(node, letter_t, link) : NULL;
}

static void letter_free(letter_t *l)
{
    fence_unref(l->fence);
    free(l->text);
    free(l);
}

static void mail_free(lease_mail_t *m)
{
    letter_t *l;

    while ((l = take_letter(m)) != NULL)
        letter_free(l);
    fence_unref(m->term);
    free(m->uid);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static void deliver_one(lease_mail_t *m, letter_t *l)
{
    const lease_events_t *to = &m->events;

    switch (l->kind) {
    case BEGIN:
        m->term = fence_ref(l->fence);
        free(m->uid);
        m->uid = host_steal(l->text);
        to->on_begin(to->arg, host_steal(l->fence));
        break;
    case END:
        fence_unref(host_steal(m->term));
        atomic_store(&m->acting, false);
        to->on_end(to->arg, l->end, l->until, l->text);
        break;
    default:
        to->on_observed(to->arg, l->text, l->mine);
        break;
    }
}

static void deliver(loop_task_t *task)
{
    lease_mail_t *m = HOST_CONTAINER(task, lease_mail_t, task);
    letter_t *l;

    m->delivering = true;
    while (!m->closed && (l = take_letter(m)) != NULL) {
        deliver_one(m, l);
        letter_free(l);
    }
    m->delivering = false;
    if (m->closed)
        mail_free(m);
}

static void send(lease_mail_t *m, const letter_t *letter)
{
    letter_t *l = host_xcalloc(1, sizeof(*l));

    *l = *letter;
    pthread_mutex_lock(&m->lock);
    list_append(&m->letters, &l->link);
    pthread_mutex_unlock(&m->lock);
    loop_post(m->owner, &m->task);
}

void lease_mail_begin(lease_mail_t *m, fence_t *fence, const char *uid)
{
    atomic_store(&m->acting, true);
    send(m, &(letter_t){.kind = BEGIN, .fence = fence, .text = host_xstrdup(uid)});
}

void lease_mail_end(lease_mail_t *m, enum lease_end end, int64_t until, const char *reason)
{
    send(m, &(letter_t){.kind = END, .end = end, .until = until, .text = host_xstrdup(reason)});
}

void lease_mail_observed(lease_mail_t *m, const char *holder, bool mine)
{
    send(m, &(letter_t){.kind = OBSERVED, .text = host_xstrdup(holder), .mine = mine});
}

fence_t *lease_mail_term(const lease_mail_t *m)
{
    return m->term;
}

const char *lease_mail_uid(const lease_mail_t *m)
{
    return m->uid != NULL ? m->uid : "";
}

bool lease_mail_acting(const lease_mail_t *m)
{
    return atomic_load(&m->acting);
}

lease_mail_t *lease_mail_create(loop_t *owner, const lease_events_t *events)
{
    lease_mail_t *m = host_xcalloc(1, sizeof(*m));

    m->owner = owner;
    m->events = *events;
    m->task.fn = deliver;
    pthread_mutex_init(&m->lock, NULL);
    list_init(&m->letters);
    return m;
}

void lease_mail_close(lease_mail_t *m)
{
    m->closed = true;
    loop_withdraw(m->owner, &m->task);
    if (!m->delivering)
        mail_free(m);
}

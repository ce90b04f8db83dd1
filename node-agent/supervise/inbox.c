#include "node-agent/supervise/inbox.h"

bool inbox_init(struct inbox *inbox, struct err *err)
{
    *inbox = (struct inbox){.bell.fd = -1};
    inbox->last = &inbox->first;
    lock_init(&inbox->lock, LOCK_AGENT_QUEUE);
    return bell_init(&inbox->bell, err);
}

void inbox_done(struct inbox *inbox)
{
    bell_done(&inbox->bell);
    lock_done(&inbox->lock);
}

void inbox_put(struct inbox *inbox, struct message *message)
{
    message->next = NULL;
    lock_take(&inbox->lock);
    *inbox->last = message;
    inbox->last = &message->next;
    lock_release(&inbox->lock);
    bell_ring(&inbox->bell);
}

struct message *inbox_take(struct inbox *inbox)
{
    WITH_LOCK(&inbox->lock);
    struct message *message = inbox->first;

    if (!message)
        return NULL;
    inbox->first = message->next;
    if (!inbox->first)
        inbox->last = &inbox->first;
    return message;
}

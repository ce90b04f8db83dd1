#include "dns/rate.h"

#include "base/limits.h"

enum rate_word reply_rate_take(struct reply_rates *rates, uint32_t network, int64_t second)
{
    struct reply_rate *rate = &rates->places[(network ^ network >> 16) % RATE_PLACES];
    if (rate->network != network || rate->second != second)
        *rate = (struct reply_rate){network, second, 0};
    if (rate->count < INT32_MAX)
        rate->count++;
    if (rate->count <= LIMIT_DNS_RATE)
        return RATE_ANSWER;
    return rate->count % 2 == 0 ? RATE_CUT : RATE_NONE;
}

#include "store/row_id.h"

#include "base/err.h"

#include <ctype.h>

enum { KEY_DIGITS = 12, KEY_BITS = 4 * KEY_DIGITS, DASH_AT = 8, VERSION_AT = 14 };

void row_id(int64_t key, char out[ID_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    CHECK(key > 0 && key >> KEY_BITS == 0);
    id_random(out);
    for (int i = 0; i < KEY_DIGITS; i++)
        out[i < DASH_AT ? i : i + 1] = hex[key >> (KEY_BITS - 4 - 4 * i) & 15];
    out[VERSION_AT] = '8';
}

static int digit(char letter)
{
    return letter <= '9' ? letter - '0' : tolower((unsigned char)letter) - 'a' + 10;
}

int64_t row_id_key(const char *id)
{
    int64_t key = 0;
    if (!id_valid(id) || id[VERSION_AT] != '8')
        return 0;
    for (int i = 0; i < KEY_DIGITS; i++)
        key = key << 4 | digit(id[i < DASH_AT ? i : i + 1]);
    return key;
}

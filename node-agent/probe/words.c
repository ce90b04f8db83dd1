#include "node-agent/probe/words.h"

#include "base/text.h"

#include <string.h>

/* Cut at a character's end, without blanks around it, "?" for what is no text. */
static void plain(const char *bytes, char out[PROBE_TEXT_SIZE])
{
    size_t left = strlen(bytes), used = 0;

    for (; left > 0 && strchr(" \t\r\n", *bytes); bytes++)
        left--;
    while (left > 0) {
        size_t size = text_utf8_size(bytes, left), taken = size > 0 ? size : 1;
        bool odd =
            size == 0 || (size == 1 && (unsigned char)*bytes < ' ' && !strchr("\t\n", *bytes));
        if (used + taken >= PROBE_TEXT_SIZE)
            break;
        memcpy(out + used, odd ? "?" : bytes, odd ? 1 : size);
        used += odd ? 1 : size;
        bytes += taken;
        left -= taken;
    }
    while (used > 0 && strchr(" \t\r\n", out[used - 1]))
        used--;
    out[used] = '\0';
}

void words_of_command(const char *output, int exit_code, char out[PROBE_TEXT_SIZE])
{
    plain(output, out);
    if (!out[0])
        text_format(out, PROBE_TEXT_SIZE, "the command ended with %d", exit_code);
}

void words_of_timeout(const char *output, int64_t timeout_ms, char out[PROBE_TEXT_SIZE])
{
    char said[PROBE_TEXT_SIZE];

    plain(output, said);
    text_format(out, PROBE_TEXT_SIZE, "the command ran longer than %lld s%s%s",
                (long long)timeout_ms / 1000, said[0] ? ": " : "", said);
}

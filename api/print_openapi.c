/* Prints the contract; openapi/make writes it to its file, and the test compares. */
#include "api/openapi.h"

#include <stdio.h>

enum { DOCUMENT_MAX = 4 << 20 };

int main(void)
{
    AUTO(text) *out = text_new(DOCUMENT_MAX);

    openapi_print(out);
    if (!text_ok(out)) {
        fputs("print-openapi: out of memory\n", stderr);
        return 1;
    }
    return puts(out->bytes) < 0 || fflush(stdout) != 0;
}

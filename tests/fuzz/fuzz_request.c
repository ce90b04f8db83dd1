/* The head of a request to the metadata address, from a container that may send anything. */
#include "node-agent/metadata/request.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct request request;
    size_t head_size = request_head_size((const char *)bytes, size);
    AUTO_FREE char *head = malloc(head_size + 1);

    if (!head)
        return 0;
    memcpy(head, bytes, head_size);
    head[head_size] = '\0';
    if (!request_read(head, &request))
        return 0;
    for (size_t i = 0; i < request.headers_count; i++)
        if (!request_header(&request, request.headers[i].name))
            abort();
    for (size_t i = 0; i < request.arguments_count; i++)
        if (!request_argument(&request, request.arguments[i].name))
            abort();
    return 0;
}

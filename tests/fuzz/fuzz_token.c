/* What a client brings as a token: nothing but what our own key signed is taken, and that cannot be
 * made up. */
#include "api/auth/token.h"
#include "base/file.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A key of its own, forgotten by the disk at once. */
static struct signer *signer_for_once(void)
{
    char folder[] = "/tmp/berth-fuzz-XXXXXX";
    struct err err = {0};

    CHECK(mkdtemp(folder));
    struct signer *signer = signer_open(folder, &err);
    CHECK(file_remove_tree(folder, &err) && signer);
    return signer;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct signer *signer;
    AUTO(arena) *arena = arena_new(1 << 20);
    struct claims claims;
    struct err err = {0};

    if (!signer)
        signer = signer_for_once();
    const char *token = arena_text_n(arena, (const char *)bytes, size);
    CHECK(!token ||
          (!token_read(signer, token, arena, &claims, &err) && err.code == ERR_UNAUTHENTICATED));
    return 0;
}

/* A share that rclone serves, when its group goes: first the last writes, then rclone. */
#include "base/file.h"
#include "base/limits.h"
#include "node-agent/volume/inside.h"

#include <fts.h>
#include <string.h>
#include <time.h>

enum { META_MAX = 1 << 20, LOOK_AGAIN_MS = 50 };

static bool is_dirty(const char *meta)
{
    AUTO_FREE char *json = NULL;
    struct err gone = {0};
    size_t size;

    return file_read(meta, META_MAX, &json, &size, &gone) && strstr(json, "\"Dirty\": true");
}

/* rclone notes beside each file of its cache whether the share has it. */
static bool anything_is_dirty(const char *cache)
{
    char notes[VOLUME_PATH_SIZE];
    char *roots[] = {notes, NULL};
    bool dirty = false;

    if (!text_format(notes, sizeof notes, "%s/vfsMeta", cache))
        return false;
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *entry; walk && !dirty && (entry = fts_read(walk));)
        dirty = entry->fts_info == FTS_F && is_dirty(entry->fts_path);
    if (walk)
        fts_close(walk);
    return dirty;
}

static void wait_until_clean(const char *cache, const char *data)
{
    struct timespec pause = {.tv_nsec = LOOK_AGAIN_MS * 1000000L};
    pid_t pid;

    for (int64_t waited = 0; waited < LIMIT_VOLUME_FLUSH_MS; waited += LOOK_AGAIN_MS) {
        if (!anything_is_dirty(cache) || served_find(data, &pid, 1) == 0)
            return;
        nanosleep(&pause, NULL);
    }
}

void share_rclone_end(const char *folder, bool flush)
{
    char data[VOLUME_PATH_SIZE], cache[VOLUME_PATH_SIZE];

    if (!text_format(data, sizeof data, "%s/data", folder) ||
        !text_format(cache, sizeof cache, "%s/cache", folder) || !file_exists(cache))
        return; /* no share */
    if (flush)
        wait_until_clean(cache, data);
    served_end(data);
}

bool share_rclone_serves(const char *folder)
{
    char data[VOLUME_PATH_SIZE];
    pid_t pid;

    return text_format(data, sizeof data, "%s/data", folder) && served_find(data, &pid, 1) > 0;
}

#include "node-agent/meter/journal.h"

#include "base/file.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>

enum { OVERGROWN_MIN = 4 << 20 };

bool journal_init(struct journal *journal, const char *folder, struct err *err)
{
    *journal = (struct journal){.fd = -1};
    if (!text_format(journal->path, sizeof journal->path, "%s/journal", folder))
        return err_set(err, ERR_INVALID, "the name of the meter's folder is too long");
    return file_make_folders(folder, 0700, err);
}

void journal_close(struct journal *journal)
{
    auto_close_fd(&journal->fd);
}

bool journal_read(const struct journal *journal, char **bytes, size_t *size, struct err *err)
{
    struct err why;
    if (file_read(journal->path, (size_t)LIMIT_METER_JOURNAL_MAX, bytes, size, &why))
        return true;
    *bytes = NULL;
    *size = 0;
    if (why.code == ERR_NOT_FOUND)
        return true;
    *err = why;
    return false;
}

bool journal_append(struct journal *journal, const struct text *records, struct err *err)
{
    size_t done = 0;
    if (!text_ok(records))
        return err_set(err, ERR_BUSY, "no memory for the meter's records");
    while (done < records->size) {
        ssize_t wrote = write(journal->fd, records->bytes + done, records->size - done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0) {
            err_set_os(err, ERR_STORAGE, errno, "cannot write to %s", journal->path);
            journal->broken = ftruncate(journal->fd, journal->size) != 0;
            return false;
        }
        done += (size_t)wrote;
    }
    journal->size += (int64_t)done;
    return true;
}

bool journal_sync(int fd, struct err *err)
{
    if (fdatasync(fd) != 0)
        return err_set_os(err, ERR_STORAGE, errno, "the disk did not take the meter's journal");
    return true;
}

bool journal_rewrite(struct journal *journal, const struct text *records, struct err *err)
{
    if (!text_ok(records))
        return err_set(err, ERR_BUSY, "no memory to write the meter's journal anew");
    if (!file_replace(journal->path, records->bytes, records->size, 0600, true, err))
        return false;
    int fd = open(journal->path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0) {
        journal->broken = true; /* the open file is the old one */
        return err_set_os(err, ERR_STORAGE, errno, "cannot open %s", journal->path);
    }
    journal_close(journal);
    journal->fd = fd;
    journal->size = journal->rewritten_size = (int64_t)records->size;
    journal->broken = false;
    return true;
}

bool journal_overgrown(const struct journal *journal)
{
    return journal->size > OVERGROWN_MIN && journal->size > 2 * journal->rewritten_size;
}

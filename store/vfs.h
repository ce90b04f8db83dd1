/* How the writer's and the checkpointer's connections give their files to the disk: a "VFS" of SQLite.
 *
 * The log: SQLite writes each page of a commit as two calls, a head of 24 bytes and the page. The kernel takes a second
 * as long for forty small pieces as for one large one, and the commit waits for all of it. So what is written to the log
 * is kept in memory until it must be there: when SQLite syncs, reads, measures, cuts or closes the file. And the file
 * grows ahead of what is written, by zeros: the sync of a commit that makes a file longer waits for the file
 * system's journal too, twice as long as one that does not.
 *
 * The database: a checkpoint writes some 60 MiB and syncs once, and each commit meanwhile waits behind all of that.
 * So it is synced piece by piece. A cut to the length that it has, the end of each checkpoint, is left out: it waits for
 * the journal and changes nothing.
 *
 * What that rests on: with `synchronous=full` (sql/connection.sql) the log is synced before any other connection is
 * told of its new pages, so nobody looks for a page that is not in the file yet; a commit is on the disk when it
 * returns, as without it. Zeros behind the last commit are no page to SQLite: their checksums are wrong.
 *
 * Not for: connections that commit without a sync.   Threads: any; one file belongs to its connection. */
#ifndef STORE_VFS_H
#define STORE_VFS_H

#include <stdbool.h>

struct sqlite3_file;

/* The name to open a database by; NULL: SQLite's usual way must do. */
const char *vfs_name(void);

/* From now on the syncs of commits are left to the caller; those that a checkpoint rests on are not. False: it is no
 * log that this VFS opened. */
bool vfs_leave_sync(struct sqlite3_file *log);

#endif

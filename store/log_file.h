/* How the writer's connection gives its log to the disk: the pages of one commit in one piece.
 *
 * SQLite writes each page of a commit as two calls, a head of 24 bytes and the page. The kernel takes a second as long
 * for forty small pieces as for one large one, and the commit waits for all of it. So what is written to the log is kept
 * in memory until it must be there: when SQLite syncs, reads, measures, cuts or closes the file.
 *
 * What that rests on: with `synchronous=full` (sql/connection.sql) the log is synced before any other connection is
 * told of its new pages, so nobody looks for a page that is not in the file yet; a commit is on the disk when it
 * returns, as without it.
 *
 * Not for: connections that commit without a sync.   Threads: any; one file belongs to its connection. */
#ifndef STORE_LOG_FILE_H
#define STORE_LOG_FILE_H

/* The name to open a database by; NULL: SQLite's usual way must do. */
const char *log_file_way(void);

#endif

/* sqlite_guard.h: between the files that see sqlite3.h: what a connection to a hostile database may do. */
#ifndef BH_FORMAT_SQLITE_GUARD_H
#define BH_FORMAT_SQLITE_GUARD_H

#include <sqlite3.h>
#include <stdint.h>

/* No triggers, views and extensions of the database; and only what the authorizer lets through. */
void bh_sqlite_restrict(sqlite3 *c, int (*authorize)(void *ctx, int action, const char *a, const char *b, const char *c, const char *d), uint64_t *steps_left);

/* For bh_sqlite_restrict, of a database of that many bytes. */
uint64_t bh_sqlite_steps(uint64_t bytes);

#endif

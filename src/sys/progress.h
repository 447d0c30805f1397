/*
 * progress.h: one progress bar on stderr when it is a terminal, nothing otherwise. Redrawn at most 10 times a second,
 * erased before log lines (base/log.h hook) and at the end.
 */
#ifndef BH_SYS_PROGRESS_H
#define BH_SYS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct bh_progress; /* NULL is a valid silent one */

enum bh_progress_unit { BH_PROGRESS_BYTES, BH_PROGRESS_ITEMS };

struct bh_progress *bh_progress_new(const char *title, uint64_t total, enum bh_progress_unit unit, bool quiet); /* total 0 = unknown */
void bh_progress_set(struct bh_progress *p, uint64_t done);
void bh_progress_title(struct bh_progress *p, const char *title);
void bh_progress_hide(struct bh_progress *p); /* until it is set again: something else is about to be written */
void bh_progress_free(struct bh_progress *p); /* erases the bar */

#endif

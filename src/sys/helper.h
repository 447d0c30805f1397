/*
 * helper.h: a process of the program's own that may do what parsers may not: open connections, read the user's credentials, start
 * programs. So neither the process that prints nor the children it forks ever hold a password, and the one that does hold it reads
 * nothing of what it fetches.
 *
 *   the program                                    the helper (no standard input or output, not traceable, dies with the program)
 *   bh_helper_start(serve) ───────── fork ───────► loop: serve(type, payload) ─► reply [+ descriptor]
 *   bh_helper_call(type, payload) ──────────────►
 *        reply [+ descriptor] or error ◄─────────
 */
#ifndef BH_SYS_HELPER_H
#define BH_SYS_HELPER_H

#include "sys/child.h"

struct bh_helper;

/* In the helper, for each call. reply as for a child; a negative return is what bh_helper_call returns. */
typedef int bh_helper_serve(void *ctx, uint16_t type, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err);

/* ctx is copied by the fork. Descriptors that the program has open are closed in the helper, but for standard error. */
int bh_helper_start(bh_helper_serve *serve, void *ctx, struct bh_helper **ret, struct bh_err *err) BH_MUST_CHECK;

/* Waits for the answer; an interrupt ends the wait and the helper. *ret_fd is -1 unless a descriptor came; NULL: none is expected. */
int bh_helper_call(struct bh_helper *h, uint16_t type, struct bh_slice payload, struct bh_buf *reply, int *ret_fd, struct bh_err *err) BH_MUST_CHECK;

void bh_helper_stop(struct bh_helper *h); /* NULL is fine */

/*
 * A process of the helper's own: runs `run` with nothing open but the writing end of a pipe, whose reading end is *ret_fd, and ends.
 * *ret_status_fd: read its outcome from there with bh_helper_outcome, which waits for it.
 */
int bh_helper_spawn(int (*run)(void *ctx, int out_fd, struct bh_err *err), void *ctx, int *ret_fd, int *ret_status_fd,
		    struct bh_err *err) BH_MUST_CHECK;
int bh_helper_outcome(int status_fd, struct bh_err *err);

#endif

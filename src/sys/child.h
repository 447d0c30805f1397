/*
 * child.h: run a function in a sandboxed child process and talk to it over a message table (DESIGN section 2).
 *
 *   parent                                         child (no network, no new files, no exec, limited memory/CPU/output)
 *   bh_children_run(specs) ─────── fork ─────────► spec->run(channel, ctx)
 *   handler(type, payload) ◄────── request ─────── bh_channel_call(type, payload) ... waits for the reply
 *        reply(payload [+ fd]) ────────────────►
 *   handler(type, payload) ◄────── event ───────── bh_channel_send(type, payload)        no reply
 *   results[i], errs[i] ◄───────────────────────── return 0: done; negative: failed, with its struct bh_err
 *
 * Children are forked before the parent holds any credential, close every descriptor they were not given, forget the
 * environment but BULKHEAD_*, and apply the sandbox (sandbox.h) before they touch the first hostile byte. They can open
 * nothing: what a library loads on first use (gconv, locales, OpenSSL's configuration) must be loaded before the fork. A
 * child that dies, is killed, stalls or breaks the protocol ends as BH_ECHILD with a sentence that says which limit or signal
 * it was.
 */
#ifndef BH_SYS_CHILD_H
#define BH_SYS_CHILD_H

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/slice.h"

struct bh_channel; /* the child's end */

struct bh_child_limits {
	uint64_t memory_bytes;   /* address space and resident; 0 = 1 GiB */
	uint32_t cpu_seconds;    /* total CPU time; 0 = 3600 */
	uint32_t stall_seconds;  /* longest wall time without any message to the parent; 0 = 60 */
	uint64_t output_bytes;   /* all messages together; 0 = 1 GiB */
};

/* Set from --no-sandbox (debugging only; the command warns): children run without seccomp, Landlock and rlimits. */
void bh_child_disable_sandbox(void);

/* "seccomp, Landlock ABI 7, user nobody, ...": the layers that children of this process get here. A static buffer. */
const char *bh_sandbox_describe(void);

/* For processes of one's own that need files or the network, which a sandbox has not: root becomes nobody, or keeps_root stays what owns its files; without capabilities, for good. */
void bh_drop_user(bool keeps_root);

/* ---- the child's side ---- */

/*
 * Sends one message, perhaps together with the next ones: it may wait in the child until then, at most 5 ms as long as the child sends, reports progress or asks at all, and until its
 * end. Fails when the parent is gone. Type: 16 bits, meaning agreed by both ends; payload <= BH_FRAME_BYTES_MAX.
 */
int bh_channel_send(struct bh_channel *ch, uint16_t type, struct bh_slice payload, struct bh_err *err) BH_MUST_CHECK;

/* Sends what waits, now: for a child that goes on for long and whose messages somebody waits for. */
int bh_channel_flush(struct bh_channel *ch, struct bh_err *err) BH_MUST_CHECK;

/* Sends a request and waits for its reply. *ret_fd is -1 unless the parent attached a descriptor. reply: cleared first. */
int bh_channel_call(struct bh_channel *ch, uint16_t type, struct bh_slice payload, struct bh_buf *reply, int *ret_fd, struct bh_err *err)
	BH_MUST_CHECK;

/* Tells the parent "still working, this many bytes done" at most every ~50 ms; cheap to call often. Feeds watchdog and progress bar. */
void bh_channel_progress(struct bh_channel *ch, uint64_t done_bytes);

/* ---- the parent's side ---- */

struct bh_child_reply {
	struct bh_buf *payload; /* what goes back (only for requests); cleared before the handler runs */
	int fd;                 /* -1, or a descriptor to pass: open for reading only, as nothing else is allowed to the child */
	bool close_fd;          /* close it when it is sent; otherwise it stays open until the child asks again or ends */
};

struct bh_child_spec {
	const char *name; /* for messages: "layer sha256:..." */
	int (*prepare)(void *ctx, struct bh_err *err);                             /* in the child, before it locks itself in: starts threads; may be NULL */
	int (*run)(struct bh_channel *ch, void *ctx, struct bh_err *err);          /* in the child */
	/* In the parent, for each message. is_request: fill *reply. A negative return kills the child and becomes its result. */
	int (*handle)(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err);
	void (*progress)(void *ctx, uint64_t done_bytes);                           /* in the parent; may be NULL */
	void *ctx;
	struct bh_child_limits limits;
};

/*
 * Runs n specs, at most `parallel` children at a time, in one poll loop; handlers run in the calling thread. results[i]
 * is 0 or the negative code, errs[i] its text. Returns 0 when all ran (whatever their results), BH_ECANCELLED when
 * bh_interrupted() became true (all children killed and reaped), or a negative code when the loop itself failed.
 */
int bh_children_run(struct bh_child_spec *specs, size_t n, size_t parallel, int *results, struct bh_err *errs, struct bh_err *err) BH_MUST_CHECK;

#endif

/*
 * broker.h: what runs in the helper process: a backend (a registry, a daemon) behind three questions.
 *
 *   BROKER_START     empty              -> the target's full name; fails when it is not there or access is refused
 *   BROKER_OPEN      u64 max, name      -> descriptor: documents complete in memory, streams from a process of their own
 *   BROKER_OUTCOME   name               -> nothing, or why the stream of that name broke off
 */
#ifndef BH_REGISTRY_BROKER_H
#define BH_REGISTRY_BROKER_H

#include "base/buf.h"
#include "sys/child.h"

enum broker_question { BROKER_START = 1, BROKER_OPEN, BROKER_OUTCOME };

#define BROKER_NAME_BYTES 200u
#define BROKER_STREAMS_MAX 600u /* at once: BH_LAYERS_MAX and a few */

struct broker_backend {
	int (*start)(void *ctx, struct bh_buf *name, struct bh_err *err);
	/* Is this name a stream? Else document() gives it whole. */
	bool (*streams)(void *ctx, const char *name);
	int (*document)(void *ctx, const char *name, struct bh_buf *out, struct bh_err *err);
	/* In a process of its own: writes to out_fd until all is there. */
	int (*stream)(void *ctx, const char *name, uint64_t max_bytes, int out_fd, struct bh_err *err);
	void *ctx;
};

struct broker_stream {
	char name[BROKER_NAME_BYTES];
	int status_fd;
};

struct broker {
	struct broker_backend backend;
	struct broker_stream streams[BROKER_STREAMS_MAX];
	size_t n_streams;
};

/* A bh_helper_serve; ctx: struct broker. */
int broker_serve(void *ctx, uint16_t type, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err);

#endif

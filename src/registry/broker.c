/* broker.c: see broker.h. */
#include "registry/broker.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/reader.h"
#include "sys/files.h"
#include "sys/helper.h"

#include <stdio.h>
#include <unistd.h>

static int open_document(struct broker *b, const char *name, uint64_t max_bytes, int *ret, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf out = { 0 };
	bh_buf_init(&out, max_bytes < BH_WANTED_FILE_BYTES_MAX ? (size_t)max_bytes : BH_WANTED_FILE_BYTES_MAX);
	int rc = b->backend.document(b->backend.ctx, name, &out, err);
	return rc < 0 ? rc : bh_memory_text(bh_buf_slice(&out), ret, err);
}

struct transfer {
	const struct broker *broker;
	const char *name;
	uint64_t max_bytes;
};

static int run_transfer(void *ctx, int out_fd, struct bh_err *err)
{
	const struct transfer *t = ctx;
	return t->broker->backend.stream(t->broker->backend.ctx, t->name, t->max_bytes, out_fd, err);
}

static struct broker_stream *find_stream(struct broker *b, const char *name)
{
	for (size_t i = 0; i < b->n_streams; i++)
		if (strcmp(b->streams[i].name, name) == 0)
			return &b->streams[i];
	return NULL;
}

static int open_stream(struct broker *b, const char *name, uint64_t max_bytes, int *ret, struct bh_err *err)
{
	struct broker_stream *s = find_stream(b, name);
	if (s) { /* a second pass: what became of the first one is known by now */
		(void)close(s->status_fd);
		*s = b->streams[--b->n_streams];
	}
	if (b->n_streams == BROKER_STREAMS_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "more than %u transfers", BROKER_STREAMS_MAX);
	struct transfer t = { b, name, max_bytes };
	int status = -1;
	int rc = bh_helper_spawn(run_transfer, &t, ret, &status, err);
	if (rc < 0)
		return rc;
	s = &b->streams[b->n_streams++];
	snprintf(s->name, sizeof(s->name), "%s", name);
	s->status_fd = status;
	return 0;
}

static int outcome(struct broker *b, const char *name, struct bh_err *err)
{
	struct broker_stream *s = find_stream(b, name);
	if (!s)
		return 0;
	int status = s->status_fd;
	*s = b->streams[--b->n_streams];
	int rc = bh_helper_outcome(status, err);
	(void)close(status);
	return rc;
}

int broker_serve(void *ctx, uint16_t type, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	struct broker *b = ctx;
	struct bh_reader r = bh_reader_of(payload);
	uint64_t max_bytes = 0;
	char name[BROKER_NAME_BYTES];
	if (type == BROKER_START)
		return b->backend.start(b->backend.ctx, reply->payload, err);
	if ((type == BROKER_OPEN && !bh_take_u64le(&r, &max_bytes)) || bh_reader_left(&r) >= sizeof(name))
		return bh_fail(err, BH_EMALFORMED, 0, "a damaged question");
	snprintf(name, sizeof(name), "%.*s", BH_SLICE_FMT(bh_slice_sub(payload, r.pos, payload.len)));
	if (type == BROKER_OUTCOME)
		return outcome(b, name, err);
	if (type != BROKER_OPEN)
		return bh_fail(err, BH_EMALFORMED, 0, "question %u is not known", type);
	reply->close_fd = true;
	return b->backend.streams(b->backend.ctx, name) ? open_stream(b, name, max_bytes, &reply->fd, err) :
							  open_document(b, name, max_bytes, &reply->fd, err);
}

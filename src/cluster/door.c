#include "cluster/door.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/reader.h"
#include "cluster/client.h"
#include "model/wire.h"
#include "sys/helper.h"

#define LABEL_BYTES 512u
#define PROBLEM_BYTES_MAX (64u << 10)

enum question {
	QUESTION_START = 1, /* reply: the context's name. Fails when the API server does not answer, or knows us not */
	QUESTION_GET,       /* path; reply: status, start of the body if it is no 200, descriptor if it is */
};

/* ---- in the helper ---- */

struct workplace {
	char context[LABEL_BYTES];
	struct cluster_client *client;
};

static int refused(unsigned status, const struct bh_buf *problem, const char *server, struct bh_err *err)
{
	struct bh_buf text;
	bh_buf_init(&text, 2048);
	(void)bh_buf_add_escaped(&text, bh_slice_sub(bh_buf_slice(problem), 0, 200));
	int rc = bh_fail(err, BH_EIO, 0, "%s answered %u: %.*s", server, status, BH_SLICE_FMT(bh_buf_slice(&text)));
	bh_buf_done(&text);
	return rc;
}

/* A first request tells at once what is wrong with the address or the credentials. */
static int start(struct workplace *w, struct bh_child_reply *reply, struct bh_err *err)
{
	struct cluster_access access;
	BH_WITH(bh_buf_done) struct bh_buf problem = { 0 };
	BH_CLOSE int fd = -1;
	unsigned status = 0;
	char server[256];
	cluster_access_init(&access);
	int rc = cluster_access_find(w->context, &access, err);
	if (rc == 0) {
		snprintf(server, sizeof(server), "%s", access.server);
		(void)bh_buf_add_str(reply->payload, access.context);
		rc = cluster_client_new(&access, &w->client, err);
	}
	cluster_access_done(&access);
	bh_buf_init(&problem, PROBLEM_BYTES_MAX);
	rc = rc < 0 ? rc : cluster_client_get(w->client, "/version", &status, &fd, &problem, err);
	return rc < 0 || status == 200 || status == 403 ? rc : refused(status, &problem, server, err);
}

static int get(const struct workplace *w, struct bh_slice path, struct bh_child_reply *reply, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf problem = { 0 };
	char text[KUBE_LIVE_PATH_BYTES];
	unsigned status = 0;
	if (!w->client || path.len >= sizeof(text))
		return bh_fail(err, BH_EMALFORMED, 0, "a damaged question");
	snprintf(text, sizeof(text), "%.*s", BH_SLICE_FMT(path));
	bh_buf_init(&problem, PROBLEM_BYTES_MAX);
	reply->close_fd = true;
	int rc = cluster_client_get(w->client, text, &status, &reply->fd, &problem, err);
	if (rc < 0)
		return rc;
	bh_wire_put_u32(reply->payload, status);
	bh_wire_put_slice(reply->payload, bh_buf_slice(&problem));
	return 0;
}

static int serve(void *ctx, uint16_t type, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	struct workplace *w = ctx;
	switch (type) {
	case QUESTION_START: return start(w, reply, err);
	case QUESTION_GET: return get(w, payload, reply, err);
	default: return bh_fail(err, BH_EMALFORMED, 0, "question %u is not known", type);
	}
}

/* ---- in the program ---- */

struct cluster {
	struct bh_helper *helper;
	char label[LABEL_BYTES];
};

static void door_close(void *live)
{
	struct cluster *c = live;
	if (c)
		bh_helper_stop(c->helper);
	free(c);
}

static int call_start(struct cluster *c, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf reply = { 0 };
	bh_buf_init(&reply, BH_FRAME_BYTES_MAX);
	int rc = bh_helper_call(c->helper, QUESTION_START, (struct bh_slice){ 0 }, &reply, NULL, err);
	if (rc == 0)
		snprintf(c->label, sizeof(c->label), "%.*s", BH_SLICE_FMT(bh_slice_sub(bh_buf_slice(&reply), 0, LABEL_BYTES - 1)));
	return rc;
}

static int door_open(const char *context, void **ret, const char **ret_label, struct bh_err *err)
{
	struct workplace w = { 0 };
	if (snprintf(w.context, sizeof(w.context), "%s", context) >= (int)sizeof(w.context))
		return bh_fail(err, BH_EUSAGE, 0, "a context's name of more than %u bytes", LABEL_BYTES);
	struct cluster *c = calloc(1, sizeof(*c));
	if (!c)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	int rc = bh_helper_start(serve, &w, &c->helper, err);
	rc = rc < 0 ? rc : call_start(c, err);
	if (rc < 0) {
		door_close(c);
		return rc;
	}
	*ret = c;
	*ret_label = c->label;
	return 0;
}

static int door_get(void *live, const char *path, unsigned *ret_status, int *ret_fd, struct bh_buf *problem, struct bh_err *err)
{
	struct cluster *c = live;
	BH_WITH(bh_buf_done) struct bh_buf reply = { 0 };
	struct bh_slice text;
	uint32_t status;
	bh_buf_init(&reply, BH_FRAME_BYTES_MAX);
	int rc = bh_helper_call(c->helper, QUESTION_GET, bh_slice_str(path), &reply, ret_fd, err);
	if (rc < 0)
		return rc;
	struct bh_reader r = bh_reader_of(bh_buf_slice(&reply));
	if (!bh_take_u32le(&r, &status) || !bh_wire_get_slice(&r, PROBLEM_BYTES_MAX, &text))
		return bh_fail(err, BH_ECHILD, 0, "the process that uses the network answered nonsense");
	*ret_status = status;
	(void)bh_buf_add(problem, text);
	return 0;
}

const struct kube_live_door cluster_door = { .open = door_open, .get = door_get, .close = door_close };

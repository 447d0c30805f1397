/* node_child.c: the sandboxed side: the node's files come from the parent, one question at a time. */
#include "comply/node_child.h"

#include "base/cleanup.h"
#include "comply/docker_host.h"
#include "comply/node_files.h"
#include "comply/objects.h"
#include "comply/settings.h"
#include "model/wire.h"
#include "sys/files.h"

#define SET_BYTES_MAX (1024u << 20)
#define LIST_BYTES_MAX BH_FRAME_BYTES_MAX

struct child {
	struct bh_channel *ch;
	struct bh_buf frame, reply;
	struct intake_text_vec texts;
	struct kube_set *set;
};

static void put_text(struct bh_buf *b, struct bh_slice s)
{
	bh_wire_put_slice(b, bh_slice_sub(s, 0, NODE_TEXT_BYTES_MAX));
}

bool node_put_row(struct bh_buf *b, const struct comply_row *row)
{
	bh_wire_put_u8(b, (uint8_t)row->verdict);
	bh_wire_put_u32(b, row->line);
	put_text(b, row->check);
	put_text(b, row->text);
	put_text(b, row->file);
	put_text(b, row->evidence);
	return !b->failed;
}

bool node_get_row(struct bh_slice frame, struct comply_row *ret)
{
	struct bh_reader r = bh_reader_of(frame);
	struct comply_row row;
	uint8_t verdict;
	if (!bh_take_u8(&r, &verdict) || verdict >= COMPLY_VERDICTS || !bh_take_u32le(&r, &row.line) || !bh_wire_get_slice(&r, NODE_TEXT_BYTES_MAX, &row.check)
	    || !bh_wire_get_slice(&r, NODE_TEXT_BYTES_MAX, &row.text) || !bh_wire_get_slice(&r, NODE_TEXT_BYTES_MAX, &row.file)
	    || !bh_wire_get_slice(&r, NODE_TEXT_BYTES_MAX, &row.evidence) || bh_reader_left(&r))
		return false;
	row.verdict = (enum comply_verdict)verdict;
	*ret = row;
	return true;
}

/* ---- the host behind the channel ---- */

static int ask(struct child *c, enum node_message type, struct bh_slice path, int *ret_fd, struct bh_err *err)
{
	return bh_channel_call(c->ch, (uint16_t)type, path, &c->reply, ret_fd, err);
}

static int bad_reply(struct bh_err *err)
{
	return bh_fail(err, BH_ECHILD, 0, "a reply that is none");
}

static int ask_stat(void *ctx, struct bh_slice path, struct host_stat *ret, struct bh_err *err)
{
	struct child *c = ctx;
	struct host_stat st = { 0 };
	uint8_t kind;
	int fd = -1, rc = ask(c, NODE_ASK_STAT, path, &fd, err);
	struct bh_reader r = bh_reader_of(bh_buf_slice(&c->reply));
	if (rc < 0)
		return rc;
	if (!bh_take_u8(&r, &kind) || kind > HOST_DENIED || !bh_take_u32le(&r, &st.mode) || !bh_take_u32le(&r, &st.uid) || !bh_take_u32le(&r, &st.gid)
	    || !bh_take_u64le(&r, &st.id))
		return bad_reply(err);
	st.kind = (enum host_kind)kind;
	*ret = st;
	return 0;
}

static int ask_list(void *ctx, struct bh_slice path, struct bh_arena *arena, struct host_name_vec *ret, struct bh_err *err)
{
	struct child *c = ctx;
	uint8_t denied;
	int fd = -1, rc = ask(c, NODE_ASK_LIST, path, &fd, err);
	struct bh_reader r = bh_reader_of(bh_buf_slice(&c->reply));
	if (rc == 0 && !bh_take_u8(&r, &denied))
		return bad_reply(err);
	if (rc == 0 && denied)
		return bh_fail(err, BH_EIO, 0, "%.*s: the rights to list it are missing", BH_SLICE_FMT(path));
	while (rc == 0 && bh_reader_left(&r)) {
		struct bh_slice name;
		if (!bh_wire_get_slice(&r, BH_PATH_BYTES_MAX, &name))
			return bad_reply(err);
		if (!bh_arena_copy(arena, name, &name) || !host_name_vec_push(ret, name))
			return bh_fail(err, BH_ELIMIT, 0, "%.*s: more than %zu names", BH_SLICE_FMT(path), ret->max);
	}
	return rc;
}

static int ask_read(void *ctx, struct bh_slice path, struct bh_slice *ret, struct bh_err *err)
{
	struct child *c = ctx;
	BH_CLOSE int fd = -1;
	struct bh_buf text;
	uint32_t code;
	struct bh_slice why;
	int rc = ask(c, NODE_ASK_READ, path, &fd, err);
	struct bh_reader r = bh_reader_of(bh_buf_slice(&c->reply));
	if (rc < 0)
		return rc;
	if (!bh_take_u32le(&r, &code) || !bh_wire_get_slice(&r, NODE_TEXT_BYTES_MAX, &why))
		return bad_reply(err);
	if (code)
		return bh_fail(err, code == -(uint32_t)BH_ENOTFOUND ? BH_ENOTFOUND : BH_EIO, 0, "%.*s", BH_SLICE_FMT(why));
	bh_buf_init(&text, NODE_FILE_BYTES_MAX);
	struct bh_err failed = { 0 };
	if (fd < 0 || bh_read_all(fd, NODE_FILE_BYTES_MAX, &text, &failed) < 0) {
		bh_buf_done(&text);
		return bh_fail(err, BH_EIO, 0, "%s", failed.text);
	}
	if (!intake_text_vec_push(&c->texts, text)) {
		bh_buf_done(&text);
		return bh_fail(err, BH_ELIMIT, 0, "more than %zu files", c->texts.max);
	}
	*ret = bh_buf_slice(&text);
	return 0;
}

static int say(void *ctx, const struct comply_row *row, struct bh_err *err)
{
	struct child *c = ctx;
	bh_buf_clear(&c->frame);
	return node_put_row(&c->frame, row) ? bh_channel_send(c->ch, NODE_SAY_ROW, bh_buf_slice(&c->frame), err) : bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

/* ---- the work ---- */

int node_judge(const struct comply_host *host, const struct kube_object_vec *objects, const struct comply_options *options, struct bh_err *err)
{
	struct node n;
	int rc = node_init(&n, host, objects, options, err);
	rc = rc < 0 ? rc : node_find_components(&n, err);
	rc = rc < 0 ? rc : node_check_settings(&n, err);
	rc = rc < 0 ? rc : node_check_files(&n, err);
	rc = rc < 0 ? rc : node_check_objects(&n, err);
	rc = rc < 0 ? rc : node_check_docker(&n, err);
	node_done(&n);
	return rc;
}

static int take(void *ctx, uint8_t role, struct bh_slice name, struct bh_slice text, struct bh_err *err)
{
	struct child *c = ctx;
	(void)role;
	return kube_set_read(c->set, name, text, err);
}

/* The review of the same files tells what it could not read. */
static int unreadable(void *ctx, uint8_t role, struct bh_slice name, const struct bh_err *why, struct bh_err *err)
{
	(void)ctx, (void)role, (void)name, (void)why, (void)err;
	return 0;
}

int node_child_run(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	const struct node_context *context = ctx;
	struct child c = { .ch = ch };
	const struct comply_host host = { context->options->root != NULL, ask_stat, ask_list, ask_read, say, &c };
	const struct intake_taker taker = { take, unreadable, &c };
	bh_buf_init(&c.frame, BH_FRAME_BYTES_MAX);
	bh_buf_init(&c.reply, LIST_BYTES_MAX);
	int rc = kube_set_new(SET_BYTES_MAX, &c.set, err);
	rc = rc < 0 ? rc : intake_read(ch, &taker, &c.texts, err);
	rc = rc < 0 ? rc : node_judge(&host, kube_set_objects(c.set), context->options, err);
	bh_buf_clear(&c.frame);
	if (rc == 0) {
		bh_wire_put_u64(&c.frame, kube_set_objects(c.set)->len);
		rc = bh_channel_send(ch, NODE_SAY_COUNT, bh_buf_slice(&c.frame), err);
	}
	kube_set_free(c.set);
	intake_texts_done(&c.texts);
	bh_buf_done(&c.frame);
	bh_buf_done(&c.reply);
	return rc;
}

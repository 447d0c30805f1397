/* vex_child.c: the sandboxed side: bytes -> JSON -> one of the formats -> messages. */
#include "policy/vex_child.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "model/wire.h"
#include "policy/vex_format.h"
#include "sys/files.h"

#include <stdio.h>

#define SCRATCH_BYTES_MAX (256u << 20)

static const struct vex_format *const formats[] = { &vex_format_openvex, &vex_format_csaf, &vex_format_cyclonedx };

struct child {
	struct bh_channel *ch;
	struct bh_buf frame;
};

static void put_text(struct bh_buf *b, struct bh_slice s)
{
	bh_wire_put_slice(b, bh_slice_sub(s, 0, VEX_TEXT_BYTES_MAX));
}

bool vex_put_statement(struct bh_buf *b, const struct policy_vex_statement *s)
{
	size_t n = s->n_ids < VEX_IDS_MAX ? s->n_ids : VEX_IDS_MAX;
	bh_wire_put_u8(b, (uint8_t)s->status);
	put_text(b, s->justification);
	put_text(b, s->reason);
	put_text(b, s->date);
	put_text(b, s->product);
	put_text(b, s->platform);
	put_text(b, s->component);
	bh_wire_put_u32(b, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		put_text(b, s->ids[i]);
	return !b->failed;
}

static bool get_text(struct bh_reader *r, struct bh_slice *out)
{
	return bh_wire_get_slice(r, VEX_TEXT_BYTES_MAX, out);
}

bool vex_get_statement(struct bh_slice frame, struct policy_vex_statement *ret, struct bh_slice ids[VEX_IDS_MAX])
{
	struct bh_reader r = bh_reader_of(frame);
	struct policy_vex_statement s = { .ids = ids };
	uint8_t status;
	uint32_t n;
	if (!bh_take_u8(&r, &status) || status > VEX_UNDER_INVESTIGATION || !get_text(&r, &s.justification) || !get_text(&r, &s.reason) ||
	    !get_text(&r, &s.date) || !get_text(&r, &s.product) || !get_text(&r, &s.platform) || !get_text(&r, &s.component) || !bh_take_u32le(&r, &n) ||
	    n == 0 || n > VEX_IDS_MAX)
		return false;
	for (s.n_ids = 0; s.n_ids < n; s.n_ids++)
		if (!get_text(&r, &ids[s.n_ids]))
			return false;
	s.status = (enum policy_vex_status)status;
	*ret = s;
	return bh_reader_left(&r) == 0;
}

static int send_frame(struct child *c, enum vex_message type, struct bh_err *err)
{
	int rc = c->frame.failed ? bh_fail(err, BH_ELIMIT, 0, "a statement is larger than a message may be") :
				   bh_channel_send(c->ch, (uint16_t)type, bh_buf_slice(&c->frame), err);
	bh_buf_clear(&c->frame);
	return rc;
}

static int on_document(void *ctx, const struct policy_vex_head *head, struct bh_err *err)
{
	struct child *c = ctx;
	put_text(&c->frame, head->format);
	put_text(&c->frame, head->author);
	put_text(&c->frame, head->id);
	put_text(&c->frame, head->date);
	return send_frame(c, VEX_SAY_DOCUMENT, err);
}

static int on_statement(void *ctx, const struct policy_vex_statement *s, struct bh_err *err)
{
	struct child *c = ctx;
	if (!vex_put_statement(&c->frame, s)) { /* 65 ids of 64 KiB each: nobody's true statement */
		bh_buf_clear(&c->frame);
		bh_wire_put_slice(&c->frame, BH_SLICE_LIT("a statement that is larger than a message may be"));
		bh_wire_put_u32(&c->frame, 0);
		return send_frame(c, VEX_SAY_DAMAGED, err);
	}
	return send_frame(c, VEX_SAY_STATEMENT, err);
}

static int on_damaged(void *ctx, const char *what, size_t index, struct bh_err *err)
{
	struct child *c = ctx;
	bh_wire_put_slice(&c->frame, bh_slice_str(what));
	bh_wire_put_u32(&c->frame, (uint32_t)(index < UINT32_MAX ? index : UINT32_MAX));
	return send_frame(c, VEX_SAY_DAMAGED, err);
}

static const struct vex_format *recognise(const struct bh_json_node *root)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (formats[i]->is(root))
			return formats[i];
	return NULL;
}

int vex_document_read(struct bh_slice text, const struct vex_sink *sink, bool *ret_other, struct bh_err *err)
{
	struct bh_json *doc;
	int rc = bh_json_parse(text, VEX_DOCUMENT_BYTES_MAX, &doc, err);
	if (rc < 0)
		return rc;
	const struct vex_format *f = recognise(bh_json_root(doc));
	struct bh_arena arena;
	bh_arena_init(&arena, SCRATCH_BYTES_MAX);
	*ret_other = f == NULL;
	rc = f ? f->read(bh_json_root(doc), sink, &arena, err) : bh_fail(err, BH_EMALFORMED, 0, "neither OpenVEX nor CSAF nor CycloneDX");
	bh_arena_done(&arena);
	bh_json_free(doc);
	return rc;
}

static int read_file(struct child *c, int fd, struct bh_err *err)
{
	struct bh_buf text;
	struct bh_err why = { 0 };
	bool other = false;
	const struct vex_sink sink = { on_document, on_statement, on_damaged, c };
	bh_buf_init(&text, VEX_DOCUMENT_BYTES_MAX);
	int rc = bh_read_all(fd, VEX_DOCUMENT_BYTES_MAX, &text, &why);
	rc = rc < 0 ? rc : vex_document_read(bh_buf_slice(&text), &sink, &other, &why);
	bh_buf_done(&text);
	if (rc == 0)
		return 0;
	if (rc == BH_ECHILD || rc == BH_ECANCELLED) { /* the parent is gone: nobody to tell */
		*err = why;
		return rc;
	}
	bh_buf_clear(&c->frame);
	bh_wire_put_u8(&c->frame, other);
	put_text(&c->frame, bh_slice_str(why.text));
	return send_frame(c, VEX_SAY_FAILED, err);
}

int vex_child_run(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	(void)ctx;
	struct child c = { .ch = ch };
	struct bh_buf reply;
	int rc = 0;
	bh_buf_init(&c.frame, BH_FRAME_BYTES_MAX);
	bh_buf_init(&reply, 16);
	while (rc == 0) {
		BH_CLOSE int fd = -1;
		rc = bh_channel_call(ch, VEX_ASK_NEXT, (struct bh_slice){ 0 }, &reply, &fd, err);
		if (rc < 0 || reply.len != 1 || reply.ptr[0] == 0)
			break;
		rc = read_file(&c, fd, err);
	}
	bh_buf_done(&reply);
	bh_buf_done(&c.frame);
	return rc;
}

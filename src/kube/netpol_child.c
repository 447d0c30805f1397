#include "kube/netpol_child.h"

#include "base/cleanup.h"
#include "kube/netpol.h"
#include "model/wire.h"

#define SET_BYTES_MAX (1024u << 20)

struct child {
	struct bh_channel *ch;
	struct bh_buf frame;
	struct kube_set *set;
	struct intake_text_vec texts;
};

static int send_frame(struct child *c, enum netpol_message type, struct bh_err *err)
{
	int rc = c->frame.failed ? bh_fail(err, BH_ELIMIT, 0, "a connection is larger than a message may be") :
				   bh_channel_send(c->ch, (uint16_t)type, bh_buf_slice(&c->frame), err);
	bh_buf_clear(&c->frame);
	return rc;
}

static int on_pair(void *ctx, struct bh_slice from, struct bh_slice to, struct bh_slice ports, struct bh_err *err)
{
	struct child *c = ctx;
	bh_wire_put_slice(&c->frame, from);
	bh_wire_put_slice(&c->frame, to);
	bh_wire_put_slice(&c->frame, bh_slice_sub(ports, 0, NETPOL_TEXT_BYTES_MAX));
	return send_frame(c, NETPOL_SAY_PAIR, err);
}

static int say_gap(struct child *c, struct bh_slice file, uint32_t line, struct bh_slice text, struct bh_err *err)
{
	bh_wire_put_slice(&c->frame, file);
	bh_wire_put_u32(&c->frame, line);
	bh_wire_put_slice(&c->frame, text);
	return send_frame(c, NETPOL_SAY_GAP, err);
}

static int on_note(void *ctx, struct bh_slice file, uint32_t line, const char *text, struct bh_err *err)
{
	return say_gap(ctx, file, line, bh_slice_str(text), err);
}

static int take(void *ctx, uint8_t role, struct bh_slice name, struct bh_slice text, struct bh_err *err)
{
	struct child *c = ctx;
	(void)role;
	return kube_set_read(c->set, name, text, err);
}

static int unreadable(void *ctx, uint8_t role, struct bh_slice name, const struct bh_err *why, struct bh_err *err)
{
	(void)role;
	return say_gap(ctx, name, 0, bh_slice_str(why->text), err);
}

static int say_problems(struct child *c, struct bh_err *err)
{
	const struct kube_problem_vec *problems = kube_set_problems(c->set);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < problems->len; i++)
		rc = say_gap(c, problems->ptr[i].file, problems->ptr[i].line, problems->ptr[i].text, err);
	bh_wire_put_u64(&c->frame, kube_set_objects(c->set)->len);
	return rc < 0 ? rc : send_frame(c, NETPOL_SAY_COUNT, err);
}

int netpol_child_run(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	struct child c = { .ch = ch };
	const struct intake_taker taker = { take, unreadable, &c };
	(void)ctx;
	bh_buf_init(&c.frame, BH_FRAME_BYTES_MAX);
	int rc = kube_set_new(SET_BYTES_MAX, &c.set, err);
	rc = rc < 0 ? rc : intake_read(ch, &taker, &c.texts, err);
	rc = rc < 0 ? rc : say_problems(&c, err);
	rc = rc < 0 ? rc : netpol_list(kube_set_objects(c.set), on_pair, on_note, &c, err);
	kube_set_free(c.set);
	intake_texts_done(&c.texts);
	bh_buf_done(&c.frame);
	return rc;
}

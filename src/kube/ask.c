#include "kube/ask.h"

#include <string.h>

#include "base/map.h"
#include "kube/custom_pods.h"
#include "kube/intake.h"
#include "model/wire.h"

#define ANSWER_BYTES_MAX (2048u << 20)
#define MEMORY_BYTES_MAX (4096ull << 20)
#define SET_BYTES_MAX (1024u << 20)
#define GAPS_MAX 10000u
#define STALL_S 600u
#define RAW_FILES_MAX 1000u
#define RAW_NAMES_BYTES_MAX (4u << 20)
#define ROWS_BYTES (256u << 10) /* rows are gathered up to here before they are sent */

enum ask_message {
	ASK_SAY_ROWS = INTAKE_MESSAGES,    /* each: kind, number of cells, cells */
	ASK_SAY_GAP,                       /* file, line, text */
	ASK_SAY_COUNT,                     /* objects */
};

/* ---- the child's side ---- */

struct parent;

/* A file that is none of manifests. */
struct raw_text {
	uint8_t role;
	struct bh_slice name, text;
};
BH_VEC(raw_vec, struct raw_text)

struct kube_asked {
	struct bh_channel *ch;
	const struct kube_question *question;
	struct parent *here; /* instead of a channel: the answer is given in this process */
	struct bh_buf frame, rows;
	struct kube_set *sets[KUBE_ASK_ROLES];
	struct intake_text_vec texts;
	uint8_t raw_roles;
	struct bh_arena names; /* of raw texts */
	struct raw_vec raw;
};

const struct kube_set *kube_asked_set(const struct kube_asked *asked, uint8_t role)
{
	return asked->sets[role % KUBE_ASK_ROLES];
}

bool kube_asked_raw(const struct kube_asked *asked, uint8_t role, size_t index, struct bh_slice *ret_name, struct bh_slice *ret_text)
{
	for (size_t i = 0; i < asked->raw.len; i++) {
		if (asked->raw.ptr[i].role != role || index-- > 0)
			continue;
		*ret_name = asked->raw.ptr[i].name;
		*ret_text = asked->raw.ptr[i].text;
		return true;
	}
	return false;
}

static int take_message(struct parent *p, uint16_t type, struct bh_slice payload, struct bh_err *err);

static int send_text(struct kube_asked *asked, enum ask_message type, struct bh_slice text, struct bh_err *err)
{
	return asked->here ? take_message(asked->here, (uint16_t)type, text, err) : bh_channel_send(asked->ch, (uint16_t)type, text, err);
}

static int send_rows(struct kube_asked *asked, struct bh_err *err)
{
	int rc = asked->rows.len ? send_text(asked, ASK_SAY_ROWS, bh_buf_slice(&asked->rows), err) : 0;
	bh_buf_clear(&asked->rows);
	return rc;
}

/* Behind the rows that were said before. */
static int send_frame(struct kube_asked *asked, enum ask_message type, struct bh_err *err)
{
	int rc = send_rows(asked, err);
	if (rc == 0 && asked->frame.failed)
		rc = bh_fail(err, BH_ELIMIT, 0, "a row of the answer is larger than a message may be");
	rc = rc < 0 ? rc : send_text(asked, type, bh_buf_slice(&asked->frame), err);
	bh_buf_clear(&asked->frame);
	return rc;
}

int kube_say(struct kube_asked *asked, uint16_t kind, const struct bh_slice *cells, size_t n, struct bh_err *err)
{
	bh_wire_put_u32(&asked->frame, kind);
	bh_wire_put_u32(&asked->frame, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		bh_wire_put_slice(&asked->frame, bh_slice_sub(cells[i], 0, KUBE_ASK_CELL_BYTES_MAX));
	if (asked->frame.failed || asked->rows.len + asked->frame.len > ROWS_BYTES)
		return send_frame(asked, ASK_SAY_ROWS, err);
	bh_buf_add(&asked->rows, bh_buf_slice(&asked->frame));
	bh_buf_clear(&asked->frame);
	return asked->rows.failed ? bh_fail(err, BH_ENOMEM, 0, "out of memory for the answer") : 0;
}

int kube_say_gap(struct kube_asked *asked, struct bh_slice file, uint32_t line, struct bh_slice text, struct bh_err *err)
{
	bh_wire_put_slice(&asked->frame, file);
	bh_wire_put_u32(&asked->frame, line);
	bh_wire_put_slice(&asked->frame, bh_slice_sub(text, 0, KUBE_ASK_CELL_BYTES_MAX));
	return send_frame(asked, ASK_SAY_GAP, err);
}

void kube_say_progress(struct kube_asked *asked, uint64_t done)
{
	if (asked->ch)
		bh_channel_progress(asked->ch, done);
}

static int take(void *ctx, uint8_t role, struct bh_slice name, struct bh_slice text, struct bh_err *err)
{
	struct kube_asked *asked = ctx;
	if (asked->raw_roles >> role & 1) {
		struct raw_text raw = { .role = role, .text = text };
		return bh_arena_copy(&asked->names, name, &raw.name) && raw_vec_push(&asked->raw, raw) ? 0 : bh_fail(err, BH_ELIMIT, 0, "more than %u files", RAW_FILES_MAX);
	}
	return kube_set_read(asked->sets[role % KUBE_ASK_ROLES], name, text, err);
}

static int unreadable_text(void *ctx, uint8_t role, struct bh_slice name, const struct bh_err *why, struct bh_err *err)
{
	(void)role;
	return kube_say_gap(ctx, name, 0, bh_slice_str(why->text), err);
}

static int say_what_was_read(struct kube_asked *asked, struct bh_err *err)
{
	uint64_t objects = 0;
	for (size_t role = 0; role < KUBE_ASK_ROLES; role++) {
		const struct kube_problem_vec *problems = kube_set_problems(asked->sets[role]);
		for (size_t i = 0; i < problems->len; i++) {
			int rc = kube_say_gap(asked, problems->ptr[i].file, problems->ptr[i].line, problems->ptr[i].text, err);
			if (rc < 0)
				return rc;
		}
		objects += kube_set_objects(asked->sets[role])->len;
	}
	bh_wire_put_u64(&asked->frame, objects);
	return send_frame(asked, ASK_SAY_COUNT, err);
}

/* ---- the parent's side ---- */

struct parent {
	const struct kube_question *question; /* first: the child gets it */
	struct intake intake;
	struct kube_answer *answer;
	struct bh_map texts; /* the same texts come again and again */
};

static int asked_init(struct kube_asked *asked, const struct kube_question *q, struct bh_err *err)
{
	int rc = 0;
	bh_buf_init(&asked->frame, BH_FRAME_BYTES_MAX);
	bh_buf_init(&asked->rows, ROWS_BYTES);
	bh_arena_init(&asked->names, RAW_NAMES_BYTES_MAX);
	asked->raw.max = RAW_FILES_MAX;
	for (size_t role = 0; rc == 0 && role < KUBE_ASK_ROLES; role++)
		rc = kube_set_new(SET_BYTES_MAX, &asked->sets[role], err);
	if (rc == 0)
		kube_set_foreigners(asked->sets[0], q->foreigners);
	return rc;
}

static void asked_done(struct kube_asked *asked)
{
	for (size_t role = 0; role < KUBE_ASK_ROLES; role++)
		kube_set_free(asked->sets[role]);
	intake_texts_done(&asked->texts);
	bh_buf_done(&asked->frame);
	bh_buf_done(&asked->rows);
	bh_arena_done(&asked->names);
	raw_vec_done(&asked->raw);
}

static int answer(struct kube_asked *asked, const struct kube_question *q, struct bh_err *err)
{
	int rc = say_what_was_read(asked, err);
	for (size_t role = 0; rc == 0 && role < KUBE_ASK_ROLES; role++)
		rc = kube_add_custom_pods(asked->sets[role], err);
	rc = rc < 0 ? rc : q->answer(asked, q->ctx, err);
	return rc < 0 ? rc : send_rows(asked, err);
}

static int stream(void *ctx, struct bh_slice name, int fd, struct bh_err *err)
{
	struct kube_asked *asked = ctx;
	return asked->question->stream(asked, asked->question->ctx, name, fd, err);
}

static int run_child(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	const struct parent *p = ctx;
	struct kube_asked asked = { .ch = ch, .question = p->question, .raw_roles = p->question->raw_roles };
	const struct intake_taker taker = { take, unreadable_text, &asked, p->question->stream ? stream : NULL, KUBE_ASK_ROLES - 1 };
	int rc = asked_init(&asked, p->question, err);
	rc = rc < 0 ? rc : intake_read(ch, &taker, &asked.texts, err);
	rc = rc < 0 ? rc : answer(&asked, p->question, err);
	asked_done(&asked);
	return rc;
}

/* One copy of each text. before: the cell of the row before, which often is the same. */
static bool keep(struct parent *p, struct bh_slice text, struct bh_slice before, struct bh_slice *ret)
{
	if (before.ptr && bh_slice_eq(text, before)) {
		*ret = before;
		return true;
	}
	const struct bh_slice *known = bh_map_get(&p->texts, text);
	if (!known) {
		struct bh_slice *copy = BH_ARENA_NEW(&p->answer->arena, struct bh_slice);
		void **at = copy && bh_arena_copy(&p->answer->arena, text, copy) ? bh_map_put(&p->texts, *copy) : NULL;
		if (!at)
			return false;
		*at = copy;
		known = copy;
	}
	*ret = *known;
	return true;
}

static int full(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "the answer has more than %u rows or %u MiB", KUBE_ASK_ROWS_MAX, ANSWER_BYTES_MAX >> 20);
}

static int take_row(struct parent *p, struct bh_reader *r, struct bh_err *err)
{
	const struct kube_row none = { 0 }, *before = p->answer->rows.len ? &p->answer->rows.ptr[p->answer->rows.len - 1] : &none;
	struct kube_row row = { 0 };
	uint32_t kind, n;
	if (!bh_take_u32le(r, &kind) || kind > UINT16_MAX || !bh_take_u32le(r, &n) || n > KUBE_ASK_CELLS_MAX)
		return bh_fail(err, BH_ECHILD, 0, "a row that is none");
	row.kind = (uint16_t)kind;
	row.n = (uint16_t)n;
	row.cells = bh_arena_alloc(&p->answer->arena, (n ? n : 1) * sizeof(*row.cells));
	for (uint32_t i = 0; row.cells && i < n; i++) {
		struct bh_slice text;
		if (!bh_wire_get_slice(r, KUBE_ASK_CELL_BYTES_MAX, &text))
			return bh_fail(err, BH_ECHILD, 0, "a row that is none");
		if (!keep(p, text, kube_cell(before, i), &row.cells[i]))
			return full(err);
	}
	return row.cells && kube_row_vec_push(&p->answer->rows, row) ? 0 : full(err);
}

static int take_rows(struct parent *p, struct bh_slice frame, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(frame);
	int rc = 0;
	while (rc == 0 && bh_reader_left(&r) > 0)
		rc = take_row(p, &r, err);
	return rc;
}

static int add_gap(struct kube_answer *answer, struct bh_slice file, uint32_t line, struct bh_slice text, struct bh_err *err)
{
	struct kube_gap gap = { .line = line };
	if (!bh_arena_copy(&answer->arena, file, &gap.file) || !bh_arena_copy(&answer->arena, text, &gap.text) || !kube_gap_vec_push(&answer->gaps, gap))
		return bh_fail(err, BH_ELIMIT, 0, "more than %u files or documents that can't be read", GAPS_MAX);
	return 0;
}

static int take_gap(struct parent *p, struct bh_slice frame, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(frame);
	struct bh_slice file, text;
	uint32_t line;
	if (!bh_wire_get_slice(&r, BH_PATH_BYTES_MAX, &file) || !bh_take_u32le(&r, &line) || !bh_wire_get_slice(&r, KUBE_ASK_CELL_BYTES_MAX, &text))
		return bh_fail(err, BH_ECHILD, 0, "a message that is none");
	return add_gap(p->answer, file, line, text, err);
}

static void unreadable_file(void *ctx, uint8_t role, const char *name, const struct bh_err *why)
{
	struct parent *p = ctx;
	struct bh_err ignored;
	(void)role;
	(void)!add_gap(p->answer, bh_slice_str(name), 0, bh_slice_str(why->text), &ignored);
}

static int take_message(struct parent *p, uint16_t type, struct bh_slice payload, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(payload);
	if (type == ASK_SAY_ROWS)
		return take_rows(p, payload, err);
	if (type == ASK_SAY_GAP)
		return take_gap(p, payload, err);
	if (type == ASK_SAY_COUNT && bh_take_u64le(&r, &p->answer->objects))
		return 0;
	return bh_fail(err, BH_ECHILD, 0, "an unknown message");
}

static int handle(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	struct parent *p = ctx;
	int rc = intake_handle(&p->intake, type, is_request, payload, reply, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	return is_request ? bh_fail(err, BH_ECHILD, 0, "an unknown request") : take_message(p, type, payload, err);
}

static int run(struct parent *p, struct bh_err *err)
{
	struct bh_err why = { 0 };
	int result = 0;
	struct bh_child_spec spec = {
		.name = p->question->name,
		.run = run_child,
		.handle = handle,
		.ctx = p,
		.limits = { .memory_bytes = MEMORY_BYTES_MAX, .stall_seconds = STALL_S, .output_bytes = MEMORY_BYTES_MAX },
	};
	int rc = bh_children_run(&spec, 1, 1, &result, &why, err);
	if (rc == 0 && result < 0) {
		*err = why;
		rc = result;
	}
	return rc;
}

static void parent_init(struct parent *p, const struct kube_question *question, struct kube_answer *ret)
{
	*p = (struct parent){ .question = question, .answer = ret };
	*ret = (struct kube_answer){ .rows = { .max = KUBE_ASK_ROWS_MAX }, .gaps = { .max = GAPS_MAX } };
	bh_arena_init(&ret->arena, ANSWER_BYTES_MAX);
	bh_map_init(&p->texts, KUBE_ASK_ROWS_MAX);
	intake_init(&p->intake, unreadable_file, p);
}

static int parent_done(struct parent *p, int rc)
{
	intake_done(&p->intake);
	bh_map_done(&p->texts);
	if (rc < 0)
		kube_answer_done(p->answer);
	return rc;
}

int kube_ask(const struct kube_question *question, struct kube_answer *ret, struct bh_err *err)
{
	struct parent p;
	int rc = 0;
	parent_init(&p, question, ret);
	for (uint8_t role = 0; rc == 0 && role < KUBE_ASK_ROLES; role++)
		rc = intake_add(&p.intake, question->paths[role].list, question->paths[role].n, role, err);
	p.intake.rendering = question->rendering;
	rc = rc < 0 ? rc : intake_ready(&p.intake, err);
	return parent_done(&p, rc < 0 ? rc : run(&p, err));
}

int kube_ask_text(const struct kube_question *question, struct bh_slice text, struct kube_answer *ret, struct bh_err *err)
{
	struct parent p;
	struct kube_asked asked = { .here = &p };
	parent_init(&p, question, ret);
	int rc = asked_init(&asked, question, err);
	rc = rc < 0 ? rc : take(&asked, 0, BH_SLICE_LIT("text"), text, err);
	rc = rc < 0 ? rc : answer(&asked, question, err);
	asked_done(&asked);
	return parent_done(&p, rc);
}

void kube_answer_done(struct kube_answer *answer)
{
	kube_row_vec_done(&answer->rows);
	kube_gap_vec_done(&answer->gaps);
	bh_arena_done(&answer->arena);
}

struct bh_slice kube_cell(const struct kube_row *row, size_t i)
{
	return i < row->n ? row->cells[i] : (struct bh_slice){ 0 };
}

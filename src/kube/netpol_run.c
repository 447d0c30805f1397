#include "kube/netpol_run.h"

#include "base/map.h"
#include "kube/netpol.h"
#include "kube/netpol_child.h"
#include "model/wire.h"

#define RESULT_BYTES_MAX (2048u << 20)
#define MEMORY_BYTES_MAX (4096ull << 20)
#define GAPS_MAX 10000u

struct parent {
	struct intake intake;
	struct netpol_result *result;
	struct bh_map texts; /* names and ports come again and again */
};

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "more than %u connections", NETPOL_ROWS_MAX);
}

/* One copy of each text. */
static bool keep(struct parent *p, struct bh_slice text, struct bh_slice *ret)
{
	const struct bh_slice *known = bh_map_get(&p->texts, text);
	struct bh_slice *copy = known ? NULL : BH_ARENA_NEW(&p->result->arena, struct bh_slice);
	if (!known) {
		if (!copy || !bh_arena_copy(&p->result->arena, text, copy))
			return false;
		void **at = bh_map_put(&p->texts, *copy);
		if (!at)
			return false;
		*at = copy;
		known = copy;
	}
	*ret = *known;
	return true;
}

static int take_pair(struct parent *p, struct bh_slice frame, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(frame);
	struct bh_slice from, to, ports;
	struct netpol_pair pair;
	if (!bh_wire_get_slice(&r, NETPOL_TEXT_BYTES_MAX, &from) || !bh_wire_get_slice(&r, NETPOL_TEXT_BYTES_MAX, &to)
	    || !bh_wire_get_slice(&r, NETPOL_TEXT_BYTES_MAX, &ports))
		return bh_fail(err, BH_ECHILD, 0, "a connection that is none");
	if (!keep(p, from, &pair.from) || !keep(p, to, &pair.to) || !keep(p, ports, &pair.ports) || !netpol_pair_vec_push(&p->result->pairs, pair))
		return no_memory(err);
	return 0;
}

static int add_gap(struct netpol_result *result, struct bh_slice file, uint32_t line, struct bh_slice text, struct bh_err *err)
{
	struct netpol_gap gap = { .line = line };
	if (!bh_arena_copy(&result->arena, file, &gap.file) || !bh_arena_copy(&result->arena, text, &gap.text) || !netpol_gap_vec_push(&result->gaps, gap))
		return bh_fail(err, BH_ELIMIT, 0, "more than %u files or documents that can't be read", GAPS_MAX);
	return 0;
}

static int take_gap(struct parent *p, struct bh_slice frame, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(frame);
	struct bh_slice file, text;
	uint32_t line;
	if (!bh_wire_get_slice(&r, BH_PATH_BYTES_MAX, &file) || !bh_take_u32le(&r, &line) || !bh_wire_get_slice(&r, NETPOL_TEXT_BYTES_MAX, &text))
		return bh_fail(err, BH_ECHILD, 0, "a message that is none");
	return add_gap(p->result, file, line, text, err);
}

static void unreadable(void *ctx, uint8_t role, const char *name, const struct bh_err *why)
{
	struct parent *p = ctx;
	struct bh_err ignored;
	(void)role;
	(void)!add_gap(p->result, bh_slice_str(name), 0, bh_slice_str(why->text), &ignored);
}

static int handle(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	struct parent *p = ctx;
	struct bh_reader r = bh_reader_of(payload);
	if (type == INTAKE_ASK_NEXT && is_request)
		return intake_give(&p->intake, reply);
	if (type == NETPOL_SAY_PAIR && !is_request)
		return take_pair(p, payload, err);
	if (type == NETPOL_SAY_GAP && !is_request)
		return take_gap(p, payload, err);
	if (type == NETPOL_SAY_COUNT && !is_request && bh_take_u64le(&r, &p->result->objects))
		return 0;
	return bh_fail(err, BH_ECHILD, 0, "an unknown message");
}

void netpol_result_done(struct netpol_result *result)
{
	netpol_pair_vec_done(&result->pairs);
	netpol_gap_vec_done(&result->gaps);
	bh_arena_done(&result->arena);
}

static int run_child(struct parent *p, struct bh_err *err)
{
	struct bh_err why = { 0 };
	int result = 0;
	struct bh_child_spec spec = {
		.name = "network policies",
		.run = netpol_child_run,
		.handle = handle,
		.ctx = p,
		.limits = { .memory_bytes = MEMORY_BYTES_MAX, .stall_seconds = 600, .output_bytes = MEMORY_BYTES_MAX },
	};
	int rc = bh_children_run(&spec, 1, 1, &result, &why, err);
	if (rc == 0 && result < 0) {
		*err = why;
		rc = result;
	}
	return rc;
}

int netpol_run(const char *const *paths, size_t n, struct netpol_result *ret, struct bh_err *err)
{
	struct parent p = { .result = ret };
	*ret = (struct netpol_result){ .pairs = { .max = NETPOL_ROWS_MAX }, .gaps = { .max = GAPS_MAX } };
	bh_arena_init(&ret->arena, RESULT_BYTES_MAX);
	bh_map_init(&p.texts, NETPOL_ROWS_MAX);
	intake_init(&p.intake, unreadable, &p);
	int rc = intake_add(&p.intake, paths, n, 0, err);
	rc = rc < 0 ? rc : run_child(&p, err);
	intake_done(&p.intake);
	bh_map_done(&p.texts);
	if (rc < 0)
		netpol_result_done(ret);
	return rc;
}

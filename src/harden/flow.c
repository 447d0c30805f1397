/* flow.c: see flow.h. */
#include "harden/flow.h"

#include <stdlib.h>

#define CONSTANTS_MAX 4u
#define SLOTS_MAX 64u
#define LABELS_MAX 20000u /* where jumps of one function lead: a state each. More: nothing is known behind them */
#define ROUNDS_MAX 40u

enum value_kind { NEVER /* no way leads here */, CONSTANTS, ENTRY, UNKNOWN };

struct value {
	uint8_t kind, n;
	int64_t of[CONSTANTS_MAX]; /* ENTRY: of[0] is the place */
};

struct slot {
	int64_t offset; /* from the stack pointer when the function began */
	struct value value;
};

struct state {
	bool live;
	bool stack_known, stack_mine; /* mine: nothing unseen was written to it */
	int64_t stack;                /* the stack pointer, relative to the beginning */
	uint32_t n_slots;
	struct value registers[STEP_REGISTERS];
	struct slot slots[SLOTS_MAX];
};

struct label {
	uint64_t address;
	struct state state;
};

struct flow {
	const struct flow_question *q;
	struct label *labels;
	size_t n_labels;
	struct state now;
	bool changed, telling;
};

static const struct value unknown = { .kind = UNKNOWN };

static struct value constant(int64_t v)
{
	return (struct value){ .kind = CONSTANTS, .n = 1, .of = { v } };
}

static bool add_constant(struct value *a, int64_t v)
{
	for (uint8_t i = 0; i < a->n; i++)
		if (a->of[i] == v)
			return true;
	if (a->n == CONSTANTS_MAX)
		return false;
	a->of[a->n++] = v;
	return true;
}

/* a becomes what either may be. True when it changed. */
static bool join_value(struct value *a, const struct value *b)
{
	if (b->kind == NEVER || a->kind == UNKNOWN)
		return false;
	if (a->kind == NEVER) {
		*a = *b;
		return true;
	}
	if (a->kind == ENTRY && b->kind == ENTRY && a->of[0] == b->of[0])
		return false;
	if (a->kind == CONSTANTS && b->kind == CONSTANTS) {
		uint8_t before = a->n;
		bool fits = true;
		for (uint8_t i = 0; fits && i < b->n; i++)
			fits = add_constant(a, b->of[i]);
		if (fits)
			return a->n != before;
	}
	*a = unknown;
	return true;
}

static struct slot *find_slot(struct state *s, int64_t offset)
{
	for (uint32_t i = 0; i < s->n_slots; i++)
		if (s->slots[i].offset == offset)
			return &s->slots[i];
	return NULL;
}

static void forget_stack(struct state *s)
{
	s->n_slots = 0;
	s->stack_mine = false;
}

static bool join_stack(struct state *a, struct state *b)
{
	bool changed = false;
	if (a->stack_known && (!b->stack_known || b->stack != a->stack)) {
		a->stack_known = false;
		forget_stack(a);
		return true;
	}
	if (a->stack_mine && !b->stack_mine) {
		a->stack_mine = false;
		changed = true;
	}
	for (uint32_t i = 0; i < a->n_slots;) {
		const struct slot *other = find_slot(b, a->slots[i].offset);
		if (other) {
			changed |= join_value(&a->slots[i++].value, &other->value);
		} else {
			a->slots[i] = a->slots[--a->n_slots];
			changed = true;
		}
	}
	return changed;
}

static bool join(struct state *a, struct state *b)
{
	if (!b->live)
		return false;
	if (!a->live) {
		*a = *b;
		return true;
	}
	bool changed = join_stack(a, b);
	for (size_t i = 0; i < STEP_REGISTERS; i++)
		changed |= join_value(&a->registers[i], &b->registers[i]);
	return changed;
}

static void begin(struct state *s)
{
	*s = (struct state){ .live = true, .stack_known = true, .stack_mine = true };
	for (size_t i = 0; i < STEP_REGISTERS; i++)
		s->registers[i] = (struct value){ .kind = ENTRY, .of = { (int64_t)i } };
}

static void begin_blind(struct state *s)
{
	*s = (struct state){ .live = true };
	for (size_t i = 0; i < STEP_REGISTERS; i++)
		s->registers[i] = unknown;
}

/* ---- labels ---- */

static int compare_labels(const void *a, const void *b)
{
	uint64_t x = ((const struct label *)a)->address, y = ((const struct label *)b)->address;
	return (x > y) - (x < y);
}

static struct label *label_at(struct flow *f, uint64_t address)
{
	const struct label key = { .address = address };
	return f->n_labels ? bsearch(&key, f->labels, f->n_labels, sizeof(key), compare_labels) : NULL;
}

static bool is_inside(const struct flow *f, uint64_t target)
{
	return target >= f->q->address && target - f->q->address < f->q->code.len;
}

/* The next instruction of the function at *pos; bytes that are none are passed over. */
static bool next_step(const struct flow *f, size_t *pos, struct step *ret)
{
	const struct step_machine *m = f->q->machine;
	while (*pos < f->q->code.len) {
		if (m->decode(bh_slice_sub(f->q->code, *pos, f->q->code.len), f->q->address + *pos, ret))
			return true;
		*pos += m->align_bytes;
	}
	return false;
}

static bool is_inner_jump(const struct flow *f, const struct step *s)
{
	return (s->op == STEP_JUMP || s->op == STEP_BRANCH) && s->target && is_inside(f, s->target);
}

static bool find_labels(struct flow *f, struct bh_arena *scratch)
{
	struct step s;
	size_t n = 0;
	for (size_t pos = 0; next_step(f, &pos, &s); pos += s.length)
		n += is_inner_jump(f, &s);
	if (n > LABELS_MAX)
		return false;
	f->labels = bh_arena_array(scratch, n ? n : 1, sizeof(struct label));
	if (!f->labels)
		return false;
	for (size_t pos = 0; next_step(f, &pos, &s); pos += s.length)
		if (is_inner_jump(f, &s))
			f->labels[f->n_labels++].address = s.target;
	if (n > 1)
		qsort(f->labels, n, sizeof(struct label), compare_labels);
	size_t kept = 0;
	for (size_t i = 0; i < n; i++)
		if (i == 0 || f->labels[i].address != f->labels[kept - 1].address)
			f->labels[kept++] = f->labels[i];
	f->n_labels = kept;
	return true;
}

/* ---- what instructions do ---- */

static struct value *register_of(struct state *s, uint8_t number)
{
	return &s->registers[number % STEP_REGISTERS];
}

static struct value load_slot(struct state *s, int64_t displacement)
{
	if (!s->stack_known)
		return unknown;
	int64_t offset = s->stack + displacement;
	const struct slot *found = find_slot(s, offset);
	if (found)
		return found->value;
	bool argument = s->stack_mine && offset >= 0 && offset % 8 == 0 && offset / 8 < FLOW_STACK_SLOTS;
	return argument ? (struct value){ .kind = ENTRY, .of = { FLOW_STACK + offset / 8 } } : unknown;
}

static void store_slot(struct state *s, int64_t displacement, struct value value)
{
	if (!s->stack_known) {
		forget_stack(s);
		return;
	}
	int64_t offset = s->stack + displacement;
	struct slot *found = find_slot(s, offset);
	if (!found) {
		if (s->n_slots == SLOTS_MAX) { /* the oldest makes room: to be unknown it must not look like an argument */
			memmove(s->slots, s->slots + 1, sizeof(s->slots[0]) * (SLOTS_MAX - 1));
			s->n_slots--;
			s->stack_mine = false;
		}
		found = &s->slots[s->n_slots++];
		found->offset = offset;
	}
	found->value = value;
}

/* Somebody wrote there. */
static void forget_slots(struct state *s, int64_t displacement, int64_t bytes)
{
	int64_t offset = s->stack + displacement;
	if (!s->stack_known || offset + bytes > 0) /* it may be an argument */
		s->stack_mine = false;
	for (uint32_t i = 0; i < s->n_slots; i++)
		if (!s->stack_known || (s->slots[i].offset > offset - 8 && s->slots[i].offset < offset + bytes))
			s->slots[i].value = unknown;
}

static void move_stack(struct state *s, int64_t by)
{
	if (__builtin_add_overflow(s->stack, by, &s->stack) || s->stack > INT32_MAX || s->stack < INT32_MIN) {
		s->stack = 0;
		s->stack_known = false;
		forget_stack(s);
	}
}

static void clobber(struct flow *f, uint32_t mask)
{
	for (uint8_t r = 0; mask && r < STEP_REGISTERS; r++, mask >>= 1)
		if (mask & 1)
			f->now.registers[r] = unknown;
}

static int tell_value(struct flow *f, uint64_t at, bool name, const struct value *v, struct bh_err *err)
{
	const struct flow_question *q = f->q;
	int rc = 0;
	if (v->kind == CONSTANTS) {
		for (uint8_t i = 0; rc == 0 && i < v->n; i++)
			rc = q->answer(q->ctx, at, name, FLOW_NUMBER, v->of[i], err);
		return rc;
	}
	return q->answer(q->ctx, at, name, v->kind == ENTRY ? FLOW_ENTRY : FLOW_UNKNOWN, v->kind == ENTRY ? v->of[0] : 0, err);
}

/* A call, or a jump out of the function, which is one. pushed: bytes that lie on the stack for the callee already. */
static int calls(struct flow *f, uint64_t at, const struct step *s, int64_t pushed, struct bh_err *err)
{
	uint32_t place = f->telling ? f->q->wants(f->q->ctx, s->target, s->address) : FLOW_NOWHERE;
	if (place == FLOW_NOWHERE)
		return 0;
	bool name = place & FLOW_NAME;
	place &= ~FLOW_NAME;
	struct value v = place < STEP_REGISTERS ? f->now.registers[place] : load_slot(&f->now, (int64_t)(place - FLOW_STACK) * 8 - pushed);
	return tell_value(f, at, name, &v, err);
}

static void assign(struct flow *f, const struct step *s)
{
	struct state *now = &f->now;
	int64_t known;
	struct value v = unknown, sum = s->op == STEP_OTHER && s->dst != STEP_NO_REGISTER && s->src != STEP_NO_REGISTER ? *register_of(now, s->src) : unknown;
	switch (s->op) {
	case STEP_CONST: *register_of(now, s->dst) = constant(s->value); break;
	case STEP_COPY: *register_of(now, s->dst) = *register_of(now, s->src); break;
	case STEP_LOAD: *register_of(now, s->dst) = load_slot(now, s->value); break;
	case STEP_ADDRESS: *register_of(now, s->dst) = constant((int64_t)s->address); break;
	case STEP_READ: *register_of(now, s->dst) = f->q->read(f->q->ctx, s->address, &known) ? constant(known) : unknown; break;
	case STEP_STORE: store_slot(now, s->value, *register_of(now, s->src)); break;
	case STEP_STORE_CONST: store_slot(now, s->value, constant((int64_t)s->extra)); break;
	case STEP_STACK: move_stack(now, s->value); break;
	case STEP_SLOT:
		*register_of(now, s->dst) = unknown;
		store_slot(now, s->value, unknown);
		break;
	case STEP_PUSH:
		if (s->src != STEP_NO_REGISTER)
			v = *register_of(now, s->src);
		move_stack(now, -8);
		store_slot(now, 0, v);
		break;
	case STEP_PUSH_CONST:
		move_stack(now, -8);
		store_slot(now, 0, constant(s->value));
		break;
	case STEP_POP:
		*register_of(now, s->dst) = load_slot(now, 0);
		move_stack(now, 8);
		break;
	case STEP_OTHER: case STEP_NOTHING: case STEP_CALL: case STEP_JUMP: case STEP_BRANCH: case STEP_RETURN: case STEP_TRAP: case STEP_SYSCALL: break;
	}
	clobber(f, s->clobbers);
	for (uint8_t i = 0; sum.kind == CONSTANTS && i < sum.n; i++)
		sum.of[i] = (int64_t)((uint64_t)sum.of[i] + (uint64_t)s->value);
	if (sum.kind == CONSTANTS)
		*register_of(now, s->dst) = sum;
	if (s->op == STEP_OTHER && s->forgets)
		forget_slots(now, s->value, s->forgets);
	if (s->forgets_stack)
		forget_stack(now);
	if (f->q->machine->stack != STEP_NO_REGISTER && (s->clobbers >> f->q->machine->stack & 1)) {
		now->stack_known = false;
		forget_stack(now);
	}
}

static int leaves(struct flow *f, uint64_t at, const struct step *s, struct bh_err *err)
{
	if (is_inner_jump(f, s)) {
		struct label *l = label_at(f, s->target);
		if (l)
			f->changed |= join(&l->state, &f->now);
		return 0;
	}
	return calls(f, at, s, 0, err);
}

static int apply(struct flow *f, uint64_t at, const struct step *s, struct bh_err *err)
{
	const struct step_machine *m = f->q->machine;
	int rc = 0;
	assign(f, s);
	switch (s->op) {
	case STEP_SYSCALL:
		rc = f->telling ? tell_value(f, at, false, &f->now.registers[m->number], err) : 0;
		clobber(f, m->lost_in_syscalls);
		break;
	case STEP_CALL:
		rc = calls(f, at, s, m->return_bytes, err);
		clobber(f, f->q->go ? UINT32_MAX : m->lost_in_calls);
		/* In Go, what is called before there is a frame makes room on the stack, and comes back in its own way. */
		f->now.live = f->q->comes_back(f->q->ctx, s->target, s->address) || (f->q->go && f->now.stack_known && f->now.stack == 0);
		break;
	case STEP_BRANCH: rc = leaves(f, at, s, err); break;
	case STEP_JUMP:
		rc = leaves(f, at, s, err);
		f->now.live = false;
		break;
	case STEP_RETURN: case STEP_TRAP: f->now.live = false; break;
	default: break;
	}
	return rc;
}

/*
 * Code behind a jump that nothing jumps to directly is reached through a table, by an exception or not at all: nothing is known there. A label that
 * only later code leads to waits for the next round.
 */
static int walk(struct flow *f, struct bh_err *err)
{
	struct step s;
	bool waits = false;
	int rc = 0;
	begin(&f->now);
	for (size_t pos = 0; rc == 0 && next_step(f, &pos, &s); pos += s.length) {
		struct label *l = label_at(f, f->q->address + pos);
		if (l) {
			f->changed |= join(&l->state, &f->now);
			f->now = l->state;
			waits = !f->now.live && !f->telling;
		}
		if (waits) {
			waits = s.op != STEP_JUMP && s.op != STEP_RETURN && s.op != STEP_TRAP;
			continue;
		}
		if (!f->now.live && (s.op == STEP_NOTHING || s.op == STEP_TRAP)) /* padding */
			continue;
		if (!f->now.live)
			begin_blind(&f->now);
		rc = apply(f, f->q->address + pos, &s, err);
	}
	return rc;
}

/* Without labels: every call of the kernel and of its wrappers is one whose number nobody knows. */
static int tell_nothing(struct flow *f, struct bh_err *err)
{
	struct step s;
	int rc = 0;
	for (size_t pos = 0; rc == 0 && next_step(f, &pos, &s); pos += s.length) {
		bool calling = s.op == STEP_CALL || s.op == STEP_JUMP;
		uint32_t place = calling ? f->q->wants(f->q->ctx, s.target, s.address) : FLOW_NOWHERE;
		if (s.op == STEP_SYSCALL || place != FLOW_NOWHERE)
			rc = tell_value(f, f->q->address + pos, place != FLOW_NOWHERE && (place & FLOW_NAME), &unknown, err);
	}
	return rc;
}

int flow_ask(const struct flow_question *q, struct bh_arena *scratch, struct bh_err *err)
{
	struct flow f = { .q = q };
	if (!find_labels(&f, scratch))
		return tell_nothing(&f, err);
	unsigned rounds = 0;
	do {
		f.changed = false;
		int rc = walk(&f, err);
		if (rc < 0)
			return rc;
	} while (f.changed && ++rounds < ROUNDS_MAX);
	if (f.changed)
		return tell_nothing(&f, err);
	f.telling = true;
	return walk(&f, err);
}

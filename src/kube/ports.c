#include "kube/ports.h"

#define PORT_MIN 1u
#define PORT_MAX 65535u

static const struct kube_run every_port = { PORT_MIN, PORT_MAX };

struct kube_ports kube_ports_all(void)
{
	struct kube_ports p;
	for (size_t i = 0; i < KUBE_PROTOCOLS; i++)
		p.of[i] = (struct kube_runs){ &every_port, 1 };
	return p;
}

struct kube_ports kube_ports_none(void)
{
	return (struct kube_ports){ 0 };
}

static bool is_full(const struct kube_runs *r)
{
	return r->n == 1 && r->list[0].from == PORT_MIN && r->list[0].to == PORT_MAX;
}

bool kube_ports_are_all(const struct kube_ports *p)
{
	return is_full(&p->of[KUBE_TCP]) && is_full(&p->of[KUBE_UDP]) && is_full(&p->of[KUBE_SCTP]);
}

bool kube_ports_are_none(const struct kube_ports *p)
{
	return p->of[KUBE_TCP].n + p->of[KUBE_UDP].n + p->of[KUBE_SCTP].n == 0;
}

bool kube_ports_equal(const struct kube_ports *a, const struct kube_ports *b)
{
	for (size_t i = 0; i < KUBE_PROTOCOLS; i++) {
		if (a->of[i].n != b->of[i].n)
			return false;
		for (size_t k = 0; k < a->of[i].n; k++)
			if (a->of[i].list[k].from != b->of[i].list[k].from || a->of[i].list[k].to != b->of[i].list[k].to)
				return false;
	}
	return true;
}

bool kube_ports_of(struct bh_arena *arena, enum kube_protocol protocol, uint64_t from, uint64_t to, struct kube_ports *ret)
{
	*ret = kube_ports_none();
	if (from < PORT_MIN || to > PORT_MAX || from > to)
		return true;
	struct kube_run *run = BH_ARENA_NEW(arena, struct kube_run);
	if (!run)
		return false;
	*run = (struct kube_run){ (uint16_t)from, (uint16_t)to };
	ret->of[protocol] = (struct kube_runs){ run, 1 };
	return true;
}

/* Is a port in the set? `at` only moves forward. */
static bool holds(const struct kube_runs *r, size_t *at, uint32_t port)
{
	while (*at < r->n && r->list[*at].to < port)
		++*at;
	return *at < r->n && r->list[*at].from <= port;
}

/* The first port above this one where membership may change. */
static uint32_t next_change(const struct kube_runs *r, size_t at, uint32_t port)
{
	if (at >= r->n)
		return PORT_MAX + 1;
	return r->list[at].from > port ? r->list[at].from : (uint32_t)r->list[at].to + 1;
}

enum operation { JOIN, BOTH, WITHOUT };

static bool wanted(enum operation op, bool a, bool b)
{
	return op == JOIN ? a || b : op == BOTH ? a && b : a && !b;
}

static bool combine_runs(struct bh_arena *arena, enum operation op, const struct kube_runs *a, const struct kube_runs *b, struct kube_runs *ret)
{
	struct kube_run *list = bh_arena_array(arena, a->n + b->n + 1, sizeof(*list));
	size_t n = 0, at_a = 0, at_b = 0;
	if (!list)
		return false;
	for (uint32_t port = PORT_MIN; port <= PORT_MAX;) {
		bool in_a = holds(a, &at_a, port), in_b = holds(b, &at_b, port);
		uint32_t end_a = next_change(a, at_a, port), end_b = next_change(b, at_b, port), end = end_a < end_b ? end_a : end_b;
		if (wanted(op, in_a, in_b)) {
			if (n && (uint32_t)list[n - 1].to + 1 == port)
				list[n - 1].to = (uint16_t)(end - 1);
			else
				list[n++] = (struct kube_run){ (uint16_t)port, (uint16_t)(end - 1) };
		}
		port = end;
	}
	*ret = (struct kube_runs){ list, n };
	return true;
}

static bool combine(struct bh_arena *arena, enum operation op, const struct kube_ports *a, const struct kube_ports *b, struct kube_ports *ret)
{
	struct kube_ports out;
	for (size_t i = 0; i < KUBE_PROTOCOLS; i++)
		if (!combine_runs(arena, op, &a->of[i], &b->of[i], &out.of[i]))
			return false;
	*ret = out;
	return true;
}

bool kube_ports_join(struct bh_arena *arena, const struct kube_ports *a, const struct kube_ports *b, struct kube_ports *ret)
{
	if (kube_ports_are_none(a) || kube_ports_are_all(b)) {
		*ret = *b;
		return true;
	}
	if (kube_ports_are_none(b) || kube_ports_are_all(a)) {
		*ret = *a;
		return true;
	}
	return combine(arena, JOIN, a, b, ret);
}

bool kube_ports_both(struct bh_arena *arena, const struct kube_ports *a, const struct kube_ports *b, struct kube_ports *ret)
{
	if (kube_ports_are_all(a) || kube_ports_are_none(b)) {
		*ret = *b;
		return true;
	}
	if (kube_ports_are_all(b) || kube_ports_are_none(a)) {
		*ret = *a;
		return true;
	}
	return combine(arena, BOTH, a, b, ret);
}

bool kube_ports_without(struct bh_arena *arena, const struct kube_ports *a, const struct kube_ports *b, struct kube_ports *ret)
{
	if (kube_ports_are_none(b) || kube_ports_are_none(a)) {
		*ret = *a;
		return true;
	}
	return combine(arena, WITHOUT, a, b, ret);
}

void kube_ports_print(const struct kube_ports *p, struct bh_buf *out)
{
	static const enum kube_protocol order[] = { KUBE_SCTP, KUBE_TCP, KUBE_UDP };
	static const char *const names[] = { [KUBE_SCTP] = "SCTP", [KUBE_TCP] = "TCP", [KUBE_UDP] = "UDP" };
	bool first = true;
	if (kube_ports_are_all(p) || kube_ports_are_none(p)) {
		bh_buf_add_str(out, kube_ports_are_all(p) ? "All Connections" : "No Connections");
		return;
	}
	for (size_t i = 0; i < KUBE_PROTOCOLS; i++) {
		const struct kube_runs *r = &p->of[order[i]];
		if (r->n == 0)
			continue;
		bh_buf_printf(out, "%s%s ", first ? "" : ",", names[order[i]]);
		first = false;
		for (size_t k = 0; k < r->n; k++) {
			bh_buf_printf(out, "%s%u", k ? "," : "", r->list[k].from);
			if (r->list[k].to != r->list[k].from)
				bh_buf_printf(out, "-%u", r->list[k].to);
		}
	}
}

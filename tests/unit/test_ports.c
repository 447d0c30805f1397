/* test_ports.c: sets of ports. Expected values are set algebra, worked out by hand. */
#include "kube/ports.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define MEMORY_BYTES (1u << 20)

/* "t80-90 u53 s1-65535": the set as the tables below write it. */
static struct kube_ports read_set(struct bh_arena *arena, const char *text)
{
	struct kube_ports set = kube_ports_none(), more;
	while (*text) {
		enum kube_protocol protocol = *text == 't' ? KUBE_TCP : *text == 'u' ? KUBE_UDP : KUBE_SCTP;
		char *end;
		uint64_t from = strtoull(text + 1, &end, 10), to = from;
		if (*end == '-')
			to = strtoull(end + 1, &end, 10);
		assert_true(kube_ports_of(arena, protocol, from, to, &more));
		assert_true(kube_ports_join(arena, &set, &more, &set));
		text = *end == ' ' ? end + 1 : end;
	}
	return set;
}

static void assert_printed(const struct kube_ports *set, const char *expected)
{
	struct bh_buf text;
	bh_buf_init(&text, MEMORY_BYTES);
	kube_ports_print(set, &text);
	bh_buf_add_byte(&text, '\0');
	assert_string_equal((const char *)text.ptr, expected);
	bh_buf_done(&text);
}

static void sets_combine(void **state)
{
	static const struct {
		const char *a, *b, *join, *both, *without;
	} cases[] = {
		{ "", "", "No Connections", "No Connections", "No Connections" },
		{ "t80", "", "TCP 80", "No Connections", "TCP 80" },
		{ "t80", "t80", "TCP 80", "TCP 80", "No Connections" },
		{ "t80", "u80", "TCP 80,UDP 80", "No Connections", "TCP 80" },
		{ "t1-10", "t11-20", "TCP 1-20", "No Connections", "TCP 1-10" },
		{ "t1-10", "t5-20", "TCP 1-20", "TCP 5-10", "TCP 1-4" },
		{ "t1-65535", "t80", "TCP 1-65535", "TCP 80", "TCP 1-79,81-65535" },
		{ "t1-65535", "t1", "TCP 1-65535", "TCP 1", "TCP 2-65535" },
		{ "t1-65535", "t65535", "TCP 1-65535", "TCP 65535", "TCP 1-65534" },
		{ "t1 t3 t5", "t2 t4", "TCP 1-5", "No Connections", "TCP 1,3,5" },
		{ "t1-65535 u1-65535", "s1-65535", "All Connections", "No Connections", "TCP 1-65535,UDP 1-65535" },
		{ "t1-65535 u1-65535 s1-65535", "t22", "All Connections", "TCP 22", "SCTP 1-65535,TCP 1-21,23-65535,UDP 1-65535" },
		{ "s9 u8 t7", "u8", "SCTP 9,TCP 7,UDP 8", "UDP 8", "SCTP 9,TCP 7" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bh_arena arena;
		struct kube_ports out;
		bh_arena_init(&arena, MEMORY_BYTES);
		struct kube_ports a = read_set(&arena, cases[i].a), b = read_set(&arena, cases[i].b);
		assert_true(kube_ports_join(&arena, &a, &b, &out));
		assert_printed(&out, cases[i].join);
		assert_true(kube_ports_join(&arena, &b, &a, &out));
		assert_printed(&out, cases[i].join);
		assert_true(kube_ports_both(&arena, &a, &b, &out));
		assert_printed(&out, cases[i].both);
		assert_true(kube_ports_both(&arena, &b, &a, &out));
		assert_printed(&out, cases[i].both);
		assert_true(kube_ports_without(&arena, &a, &b, &out));
		assert_printed(&out, cases[i].without);
		assert_int_equal(kube_ports_are_none(&out), bh_slice_eq_str(bh_slice_str(cases[i].without), "No Connections"));
		bh_arena_done(&arena);
	}
}

static void numbers_that_are_no_ports(void **state)
{
	static const struct {
		uint64_t from, to;
	} cases[] = { { 0, 0 }, { 0, 10 }, { 65535, 65536 }, { 10, 9 }, { 1ull << 40, 1ull << 41 } };
	struct bh_arena arena;
	(void)state;
	bh_arena_init(&arena, MEMORY_BYTES);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kube_ports p;
		assert_true(kube_ports_of(&arena, KUBE_TCP, cases[i].from, cases[i].to, &p));
		assert_true(kube_ports_are_none(&p));
	}
	bh_arena_done(&arena);
}

static void equal_sets(void **state)
{
	struct bh_arena arena;
	(void)state;
	bh_arena_init(&arena, MEMORY_BYTES);
	struct kube_ports a = read_set(&arena, "t1-5 u3"), b = read_set(&arena, "u3 t4-5 t1-3"), c = read_set(&arena, "t1-5 u4"), all = kube_ports_all();
	struct kube_ports whole = read_set(&arena, "s1-65535 t1-65535 u1-65535");
	assert_true(kube_ports_equal(&a, &b));
	assert_false(kube_ports_equal(&a, &c));
	assert_true(kube_ports_equal(&all, &whole));
	assert_true(kube_ports_are_all(&whole));
	bh_arena_done(&arena);
}

static void a_full_arena_is_told(void **state)
{
	struct bh_arena arena;
	struct kube_ports p, a = kube_ports_all(), b;
	(void)state;
	bh_arena_init(&arena, MEMORY_BYTES);
	b = read_set(&arena, "t80");
	struct bh_arena full;
	bh_arena_init(&full, 8);
	assert_false(kube_ports_of(&full, KUBE_TCP, 1, 2, &p) && kube_ports_of(&full, KUBE_TCP, 1, 2, &p) && kube_ports_of(&full, KUBE_TCP, 1, 2, &p));
	assert_false(kube_ports_without(&full, &a, &b, &p));
	bh_arena_done(&full);
	bh_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_combine),
		cmocka_unit_test(numbers_that_are_no_ports),
		cmocka_unit_test(equal_sets),
		cmocka_unit_test(a_full_arena_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_address_range.c: runs of addresses. Expected values are those of Python's ipaddress (summarize_address_range, ip_network). */
#include "kube/address_range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define TEXT_BYTES_MAX 4096u

static void prefixes_are_ranges(void **state)
{
	static const struct {
		const char *text, *range; /* NULL: no prefix */
	} cases[] = {
		{ "10.0.0.0/8", "10.0.0.0-10.255.255.255" },
		{ "10.1.2.3/8", "10.0.0.0-10.255.255.255" },
		{ "0.0.0.0/0", "0.0.0.0-255.255.255.255" },
		{ "255.255.255.255/32", "255.255.255.255-255.255.255.255" },
		{ "2001:db8::/32", "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "::/0", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "::1/128", "::1-::1" },
		{ "10.0.0.0/33", NULL },
		{ "10.0.0.0", NULL },
		{ "10.0.0/8", NULL },
		{ "::/129", NULL },
		{ "", NULL },
		{ "/8", NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kube_address_range range;
		struct bh_buf text;
		assert_int_equal(kube_prefix_read(bh_slice_str(cases[i].text), &range), cases[i].range != NULL);
		if (!cases[i].range)
			continue;
		bh_buf_init(&text, TEXT_BYTES_MAX);
		kube_addresses_print(&range, &text);
		bh_buf_add_byte(&text, '\0');
		assert_string_equal((const char *)text.ptr, cases[i].range);
		bh_buf_done(&text);
	}
}

static void ranges_are_prefixes(void **state)
{
	static const struct {
		const char *first, *last, *prefixes;
	} cases[] = {
		{ "10.0.0.0", "10.255.255.255", "10.0.0.0/8" },
		{ "0.0.0.0", "255.255.255.255", "0.0.0.0/0" },
		{ "192.0.2.0", "192.0.2.130", "192.0.2.0/25 192.0.2.128/31 192.0.2.130/32" },
		{ "10.0.0.1", "10.0.0.8", "10.0.0.1/32 10.0.0.2/31 10.0.0.4/30 10.0.0.8/32" },
		{ "255.255.255.254", "255.255.255.255", "255.255.255.254/31" },
		{ "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0" },
		{ "2001:db8::1", "2001:db8::3", "2001:db8::1/128 2001:db8::2/127" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kube_address_range first, last, rest;
		struct bh_buf text;
		assert_true(kube_addresses_read(bh_slice_str(cases[i].first), &first) && kube_addresses_read(bh_slice_str(cases[i].last), &last));
		rest = (struct kube_address_range){ first.is_v6, first.from, last.to };
		bh_buf_init(&text, TEXT_BYTES_MAX);
		while (kube_addresses_next_prefix(&rest, &text, &rest))
			bh_buf_add_byte(&text, ' ');
		bh_buf_add_byte(&text, '\0');
		assert_string_equal((const char *)text.ptr, cases[i].prefixes);
		bh_buf_done(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_are_ranges),
		cmocka_unit_test(ranges_are_prefixes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

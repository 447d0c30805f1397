/* lib_ip.c: IP addresses and prefixes (apiserver, library/ip.go and cidr.go; since 1.30). */
#include "policy/cel/address.h"
#include "policy/cel/library.h"
#include "policy/cel/type.h"

#define FUNCTION(name) static struct cel_value name(struct cel_run *run, const struct cel_value *a, size_t n)

struct address {
	struct cel_object object;
	struct cel_address at;
};

static const struct cel_address *of(const struct cel_value *v)
{
	return &((const struct address *)(const void *)v->object)->at;
}

static bool equal(const struct cel_object *a, const struct cel_object *b)
{
	const struct cel_address *x = &((const struct address *)(const void *)a)->at, *y = &((const struct address *)(const void *)b)->at;
	return x->is_v6 == y->is_v6 && x->prefix == y->prefix && memcmp(x->bytes, y->bytes, sizeof(x->bytes)) == 0;
}

static const struct cel_object_class ip_class = { "net.IP", equal }, cidr_class = { "net.CIDR", equal };

static struct cel_value make(struct cel_run *run, const struct cel_object_class *class, struct cel_address at)
{
	struct address *v = BH_ARENA_NEW(cel_arena(run), struct address);
	if (!v)
		return cel_out_of_memory();
	*v = (struct address){ { class }, at };
	return cel_object(&v->object);
}

/* ---- addresses ---- */

FUNCTION(ip)
{
	struct cel_address at;
	const char *wrong = cel_address_parse(a[0].text, &at);
	(void)n;
	return wrong ? cel_fail(run, "IP Address '%.*s' parse error during conversion from string: %s", BH_SLICE_FMT(a[0].text), wrong) : make(run, &ip_class, at);
}

FUNCTION(is_ip)
{
	struct cel_address at;
	(void)run, (void)n;
	return cel_bool(cel_address_parse(a[0].text, &at) == NULL);
}

FUNCTION(ip_string)
{
	char text[CEL_ADDRESS_TEXT_BYTES];
	(void)n;
	return cel_string_copy(run, bh_slice_str(cel_address_print(of(&a[0]), text)));
}

FUNCTION(is_canonical)
{
	struct cel_address at;
	char text[CEL_ADDRESS_TEXT_BYTES];
	const char *wrong = cel_address_parse(a[0].text, &at);
	(void)n;
	if (wrong)
		return cel_fail(run, "IP Address '%.*s' parse error during conversion from string: %s", BH_SLICE_FMT(a[0].text), wrong);
	return cel_bool(bh_slice_eq_str(a[0].text, cel_address_print(&at, text)));
}

FUNCTION(family)
{
	(void)run, (void)n;
	return cel_int(of(&a[0])->is_v6 ? 6 : 4);
}

static bool is_zero(const struct cel_address *at)
{
	static const uint8_t zero[16];
	return memcmp(at->bytes, zero, sizeof(zero)) == 0;
}

static bool loops(const struct cel_address *at)
{
	static const uint8_t one[16] = { [15] = 1 };
	return at->is_v6 ? memcmp(at->bytes, one, sizeof(one)) == 0 : at->bytes[0] == 127;
}

static bool is_multicast(const struct cel_address *at)
{
	return at->is_v6 ? at->bytes[0] == 0xff : (at->bytes[0] & 0xf0) == 0xe0;
}

static bool is_link_local(const struct cel_address *at)
{
	if (at->is_v6)
		return at->bytes[0] == 0xfe && (at->bytes[1] & 0xc0) == 0x80;
	return at->bytes[0] == 169 && at->bytes[1] == 254;
}

static bool is_broadcast(const struct cel_address *at)
{
	return !at->is_v6 && memcmp(at->bytes, "\xff\xff\xff\xff", 4) == 0;
}

FUNCTION(is_unspecified)
{
	(void)run, (void)n;
	return cel_bool(is_zero(of(&a[0])));
}

FUNCTION(is_loopback)
{
	(void)run, (void)n;
	return cel_bool(loops(of(&a[0])));
}

FUNCTION(is_link_local_multicast)
{
	const struct cel_address *at = of(&a[0]);
	(void)run, (void)n;
	if (at->is_v6)
		return cel_bool(at->bytes[0] == 0xff && (at->bytes[1] & 0x0f) == 0x02);
	return cel_bool(at->bytes[0] == 224 && at->bytes[1] == 0 && at->bytes[2] == 0);
}

FUNCTION(is_link_local_unicast)
{
	(void)run, (void)n;
	return cel_bool(is_link_local(of(&a[0])));
}

/* Private addresses are global ones here (net/netip, IsGlobalUnicast). */
FUNCTION(is_global_unicast)
{
	const struct cel_address *at = of(&a[0]);
	(void)run, (void)n;
	return cel_bool(!is_zero(at) && !loops(at) && !is_multicast(at) && !is_link_local(at) && !is_broadcast(at));
}

/* ---- prefixes ---- */

static struct cel_value wrong_prefix(struct cel_run *run, struct bh_slice text, const char *why)
{
	return cel_fail(run, "CIDR '%.*s' parse error during conversion from string: %s", BH_SLICE_FMT(text), why);
}

FUNCTION(cidr)
{
	struct cel_address at;
	const char *wrong = cel_prefix_parse(a[0].text, &at);
	(void)n;
	return wrong ? wrong_prefix(run, a[0].text, wrong) : make(run, &cidr_class, at);
}

FUNCTION(is_cidr)
{
	struct cel_address at;
	(void)run, (void)n;
	return cel_bool(cel_prefix_parse(a[0].text, &at) == NULL);
}

FUNCTION(cidr_string)
{
	char text[CEL_ADDRESS_TEXT_BYTES];
	(void)n;
	return cel_string_copy(run, bh_slice_str(cel_prefix_print(of(&a[0]), text)));
}

FUNCTION(contains_ip)
{
	struct cel_address at;
	(void)n;
	if (a[1].kind == CEL_OBJECT)
		return cel_bool(cel_prefix_holds(of(&a[0]), of(&a[1])));
	const char *wrong = cel_address_parse(a[1].text, &at);
	return wrong ? cel_fail(run, "IP Address '%.*s' parse error during conversion from string: %s", BH_SLICE_FMT(a[1].text), wrong)
		     : cel_bool(cel_prefix_holds(of(&a[0]), &at));
}

FUNCTION(contains_cidr)
{
	struct cel_address at;
	(void)n;
	if (a[1].kind == CEL_OBJECT)
		return cel_bool(cel_prefix_holds_prefix(of(&a[0]), of(&a[1])));
	const char *wrong = cel_prefix_parse(a[1].text, &at);
	return wrong ? wrong_prefix(run, a[1].text, wrong) : cel_bool(cel_prefix_holds_prefix(of(&a[0]), &at));
}

FUNCTION(cidr_ip)
{
	struct cel_address at = *of(&a[0]);
	(void)n;
	at.prefix = 0;
	return make(run, &ip_class, at);
}

FUNCTION(prefix_length)
{
	(void)run, (void)n;
	return cel_int(of(&a[0])->prefix);
}

FUNCTION(masked)
{
	(void)n;
	return make(run, &cidr_class, cel_prefix_masked(of(&a[0])));
}

/* The bytes that a prefix covers. */
static uint64_t size_of_prefix(const struct cel_value *v)
{
	return (of(v)->prefix + 7u) / 8;
}

/* The prefix is compared on both sides: two tenths of its bytes, and what a text costs to read. */
static uint64_t cost_of_contains(const struct cel_value *args, size_t n, const struct cel_value *result)
{
	uint64_t size = size_of_prefix(&args[0]), text = args[1].kind == CEL_STRING ? (cel_size_of(args[1]) + 9) / 10 : 0;
	(void)n, (void)result;
	return (2 * size + 9) / 10 + text;
}

static uint64_t cost_of_contains_cidr(const struct cel_value *args, size_t n, const struct cel_value *result)
{
	return cost_of_contains(args, n, result) + (size_of_prefix(&args[0]) + 9) / 10 + 1;
}

static const struct cel_overload overloads[] = {
	{ "ip", "string_to_ip", "(string) -> net.IP", ip, cel_cost_tenth_of_first },
	{ "isIP", "is_ip", "(string) -> bool", is_ip, cel_cost_tenth_of_first },
	{ "string", "ip_to_string", "(net.IP) -> string", ip_string, NULL },
	{ "ip.isCanonical", "ip_is_canonical", "(string) -> bool", is_canonical, cel_cost_fifth_of_first },
	{ "family", "ip_family", "net.IP.() -> int", family, NULL },
	{ "isUnspecified", "ip_is_unspecified", "net.IP.() -> bool", is_unspecified, NULL },
	{ "isLoopback", "ip_is_loopback", "net.IP.() -> bool", is_loopback, NULL },
	{ "isLinkLocalMulticast", "ip_is_link_local_multicast", "net.IP.() -> bool", is_link_local_multicast, NULL },
	{ "isLinkLocalUnicast", "ip_is_link_local_unicast", "net.IP.() -> bool", is_link_local_unicast, NULL },
	{ "isGlobalUnicast", "ip_is_global_unicast", "net.IP.() -> bool", is_global_unicast, NULL },
	{ "cidr", "string_to_cidr", "(string) -> net.CIDR", cidr, cel_cost_tenth_of_first },
	{ "isCIDR", "is_cidr", "(string) -> bool", is_cidr, cel_cost_tenth_of_first },
	{ "string", "cidr_to_string", "(net.CIDR) -> string", cidr_string, NULL },
	{ "containsIP", "cidr_contains_ip_ip", "net.CIDR.(net.IP) -> bool", contains_ip, cost_of_contains },
	{ "containsIP", "cidr_contains_ip_string", "net.CIDR.(string) -> bool", contains_ip, cost_of_contains },
	{ "containsCIDR", "cidr_contains_cidr", "net.CIDR.(net.CIDR) -> bool", contains_cidr, cost_of_contains_cidr },
	{ "containsCIDR", "cidr_contains_cidr_string", "net.CIDR.(string) -> bool", contains_cidr, cost_of_contains_cidr },
	{ "ip", "cidr_ip", "net.CIDR.() -> net.IP", cidr_ip, NULL },
	{ "prefixLength", "cidr_prefix_length", "net.CIDR.() -> int", prefix_length, NULL },
	{ "masked", "cidr_masked", "net.CIDR.() -> net.CIDR", masked, NULL },
	{ 0 },
};

static const struct cel_type ip_type = { .kind = CEL_TYPE_OPAQUE, .name = { (const uint8_t *)"net.IP", 6 } };
static const struct cel_type cidr_type = { .kind = CEL_TYPE_OPAQUE, .name = { (const uint8_t *)"net.CIDR", 8 } };

static const struct cel_constant constants[] = {
	{ "net.IP", "type(net.IP)", { .kind = CEL_TYPE, .type = &ip_type } },
	{ "net.CIDR", "type(net.CIDR)", { .kind = CEL_TYPE, .type = &cidr_type } },
	{ 0 },
};

const struct cel_library cel_library_ip = { .name = "ip", .overloads = overloads, .constants = constants };

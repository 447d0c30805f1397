#include "policy/cel/address.h"

#include <arpa/inet.h>
#include <stdio.h>

/* Either family. */
static bool parse(struct bh_slice text, struct cel_address *ret)
{
	char copy[CEL_ADDRESS_TEXT_BYTES];
	struct cel_address a = { 0 };
	if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len))
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	a.is_v6 = strchr(copy, ':') != NULL;
	if (inet_pton(a.is_v6 ? AF_INET6 : AF_INET, copy, a.bytes) != 1)
		return false;
	*ret = a;
	return true;
}

bool cel_address_parse_v6(struct bh_slice text, struct cel_address *ret)
{
	struct cel_address a;
	if (!parse(text, &a) || !a.is_v6)
		return false;
	*ret = a;
	return true;
}

const char *cel_address_parse(struct bh_slice text, struct cel_address *ret)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	struct cel_address a;
	if (bh_slice_find(text, '%') < text.len)
		return "IP address with zone value is not allowed";
	if (!parse(text, &a))
		return "unable to parse IP";
	if (a.is_v6 && memcmp(a.bytes, mapped, sizeof(mapped)) == 0)
		return "IPv4-mapped IPv6 address is not allowed";
	*ret = a;
	return NULL;
}

const char *cel_prefix_parse(struct bh_slice text, struct cel_address *ret)
{
	struct cel_address a;
	uint64_t bits;
	size_t slash = bh_slice_find(text, '/');
	struct bh_slice length = bh_slice_sub(text, slash + 1, text.len);
	if (slash == text.len)
		return "a prefix without its length";
	const char *wrong = cel_address_parse(bh_slice_sub(text, 0, slash), &a);
	if (wrong)
		return wrong;
	if (!bh_slice_u64(length, a.is_v6 ? 128 : 32, &bits) || (length.len > 1 && length.ptr[0] == '0'))
		return "a prefix with a wrong length";
	a.prefix = (uint8_t)bits;
	*ret = a;
	return NULL;
}

static unsigned group(const struct cel_address *a, size_t i)
{
	return (unsigned)(a->bytes[2 * i] << 8 | a->bytes[2 * i + 1]);
}

/* The longest run of zero groups, the first of equal ones; a single group is no run. */
static size_t longest_run(const struct cel_address *a, size_t *length)
{
	size_t best = 8;
	*length = 1;
	for (size_t i = 0; i < 8; i++) {
		size_t n = 0;
		while (i + n < 8 && group(a, i + n) == 0)
			n++;
		if (n > *length) {
			*length = n;
			best = i;
		}
		i += n;
	}
	return best;
}

const char *cel_address_print(const struct cel_address *a, char out[CEL_ADDRESS_TEXT_BYTES])
{
	size_t run, length, at = 0;
	if (!a->is_v6) {
		snprintf(out, CEL_ADDRESS_TEXT_BYTES, "%u.%u.%u.%u", a->bytes[0], a->bytes[1], a->bytes[2], a->bytes[3]);
		return out;
	}
	run = longest_run(a, &length);
	out[0] = '\0';
	for (size_t i = 0; i < 8; i++) {
		if (i == run) {
			at += (size_t)snprintf(out + at, CEL_ADDRESS_TEXT_BYTES - at, "::");
			i += length - 1;
			continue;
		}
		bool joint = i > 0 && !(run < 8 && i == run + length);
		at += (size_t)snprintf(out + at, CEL_ADDRESS_TEXT_BYTES - at, "%s%x", joint ? ":" : "", group(a, i));
	}
	return out;
}

const char *cel_prefix_print(const struct cel_address *prefix, char out[CEL_ADDRESS_TEXT_BYTES])
{
	cel_address_print(prefix, out);
	size_t at = strlen(out);
	snprintf(out + at, CEL_ADDRESS_TEXT_BYTES - at, "/%u", prefix->prefix);
	return out;
}

struct cel_address cel_prefix_masked(const struct cel_address *prefix)
{
	struct cel_address a = *prefix;
	for (size_t i = 0; i < sizeof(a.bytes); i++) {
		unsigned left = a.prefix > 8 * i ? a.prefix - (unsigned)(8 * i) : 0;
		if (left < 8)
			a.bytes[i] &= (uint8_t)(0xff00u >> left);
	}
	return a;
}

bool cel_prefix_holds(const struct cel_address *prefix, const struct cel_address *address)
{
	struct cel_address cut = *address;
	cut.prefix = prefix->prefix;
	struct cel_address a = cel_prefix_masked(prefix), b = cel_prefix_masked(&cut);
	return a.is_v6 == b.is_v6 && memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

bool cel_prefix_holds_prefix(const struct cel_address *prefix, const struct cel_address *other)
{
	return other->prefix >= prefix->prefix && cel_prefix_holds(prefix, other);
}

#include "kube/address_range.h"

#include "policy/cel/address.h"

static unsigned width(bool is_v6)
{
	return is_v6 ? 128 : 32;
}

/* The lowest n bits set. */
static kube_address low_bits(unsigned n)
{
	return n >= 128 ? ~(kube_address)0 : ((kube_address)1 << n) - 1;
}

struct kube_address_range kube_addresses_all(bool is_v6)
{
	return (struct kube_address_range){ is_v6, 0, low_bits(width(is_v6)) };
}

static struct kube_address_range range_of(const struct cel_address *a, unsigned prefix)
{
	unsigned bits = width(a->is_v6);
	kube_address number = 0;
	for (unsigned i = 0; i < bits / 8; i++)
		number = number << 8 | a->bytes[i];
	kube_address mask = low_bits(bits - prefix);
	return (struct kube_address_range){ a->is_v6, number & ~mask, number | mask };
}

bool kube_prefix_read(struct bh_slice text, struct kube_address_range *ret)
{
	struct cel_address a;
	if (cel_prefix_parse(text, &a))
		return false;
	*ret = range_of(&a, a.prefix);
	return true;
}

bool kube_addresses_read(struct bh_slice text, struct kube_address_range *ret)
{
	struct cel_address a;
	if (kube_prefix_read(text, ret))
		return true;
	if (cel_address_parse(text, &a))
		return false;
	*ret = range_of(&a, width(a.is_v6));
	return true;
}

bool kube_addresses_hold(const struct kube_address_range *a, const struct kube_address_range *b)
{
	return a->is_v6 == b->is_v6 && a->from <= b->from && b->to <= a->to;
}

static struct cel_address address_of(kube_address number, bool is_v6)
{
	struct cel_address a = { .is_v6 = is_v6 };
	for (unsigned i = width(is_v6) / 8; i-- > 0; number >>= 8)
		a.bytes[i] = (uint8_t)(number & 0xff);
	return a;
}

void kube_addresses_print(const struct kube_address_range *range, struct bh_buf *out)
{
	char text[CEL_ADDRESS_TEXT_BYTES];
	struct cel_address from = address_of(range->from, range->is_v6), to = address_of(range->to, range->is_v6);
	bh_buf_add_str(out, cel_address_print(&from, text));
	bh_buf_add_byte(out, '-');
	bh_buf_add_str(out, cel_address_print(&to, text));
}

bool kube_addresses_next_prefix(const struct kube_address_range *range, struct bh_buf *out, struct kube_address_range *ret_rest)
{
	char text[CEL_ADDRESS_TEXT_BYTES];
	unsigned bits = width(range->is_v6), free_bits = 0;
	struct cel_address a = address_of(range->from, range->is_v6);
	while (free_bits < bits && (range->from & low_bits(free_bits + 1)) == 0 && range->to - range->from >= low_bits(free_bits + 1))
		free_bits++;
	a.prefix = (uint8_t)(bits - free_bits);
	bh_buf_add_str(out, cel_prefix_print(&a, text));
	kube_address last = range->from | low_bits(free_bits);
	if (last == range->to)
		return false;
	*ret_rest = (struct kube_address_range){ range->is_v6, last + 1, range->to };
	return true;
}

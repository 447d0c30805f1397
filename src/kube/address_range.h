/* address_range.h: runs of IP addresses as numbers, so that overlapping prefixes can be cut into pieces that no rule tells apart. */
#ifndef BH_KUBE_ADDRESS_RANGE_H
#define BH_KUBE_ADDRESS_RANGE_H

#include "base/buf.h"

typedef unsigned __int128 kube_address; /* of version 4 the lowest 32 bits */

struct kube_address_range {
	bool is_v6;
	kube_address from, to; /* both in it */
};

/* All addresses of a version. */
struct kube_address_range kube_addresses_all(bool is_v6);

/* "10.0.0.0/8", "fd00::/8", or a single address. False: neither. */
bool kube_addresses_read(struct bh_slice text, struct kube_address_range *ret);

/* Only what has a prefix length. */
bool kube_prefix_read(struct bh_slice text, struct kube_address_range *ret);

/* Is all of b in a? */
bool kube_addresses_hold(const struct kube_address_range *a, const struct kube_address_range *b);

/* "10.0.0.0-10.255.255.255" */
void kube_addresses_print(const struct kube_address_range *range, struct bh_buf *out);

/* The largest prefix that begins where the range begins and lies in it: "10.0.0.0/8"; *ret_rest is what is left behind it. False: nothing is left. */
bool kube_addresses_next_prefix(const struct kube_address_range *range, struct bh_buf *out, struct kube_address_range *ret_rest);

#endif

/* address.h: IP addresses and prefixes as Go's net/netip reads and prints them, for the libraries ip and cidr. */
#ifndef CEL_ADDRESS_H
#define CEL_ADDRESS_H

#include "base/slice.h"

#define CEL_ADDRESS_TEXT_BYTES 56u /* eight groups of four, and "/128" */

struct cel_address {
	uint8_t bytes[16]; /* version 4: the first four */
	bool is_v6;
	uint8_t prefix;    /* of a prefix: bits; 0 in an address */
};

/* "10.0.0.1", "::1". NULL, or what is wrong: zones and IPv4 in IPv6 are refused as Kubernetes does. */
const char *cel_address_parse(struct bh_slice text, struct cel_address *ret);

/* IPv6 alone, where IPv4 in it is fine. */
bool cel_address_parse_v6(struct bh_slice text, struct cel_address *ret);

/* "10.0.0.0/8", "fe80::/10"; the bits behind the prefix may be set. */
const char *cel_prefix_parse(struct bh_slice text, struct cel_address *ret);

/* RFC 5952; returns `out`. */
const char *cel_address_print(const struct cel_address *address, char out[CEL_ADDRESS_TEXT_BYTES]);
const char *cel_prefix_print(const struct cel_address *prefix, char out[CEL_ADDRESS_TEXT_BYTES]);

/* With the bits behind the prefix cleared. */
struct cel_address cel_prefix_masked(const struct cel_address *prefix);

/* Does the prefix hold the address, or all of another prefix? */
bool cel_prefix_holds(const struct cel_address *prefix, const struct cel_address *address);
bool cel_prefix_holds_prefix(const struct cel_address *prefix, const struct cel_address *other);

#endif

/* match.h: how values are compared: as texts, numbers, addresses, networks and paths. All in time linear, or a product of two lengths, whatever the texts. */
#ifndef BH_GUARD_MATCH_H
#define BH_GUARD_MATCH_H

#include "guard/fields.h"

/* An address of IPv4 or IPv6; one with the length of a prefix behind it, or without. */
bool guard_is_address(struct bh_slice s);
bool guard_is_network(struct bh_slice s);

bool guard_equal(enum guard_type type, struct bh_slice value, struct bh_slice wanted); /* of a network: does it hold the address? */
int guard_compare(enum guard_type type, struct bh_slice a, struct bh_slice b);         /* < 0, 0, > 0; numbers as such */
bool guard_contains(struct bh_slice value, struct bh_slice part);
bool guard_contains_hex(struct bh_slice value, struct bh_slice hex, bool at_start);

/* "*", "?", "[a-z]", "[!a]", a backslash in front of any of them; "*" crosses "/". */
bool guard_glob(struct bh_slice pattern, struct bh_slice value, bool nocase);

/* Is the path below the other one, or that itself? Its parts may have "*", "?", "[...]", which do not cross "/". */
bool guard_path_match(struct bh_slice prefix, struct bh_slice path);

#endif

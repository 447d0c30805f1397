/* vex_store.h: statements in memory, as loading leaves them and matching reads them. Private to policy/. */
#ifndef BH_POLICY_VEX_STORE_H
#define BH_POLICY_VEX_STORE_H

#include "base/map.h"
#include "policy/vex.h"

/* One of the statements about an id; the newest one that was read comes first. */
struct vex_link {
	const struct vex_link *next;
	uint32_t statement;
};

enum vex_presence { VEX_PRESENCE_UNKNOWN, VEX_PRESENT, VEX_ABSENT };

struct vex_stored {
	struct policy_vex_statement is; /* without its ids */
	int64_t time_s;                 /* of its date; INT64_MIN when it has none */
	uint32_t document;
	enum vex_presence product;      /* is the product in the image, or the image itself? Found out when it is first asked for */
};

BH_VEC(vex_stored_vec, struct vex_stored)

struct policy_vex {
	struct bh_arena arena;
	struct bh_map by_id;            /* vulnerability id -> struct vex_link */
	struct vex_stored_vec statements;
	struct bh_vex_vec documents;
};

/* Seconds since 1970 of an RFC 3339 time; INT64_MIN when it is none. */
int64_t policy_time_of(struct bh_slice text);

#endif

/* ports.h: what a connection may be: sets of ports, 1 to 65535, of TCP, UDP and SCTP. A value of fixed size is too large, so runs lie in an arena. */
#ifndef BH_KUBE_PORTS_H
#define BH_KUBE_PORTS_H

#include "base/arena.h"
#include "base/buf.h"

enum kube_protocol { KUBE_TCP, KUBE_UDP, KUBE_SCTP };
#define KUBE_PROTOCOLS 3u

struct kube_run {
	uint16_t from, to; /* both in the set */
};

struct kube_runs {
	const struct kube_run *list; /* ascending, apart */
	size_t n;
};

struct kube_ports {
	struct kube_runs of[KUBE_PROTOCOLS];
};

struct kube_ports kube_ports_all(void);
struct kube_ports kube_ports_none(void);
bool kube_ports_are_all(const struct kube_ports *p);
bool kube_ports_are_none(const struct kube_ports *p);
bool kube_ports_equal(const struct kube_ports *a, const struct kube_ports *b);

/* From `from` to `to` of one protocol; nothing when the numbers are no ports. False: the arena is full, as in all below. */
bool kube_ports_of(struct bh_arena *arena, enum kube_protocol protocol, uint64_t from, uint64_t to, struct kube_ports *ret) BH_MUST_CHECK;

bool kube_ports_join(struct bh_arena *arena, const struct kube_ports *a, const struct kube_ports *b, struct kube_ports *ret) BH_MUST_CHECK;
bool kube_ports_both(struct bh_arena *arena, const struct kube_ports *a, const struct kube_ports *b, struct kube_ports *ret) BH_MUST_CHECK;
bool kube_ports_without(struct bh_arena *arena, const struct kube_ports *a, const struct kube_ports *b, struct kube_ports *ret) BH_MUST_CHECK;

/* "All Connections", "No Connections", "SCTP 9003,TCP 1-79,81-65535,UDP 53": protocols in the order of their names. */
void kube_ports_print(const struct kube_ports *p, struct bh_buf *out);

#endif

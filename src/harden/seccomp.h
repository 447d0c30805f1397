/* seccomp.h: numbers of system calls that can be reached to a profile for container runtimes (the JSON that Docker, Podman and containerd read). */
#ifndef BH_HARDEN_SECCOMP_H
#define BH_HARDEN_SECCOMP_H

#include "harden/reach.h"

enum seccomp_why {
	SECCOMP_NOT,       /* not allowed: nothing reaches it */
	SECCOMP_REACHED,   /* a program or library does */
	SECCOMP_RUNTIME,   /* the container runtime does, between loading the profile and starting the program; or the kernel */
	SECCOMP_ASKED,     /* --allow */
	SECCOMP_DEFAULT,   /* some call could not be decided, so everything that is harmless is allowed */
	SECCOMP_REFUSED,   /* reached, but never allowed without a capability */
};

struct seccomp_profile {
	enum binary_machine machine;
	uint8_t why[REACH_NUMBERS];
	const char *names[REACH_NUMBERS]; /* NULL: no system call of this machine */
	size_t n_allowed, n_default, n_refused; /* n_default: how many Docker's own profile allows */
	bool fell_back;
	struct bh_arena arena;
};

/* allow: names given by the user. */
/* Adds to r->by what known.def tells. */
int seccomp_decide(struct reach *r, const char *const *allow, size_t n_allow, struct seccomp_profile *ret, struct bh_err *err) BH_MUST_CHECK;
void seccomp_done(struct seccomp_profile *p);

bool seccomp_write(const struct seccomp_profile *p, struct bh_buf *out);

static inline bool seccomp_allows(const struct seccomp_profile *p, unsigned number)
{
	return p->why[number] != SECCOMP_NOT && p->why[number] != SECCOMP_REFUSED;
}

#endif

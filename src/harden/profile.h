/*
 * profile.h: how a container of the image is to be started: user, folders it writes to, ports, limits; written as arguments of docker run, as a compose
 * service, as a securityContext, and as a report that says why.
 */
#ifndef BH_HARDEN_PROFILE_H
#define BH_HARDEN_PROFILE_H

#include "harden/seccomp.h"

struct profile_options {
	const char *target;   /* as the user typed it */
	const char *user;     /* --user; NULL: decided */
	uint64_t memory_bytes, pids;
	const char *const *allow, *const *programs;
	size_t n_allow, n_programs;
};

/* A folder that must be writable though the root is not. */
struct profile_folder {
	struct bh_slice path, why;
	bool keeps;           /* data that must outlive the container: a volume; else a tmpfs */
};

BH_VEC(profile_folder_vec, struct profile_folder)

struct profile {
	struct bh_arena arena;
	struct binary_name_vec command; /* ENTRYPOINT and CMD */
	uint32_t uid, gid;
	bool user_by_name;              /* found in the image's user database */
	struct bh_slice user_name, user_why;
	struct profile_folder_vec folders;
	bool low_ports;                 /* ports below 1024 are, or may be, listened on */
	struct bh_slice ports_why;
	bool cut;                       /* more folders than are worth it */
};

/* Adds the programs that report->settings and options name to reach. */
int profile_programs(const struct profile_options *o, const struct bh_report *report, struct reach *reach, struct profile *ret, struct bh_err *err) BH_MUST_CHECK;

/* After reach_solve. */
int profile_decide(const struct profile_options *o, const struct bh_report *report, const struct reach *reach, struct profile *p, struct bh_err *err) BH_MUST_CHECK;

void profile_init(struct profile *p);
void profile_done(struct profile *p);

/* Arguments of docker run or podman run, one option per line. */
bool profile_write_run(const struct profile *p, const struct profile_options *o, bool podman, struct bh_buf *out);
bool profile_write_compose(const struct profile *p, const struct profile_options *o, struct bh_buf *out);
bool profile_write_kubernetes(const struct profile *p, const struct profile_options *o, struct bh_buf *out);
bool profile_write_report(const struct profile *p, const struct profile_options *o, const struct reach *reach, const struct seccomp_profile *s,
			  const struct bh_report *report, struct bh_buf *out);

#endif

/*
 * sensor.h: the kernel programs of bpf/: loaded, told what to look at, attached; their records read from memory that the kernel shares. The only file that sees libbpf.
 *
 * The records may be read by another process: one that is forked after sensor_open, which needs no rights and no system call for it.
 */
#ifndef BH_AGENT_SENSOR_H
#define BH_AGENT_SENSOR_H

#include "agent/event.h"
#include "agent/policy.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct sensor;

/* What libbpf and the kernel's verifier say goes to standard error from now on: long, and for whoever mends the programs. */
void sensor_be_verbose(void);

struct sensor_setup {
	const struct agent_policies *policies;
	/* The host's own root: what has another one is a container. */
	dev_t root_device;
	ino_t root_inode;
	int groups_fd; /* the root of control groups of version 2; -1: there are none */
};

/* BH_EUNSUPPORTED: this kernel or this user can't; the text says what is missing. */
int sensor_open(struct sensor **ret, const struct sensor_setup *setup, struct bh_err *err) BH_MUST_CHECK;
void sensor_close(struct sensor *s);

/* What the kernel programs need to leave opens out (filter.h): shared memory. */
struct sensor_filter {
	struct guard_path *paths; /* GUARD_PATHS */
	const uint64_t *secrets;  /* GUARD_PATH_WORDS + 1 */
	uint32_t *mode;           /* enum guard_filter */
	uint32_t *names;          /* a rule asks for names as they were written */
};
struct sensor_filter sensor_filter(struct sensor *s);

void sensor_look_at(struct sensor *s, unsigned call, const struct guard_call_facts *facts);
void sensor_ignore(struct sensor *s, pid_t pid); /* at most two */

/* Deeds that can be refused here before they are done: bits by enum guard_deed. What policies want of the others is done in other ways (deeds.def), or not at all. */
uint32_t sensor_refuses(const struct sensor *s);

/* A hook that this kernel does not have for programs, so that something of a deed is not refused though the rest is; NULL beyond the last. */
const char *sensor_gap(const struct sensor *s, size_t number);

/* The policy of a control group. is_started: its programs run already. False: there are too many groups. */
bool sensor_set_policy(struct sensor *s, uint64_t group, uint32_t policy, bool is_started);

/*
 * What refuses stays in force from now on, whatever becomes of the agent: pinned into a folder of a BPF file system, which is empty. Removing the files ends it.
 * BH_EUNSUPPORTED: it is no such file system.
 */
int sensor_hold(struct sensor *s, const char *folder, struct bh_err *err) BH_MUST_CHECK;

/* No packet comes into a control group or leaves it from now on, but over its own loopback. folder: where that is pinned, so that it outlives the agent; NULL: it ends with it. */
int sensor_cut_off(struct sensor *s, int group_fd, const char *folder, struct bh_err *err) BH_MUST_CHECK;

int sensor_attach(struct sensor *s, struct bh_err *err) BH_MUST_CHECK;

/* Gives the records that are there, in the order in which they were written, to `take`; how many. A negative return of it ends that, and is returned. */
int sensor_read(struct sensor *s, int (*take)(void *ctx, const struct guard_record *record), void *ctx);

struct sensor_counts {
	uint64_t filtered, written, lost, compat_calls;
};
struct sensor_counts sensor_counts(const struct sensor *s);

/* What a kind of kernel program can do here: loads a small one of each and unloads it again. */
struct sensor_ability {
	const char *name, *gives; /* "tp_btf", "sees ..." */
	bool works;
};
size_t sensor_probe(const struct sensor_ability **ret);

#endif

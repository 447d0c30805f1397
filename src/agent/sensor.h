/*
 * sensor.h: the kernel programs of bpf/: loaded, told what to look at, attached; their records read from memory that the kernel shares. The only file that sees libbpf.
 *
 * The records may be read by another process: one that is forked after sensor_open, which needs no rights and no system call for it.
 */
#ifndef BH_AGENT_SENSOR_H
#define BH_AGENT_SENSOR_H

#include "agent/event.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct sensor;

/* What libbpf and the kernel's verifier say goes to standard error from now on: long, and for whoever mends the programs. */
void sensor_be_verbose(void);

/* BH_EUNSUPPORTED: this kernel or this user can't; the text says what is missing. */
int sensor_open(struct sensor **ret, struct bh_err *err) BH_MUST_CHECK;
void sensor_close(struct sensor *s);

void sensor_look_at(struct sensor *s, unsigned call, const struct guard_call_facts *facts);
void sensor_ignore(struct sensor *s, pid_t pid); /* at most two */
/* The device of the host's own root: what has another overlay for a root is a container. */
void sensor_set_host_root(struct sensor *s, dev_t device);
void sensor_kill_drift(struct sensor *s, bool kill);

int sensor_attach(struct sensor *s, struct bh_err *err) BH_MUST_CHECK;

/* Gives the records that are there, in the order in which they were written, to `take`; how many. A negative return of it ends that, and is returned. */
int sensor_read(struct sensor *s, int (*take)(void *ctx, const struct guard_record *record), void *ctx);

struct sensor_counts {
	uint64_t written, lost, compat_calls;
};
struct sensor_counts sensor_counts(const struct sensor *s);

/* What a kind of kernel program can do here: loads a small one of each and unloads it again. */
struct sensor_ability {
	const char *name, *gives; /* "tp_btf", "sees ..." */
	bool works;
};
size_t sensor_probe(const struct sensor_ability **ret);

#endif

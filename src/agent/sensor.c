/* sensor.c: see sensor.h. */
#include "agent/sensor.h"

#include "agent/process.h"
#include "base/cleanup.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sensor.skel.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define IGNORED_MAX 2u

struct sensor {
	struct sensor_bpf *programs;
	struct ring_buffer *ring;
	size_t n_ignored;
	/* of the read that is going on */
	int (*take)(void *ctx, const struct guard_record *record);
	void *ctx;
	int failed;
};

static bool is_verbose;

void sensor_be_verbose(void)
{
	is_verbose = true;
}

/* What libbpf says of a failure is longer than a screen; what of it matters is told by whoever called. */
static int __attribute__((format(printf, 2, 0))) say(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return is_verbose && level != LIBBPF_DEBUG ? vfprintf(stderr, fmt, args) : 0;
}

static int on_record(void *ctx, void *data, size_t bytes)
{
	struct sensor *s = ctx;
	if (agent_record_is_whole(data, bytes))
		s->failed = s->take(s->ctx, data);
	return s->failed;
}

static int not_here(struct bh_err *err, int code, const char *what)
{
	if (code == -EPERM)
		return bh_fail(err, BH_EUNSUPPORTED, 0, "%s: not permitted: root with CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN is needed (or CAP_SYS_ADMIN before Linux 5.8)", what);
	if (access("/sys/kernel/btf/vmlinux", R_OK) < 0)
		return bh_fail(err, BH_EUNSUPPORTED, 0, "%s: this kernel does not describe its types (no /sys/kernel/btf/vmlinux): Linux 5.10 or newer with CONFIG_DEBUG_INFO_BTF is needed", what);
	(void)bh_fail_errno(err, -code, "%s: this kernel does not take them (--verbose tells what its verifier says)", what);
	err->code = BH_EUNSUPPORTED;
	return BH_EUNSUPPORTED;
}

int sensor_open(struct sensor **ret, struct bh_err *err)
{
	struct sensor *s = calloc(1, sizeof(*s));
	if (!s)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	libbpf_set_print(say);
	s->programs = sensor_bpf__open();
	int code = s->programs ? sensor_bpf__load(s->programs) : -errno;
	if (code == 0) {
		s->ring = ring_buffer__new(bpf_map__fd(s->programs->maps.ring), on_record, s, NULL);
		code = s->ring ? 0 : -errno;
	}
	if (code < 0) {
		sensor_close(s);
		return not_here(err, code, "kernel programs");
	}
	*ret = s;
	return 0;
}

void sensor_close(struct sensor *s)
{
	if (!s)
		return;
	ring_buffer__free(s->ring);
	sensor_bpf__destroy(s->programs);
	free(s);
}

void sensor_look_at(struct sensor *s, unsigned call, const struct guard_call_facts *facts)
{
	if (call < GUARD_CALL_NUMBERS)
		s->programs->bss->calls[call] = *facts;
}

void sensor_ignore(struct sensor *s, pid_t pid)
{
	if (s->n_ignored < IGNORED_MAX)
		s->programs->bss->ignored_pids[s->n_ignored++] = (__u32)pid;
}

/* In the kernel a device is a number of 12 bits before one of 20 (include/linux/kdev_t.h). */
void sensor_set_host_root(struct sensor *s, dev_t device)
{
	s->programs->bss->host_root = (__u32)major(device) << 20 | (__u32)minor(device);
}

void sensor_kill_drift(struct sensor *s, bool kill)
{
	s->programs->bss->kills_drift = kill;
}

int sensor_attach(struct sensor *s, struct bh_err *err)
{
	int code = sensor_bpf__attach(s->programs);
	return code < 0 ? not_here(err, code, "attaching kernel programs") : 0;
}

int sensor_read(struct sensor *s, int (*take)(void *ctx, const struct guard_record *record), void *ctx)
{
	s->take = take;
	s->ctx = ctx;
	s->failed = 0;
	int n = ring_buffer__consume(s->ring);
	return s->failed < 0 ? s->failed : n;
}

struct sensor_counts sensor_counts(const struct sensor *s)
{
	struct sensor_counts c = { .compat_calls = s->programs->bss->compat_calls };
	for (size_t i = 0; i < GUARD_CPUS_MAX; i++) {
		c.written += s->programs->bss->written[i];
		c.lost += s->programs->bss->lost[i];
	}
	return c;
}

/* ---- what works here ---- */

struct trial {
	enum bpf_prog_type type;
	enum bpf_attach_type attach;
	const char *target; /* in the kernel's types */
};

/* "r0 = 0; exit" */
static bool loads(const struct trial *t)
{
	const struct bpf_insn code[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K }, { .code = BPF_JMP | BPF_EXIT } };
	struct bpf_prog_load_opts opts = { .sz = sizeof(opts), .expected_attach_type = t->attach };
	if (t->target) {
		int id = libbpf_find_vmlinux_btf_id(t->target, t->attach);
		if (id < 0)
			return false;
		opts.attach_btf_id = (__u32)id;
	}
	int fd = bpf_prog_load(t->type, "probe", "GPL", code, sizeof(code) / sizeof(code[0]), &opts);
	if (fd < 0)
		return false;
	/* The kernel takes programs for hooks that it can't attach. */
	int link = t->target ? bpf_raw_tracepoint_open(NULL, fd) : 0;
	if (t->target && link >= 0)
		(void)close(link);
	(void)close(fd);
	return link >= 0;
}

static bool has_active_lsm(void)
{
	char text[512] = { 0 };
	FILE *f = fopen("/sys/kernel/security/lsm", "re");
	bool found = f && fgets(text, sizeof(text), f) && strstr(text, "bpf");
	if (f)
		(void)fclose(f);
	return found;
}

size_t sensor_probe(const struct sensor_ability **ret)
{
	static struct sensor_ability abilities[] = {
		{ .name = "events", .gives = "sees programs that start, processes and system calls (tp_btf)" },
		{ .name = "kill", .gives = "kills a program before its first instruction (tp_btf and SIGKILL)" },
		{ .name = "deny", .gives = "refuses an action before it happens (BPF LSM)" },
		{ .name = "network", .gives = "refuses connections of a control group (cgroup/connect4)" },
	};
	static const struct trial tracing = { BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, "sched_process_exec" }, lsm = { BPF_PROG_TYPE_LSM, BPF_LSM_MAC, "bprm_check_security" },
				  connecting = { BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT, NULL };
	libbpf_set_print(say);
	abilities[0].works = abilities[1].works = loads(&tracing);
	abilities[2].works = has_active_lsm() && loads(&lsm);
	abilities[3].works = loads(&connecting);
	*ret = abilities;
	return sizeof(abilities) / sizeof(abilities[0]);
}

/* sensor.c: see sensor.h. */
#include "agent/sensor.h"

#include "agent/calls.h"
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
#include <sys/random.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define IGNORED_MAX 2u
#define LINKS_MAX 64u
#define PIN_PATH_BYTES 256u
#define GAPS_MAX 64u
#define CUT_OFF_MAX 1024u

struct sensor {
	struct sensor_bpf *programs;
	struct ring_buffer *ring;
	const struct sensor_setup *setup;
	struct bpf_link *links[LINKS_MAX + 2 * CUT_OFF_MAX]; /* of control groups */
	size_t n_links, n_ignored, n_gaps;
	const char *gaps[GAPS_MAX];
	uint32_t refuses;
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

/* ---- what refuses ---- */

static bool has_active_lsm(void)
{
	char text[512] = { 0 };
	FILE *f = fopen("/sys/kernel/security/lsm", "re");
	bool found = f && fgets(text, sizeof(text), f) && strstr(text, "bpf");
	if (f)
		(void)fclose(f);
	return found;
}

#define CODE (GUARD_BIT(DRIFT) | GUARD_BIT(VOLUME))
#define NAMES (GUARD_BIT(READ_ONLY) | GUARD_BIT(FORBIDDEN))
#define FILES (NAMES | GUARD_BIT(DEVICE) | GUARD_BIT(HOST_SETTING))

struct refuser {
	const char *program, *hook; /* hook: of BPF LSM; NULL: of control groups */
	uint32_t deeds;
};

/* The first one of a deed decides whether it can be refused; what comes behind makes it whole. */
static const struct refuser refusers[] = {
	{ "refuse_program", "bprm_check_security", CODE },
	{ "refuse_mapping", "mmap_file", CODE },
	{ "refuse_protection", "file_mprotect", CODE },
	{ "refuse_rights", "bprm_creds_from_file", GUARD_BIT(SETUID) },
	{ "refuse_user_namespace", "userns_create", GUARD_BIT(USER_NAMESPACE) },
	{ "refuse_ptrace", "ptrace_access_check", GUARD_BIT(PTRACE) },
	{ "refuse_module", "kernel_read_file", GUARD_BIT(MODULE) },
	{ "refuse_data", "kernel_load_data", GUARD_BIT(MODULE) },
	{ "refuse_mount", "sb_mount", GUARD_BIT(MOUNT) },
	{ "refuse_move", "move_mount", GUARD_BIT(MOUNT) },
	{ "refuse_umount", "sb_umount", GUARD_BIT(MOUNT) },
	{ "refuse_pivot", "sb_pivotroot", GUARD_BIT(MOUNT) },
	{ "refuse_bpf", "bpf", GUARD_BIT(BPF) },
	{ "refuse_events", "perf_event_open", GUARD_BIT(BPF) },
	{ "refuse_socket", "socket_create", GUARD_BIT(RAW_SOCKET) },
	{ "refuse_runtime", "unix_stream_connect", GUARD_BIT(RUNTIME_SOCKET) },
	{ "refuse_capability", "capable", GUARD_BIT(CAPABILITY) },
	{ "refuse_file_open", "file_open", FILES },
	{ "refuse_unlink", "path_unlink", NAMES },
	{ "refuse_rmdir", "path_rmdir", NAMES },
	{ "refuse_mkdir", "path_mkdir", NAMES },
	{ "refuse_mknod", "path_mknod", NAMES },
	{ "refuse_symlink", "path_symlink", NAMES },
	{ "refuse_link", "path_link", NAMES },
	{ "refuse_rename", "path_rename", NAMES },
	{ "refuse_truncate", "path_truncate", NAMES },
	{ "refuse_chmod", "path_chmod", NAMES },
	{ "refuse_chown", "path_chown", NAMES },
	{ "refuse_connect4", NULL, GUARD_BIT(CONNECT) },
	{ "refuse_connect6", NULL, GUARD_BIT(CONNECT) },
	{ "refuse_sendmsg4", NULL, GUARD_BIT(CONNECT) },
	{ "refuse_sendmsg6", NULL, GUARD_BIT(CONNECT) },
	{ "refuse_bind4", NULL, GUARD_BIT(LISTEN) },
	{ "refuse_bind6", NULL, GUARD_BIT(LISTEN) },
};

#define REFUSERS (sizeof(refusers) / sizeof(refusers[0]))

/* Only what a policy asks for is loaded: hooks that nobody needs cost nothing. */
static void choose_refusers(struct sensor *s)
{
	uint32_t wanted = agent_policies_deeds(s->setup->policies), seen = 0;
	bool lsm = has_active_lsm();
	for (size_t i = 0; i < REFUSERS; i++) {
		const struct refuser *r = &refusers[i];
		/* A kernel may have a hook, but not for programs: path_chown before 6.1. */
		bool works = r->hook ? lsm && wanted & r->deeds && loads(&(struct trial){ BPF_PROG_TYPE_LSM, BPF_LSM_MAC, r->hook }) : s->setup->groups_fd >= 0;
		struct bpf_program *program = bpf_object__find_program_by_name(s->programs->obj, r->program);
		s->refuses |= works ? r->deeds & ~seen : 0;
		if (!works && wanted & r->deeds & seen & s->refuses)
			s->gaps[s->n_gaps++] = r->hook;
		seen |= r->deeds;
		(void)bpf_program__set_autoload(program, works && wanted & r->deeds);
	}
}

static const char *const runtime_sockets[] = { "docker.sock", "containerd.sock", "containerd.sock.ttrpc", "crio.sock", "podman.sock", "cri-dockerd.sock", "dockershim.sock", "buildkitd.sock", "frakti.sock", NULL };

static int fill_tables(struct sensor *s)
{
	const struct agent_policies *p = s->setup->policies;
	const uint8_t yes = 1;
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < p->policies.len; i++)
		rc = bpf_map_update_elem(bpf_map__fd(s->programs->maps.policies), &i, &p->policies.ptr[i].rules, BPF_ANY);
	for (size_t i = 0; rc == 0 && i < p->files.len; i++)
		rc = bpf_map_update_elem(bpf_map__fd(s->programs->maps.file_rights), &p->files.ptr[i].key, &p->files.ptr[i].rights, BPF_ANY);
	for (size_t i = 0; rc == 0 && i < p->peers.len; i++)
		rc = bpf_map_update_elem(bpf_map__fd(s->programs->maps.peers), &p->peers.ptr[i].key, &p->peers.ptr[i].ports, BPF_ANY);
	for (size_t i = 0; rc == 0 && runtime_sockets[i]; i++) {
		char name[GUARD_SOCKET_NAME_BYTES] = "";
		(void)snprintf(name, sizeof(name), "%s", runtime_sockets[i]);
		rc = bpf_map_update_elem(bpf_map__fd(s->programs->maps.socket_names), name, &yes, BPF_ANY);
	}
	return rc;
}

/* What a call may turn out to be, by what agent_deed_of_call says of it. */
static uint32_t deeds_behind(uint8_t deed)
{
	switch (deed) {
	case GUARD_CALL_NO_DEED:
		return 0;
	case GUARD_DEED_READ_ONLY:
		return FILES;
	case GUARD_DEED_DRIFT:
		return CODE;
	default:
		return 1u << (deed & (GUARD_CALL_ALWAYS - 1));
	}
}

/* In the kernel a device is a number of 12 bits before one of 20 (include/linux/kdev_t.h). */
static void set_constants(struct sensor *s)
{
	struct sensor_bpf__rodata *own = s->programs->rodata;
	own->host_root_device = (__u32)major(s->setup->root_device) << 20 | (__u32)minor(s->setup->root_device);
	own->host_root_inode = s->setup->root_inode;
	own->refused_before = s->refuses;
	uint32_t wanted = agent_policies_deeds(s->setup->policies) & ~s->refuses;
	for (unsigned i = 0; i < GUARD_CALL_NUMBERS; i++) {
		uint8_t deed = agent_deed_of_call(i);
		own->deeds_of_calls[i] = wanted & deeds_behind(deed) ? deed : GUARD_CALL_NO_DEED;
	}
}

static int load(struct sensor *s)
{
	s->programs = sensor_bpf__open();
	if (!s->programs)
		return -errno;
	choose_refusers(s);
	set_constants(s);
	int code = sensor_bpf__load(s->programs);
	if (code == 0)
		code = fill_tables(s);
	if (code < 0)
		return code;
	if (getrandom(s->programs->bss->path_secrets, sizeof(s->programs->bss->path_secrets), 0) != sizeof(s->programs->bss->path_secrets))
		return -EIO;
	s->ring = ring_buffer__new(bpf_map__fd(s->programs->maps.ring), on_record, s, NULL);
	return s->ring ? 0 : -errno;
}

int sensor_open(struct sensor **ret, const struct sensor_setup *setup, struct bh_err *err)
{
	struct sensor *s = calloc(1, sizeof(*s));
	if (!s)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	libbpf_set_print(say);
	s->setup = setup;
	int code = load(s);
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
	for (size_t i = 0; i < s->n_links; i++)
		(void)bpf_link__destroy(s->links[i]);
	ring_buffer__free(s->ring);
	sensor_bpf__destroy(s->programs);
	free(s);
}

uint32_t sensor_refuses(const struct sensor *s)
{
	return s->refuses;
}

const char *sensor_gap(const struct sensor *s, size_t number)
{
	return number < s->n_gaps ? s->gaps[number] : NULL;
}

bool sensor_set_policy(struct sensor *s, uint64_t group, uint32_t policy, bool is_started)
{
	const uint8_t yes = 1;
	if (is_started && bpf_map_update_elem(bpf_map__fd(s->programs->maps.started), &group, &yes, BPF_ANY) < 0)
		return false;
	return bpf_map_update_elem(bpf_map__fd(s->programs->maps.policy_of_group), &group, &policy, BPF_ANY) == 0;
}

static int attach_to_group(struct sensor *s, struct bpf_program *program, int group_fd)
{
	struct bpf_link *link = s->n_links < sizeof(s->links) / sizeof(s->links[0]) ? bpf_program__attach_cgroup(program, group_fd) : NULL;
	if (!link)
		return s->n_links < sizeof(s->links) / sizeof(s->links[0]) ? -errno : -ENOSPC;
	s->links[s->n_links++] = link;
	return 0;
}

/* ---- what outlives the agent ---- */

static int pin(struct bpf_link *link, const char *folder, const char *name)
{
	char path[PIN_PATH_BYTES];
	if (!link || snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return bpf_link__pin(link, path);
}

static int not_held(struct bh_err *err, int code, const char *folder)
{
	(void)bh_fail_errno(err, -code, "%s: kernel programs can't be kept there", folder);
	err->code = BH_EUNSUPPORTED;
	return BH_EUNSUPPORTED;
}

/* What only tells is not kept: it would write for nobody. */
static bool is_kept(const struct sensor *s, const char *program)
{
	uint32_t missing = agent_policies_deeds(s->setup->policies) & ~s->refuses;
	if (strcmp(program, "on_exit") == 0)
		return false;
	return (strcmp(program, "on_call") != 0 && strcmp(program, "on_fork") != 0) || missing;
}

int sensor_hold(struct sensor *s, const char *folder, struct bh_err *err)
{
	const struct bpf_object_skeleton *own = s->programs->skeleton;
	int code = 0;
	for (int i = 0; code == 0 && i < own->prog_cnt; i++)
		if (*own->progs[i].link && is_kept(s, own->progs[i].name))
			code = pin(*own->progs[i].link, folder, own->progs[i].name);
	for (size_t i = 0; code == 0 && i < s->n_links; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "group-%zu", i);
		code = pin(s->links[i], folder, name);
	}
	return code < 0 ? not_held(err, code, folder) : 0;
}

int sensor_cut_off(struct sensor *s, int group_fd, const char *folder, struct bh_err *err)
{
	int code = attach_to_group(s, s->programs->progs.cut_egress, group_fd);
	code = code < 0 ? code : attach_to_group(s, s->programs->progs.cut_ingress, group_fd);
	if (code < 0)
		return bh_fail_errno(err, -code, "cutting a container off the network");
	if (folder)
		code = pin(s->links[s->n_links - 2], folder, "egress");
	if (folder && code == 0)
		code = pin(s->links[s->n_links - 1], folder, "ingress");
	return code < 0 ? not_held(err, code, folder) : 0;
}

void sensor_look_at(struct sensor *s, unsigned call, const struct guard_call_facts *facts)
{
	if (call < GUARD_CALL_NUMBERS)
		s->programs->bss->calls[call] = *facts;
}

struct sensor_filter sensor_filter(struct sensor *s)
{
	struct sensor_bpf__bss *own = s->programs->bss;
	return (struct sensor_filter){ own->paths, (const uint64_t *)own->path_secrets, &own->filter_mode, &own->filter_names };
}

void sensor_ignore(struct sensor *s, pid_t pid)
{
	if (s->n_ignored < IGNORED_MAX)
		s->programs->bss->ignored_pids[s->n_ignored++] = (__u32)pid;
}

int sensor_attach(struct sensor *s, struct bh_err *err)
{
	int code = sensor_bpf__attach(s->programs);
	for (size_t i = 0; code == 0 && i < REFUSERS; i++) {
		struct bpf_program *program = refusers[i].hook ? NULL : bpf_object__find_program_by_name(s->programs->obj, refusers[i].program);
		if (program && bpf_program__autoload(program))
			code = attach_to_group(s, program, s->setup->groups_fd);
	}
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
		c.filtered += s->programs->bss->filtered[i];
		c.lost += s->programs->bss->lost[i];
	}
	return c;
}

/* ---- what works here, for people ---- */

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

/* profile_write.c: a profile as arguments, YAML, and prose. Paths come from the image: everything is quoted. */
#include "harden/profile.h"

#include <inttypes.h>

/* 'text' for a shell. */
static void put_shell(struct bh_buf *out, struct bh_slice s)
{
	bool plain = s.len > 0;
	for (size_t i = 0; i < s.len; i++)
		plain &= s.ptr[i] > 0x20 && s.ptr[i] < 0x7f && !strchr("'\"\\$`!*?[](){}<>|&;#~", s.ptr[i]);
	if (plain) {
		bh_buf_add(out, s);
		return;
	}
	bh_buf_add_byte(out, '\'');
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\'')
			bh_buf_add_str(out, "'\\''");
		else
			bh_buf_add_byte(out, s.ptr[i]);
	}
	bh_buf_add_byte(out, '\'');
}

/* runc gives a tmpfs the mode of the folder that it covers, whatever is asked for, so its owner must be the user. Podman has its own word for that. */
static void put_tmpfs(struct bh_buf *out, const struct profile *p, const struct profile_folder *f, bool podman)
{
	bh_buf_add_str(out, ":rw,noexec,nosuid,nodev");
	if (podman)
		bh_buf_add_str(out, ",U");
	else if (bh_slice_eq_str(f->path, "/tmp"))
		bh_buf_add_str(out, ",mode=1777");
	else
		bh_buf_printf(out, ",mode=0750,uid=%" PRIu32 ",gid=%" PRIu32, p->uid, p->gid);
}

static uint64_t mebibytes(const struct profile_options *o)
{
	return (o->memory_bytes + (1u << 20) - 1) >> 20;
}

static const char *pull_name(const struct profile_options *o)
{
	static const char *const schemes[] = { "registry:", "docker:", "podman:", "containerd:", NULL };
	for (size_t i = 0; schemes[i]; i++)
		if (strncmp(o->target, schemes[i], strlen(schemes[i])) == 0)
			return o->target + strlen(schemes[i]);
	return strchr(o->target, ':') && (strncmp(o->target, "oci:", 4) == 0 || strncmp(o->target, "archive:", 8) == 0 || strncmp(o->target, "dir:", 4) == 0 ||
					  strncmp(o->target, "rootfs:", 7) == 0) ? "IMAGE" : o->target;
}

bool profile_write_run(const struct profile *p, const struct profile_options *o, bool podman, struct bh_buf *out)
{
	bh_buf_printf(out, "--user %" PRIu32 ":%" PRIu32 "\n--cap-drop ALL\n--security-opt no-new-privileges\n--security-opt seccomp=seccomp.json\n--read-only\n", p->uid, p->gid);
	size_t n = 0;
	for (size_t i = 0; i < p->folders.len; i++) {
		const struct profile_folder *f = &p->folders.ptr[i];
		if (f->keeps)
			bh_buf_printf(out, "--volume data%zu:", ++n);
		else
			bh_buf_add_str(out, "--tmpfs ");
		put_shell(out, f->path);
		if (!f->keeps)
			put_tmpfs(out, p, f, podman);
		bh_buf_add_byte(out, '\n');
	}
	if (p->low_ports)
		bh_buf_add_str(out, "--sysctl net.ipv4.ip_unprivileged_port_start=0\n");
	bh_buf_printf(out, "--pids-limit %" PRIu64 "\n--memory %" PRIu64 "m\n--memory-swap %" PRIu64 "m\n", o->pids, mebibytes(o), mebibytes(o));
	return !out->failed;
}

bool profile_write_compose(const struct profile *p, const struct profile_options *o, struct bh_buf *out)
{
	bh_buf_add_str(out, "services:\n  app:\n    image: ");
	bh_buf_add_json(out, bh_slice_str(pull_name(o)));
	bh_buf_printf(out, "\n    user: \"%" PRIu32 ":%" PRIu32 "\"\n    read_only: true\n    cap_drop: [ALL]\n    security_opt:\n      - no-new-privileges:true\n"
			   "      - seccomp:./seccomp.json\n    pids_limit: %" PRIu64 "\n    mem_limit: %" PRIu64 "m\n    memswap_limit: %" PRIu64 "m\n    tmpfs:\n",
		      p->uid, p->gid, o->pids, mebibytes(o), mebibytes(o));
	size_t kept = 0;
	for (size_t i = 0; i < p->folders.len; i++) {
		const struct profile_folder *f = &p->folders.ptr[i];
		struct bh_buf line;
		kept += f->keeps;
		if (f->keeps)
			continue;
		bh_buf_init(&line, 8192);
		bh_buf_add(&line, f->path);
		put_tmpfs(&line, p, f, false);
		bh_buf_add_str(out, "      - ");
		bh_buf_add_json(out, bh_buf_slice(&line));
		bh_buf_add_byte(out, '\n');
		bh_buf_done(&line);
	}
	if (p->low_ports)
		bh_buf_add_str(out, "    sysctls:\n      net.ipv4.ip_unprivileged_port_start: \"0\"\n");
	if (kept)
		bh_buf_add_str(out, "    volumes:\n");
	for (size_t i = 0, n = 0; i < p->folders.len; i++) {
		if (!p->folders.ptr[i].keeps)
			continue;
		bh_buf_printf(out, "      - type: volume\n        source: data%zu\n        target: ", ++n);
		bh_buf_add_json(out, p->folders.ptr[i].path);
		bh_buf_add_byte(out, '\n');
	}
	for (size_t i = 0; i < kept; i++)
		bh_buf_printf(out, "%s  data%zu: {}\n", i ? "" : "volumes:\n", i + 1);
	return !out->failed;
}

bool profile_write_kubernetes(const struct profile *p, const struct profile_options *o, struct bh_buf *out)
{
	bh_buf_printf(out, "# Parts of a Pod (or of a Deployment's template). seccomp.json goes to /var/lib/kubelet/seccomp/profiles/ of every node.\nspec:\n"
			   "  automountServiceAccountToken: false\n  securityContext:\n    runAsNonRoot: true\n    runAsUser: %" PRIu32 "\n    runAsGroup: %" PRIu32 "\n    fsGroup: %" PRIu32
			   "\n    seccompProfile:\n      type: Localhost\n      localhostProfile: profiles/seccomp.json\n",
		      p->uid, p->gid, p->gid);
	if (p->low_ports)
		bh_buf_add_str(out, "    sysctls:\n      - name: net.ipv4.ip_unprivileged_port_start\n        value: \"0\"\n");
	bh_buf_add_str(out, "  containers:\n    - name: app\n      image: ");
	bh_buf_add_json(out, bh_slice_str(pull_name(o)));
	bh_buf_printf(out, "\n      securityContext:\n        allowPrivilegeEscalation: false\n        privileged: false\n        readOnlyRootFilesystem: true\n        capabilities:\n"
			   "          drop: [ALL]\n      resources:\n        limits:\n          memory: %" PRIu64 "Mi\n      volumeMounts:\n", mebibytes(o));
	for (size_t i = 0; i < p->folders.len; i++) {
		bh_buf_printf(out, "        - name: %s%zu\n          mountPath: ", p->folders.ptr[i].keeps ? "data" : "scratch", i + 1);
		bh_buf_add_json(out, p->folders.ptr[i].path);
		bh_buf_add_byte(out, '\n');
	}
	bh_buf_add_str(out, "  volumes:\n");
	for (size_t i = 0; i < p->folders.len; i++) {
		if (p->folders.ptr[i].keeps)
			bh_buf_printf(out, "    - name: data%zu\n      persistentVolumeClaim:\n        claimName: data%zu\n", i + 1, i + 1);
		else
			bh_buf_printf(out, "    - name: scratch%zu\n      emptyDir:\n        sizeLimit: 64Mi\n", i + 1);
	}
	return !out->failed;
}

/* ---- the report ---- */

static void put_escaped(struct bh_buf *out, struct bh_slice s)
{
	bh_buf_add_escaped(out, s);
}

static void put_syscalls(struct bh_buf *out, const struct seccomp_profile *s, const struct reach *reach, enum seccomp_why why)
{
	for (unsigned i = 0; i < REACH_NUMBERS; i++) {
		if (!s->names[i] || s->why[i] != why)
			continue;
		bh_buf_printf(out, "  %-24s", s->names[i]);
		if (reach->by[i])
			put_escaped(out, reach->by[i]->path);
		bh_buf_add_byte(out, '\n');
	}
}

static size_t count_why(const struct seccomp_profile *s, enum seccomp_why why)
{
	size_t n = 0;
	for (unsigned i = 0; i < REACH_NUMBERS; i++)
		n += s->names[i] && s->why[i] == why;
	return n;
}

static void put_seccomp(struct bh_buf *out, const struct seccomp_profile *s, const struct reach *reach)
{
	bh_buf_printf(out, "System calls: %zu allowed; Docker's default profile allows %zu\n", s->n_allowed, s->n_default);
	if (s->fell_back)
		bh_buf_printf(out, "\nCould not be decided (%zu calls): everything that Docker's default profile allows is allowed\n", reach->opens.len);
	for (size_t i = 0; i < reach->opens.len; i++) {
		bh_buf_add_str(out, "  could not decide at ");
		put_escaped(out, reach->opens.ptr[i].file->path);
		bh_buf_printf(out, "+0x%" PRIx64 ": allowed the default set\n", reach->opens.ptr[i].address);
	}
	bh_buf_printf(out, "\nReached by programs and libraries (%zu), and the first file that does\n", count_why(s, SECCOMP_REACHED));
	put_syscalls(out, s, reach, SECCOMP_REACHED);
	bh_buf_printf(out, "\nNeeded by the container runtime or the kernel itself (%zu)\n", count_why(s, SECCOMP_RUNTIME));
	put_syscalls(out, s, reach, SECCOMP_RUNTIME);
	if (count_why(s, SECCOMP_ASKED))
		bh_buf_printf(out, "\nAllowed by --allow (%zu)\n", count_why(s, SECCOMP_ASKED));
	put_syscalls(out, s, reach, SECCOMP_ASKED);
	if (s->n_refused)
		bh_buf_printf(out, "\nReached, but refused as in Docker's default profile: without capabilities they fail anyway (%zu)\n", s->n_refused);
	put_syscalls(out, s, reach, SECCOMP_REFUSED);
}

static void put_parts(struct bh_buf *out, const struct reach *reach, bool programs)
{
	for (size_t i = 0; i < reach->parts.len; i++) {
		const struct reach_part *part = &reach->parts.ptr[i];
		if (part->program != programs)
			continue;
		bh_buf_add_str(out, "  ");
		put_escaped(out, part->file->path);
		bh_buf_add_str(out, "  (");
		put_escaped(out, part->why);
		bh_buf_add_str(out, ")\n");
	}
}

bool profile_write_report(const struct profile *p, const struct profile_options *o, const struct reach *reach, const struct seccomp_profile *s,
			  const struct bh_report *report, struct bh_buf *out)
{
	bh_buf_add_str(out, "Run profile of ");
	put_escaped(out, bh_slice_str(o->target));
	bh_buf_add_str(out, "\n\nCommand:");
	for (size_t i = 0; i < p->command.len; i++) {
		bh_buf_add_byte(out, ' ');
		put_escaped(out, p->command.ptr[i]);
	}
	bh_buf_printf(out, "\nUser: %" PRIu32 ":%" PRIu32, p->uid, p->gid);
	if (p->user_name.len) {
		bh_buf_add_str(out, " (");
		put_escaped(out, p->user_name);
		bh_buf_add_byte(out, ')');
	}
	bh_buf_add_str(out, ": ");
	put_escaped(out, p->user_why);
	bh_buf_add_str(out, "\nCapabilities: none. A user that is not root has none of the container's capabilities to begin with, and no-new-privileges lets it gain none.\nLow ports: ");
	put_escaped(out, p->ports_why);
	bh_buf_printf(out, "%s\nLimits: %" PRIu64 " processes, %" PRIu64 " MiB of memory: ceilings, not measurements; change them with --pids and --memory\n",
		      p->low_ports ? ": unprivileged users may listen on them (a sysctl of the container's own network)" : "", o->pids, mebibytes(o));
	bh_buf_add_str(out, "\nRead-only root; writable are\n");
	for (size_t i = 0; i < p->folders.len; i++) {
		bh_buf_printf(out, "  %s ", p->folders.ptr[i].keeps ? "volume" : "tmpfs ");
		put_escaped(out, p->folders.ptr[i].path);
		bh_buf_add_str(out, "  (");
		put_escaped(out, p->folders.ptr[i].why);
		bh_buf_add_str(out, ")\n");
	}
	if (p->cut)
		bh_buf_add_str(out, "  and more, which were left out\n");
	bh_buf_add_str(out, "\nPrograms that can run\n");
	put_parts(out, reach, true);
	bh_buf_add_str(out, "\nLibraries that can be loaded\n");
	put_parts(out, reach, false);
	if (reach->notes.len || report->incomplete.len)
		bh_buf_add_str(out, "\nNotes\n");
	for (size_t i = 0; i < reach->notes.len; i++) {
		bh_buf_add_str(out, "  ");
		put_escaped(out, reach->notes.ptr[i]);
		bh_buf_add_byte(out, '\n');
	}
	for (size_t i = 0; i < report->incomplete.len; i++) {
		bh_buf_add_str(out, "  not read: ");
		put_escaped(out, report->incomplete.ptr[i].path);
		bh_buf_add_str(out, ": ");
		put_escaped(out, report->incomplete.ptr[i].reason);
		bh_buf_add_byte(out, '\n');
	}
	bh_buf_add_byte(out, '\n');
	put_seccomp(out, s, reach);
	return !out->failed;
}

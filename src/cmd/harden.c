/*
 * harden.c: `bulkhead harden TARGET --profile DIR`: how to run an image with the least that its programs need: written as files for container runtimes.
 * The image is read as by scan; its programs are analysed in the children that read its layers (harden/code.h).
 */
#include "cmd/hardened.h"
#include "cmd/output.h"

#include "harden/profile.h"
#include "scan/target.h"
#include "sys/files.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define FILE_BYTES_MAX (16u << 20)
#define MEMORY_BYTES_MAX (1ull << 44)
#define PIDS_MAX 4194304u /* of Linux */

static const struct cmd_option options[] = {
	{ .name = "profile", .kind = CMD_STRING, .argument = "DIR", .help = "write the run profile into this folder, which is made" },
	{ .name = "program", .kind = CMD_LIST, .argument = "PATH", .help = "a program that runs in it beside the image's own command; may be repeated" },
	{ .name = "allow", .kind = CMD_LIST, .argument = "SYSCALL", .commas = true, .help = "allow this system call, too; may be repeated" },
	{ .name = "user", .kind = CMD_STRING, .argument = "USER[:GROUP]", .help = "run as this user; default: the image's, else one that fits the service" },
	{ .name = "memory", .kind = CMD_UINT, .argument = "BYTES", .default_text = "512M", .min = 6u << 20, .max = MEMORY_BYTES_MAX, .help = "ceiling for its memory; K, M, G or T may follow" },
	{ .name = "pids", .kind = CMD_UINT, .argument = "N", .default_text = "256", .min = 1, .max = PIDS_MAX, .help = "ceiling for its processes and threads" },
	CMD_HARDENED_OPTIONS,
	CMD_SCANNING_OPTIONS,
	{ 0 },
};

static const char details[] =
	"TARGET is what bulkhead scan takes: an image in a registry or a daemon, a file, a\n"
	"folder. The folder DIR gets seccomp.json, docker-run.txt and podman-run.txt (arguments\n"
	"of docker run and podman run), compose.yaml, securitycontext.yaml, and report.txt, which\n"
	"says what was decided and why.\n"
	"\n"
	"--image writes the image without what it needs not to run: package managers, shells,\n"
	"compilers and interpreters that nothing in it starts, documentation, caches, what later\n"
	"layers deleted; without setuid bits, file capabilities and write permissions for everybody;\n"
	"with a user that is not root.\n"
	"\n"
	"Exit status: 0 done, 1 --verify found a difference, 2 wrong usage or input, 3 the system calls of a program could not\n"
	"all be told, so Docker's default set is allowed: the report says where, 4 internal error.\n";

struct hardening {
	const struct cmd_args *args;
	struct profile_options options;
	struct bh_report report;
	struct gather gather;
	struct reach reach;
	struct profile profile;
	struct seccomp_profile seccomp;
	struct hardened image;
	struct image_request req;
	struct registry_options registry;
	struct registry_remote *remote;
};

static int check(const struct cmd_args *args, struct bh_err *err)
{
	if (!cmd_string(args, "profile") && !cmd_string(args, "image"))
		return bh_fail(err, BH_EUSAGE, 0, "what is to be written? Say --profile DIR, --image DIR, or both");
	return hardened_check(args, err);
}

static bool writes_image(const struct hardening *h)
{
	return h->image.where.path != NULL;
}

static int open_image(struct hardening *h, struct bh_err *err)
{
	h->registry = cmd_registry_options(h->args);
	const struct scan_target_options where = { .registry = &h->registry, .tell = cmd_tell_source };
	h->req = (struct image_request){
		.key = &h->image.key, .platform = cmd_string(h->args, "platform"), .parallel = (size_t)cmd_uint(h->args, "parallel"),
		.max_layer_bytes = cmd_uint(h->args, "max-layer-size"), .quiet = cmd_flag(h->args, "quiet"),
	};
	int rc = scan_target_open(h->options.target, &where, &h->report.arena, &h->req, &h->remote, err);
	if (rc == 0 && h->req.kind == IMAGE_SBOM)
		return bh_fail(err, BH_EUSAGE, 0, "a list of packages can't be run: name the image");
	h->gather.packages = writes_image(h);
	return rc < 0 || !writes_image(h) ? rc : hardened_prepare(&h->image, &h->req, err);
}

static int read_image(struct hardening *h, struct bh_err *err)
{
	int rc = open_image(h, err);
	const struct image_visitor visitor = gather_visitor(&h->gather);
	rc = rc < 0 ? rc : image_read(&h->req, &visitor, &h->report, err);
	return rc < 0 ? rc : gather_finish(&h->gather, err);
}

static int decide(struct hardening *h, struct bh_err *err)
{
	int rc = profile_programs(&h->options, &h->report, &h->reach, &h->profile, err);
	rc = rc < 0 ? rc : reach_solve(&h->reach, err);
	if (rc == 0 && h->reach.machine == BINARY_OTHER)
		rc = bh_fail(err, BH_EUNSUPPORTED, 0, "no program that it starts is a binary for x86-64 or AArch64 that could be read: there is nothing to analyse");
	rc = rc < 0 ? rc : seccomp_decide(&h->reach, h->options.allow, h->options.n_allow, &h->seccomp, err);
	return rc < 0 ? rc : profile_decide(&h->options, &h->report, &h->reach, &h->profile, err);
}

static int write_file(struct hardening *h, const char *name, bool (*make)(const struct hardening *, struct bh_buf *), struct bh_err *err)
{
	char path[BH_PATH_BYTES_MAX];
	struct bh_buf text;
	bh_buf_init(&text, FILE_BYTES_MAX);
	int n = snprintf(path, sizeof(path), "%s/%s", cmd_string(h->args, "profile"), name);
	int rc = n < 0 || (size_t)n >= sizeof(path) ? bh_fail(err, BH_EUSAGE, 0, "--profile: the path is too long") : 0;
	if (rc == 0 && !make(h, &text))
		rc = bh_fail(err, BH_ELIMIT, 0, "%s would be larger than %u bytes", name, FILE_BYTES_MAX);
	rc = rc < 0 ? rc : bh_write_file_atomic(path, bh_buf_slice(&text), 0644, err);
	bh_buf_done(&text);
	return rc;
}

static bool make_seccomp(const struct hardening *h, struct bh_buf *out)
{
	return seccomp_write(&h->seccomp, out);
}

static bool make_docker(const struct hardening *h, struct bh_buf *out)
{
	return profile_write_run(&h->profile, &h->options, false, out);
}

static bool make_podman(const struct hardening *h, struct bh_buf *out)
{
	return profile_write_run(&h->profile, &h->options, true, out);
}

static bool make_compose(const struct hardening *h, struct bh_buf *out)
{
	return profile_write_compose(&h->profile, &h->options, out);
}

static bool make_kubernetes(const struct hardening *h, struct bh_buf *out)
{
	return profile_write_kubernetes(&h->profile, &h->options, out);
}

static bool make_report(const struct hardening *h, struct bh_buf *out)
{
	bool ok = profile_write_report(&h->profile, &h->options, &h->reach, &h->seccomp, &h->report, out);
	if (writes_image(h))
		bh_buf_add_str(out, "\nRemoved from or changed in the image\n");
	return ok && shrink_write(&h->image.shrink, true, out);
}

static bool make_patch(const struct hardening *h, struct bh_buf *out)
{
	return hardened_patch(&h->image, out);
}

static int write_files(struct hardening *h, struct bh_err *err)
{
	static const struct {
		const char *name;
		bool (*make)(const struct hardening *, struct bh_buf *);
	} files[] = {
		{ "seccomp.json", make_seccomp }, { "docker-run.txt", make_docker }, { "podman-run.txt", make_podman }, { "compose.yaml", make_compose }, { "securitycontext.yaml", make_kubernetes }, { "report.txt", make_report },
	};
	if (!cmd_string(h->args, "profile"))
		return 0;
	int rc = bh_mkdirs(cmd_string(h->args, "profile"), 0755, err);
	for (size_t i = 0; rc == 0 && i < sizeof(files) / sizeof(files[0]); i++)
		rc = write_file(h, files[i].name, files[i].make, err);
	return rc < 0 || !cmd_string(h->args, "dockerfile") ? rc : write_file(h, "Dockerfile.patch", make_patch, err);
}

static size_t count_parts(const struct reach *r, bool programs)
{
	size_t n = 0;
	for (size_t i = 0; i < r->parts.len; i++)
		n += r->parts.ptr[i].program == programs;
	return n;
}

static int tell(const struct hardening *h, struct bh_err *err)
{
	struct bh_buf out;
	bh_buf_init(&out, FILE_BYTES_MAX);
	size_t tmpfs = 0, volumes = 0;
	for (size_t i = 0; i < h->profile.folders.len; i++)
		*(h->profile.folders.ptr[i].keeps ? &volumes : &tmpfs) += 1;
	bh_buf_printf(&out, "%zu programs and %zu libraries can run; %zu system calls are allowed (Docker's default: %zu)\n", count_parts(&h->reach, true),
		      count_parts(&h->reach, false), h->seccomp.n_allowed, h->seccomp.n_default);
	if (h->seccomp.fell_back)
		bh_buf_printf(&out, "%zu calls could not be decided, so the default set is allowed: see report.txt\n", h->reach.opens.len);
	bh_buf_printf(&out, "user %" PRIu32 ":%" PRIu32 ", no capabilities, read-only root with %zu tmpfs and %zu volumes\n", h->profile.uid, h->profile.gid, tmpfs, volumes);
	if (cmd_string(h->args, "profile")) {
		bh_buf_add_str(&out, "written to ");
		bh_buf_add_escaped(&out, bh_slice_str(cmd_string(h->args, "profile")));
		bh_buf_add_str(&out, ": seccomp.json docker-run.txt podman-run.txt compose.yaml securitycontext.yaml report.txt\n");
	}
	if (writes_image(h))
		hardened_tell(&h->image, &out);
	int rc = cmd_write(STDOUT_FILENO, &out, err);
	bh_buf_done(&out);
	return rc;
}

static int harden(struct hardening *h, struct bh_err *err)
{
	int rc = read_image(h, err);
	rc = rc < 0 ? rc : decide(h, err);
	if (rc < 0 && !strstr(err->text, h->options.target))
		return bh_wrap(err, "%s", h->options.target);
	if (writes_image(h))
		rc = hardened_write(&h->image, h->options.target, &h->req, &h->gather, &h->reach, &h->profile, &h->report, err);
	rc = rc < 0 ? rc : write_files(h, err);
	rc = rc < 0 || !writes_image(h) ? rc : hardened_verify(&h->image, &h->req, &h->report, err);
	return rc < 0 ? rc : tell(h, err);
}

static int run(const struct cmd_args *args)
{
	struct hardening h = { .args = args };
	struct bh_err err = { 0 };
	const char *const *targets;
	(void)cmd_targets(args, &targets);
	h.options = (struct profile_options){ .target = targets[0], .user = cmd_string(args, "user"), .memory_bytes = cmd_uint(args, "memory"), .pids = cmd_uint(args, "pids") };
	h.options.n_allow = cmd_list(args, "allow", &h.options.allow);
	h.options.n_programs = cmd_list(args, "program", &h.options.programs);
	bh_report_init(&h.report);
	gather_init(&h.gather, &h.report);
	reach_init(&h.reach, &h.gather);
	profile_init(&h.profile);
	hardened_init(&h.image, args);
	int rc = harden(&h, &err);
	int failed = rc < 0 ? cmd_failed(&err) : 0;
	int code = h.image.differs ? EXIT_FINDINGS : rc < 0 ? failed : h.seccomp.fell_back || h.report.incomplete.len ? EXIT_INCOMPLETE : EXIT_CLEAN;
	for (size_t i = 0; rc == 0 && i < h.report.incomplete.len && i < 5; i++)
		fprintf(stderr, "bulkhead: not read: %.*s: %.*s\n", BH_SLICE_FMT(h.report.incomplete.ptr[i].path), BH_SLICE_FMT(h.report.incomplete.ptr[i].reason));
	registry_close(h.remote);
	hardened_done(&h.image);
	seccomp_done(&h.seccomp);
	profile_done(&h.profile);
	reach_done(&h.reach);
	gather_done(&h.gather);
	bh_report_done(&h.report);
	return code;
}

const struct cmd_command cmd_command_harden = {
	.name = "harden",
	.usage = "[options] TARGET --profile DIR | --image DIR",
	.summary = "Make an image smaller, and the tightest run profile that its programs allow",
	.options = options,
	.min_targets = 1,
	.max_targets = 1,
	.details = details,
	.check = check,
	.run = run,
};

#include "kube/render.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "kube/objects.h"
#include "sys/files.h"
#include "sys/helper.h"
#include "sys/program.h"

#define SECONDS "60"
#define TIMED_OUT 124 /* exit codes of timeout(1) */
#define FORBIDDEN 126 /* it is in a folder of the PATH that is not ours to use */
#define FOLDER_BYTES 4096u
#define QUESTION_RENDER 1u
#define COMMANDS_MAX 2u
#define WORDS_MAX (2 * KUBE_VALUES_MAX + 16)
#define WORDS_BYTES_MAX (4u << 20)
#define FD_MIN 10 /* above those that a program is started with */

static const struct {
	const char *word, *files[3];
	const char *commands[COMMANDS_MAX][4]; /* the first that is installed; what it is rendered with and the folder come behind */
	const char *advice;
} templates[] = {
	[KUBE_NO_TEMPLATE] = { .word = "folder" },
	[KUBE_CHART] = { "Helm chart", { "Chart.yaml" }, { { "helm", "template", "--include-crds" } }, "install helm, or check the output of helm template" },
	[KUBE_KUSTOMIZATION] = { "Kustomize folder", { "kustomization.yaml", "kustomization.yml", "Kustomization" }, { { "kustomize", "build" }, { "kubectl", "kustomize" } },
				 "install kustomize or kubectl, or check the output of kustomize build" },
};

enum kube_template kube_template_of(const char *folder, const char **ret_file)
{
	char path[FOLDER_BYTES];
	for (size_t kind = KUBE_CHART; kind <= KUBE_KUSTOMIZATION; kind++)
		for (size_t i = 0; i < 3 && templates[kind].files[i]; i++)
			if (snprintf(path, sizeof(path), "%s/%s", folder, templates[kind].files[i]) < (int)sizeof(path) && access(path, F_OK) == 0) {
				if (ret_file)
					*ret_file = templates[kind].files[i];
				return (enum kube_template)kind;
			}
	return KUBE_NO_TEMPLATE;
}

bool kube_is_kustomization(const char *name, size_t len)
{
	for (size_t i = 0; i < 3; i++)
		if (strlen(templates[KUBE_KUSTOMIZATION].files[i]) == len && memcmp(name, templates[KUBE_KUSTOMIZATION].files[i], len) == 0)
			return true;
	return false;
}

/* ---- in the helper ---- */

struct job {
	enum kube_template kind;
	char folder[FOLDER_BYTES];
	const struct kube_rendering *rendering;
};

/* The words of a command. */
struct words {
	struct bh_arena arena;
	const char *list[WORDS_MAX];
	size_t n;
	bool failed;
};

static void add_word(struct words *w, const char *option, const char *value)
{
	const char *word = bh_arena_printf(&w->arena, "%s%s", option, value);
	if (!word || w->n + 1 >= WORDS_MAX) {
		w->failed = true;
		return;
	}
	w->list[w->n++] = word;
}

/* As a descriptor: helm would split names at commas, and fetch what looks like an address. */
static int add_values(struct words *w, const char *file, struct bh_err *err)
{
	BH_CLOSE int fd = -1;
	char path[64];
	uint64_t size;
	int rc = bh_open_regular(file, &fd, &size, err);
	if (rc < 0)
		return bh_wrap(err, "values");
	int kept = fcntl(fd, F_DUPFD, FD_MIN); /* helm inherits it, and it ends with this process */
	if (kept < 0)
		return bh_fail(err, BH_EIO, 0, "%s: too many open files", file);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", kept);
	add_word(w, "--values=", path);
	return 0;
}

static int add_rendering(struct words *w, const struct kube_rendering *r, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < r->n_values; i++)
		rc = add_values(w, r->values[i], err);
	for (size_t i = 0; i < r->n_sets; i++)
		add_word(w, "--set=", r->sets[i]);
	if (r->namespace)
		add_word(w, "--namespace=", r->namespace);
	if (r->version)
		add_word(w, "--kube-version=", r->version);
	return rc;
}

/* A folder that is called like an option or an address is none: "./-x", "./github.com". */
static void add_folder(struct words *w, const char *folder)
{
	add_word(w, folder[0] == '/' || folder[0] == '.' ? "" : "./", folder);
}

static int collect_words(struct words *w, const struct job *j, const char *const *command, struct bh_err *err)
{
	static const struct kube_rendering none = { 0 };
	const struct kube_rendering *r = j->rendering ? j->rendering : &none;
	bh_arena_init(&w->arena, WORDS_BYTES_MAX);
	add_word(w, "timeout", "");
	add_word(w, "", SECONDS);
	for (size_t i = 0; i < 4 && command[i]; i++)
		add_word(w, "", command[i]);
	int rc = j->kind == KUBE_CHART ? add_rendering(w, r, err) : 0;
	add_word(w, "--", "");
	if (j->kind == KUBE_CHART)
		add_word(w, "", r->release ? r->release : "release-name");
	add_folder(w, j->folder);
	if (rc == 0 && w->failed)
		rc = bh_fail(err, BH_ELIMIT, 0, "more values than the %u that %s is given", KUBE_VALUES_MAX, command[0]);
	return rc;
}

/* 1: rendered; 0: not installed. */
static int run(const struct job *j, const char *const *command, int out_fd, struct bh_err *err)
{
	char complaint[BH_PROGRAM_COMPLAINT_BYTES];
	struct words words = { 0 };
	int code = 0;
	const struct bh_program program = { .argv = words.list, .out_fd = out_fd };
	int rc = collect_words(&words, j, command, err);
	rc = rc < 0 ? rc : bh_program_run(&program, &code, complaint, err);
	bh_arena_done(&words.arena);
	if (rc < 0 || code == 0)
		return rc < 0 ? rc : 1;
	if (code == BH_PROGRAM_MISSING || code == FORBIDDEN)
		return 0;
	if (code == TIMED_OUT)
		return bh_fail(err, BH_ELIMIT, 0, "%s took more than " SECONDS " seconds", command[0]);
	return bh_fail(err, BH_EMALFORMED, 0, "%s: %s", command[0], complaint);
}

static int render(const struct job *j, int out_fd, struct bh_err *err)
{
	/* Kustomize fetches bases from wherever a file says, and charts come from strangers. */
	int rc = bh_leave_network(err);
	rc = rc < 0 ? bh_wrap(err, "check the rendered output instead") : rc;
	for (size_t i = 0; rc == 0 && i < COMMANDS_MAX && templates[j->kind].commands[i][0]; i++)
		rc = run(j, templates[j->kind].commands[i], out_fd, err);
	return rc == 0 ? bh_fail(err, BH_EUNSUPPORTED, 0, "is a %s: %s", templates[j->kind].word, templates[j->kind].advice) : rc;
}

static int serve(void *ctx, uint16_t type, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	BH_CLOSE int fd = -1;
	(void)payload;
	if (type != QUESTION_RENDER)
		return bh_fail(err, BH_EMALFORMED, 0, "question %u is not known", type);
	int rc = bh_memory_file(&fd, err);
	rc = rc < 0 ? rc : render(ctx, fd, err);
	rc = rc < 0 ? rc : bh_memory_file_seal(fd, err);
	if (rc < 0)
		return rc;
	reply->fd = BH_TAKE_FD(fd);
	reply->close_fd = true;
	return 0;
}

/* ---- in the program ---- */

int kube_render(enum kube_template kind, const char *folder, const struct kube_rendering *rendering, int *ret_fd, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf reply = { 0 };
	struct job job = { .kind = kind, .rendering = rendering };
	struct bh_helper *helper = NULL;
	if (snprintf(job.folder, sizeof(job.folder), "%s", folder) >= (int)sizeof(job.folder))
		return bh_fail(err, BH_ELIMIT, 0, "a path of more than %u bytes", FOLDER_BYTES);
	bh_buf_init(&reply, BH_FRAME_BYTES_MAX);
	int rc = bh_helper_start(serve, &job, &helper, err);
	rc = rc < 0 ? rc : bh_helper_call(helper, QUESTION_RENDER, (struct bh_slice){ 0 }, &reply, ret_fd, err);
	bh_helper_stop(helper);
	return rc;
}

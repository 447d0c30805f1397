#include "kube/render.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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

static const struct {
	const char *word, *files[3];
	const char *commands[COMMANDS_MAX][4]; /* the first that is installed; the folder comes behind */
	const char *advice;
} templates[] = {
	[KUBE_NO_TEMPLATE] = { .word = "folder" },
	[KUBE_CHART] = { "Helm chart", { "Chart.yaml" }, { { "helm", "template", "release" } }, "install helm, or check the output of helm template" },
	[KUBE_KUSTOMIZATION] = { "Kustomize folder", { "kustomization.yaml", "kustomization.yml", "Kustomization" }, { { "kustomize", "build" }, { "kubectl", "kustomize" } },
				 "install kustomize or kubectl, or check the output of kustomize build" },
};

enum kube_template kube_template_of(const char *folder)
{
	char path[FOLDER_BYTES];
	for (size_t kind = KUBE_CHART; kind <= KUBE_KUSTOMIZATION; kind++)
		for (size_t i = 0; i < 3 && templates[kind].files[i]; i++)
			if (snprintf(path, sizeof(path), "%s/%s", folder, templates[kind].files[i]) < (int)sizeof(path) && access(path, F_OK) == 0)
				return (enum kube_template)kind;
	return KUBE_NO_TEMPLATE;
}

/* ---- in the helper ---- */

struct job {
	enum kube_template kind;
	char folder[FOLDER_BYTES];
};

/* Kustomize fetches bases from wherever a file says, and charts come from strangers. */
static int leave_network(struct bh_err *err)
{
	if (unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0)
		return 0;
	return bh_fail(err, BH_EUNSUPPORTED, 0, "this system lets nobody leave the network; check the rendered output instead");
}

/* 1: rendered; 0: not installed. */
static int run(const struct job *j, const char *const *command, int out_fd, struct bh_err *err)
{
	char complaint[BH_PROGRAM_COMPLAINT_BYTES];
	const char *argv[8] = { "timeout", SECONDS };
	size_t n = 2;
	int code = 0;
	for (size_t i = 0; i < 4 && command[i]; i++)
		argv[n++] = command[i];
	argv[n] = j->folder;
	const struct bh_program program = { .argv = argv, .out_fd = out_fd };
	int rc = bh_program_run(&program, &code, complaint, err);
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
	int rc = leave_network(err);
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

int kube_render(enum kube_template kind, const char *folder, int *ret_fd, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf reply = { 0 };
	struct job job = { .kind = kind };
	struct bh_helper *helper = NULL;
	if (snprintf(job.folder, sizeof(job.folder), "%s", folder) >= (int)sizeof(job.folder))
		return bh_fail(err, BH_ELIMIT, 0, "a path of more than %u bytes", FOLDER_BYTES);
	bh_buf_init(&reply, BH_FRAME_BYTES_MAX);
	int rc = bh_helper_start(serve, &job, &helper, err);
	rc = rc < 0 ? rc : bh_helper_call(helper, QUESTION_RENDER, (struct bh_slice){ 0 }, &reply, ret_fd, err);
	bh_helper_stop(helper);
	return rc;
}

/*
 * live.h: the objects of a live cluster, as "cluster:CONTEXT" among the paths. This room knows no network: whoever does (cluster/) provides a door.
 *
 *   child: which lists there are (live.def), page by page, what a page says about the next ──── INTAKE_ASK_GET "/apis/apps/v1/deployments?limit=500" ──►
 *   parent: is that a path that may be asked? then the door's get() ◄──── status, and the body as a descriptor
 *
 * Nothing but lists of those resources is read, and never secrets. The role in deploy/kubernetes/reader.yaml allows just that.
 */
#ifndef BH_KUBE_LIVE_H
#define BH_KUBE_LIVE_H

#include "kube/intake.h"

#define KUBE_LIVE_PATH_BYTES 4096u

struct kube_live_door {
	/* context: "" = the current one. *ret_label: its name, lives until close. Fails when the API server doesn't answer. */
	int (*open)(const char *context, void **ret, const char **ret_label, struct bh_err *err);
	/* *ret_status: of HTTP; 200: *ret_fd is the body, else -1 and `problem` holds the start of the body. */
	int (*get)(void *live, const char *path, unsigned *ret_status, int *ret_fd, struct bh_buf *problem, struct bh_err *err);
	void (*close)(void *live);
};

/* Once, before any intake; NULL: there are no live clusters. */
void kube_live_provide(const struct kube_live_door *door);

/*
 * "docker:" and "podman:" among the paths: what a daemon on this machine says of itself, its containers and images, as documents (docs/formats/docker-facts.md).
 * open: *ret_fd is a text of them, the same one each time. NULL: there are no daemons.
 */
void kube_daemon_provide(int (*open)(const char *path, int *ret_fd, struct bh_err *err));
bool kube_is_daemon(const char *path);

/* An image, by its scheme: "oci:DIR", "archive:FILE", "registry:NAME", "containerd:NAME", "docker:NAME", "podman:NAME". Opened as a daemon is: its configuration as a document. */
bool kube_is_image(struct bh_slice path);

/* ---- the parent's side, for intake.c ---- */

int kube_daemon_open(const char *path, int *ret_fd, struct bh_err *err) BH_MUST_CHECK;

int kube_live_open(const char *path, void **ret, const char **ret_label, struct bh_err *err) BH_MUST_CHECK;
void kube_live_close(void *live);

/* Answers INTAKE_ASK_GET. */
int kube_live_give(void *live, struct bh_slice path, struct bh_child_reply *reply, struct bh_err *err) BH_MUST_CHECK;

/* ---- the child's side, for intake.c ---- */

/* Reads all lists. What can't be listed is told to the taker as unreadable. */
int kube_live_read(struct bh_channel *ch, uint8_t role, struct bh_slice label, const struct intake_taker *taker, struct intake_text_vec *texts,
		   struct bh_err *err) BH_MUST_CHECK;

#endif

/*
 * intake.h: how files get from the parent, which opens them, to the sandboxed child, which reads them: the child asks for the next one until there is none.
 * Commands about Kubernetes objects share it.
 */
#ifndef BH_KUBE_INTAKE_H
#define BH_KUBE_INTAKE_H

#include "base/map.h"
#include "kube/beside.h"
#include "kube/files.h"
#include "kube/objects.h"
#include "kube/render.h"
#include "sys/child.h"

enum intake_message {
	INTAKE_ASK_NEXT = 1, /* reply: role, name, descriptor (none: a live cluster of that name); empty: no more */
	INTAKE_ASK_GET,      /* path of the live cluster; reply: status, start of the body if it is no 200, descriptor if it is: see live.h */
	INTAKE_ASK_BESIDE,   /* file, path, suffixes; reply: see beside.c, descriptor of a file */
	INTAKE_ASK_BESIDE_NEXT, /* reply: the next file of the folder, its descriptor */
	INTAKE_MESSAGES,     /* a command's own begin here */
};

/* ---- the parent's side ---- */

BH_VEC(intake_role_vec, uint8_t)

struct intake {
	struct bh_arena names;
	struct kube_file_vec files;
	struct intake_role_vec roles; /* of each file, as the command numbers them */
	size_t next;
	bool dockerfiles;             /* folders are searched for them, too; set before paths are added */
	uint64_t opened[4];           /* by role */
	const struct bh_map *instead; /* path -> struct bh_slice: what is given instead of these files; NULL: nothing */
	const struct kube_rendering *rendering; /* of charts among the files; NULL: as they are */
	struct beside *beside;        /* who opens what the files name; NULL: nobody does */
	void *live;                   /* the cluster that is being read; NULL = none */
	void (*unreadable)(void *ctx, uint8_t role, const char *name, const struct bh_err *why);
	void *ctx;
};

void intake_init(struct intake *in, void (*unreadable)(void *ctx, uint8_t role, const char *name, const struct bh_err *why), void *ctx);
void intake_done(struct intake *in);

/* Files, folders, "-", live clusters ("cluster:CONTEXT"), daemons ("docker:"): each path's files with the role (0 to 3). */
int intake_add(struct intake *in, const char *const *paths, size_t n, uint8_t role, struct bh_err *err) BH_MUST_CHECK;

/* When all paths were added: is there a chart, where the rendering wants one? BH_EUSAGE: no. */
int intake_ready(const struct intake *in, struct bh_err *err) BH_MUST_CHECK;

/* Answers the intake's messages: 1. 0: it is one of the command's own. INTAKE_ASK_NEXT gets the next file that can be opened. */
int intake_handle(struct intake *in, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err) BH_MUST_CHECK;

/* ---- the child's side ---- */

BH_VEC(intake_text_vec, struct bh_buf)

/* The texts of all files; they must outlive what was read of them. */
void intake_texts_done(struct intake_text_vec *texts);

/* Who gets each file's text, or why there is none. */
struct intake_taker {
	int (*take)(void *ctx, uint8_t role, struct bh_slice name, struct bh_slice text, struct bh_err *err);
	int (*unreadable)(void *ctx, uint8_t role, struct bh_slice name, const struct bh_err *why, struct bh_err *err);
	void *ctx;
	/* NULL, or who reads the files of one role itself, piece by piece: no text of them is kept. */
	int (*stream)(void *ctx, struct bh_slice name, int fd, struct bh_err *err);
	uint8_t stream_role;
};

/* All files. The texts stay until intake_texts_done. */
int intake_read(struct bh_channel *ch, const struct intake_taker *taker, struct intake_text_vec *texts, struct bh_err *err) BH_MUST_CHECK;

#endif

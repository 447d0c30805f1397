/*
 * plan.h: what an image consists of, as its manifests say: made by the planner child from hostile JSON, sent to the parent,
 * which then has the layers read. Documents are reached through a store, so that one reader serves folders, indexed archives
 * and streamed archives.
 */
#ifndef BH_IMAGE_PLAN_H
#define BH_IMAGE_PLAN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/reader.h"
#include "base/vec.h"
#include "image/platform.h"
#include "model/report.h"

/* Where the bytes of a layer are. */
enum image_place_kind {
	IMAGE_PLACE_NONE,   /* not at hand: image_plan_layer.skip says why */
	IMAGE_PLACE_BLOB,   /* blobs/ALG/HEX of the layout folder, by the layer's digest */
	IMAGE_PLACE_REGION, /* offset and length in the archive file */
	IMAGE_PLACE_UNIT,   /* read already while the archive streamed by, as unit number `unit` */
	IMAGE_PLACE_CONTAINER, /* not part of the image, so no plan names it: the file system of the container on top */
};

struct image_place {
	enum image_place_kind kind;
	uint64_t offset, length;
	uint32_t unit;
};

struct image_plan_layer {
	struct bh_digest digest;  /* expected of the blob; none in docker-archives, which don't record it */
	struct bh_digest diff_id; /* expected of the uncompressed tar */
	uint64_t size_bytes;      /* expected of the blob */
	struct bh_slice media_type, created_by;
	struct bh_slice skip;     /* why it can't be read; empty when it can */
	struct image_place place;
};

BH_VEC(image_plan_layer_vec, struct image_plan_layer)

/* A text of the configuration, for whoever watches: "config:Env/HOME" and "HOME=/root". Stays in the child. */
struct image_text {
	struct bh_slice path, text;
};

BH_VEC(image_text_vec, struct image_text)

struct image_plan {
	struct bh_arena arena;
	struct image_plan_layer_vec layers;
	struct bh_digest digest, config_digest; /* digest: of the manifest; none in docker-archives */
	struct bh_slice os, architecture, variant, created, reference;
	struct bh_history_vec history; /* oldest first; the layer is known only when the entries fit the layers */
	const char *texts_of;          /* in front of their paths: "config", "container" */
	struct image_text_vec texts;   /* environment, labels, entry point, command, health check, history */
	struct bh_setting_vec settings; /* of the configuration */
	struct bh_label_vec labels;    /* of the configuration, then annotations of the manifest that have other names */
	struct bh_buf config;          /* the configuration on one line of JSON, when the wish has it */
};

void image_plan_init(struct image_plan *plan);
void image_plan_done(struct image_plan *plan);

/* What the user asked for. */
struct image_wish {
	const char *reference;          /* NULL: the only one */
	struct image_platform platform;
	bool whole_config;              /* the plan is to have the configuration, too */
	bool platform_given;            /* by the user; else it is this machine's and a lone image of another one will do */
};

struct image_store {
	/* The whole file or member, at most max_bytes. BH_ENOTFOUND when it is not there. Names: "index.json", "blobs/sha256/...". */
	int (*load)(void *ctx, const char *name, size_t max_bytes, struct bh_buf *out, struct bh_err *err);
	/* Where a layer is; BH_ENOTFOUND when it is not there. */
	int (*locate)(void *ctx, const char *name, struct image_place *ret, struct bh_err *err);
	void *ctx;
	/* The same as load for what is a manifest or index; NULL: load does. Registries keep them in another place. */
	int (*load_manifest)(void *ctx, const char *name, size_t max_bytes, struct bh_buf *out, struct bh_err *err);
};

/* Reads index.json and what it points at. */
int image_plan_oci(const struct image_store *store, const struct image_wish *wish, struct image_plan *plan, struct bh_err *err) BH_MUST_CHECK;

/* Reads manifest.json as `docker save` writes it. */
int image_plan_docker(const struct image_store *store, const struct image_wish *wish, struct image_plan *plan, struct bh_err *err) BH_MUST_CHECK;

/* index.json when there is one, else manifest.json; an error that says what was looked for when there is neither. */
int image_plan_any(const struct image_store *store, const struct image_wish *wish, struct image_plan *plan, struct bh_err *err) BH_MUST_CHECK;

/* ---- how a plan crosses from the planner to the parent: one frame for each layer, history entry, setting and label, in order; the head ends it ---- */

bool image_plan_put_head(struct bh_buf *b, const struct image_plan *plan);
bool image_plan_put_layer(struct bh_buf *b, const struct image_plan_layer *layer);
bool image_plan_put_history(struct bh_buf *b, const struct bh_history *entry);
bool image_plan_put_setting(struct bh_buf *b, const struct bh_setting *setting);
bool image_plan_put_label(struct bh_buf *b, const struct bh_label *label);

/* Copies into plan's arena. False when the frame is malformed or a limit is passed. */
bool image_plan_get_head(struct bh_slice frame, struct image_plan *plan);
bool image_plan_get_layer(struct bh_slice frame, struct image_plan *plan);
bool image_plan_get_history(struct bh_slice frame, struct image_plan *plan);
bool image_plan_get_setting(struct bh_slice frame, struct image_plan *plan);
bool image_plan_get_label(struct bh_slice frame, struct image_plan *plan);
bool image_plan_get_document(struct bh_slice frame, struct image_plan *plan); /* the next piece of plan->config */

#endif

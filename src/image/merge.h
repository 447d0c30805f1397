/*
 * merge.h: the layers of one image, read, become one file system. Pure: no I/O, tested with tables of layers.
 *
 *   image_links_find   which links lead to wanted content that was not read under the link's name; then a second pass reads it
 *   image_merge        every record of every wanted file to visitor->record: lowest layer first, paths in byte order
 */
#ifndef BH_IMAGE_MERGE_H
#define BH_IMAGE_MERGE_H

#include "image/image.h"
#include "image/layer.h"
#include "image/unit.h"

struct image_stack {
	const struct image_visitor *visitor;
	const struct image_key *key;
	size_t n;
	struct image_unit **units; /* one for each layer; NULL: skipped */
	bool flat;                 /* a directory: the one unit is no layer, and records say so */
	struct image_unit **extra; /* second pass; NULL entries: not needed. The array may be NULL */
};

/*
 * One link whose target must be read. When a hard link is on the way, what is found is a file of the hard link's own layer,
 * with the content that the target had when the link was made: in that layer, or the topmost one below it that has it.
 */
struct image_lead {
	struct image_alias alias;
	bool hard;
	uint32_t layer;            /* of the hard link that is visible */
	struct bh_slice hard_path; /* its path */
	uint32_t until_layer;      /* of the hard link at alias.until, which may be one that the visible one leads to */
};

BH_VEC(image_lead_vec, struct image_lead)

struct image_links {
	struct bh_arena arena;
	struct image_lead_vec leads;
	bool *needed;   /* n: the layer may hold one of the targets */
	bool too_many;  /* not all leads are here */
};

void image_links_init(struct image_links *links);
void image_links_done(struct image_links *links);

int image_links_find(struct image_stack *stack, struct image_links *ret, struct bh_err *err) BH_MUST_CHECK;

/* After the second pass (stack->extra): leads whose way went through links that only it met. Two passes are the limit. */
void image_links_report(const struct image_stack *stack, const struct image_links *links, struct bh_report *report);

/* links: of image_links_find, whose leads extra[] answers. Notes of layers become incomplete entries of the report. */
int image_merge(struct image_stack *stack, const struct image_links *links, struct bh_report *report, struct bh_err *err) BH_MUST_CHECK;

#endif

/*
 * contents.h: scanners that look at everything an image holds (secrets, malware), beside the parsers of packages, which look at the files they want. Each
 * is an image_watcher in the layer's child and takes its own records in the parent; here they are made one watcher, and records find their way back.
 */
#ifndef BH_SCAN_CONTENTS_H
#define BH_SCAN_CONTENTS_H

#include "image/image.h"

#define SCAN_CONTENTS_MAX 4u
#define SCAN_CONTENT_KINDS 256u /* a content scanner's records are of kinds 0 to 255 */

struct scan_content {
	struct image_watcher watcher; /* with a ctx of its own */
	int (*record)(void *ctx, uint32_t layer, struct bh_slice path, bool visible, uint16_t kind, struct bh_slice payload, struct bh_err *err);
	void *ctx;                    /* of record */
	uint64_t variant;             /* of what it says about the same bytes */
};

struct scan_contents {
	struct scan_content list[SCAN_CONTENTS_MAX];
	bool wants[SCAN_CONTENTS_MAX]; /* the bytes of the file that streams by */
	size_t n;
	struct image_visitor packages;
	struct image_watcher all;
};

void scan_contents_add(struct scan_contents *c, const struct scan_content *content);

/* The visitor of packages with the content scanners beside it. *c must stay where it is. */
struct image_visitor scan_contents_visitor(struct scan_contents *c, const struct image_visitor *packages);

#endif

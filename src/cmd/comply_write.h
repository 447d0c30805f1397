/* comply_write.h: a report of compliance as a document. */
#ifndef BH_CMD_COMPLY_WRITE_H
#define BH_CMD_COMPLY_WRITE_H

#include "base/buf.h"
#include "comply/comply.h"

#define COMPLY_DOCUMENT_BYTES_MAX (1024u << 20)

enum comply_format { COMPLY_TEXT, COMPLY_JSON, COMPLY_CSV, COMPLY_MARKDOWN, COMPLY_HTML, COMPLY_OSCAL };

struct comply_view {
	const struct comply_report *report;
	const struct comply_options *options;
	unsigned shown; /* 1 << verdict: the controls that documents for people show; the others are for programs and have all */
};

void comply_write(const struct comply_view *view, enum comply_format format, struct bh_buf *out);

#endif

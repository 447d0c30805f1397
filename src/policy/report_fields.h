/*
 * report_fields.h: the keys of bulkhead.report/1 and where their values live in the model, as tables. The sandboxed child reads values by
 * key and sends them in the order of the table; the parent stores them by the same table. Private to policy/.
 */
#ifndef BH_POLICY_REPORT_FIELDS_H
#define BH_POLICY_REPORT_FIELDS_H

#include "base/buf.h"
#include "base/reader.h"
#include "format/json.h"
#include "model/report.h"

#define REPORT_TEXT_BYTES_MAX (256u << 10) /* the longest real one: a list of what an rpm provides */
#define REPORT_LIST_MAX 100000u /* texts of one list, findings of one change */

enum report_kind {
	REPORT_TEXT,     /* struct bh_slice */
	REPORT_TEXTS,    /* struct report_texts */
	REPORT_NUMBERS,  /* struct report_numbers */
	REPORT_U64,
	REPORT_U32,
	REPORT_TENTHS,   /* 9.8 as uint16_t 98 */
	REPORT_FRACTION, /* 0 to 1 as uint16_t 0 to 65535 */
	REPORT_TRUE,     /* bool: the value is true */
	REPORT_THERE,    /* bool: there is a value */
	REPORT_DIGEST,   /* struct bh_digest */
	REPORT_WORD,     /* an enum, by the names of its values */
};

struct report_texts {
	struct bh_slice *ptr;
	size_t len;
};

struct report_numbers {
	uint32_t *ptr;
	size_t len;
};

struct report_field {
	const char *key; /* "cvss.vector" is a key of an object; NULL ends the table */
	enum report_kind kind;
	size_t offset;
	const char *(*word)(unsigned value); /* REPORT_WORD: the name of a value, NULL behind the last one */
	unsigned otherwise;                  /* REPORT_WORD: for words that are not known, and for none */
};

/* Things that have no pointer or number of a layer yet: the parent finds it when all is read. */
struct report_layer {
	struct bh_layer is;
	struct bh_slice dockerfile;
};

struct report_package {
	struct bh_package is;
	struct bh_slice layer;
	struct report_texts paths, licenses;
};

struct report_finding {
	struct bh_finding is;
	struct bh_slice package, installed, layer;
	struct report_texts aliases, fixed, paths;
	bool excepted, has_vex;
	struct bh_ruling exception, vex;
};

struct report_change {
	struct bh_change is;
	struct bh_slice layer;
	struct report_numbers findings;
};

struct report_layered {
	struct bh_incomplete incomplete;
	struct bh_history history;
	struct bh_slice layer;
};

/* A message is one item of a section; its type is the section. */
enum report_section {
	REPORT_HEAD,
	REPORT_LAYERS,
	REPORT_PACKAGES,
	REPORT_FINDINGS,
	REPORT_SUPPRESSED,
	REPORT_CHANGES,
	REPORT_EXCEPTIONS,
	REPORT_VEX_DOCUMENTS,
	REPORT_HISTORY,
	REPORT_LABELS,
	REPORT_INCOMPLETE,
	REPORT_NOT_COVERED,
	REPORT_DATA,
	REPORT_SECTIONS,
};

struct report_section_form {
	const char *key; /* of the array in the document; NULL: the document itself */
	const struct report_field *fields;
};

extern const struct report_section_form report_sections[REPORT_SECTIONS];

/* One item to bytes, and back into *item, which was zeroed; texts are copied into the arena. */
bool report_put_item(struct bh_buf *b, const struct report_field *fields, const struct bh_json_node *node);
bool report_get_item(struct bh_reader *r, const struct report_field *fields, struct bh_arena *arena, void *item);

#endif

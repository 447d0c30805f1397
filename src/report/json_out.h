/* json_out.h: writing JSON: commas, strings, what is left out when it is empty. Private to report/. */
#ifndef BH_REPORT_JSON_OUT_H
#define BH_REPORT_JSON_OUT_H

#include "report/writer.h"

/* Where we are: the next key or item needs a comma before it, or not. */
struct json {
	struct bh_buf *out;
	const struct bh_report *report;
	bool comma;
};

/* The opening of a document of ours: its schema's name and the program that wrote it. */
void json_document(struct json *j, const char *schema, const struct report_style *style);

void json_open_bracket(struct json *j, char bracket);
void json_close_bracket(struct json *j, char bracket);
void json_item(struct json *j);                                           /* the next item of an array */
void json_key(struct json *j, const char *name);                          /* a value must follow */
void json_top_key(struct json *j, const char *name);                      /* a key of the document itself, on a line of its own */
void json_text(struct json *j, const char *name, struct bh_slice value);  /* left out when empty */
void json_must_text(struct json *j, const char *name, struct bh_slice value);
void json_word(struct json *j, const char *name, const char *value);      /* a word that needs no escapes */
void json_number(struct json *j, const char *name, uint64_t value);
void json_flag(struct json *j, const char *name, bool value);             /* left out when false */
void json_digest(struct json *j, const char *name, const struct bh_digest *d); /* left out when there is none */
void json_built(struct json *j, const char *name, struct bh_buf *text);   /* a text that was put together, which is emptied; left out when empty */
void json_texts(struct json *j, const char *name, const struct bh_slice *values, size_t n); /* left out when there are none */
void json_layer(struct json *j, uint32_t index);                          /* "layer": by its digest; left out when unknown */
void json_purl(struct json *j, const char *name, const struct bh_package *p);

/* An array of the document, one line per item; write adds the keys of one. */
void json_array(struct json *j, const char *name, const void *items, size_t n, size_t item_bytes, void (*write)(struct json *, const void *));

#define JSON_WRITE_VEC(j, name, vec, write) json_array(j, name, (vec).ptr, (vec).len, sizeof((vec).ptr[0]), write)

#endif

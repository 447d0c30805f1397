/* json_out.c: see json_out.h. */
#include "report/json_out.h"

#include "model/purl.h"

#include <inttypes.h>

void json_open_bracket(struct json *j, char bracket)
{
	bh_buf_add_byte(j->out, (uint8_t)bracket);
	j->comma = false;
}

void json_close_bracket(struct json *j, char bracket)
{
	bh_buf_add_byte(j->out, (uint8_t)bracket);
	j->comma = true;
}

void json_item(struct json *j)
{
	if (j->comma)
		bh_buf_add_str(j->out, ", ");
	j->comma = true;
}

void json_key(struct json *j, const char *name)
{
	json_item(j);
	bh_buf_printf(j->out, "\"%s\": ", name);
}

/* A key of the document itself, on a line of its own. */
void json_top_key(struct json *j, const char *name)
{
	bh_buf_printf(j->out, "%s\n  \"%s\": ", j->comma ? "," : "", name);
	j->comma = true;
}

void json_document(struct json *j, const char *schema, const struct report_style *style)
{
	bh_buf_add_str(j->out, "{");
	json_top_key(j, "schema");
	bh_buf_printf(j->out, "\"%s\"", schema);
	json_top_key(j, "tool");
	json_open_bracket(j, '{');
	json_word(j, "name", "bulkhead");
	json_must_text(j, "version", bh_slice_str(style->tool_version));
	json_close_bracket(j, '}');
}

void json_text(struct json *j, const char *name, struct bh_slice value)
{
	if (value.len == 0)
		return;
	json_key(j, name);
	bh_buf_add_json(j->out, value);
}

void json_must_text(struct json *j, const char *name, struct bh_slice value)
{
	json_key(j, name);
	bh_buf_add_json(j->out, value);
}

void json_word(struct json *j, const char *name, const char *value)
{
	json_key(j, name);
	bh_buf_printf(j->out, "\"%s\"", value);
}

void json_number(struct json *j, const char *name, uint64_t value)
{
	json_key(j, name);
	bh_buf_printf(j->out, "%" PRIu64, value);
}

/* Left out when false. */
void json_flag(struct json *j, const char *name, bool value)
{
	if (value) {
		json_key(j, name);
		bh_buf_add_str(j->out, "true");
	}
}

void json_digest(struct json *j, const char *name, const struct bh_digest *d)
{
	char hex[BH_DIGEST_TEXT_BYTES];
	if (d->kind != BH_DIGEST_NONE)
		json_word(j, name, bh_digest_text(d, hex));
}

void json_built(struct json *j, const char *name, struct bh_buf *text)
{
	json_text(j, name, bh_buf_slice(text));
	bh_buf_clear(text);
}

void json_texts(struct json *j, const char *name, const struct bh_slice *values, size_t n)
{
	if (n == 0)
		return;
	json_key(j, name);
	json_open_bracket(j, '[');
	for (size_t i = 0; i < n; i++) {
		json_item(j);
		bh_buf_add_json(j->out, values[i]);
	}
	json_close_bracket(j, ']');
}

/* A layer is called by the digest it is stored under, or by its diffID where the source knows no other. */
void json_layer(struct json *j, uint32_t index)
{
	if (index >= j->report->layers.len)
		return;
	const struct bh_layer *l = &j->report->layers.ptr[index];
	json_digest(j, "layer", l->digest.kind != BH_DIGEST_NONE ? &l->digest : &l->diff_id);
}

void json_purl(struct json *j, const char *name, const struct bh_package *p)
{
	struct bh_buf built;
	struct bh_slice url = p->purl;
	bh_buf_init(&built, 3 * (p->name.len + p->version.len + p->arch.len + p->source_name.len + p->source_version.len) + 4096);
	if (url.len == 0 && bh_purl_of_package(p, &j->report->target.distro, &built))
		url = bh_buf_slice(&built);
	json_must_text(j, name, url);
	bh_buf_done(&built);
}

void json_array(struct json *j, const char *name, const void *items, size_t n, size_t item_bytes, void (*write)(struct json *, const void *))
{
	json_top_key(j, name);
	bh_buf_add_byte(j->out, '[');
	for (size_t i = 0; i < n; i++) {
		bh_buf_add_str(j->out, i ? ",\n    " : "\n    ");
		json_open_bracket(j, '{');
		write(j, (const char *)items + i * item_bytes);
		json_close_bracket(j, '}');
	}
	bh_buf_add_str(j->out, n ? "\n  ]" : "]");
	j->comma = true;
}

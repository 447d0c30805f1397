/*
 * xml.c: expat, kept on a short leash. Expat keeps what it has not understood yet and looks at it again with every new piece, so a
 * tag that never ends would cost quadratic time: markup has a limit, measured from the last thing that expat told us.
 */
#include "format/xml.h"

#include "base/buf.h"

#include <expat.h>

#define PIECE_BYTES (64u << 10) /* given to expat at once */

struct reader {
	XML_Parser parser;
	const struct bh_xml_events *events;
	void *ctx;
	struct bh_buf text;       /* since the last tag */
	struct bh_xml_attribute attributes[BH_XML_ATTRIBUTES_MAX];
	unsigned depth;
	uint64_t told_at;         /* offset of the last event */
	int rc;                   /* negative: a handler gave up */
	struct bh_err *err;
};

static uint64_t offset_of(const struct reader *r)
{
	XML_Index at = XML_GetCurrentByteIndex(r->parser);
	return at > 0 ? (uint64_t)at : 0;
}

static unsigned long long line_of(const struct reader *r)
{
	return XML_GetCurrentLineNumber(r->parser);
}

/* Ends the reading. Expat may call a handler once more afterwards: they look at rc. */
static void stop(struct reader *r, int rc)
{
	r->rc = rc;
	(void)XML_StopParser(r->parser, XML_FALSE);
}

static void fail_here(struct reader *r, enum bh_code code, const char *what)
{
	stop(r, bh_fail(r->err, code, offset_of(r), "line %llu, column %llu: %s", line_of(r), XML_GetCurrentColumnNumber(r->parser) + 1ull, what));
}

/* False: a handler gave up before, nothing counts any more. */
static bool told(struct reader *r)
{
	r->told_at = offset_of(r);
	return r->rc == 0;
}

static void tell(struct reader *r, int (*event)(void *, const struct bh_xml_element *, struct bh_err *), const struct bh_xml_element *e)
{
	int rc = event ? event(r->ctx, e, r->err) : 0;
	if (rc < 0) {
		if (r->err && r->err->offset_bytes == 0)
			r->err->offset_bytes = offset_of(r);
		stop(r, bh_wrap(r->err, "line %llu", line_of(r)));
	}
	bh_buf_clear(&r->text);
}

static struct bh_slice local_name(const char *name)
{
	const char *colon = strrchr(name, ':');
	return bh_slice_str(colon ? colon + 1 : name);
}

static void XMLCALL on_begin(void *ctx, const XML_Char *name, const XML_Char **pairs)
{
	struct reader *r = ctx;
	struct bh_xml_element e = { .name = local_name(name), .attributes = r->attributes, .line = line_of(r) };
	if (!told(r))
		return;
	if (e.name.len == 0) { /* "<a:/>"; a name behind the prefix is demanded by Namespaces in XML, section 4, expat takes it */
		fail_here(r, BH_EMALFORMED, "an element that has a prefix but no name");
		return;
	}
	if (++r->depth > BH_XML_DEPTH_MAX) {
		fail_here(r, BH_ELIMIT, "nested too deeply");
		return;
	}
	for (; pairs[0]; pairs += 2) {
		if (e.n_attributes == BH_XML_ATTRIBUTES_MAX) {
			fail_here(r, BH_ELIMIT, "too many attributes");
			return;
		}
		r->attributes[e.n_attributes++] = (struct bh_xml_attribute){ bh_slice_str(pairs[0]), bh_slice_str(pairs[1]) };
	}
	e.depth = r->depth;
	tell(r, r->events->begin, &e);
}

static void XMLCALL on_end(void *ctx, const XML_Char *name)
{
	struct reader *r = ctx;
	if (!told(r))
		return;
	struct bh_xml_element e = { .name = local_name(name), .text = bh_buf_slice(&r->text), .depth = r->depth, .line = line_of(r) };
	r->depth--;
	tell(r, r->events->end, &e);
}

static void add_text(struct reader *r, struct bh_slice text)
{
	if (told(r) && !bh_buf_add(&r->text, text))
		fail_here(r, BH_ELIMIT, "a text that is too long");
}

static void XMLCALL on_text(void *ctx, const XML_Char *text, int len)
{
	add_text(ctx, (struct bh_slice){ (const uint8_t *)text, (size_t)len });
}

/* The entity is declared, if anywhere, in a file that is not read: it stays as it is written. */
static void XMLCALL on_unknown_entity(void *ctx, const XML_Char *name, int is_parameter)
{
	if (is_parameter)
		return;
	add_text(ctx, BH_SLICE_LIT("&"));
	add_text(ctx, bh_slice_str(name));
	add_text(ctx, BH_SLICE_LIT(";"));
}

static void XMLCALL on_entity(void *ctx, const XML_Char *name, int is_parameter, const XML_Char *value, int len, const XML_Char *base,
			      const XML_Char *system, const XML_Char *public, const XML_Char *notation)
{
	(void)name, (void)is_parameter, (void)value, (void)len, (void)base, (void)system, (void)public, (void)notation;
	struct reader *r = ctx;
	if (told(r))
		fail_here(r, BH_EUNSUPPORTED, "the document declares entities; they could expand without end or name files, so it is not read");
}

/* Comments and the like: only that they ended counts. */
static void XMLCALL on_other(void *ctx, const XML_Char *text, int len)
{
	(void)text, (void)len;
	(void)told(ctx);
}

static int syntax_error(struct reader *r)
{
	enum XML_Error code = XML_GetErrorCode(r->parser);
	bool early = code == XML_ERROR_NO_ELEMENTS || code == XML_ERROR_UNCLOSED_TOKEN || code == XML_ERROR_PARTIAL_CHAR ||
		code == XML_ERROR_UNCLOSED_CDATA_SECTION;
	enum bh_code kind = code == XML_ERROR_NO_MEMORY ? BH_ENOMEM : code == XML_ERROR_UNKNOWN_ENCODING ? BH_EUNSUPPORTED :
		early ? BH_ETRUNCATED : BH_EMALFORMED;
	if (r->rc == 0)
		fail_here(r, kind, XML_ErrorString(code));
	return r->rc;
}

static int feed(struct reader *r, struct bh_slice piece, bool last)
{
	if (XML_Parse(r->parser, piece.len ? (const char *)piece.ptr : "", (int)piece.len, last) != XML_STATUS_OK)
		return syntax_error(r);
	return r->rc;
}

static int read_all(struct reader *r, struct bh_source plain)
{
	uint64_t given = 0;
	for (;;) {
		struct bh_slice got = { 0 };
		int rc = plain.read(plain.ctx, &got, r->err);
		if (rc < 0)
			return rc;
		if (got.len == 0)
			return feed(r, got, true);
		while (got.len) {
			struct bh_slice piece = bh_slice_sub(got, 0, PIECE_BYTES);
			got = bh_slice_sub(got, piece.len, got.len);
			given += piece.len;
			rc = feed(r, piece, false);
			if (rc < 0)
				return rc;
			if (given - r->told_at > BH_XML_MARKUP_BYTES_MAX)
				return bh_fail(r->err, BH_ELIMIT, r->told_at, "line %llu: one tag or comment of more than %u bytes", line_of(r),
					       BH_XML_MARKUP_BYTES_MAX);
		}
	}
}

int bh_xml_read(struct bh_source plain, const struct bh_xml_events *events, void *ctx, struct bh_err *err)
{
	struct reader *r = calloc(1, sizeof(*r));
	XML_Parser parser = r ? XML_ParserCreate(NULL) : NULL;
	if (!parser) {
		free(r);
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for an XML reader");
	}
	*r = (struct reader){ .parser = parser, .events = events, .ctx = ctx, .err = err };
	bh_buf_init(&r->text, BH_XML_TEXT_BYTES_MAX);
	XML_SetUserData(parser, r);
	XML_SetElementHandler(parser, on_begin, on_end);
	XML_SetCharacterDataHandler(parser, on_text);
	XML_SetEntityDeclHandler(parser, on_entity);
	XML_SetSkippedEntityHandler(parser, on_unknown_entity);
	XML_SetDefaultHandler(parser, on_other);
	int rc = read_all(r, plain);
	XML_ParserFree(parser);
	bh_buf_done(&r->text);
	free(r);
	return rc;
}

struct bh_slice bh_xml_attribute(const struct bh_xml_element *e, const char *name)
{
	for (size_t i = 0; i < e->n_attributes; i++)
		if (bh_slice_eq_str(e->attributes[i].name, name))
			return e->attributes[i].value;
	return (struct bh_slice){ 0 };
}

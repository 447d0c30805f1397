/* test_xml.c: what a reader and a tree make of XML, where they are when it is broken, and what they refuse. */
#include "format/xml.h"
#include "format/xml_tree.h"

#include "bytes.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TREE_BYTES_MAX (16u << 20)

/* What happened, as text: "+name(a=1)@line" and "-name[text]". */
static int log_begin(void *ctx, const struct bh_xml_element *e, struct bh_err *err)
{
	(void)err;
	bh_buf_printf(ctx, "+%.*s", BH_SLICE_FMT(e->name));
	for (size_t i = 0; i < e->n_attributes; i++)
		bh_buf_printf(ctx, "(%.*s=%.*s)", BH_SLICE_FMT(e->attributes[i].name), BH_SLICE_FMT(e->attributes[i].value));
	bh_buf_printf(ctx, "@%llu ", (unsigned long long)e->line);
	return 0;
}

static int log_end(void *ctx, const struct bh_xml_element *e, struct bh_err *err)
{
	bh_buf_printf(ctx, "-%.*s[%.*s] ", BH_SLICE_FMT(e->name), BH_SLICE_FMT(e->text));
	return bh_slice_eq_str(e->name, "stop") ? bh_fail(err, BH_EUNSUPPORTED, 0, "enough") : 0;
}

static int read_text(struct bh_slice text, size_t piece, struct bh_buf *log, struct bh_err *err)
{
	static const struct bh_xml_events events = { log_begin, log_end };
	struct pieces p = { .rest = text, .piece = piece };
	bh_buf_init(log, 64u << 20);
	int rc = bh_xml_read((struct bh_source){ .read = pieces_read, .ctx = &p }, &events, log, err);
	free(p.lent);
	return rc;
}

static void check(struct bh_slice text, const char *expected)
{
	for (size_t piece = 1; piece <= text.len; piece = piece < 4 ? piece + 1 : piece * 3) {
		struct bh_buf log;
		struct bh_err err = { 0 };
		if (read_text(text, piece, &log, &err) < 0)
			fail_msg("%s", err.text);
		bh_buf_add_byte(&log, 0);
		assert_string_equal((const char *)log.ptr, expected);
		bh_buf_done(&log);
	}
}

static void elements_come_in_order(void **state)
{
	(void)state;
	check(BH_SLICE_LIT("<?xml version='1.0'?>\n<a x='1' n:y='&lt;2'>\n <n:b>one &amp; <![CDATA[<two>]]></n:b><!-- c --><c/></a>"),
	      "+a(x=1)(n:y=<2)@2 +b@3 -b[one & <two>] +c@3 -c[] -a[] ");
	check(BH_SLICE_LIT("<a>mixed <b>bold</b> tail&#x20ac;</a>\n"), "+a@1 +b@1 -b[bold] -a[ tail\xe2\x82\xac] ");
}

static void encodings_become_utf8(void **state)
{
	(void)state;
	check(BH_SLICE_LIT("<?xml version='1.0' encoding='ISO-8859-1'?><a>M\xfcller</a>"), "+a@1 -a[M\xc3\xbcller] ");
	check(BH_SLICE_LIT("\xff\xfe<\0a\0>\0\xe4\0<\0/\0a\0>\0"), "+a@1 -a[\xc3\xa4] ");
	check(BH_SLICE_LIT("\xfe\xff\0<\0a\0>\0\xe4\0<\0/\0a\0>"), "+a@1 -a[\xc3\xa4] ");
	check(BH_SLICE_LIT("\xef\xbb\xbf<a>\xc3\xa4</a>"), "+a@1 -a[\xc3\xa4] ");
}

static void a_doctype_is_not_followed(void **state)
{
	(void)state;
	check(BH_SLICE_LIT("<!DOCTYPE plist PUBLIC '-//Apple//DTD' 'http://localhost:1/x.dtd'><plist>&nbsp;&oslash;x</plist>"),
	      "+plist@1 -plist[&nbsp;&oslash;x] ");
}

static void broken_documents_say_where(void **state)
{
	static const struct {
		struct bh_slice text;
		enum bh_code code;
		const char *said;
	} cases[] = {
		{ BH_SLICE_LIT(""), BH_ETRUNCATED, "line 1, column 1: no element found" },
		{ BH_SLICE_LIT("<a>\n<b>"), BH_ETRUNCATED, "line 2, column 4: no element found" },
		{ BH_SLICE_LIT("<a>\n  <b></a>"), BH_EMALFORMED, "line 2, column 8: mismatched tag" },
		{ BH_SLICE_LIT("<a x='1' x='2'/>"), BH_EMALFORMED, "line 1, column 10: duplicate attribute" },
		{ BH_SLICE_LIT("<a>&nothing;</a>"), BH_EMALFORMED, "line 1, column 4: undefined entity" },
		{ BH_SLICE_LIT("<a>\xff</a>"), BH_EMALFORMED, "line 1, column 4: not well-formed (invalid token)" },
		{ BH_SLICE_LIT("<?xml version='1.0' encoding='EBCDIC'?><a/>"), BH_EUNSUPPORTED, "line 1, column 31: unknown encoding" },
		{ BH_SLICE_LIT("<a/>\n<b/>"), BH_EMALFORMED, "line 2, column 1: junk after document element" },
		{ BH_SLICE_LIT("{\"json\": 1}"), BH_EMALFORMED, "line 1, column 1: not well-formed (invalid token)" },
		{ BH_SLICE_LIT("<a>\n<stop/><b/></a>"), BH_EUNSUPPORTED, "line 2: enough" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bh_buf log;
		struct bh_err err = { 0 };
		assert_int_equal(read_text(cases[i].text, 3, &log, &err), cases[i].code);
		assert_string_equal(err.text, cases[i].said);
		bh_buf_done(&log);
	}
}

static void entities_are_refused(void **state)
{
	static const char *const texts[] = {
		"<!DOCTYPE a [<!ENTITY l 'lol'><!ENTITY m '&l;&l;'>]><a>&m;</a>",
		"<!DOCTYPE a [<!ENTITY f SYSTEM 'file:///etc/passwd'>]><a>&f;</a>",
		"<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://localhost:1/'>%p;]><a/>",
	};
	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct bh_buf log;
		struct bh_err err = { 0 };
		assert_int_equal(read_text(bh_slice_str(texts[i]), 7, &log, &err), BH_EUNSUPPORTED);
		assert_non_null(strstr(err.text, "declares entities"));
		bh_buf_done(&log);
	}
}

/* before, n times unit, after */
static struct bh_buf repeat(const char *before, const char *unit, size_t n, const char *after)
{
	struct bh_buf b;
	bh_buf_init(&b, 64u << 20);
	bh_buf_add_str(&b, before);
	for (size_t i = 0; i < n; i++)
		bh_buf_add_str(&b, unit);
	bh_buf_add_str(&b, after);
	assert_false(b.failed);
	return b;
}

static void sizes_have_limits(void **state)
{
	(void)state;
	const struct {
		struct bh_buf text;
		const char *said;
	} cases[] = {
		{ repeat("", "<a>", 300, ""), "nested too deeply" },
		{ repeat("<a>", "0123456789", 200000, "</a>"), "a text that is too long" },
		{ repeat("<a x='", "0123456789", 4000000, "'/>"), "more than 1048576 bytes" },
		{ repeat("<a><!--", "0123456789", 4000000, "--></a>"), "more than 1048576 bytes" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bh_buf log, text = cases[i].text;
		struct bh_err err = { 0 };
		assert_int_equal(read_text(bh_buf_slice(&text), 100000, &log, &err), BH_ELIMIT);
		assert_non_null(strstr(err.text, cases[i].said));
		bh_buf_done(&log);
		bh_buf_done(&text);
	}
}

static void a_tree_of_a_small_document(void **state)
{
	(void)state;
	struct bh_xml *doc = NULL;
	struct bh_err err = { 0 };
	const char *text = "<project xmlns='http://maven.apache.org/POM/4.0.0'>\n<parent><version> 1.2 </version></parent>\n<dependencies>\n"
			   "<dependency id='1'><artifactId>a</artifactId></dependency><other/>\n<dependency id='2'/></dependencies></project>";
	assert_int_equal(bh_xml_parse(bh_slice_str(text), TREE_BYTES_MAX, &doc, &err), 0);
	const struct bh_xml_node *root = bh_xml_root(doc);
	assert_true(bh_slice_eq_str(bh_xml_name(root), "project"));
	assert_true(bh_slice_eq_str(bh_xml_text(bh_xml_get(bh_xml_get(root, "parent"), "version")), "1.2"));
	const struct bh_xml_node *d = bh_xml_get(bh_xml_get(root, "dependencies"), "dependency");
	assert_true(bh_slice_eq_str(bh_xml_text(bh_xml_get(d, "artifactId")), "a"));
	assert_true(bh_slice_eq_str(bh_xml_name(bh_xml_next(d, NULL)), "other"));
	d = bh_xml_next(d, "dependency");
	assert_true(bh_slice_eq_str(bh_xml_attr(d, "id"), "2"));
	assert_int_equal(bh_xml_line(d), 5);
	assert_null(bh_xml_next(d, NULL));
	assert_null(bh_xml_get(bh_xml_get(root, "nothing"), "version"));
	assert_int_equal(bh_xml_text(NULL).len + bh_xml_attr(NULL, "x").len + bh_xml_name(NULL).len + bh_xml_line(NULL), 0);
	bh_xml_free(doc);
	assert_int_equal(bh_xml_parse(bh_slice_str(text), 10, &doc, &err), BH_ELIMIT);
	struct bh_buf wide = repeat("<a>", "<b/>", BH_XML_NODES_MAX, "</a>");
	assert_int_equal(bh_xml_parse(bh_buf_slice(&wide), TREE_BYTES_MAX, &doc, &err), BH_ELIMIT);
	bh_buf_done(&wide);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_come_in_order),    cmocka_unit_test(encodings_become_utf8), cmocka_unit_test(a_doctype_is_not_followed),
		cmocka_unit_test(broken_documents_say_where), cmocka_unit_test(entities_are_refused), cmocka_unit_test(sizes_have_limits),
		cmocka_unit_test(a_tree_of_a_small_document),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

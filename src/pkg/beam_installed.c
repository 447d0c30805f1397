/*
 * beam_installed.c: applications of Erlang and Elixir where they are installed, in releases and in build trees:
 *
 *     lib/cowboy-2.9.0/ebin/cowboy.app     {application, cowboy, [{vsn, "2.9.0"}, ...]}.
 *     deps/cowboy/hex_metadata.config      {<<"name">>,<<"cowboy">>}. {<<"version">>,<<"2.9.0">>}. {<<"licenses">>,[<<"ISC">>]}.
 *
 * The applications of Erlang/OTP and of Elixir themselves are not packages of hex.pm; they are of the type "otp".
 */
#include "base/cleanup.h"
#include "pkg/entry.h"
#include "pkg/terms.h"

#define APPLICATION_BYTES_MAX (4u << 20) /* lists of modules make the largest ones some 20 KiB */
#define LICENSE_BYTES_MAX (64u << 10)

static const struct pkg_want beam_installed_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "ebin/*.app" },
	{ .kind = PKG_WANT_GLOB, .path = "hex_metadata.config" },
	{ .kind = PKG_WANT_END },
};

static bool comes_with_the_language(struct bh_slice name)
{
	static const char *const names[] = {
		"asn1", "common_test", "compiler", "crypto", "debugger", "dialyzer", "diameter", "edoc", "eldap", "erl_docgen", "erl_interface",
		"erts", "et", "eunit", "ftp", "inets", "jinterface", "kernel", "megaco", "mnesia", "observer", "odbc", "os_mon", "parsetools",
		"public_key", "reltool", "runtime_tools", "sasl", "snmp", "ssh", "ssl", "stdlib", "syntax_tools", "tftp", "tools", "wx", "xmerl",
		"eex", "elixir", "ex_unit", "iex", "logger", "mix",
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (bh_slice_eq_str(name, names[i]))
			return true;
	return false;
}

static void read_application(const struct pkg_terms *t, struct bh_package *p)
{
	struct bh_slice text[PKG_TERMS_KEPT];
	if (p->name.len == 0 && pkg_terms_are(t, "{ application @", text))
		p->name = text[0];
	else if (p->version.len == 0 && t->depth == 3 && pkg_terms_are(t, "{ vsn $", text))
		p->version = text[0];
}

static void read_metadata(const struct pkg_terms *t, struct bh_package *p, struct bh_buf *license, bool *in_licenses)
{
	struct bh_slice text[PKG_TERMS_KEPT];
	if (pkg_terms_are(t, "{ $ {", text))
		*in_licenses = bh_slice_eq_str(text[0], "licenses");
	else if (pkg_terms_are(t, "}", text))
		*in_licenses = false;
	else if (*in_licenses && pkg_terms_are(t, "$", text))
		pkg_add_item(license, " AND ", text[0]);
	if (t->depth != 1 || !pkg_terms_are(t, "{ $ $", text)) /* deeper ones tell of requirements */
		return;
	if (p->name.len == 0 && bh_slice_eq_str(text[0], "name"))
		p->name = text[1];
	else if (p->version.len == 0 && bh_slice_eq_str(text[0], "version"))
		p->version = text[1];
}

static int beam_installed_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	BH_WITH(bh_buf_done) struct bh_buf license = { 0 };
	struct pkg_notes notes = { .sink = sink };
	struct pkg_terms t = pkg_terms_of(file->data);
	struct bh_package p = { 0 };
	bool application = bh_slice_ends(file->path, BH_SLICE_LIT(".app")), in_licenses = false;
	bh_buf_init(&license, LICENSE_BYTES_MAX);
	while (pkg_terms_next(&t)) {
		if (application)
			read_application(&t, &p);
		else
			read_metadata(&t, &p, &license, &in_licenses);
	}
	if (t.damage)
		return bh_fail(err, BH_ETRUNCATED, t.r.pos, "%s", t.damage);
	p.type = comes_with_the_language(p.name) ? BH_SLICE_LIT("otp") : BH_SLICE_LIT("hex");
	p.license = bh_buf_slice(&license);
	return pkg_give(&notes, &p, 0, err);
}

const struct pkg_parser pkg_parser_beam_installed = {
	.name = "beam_installed",
	.type = "hex",
	.wants = beam_installed_wants,
	.max_bytes = APPLICATION_BYTES_MAX,
	.parse = beam_installed_parse,
};

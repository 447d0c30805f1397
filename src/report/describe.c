/* describe.c: see describe.h. */
#include "report/describe.h"

#include "base/utf8.h"
#include "model/purl.h"

#include <stdio.h>

void describe_uri(struct bh_buf *out, struct bh_slice id)
{
	static const struct {
		const char *prefix, *before, *behind;
	} places[] = {
		{ "CVE-", "https://www.cve.org/CVERecord?id=", "" },
		{ "GHSA-", "https://github.com/advisories/", "" },
		{ "RUSTSEC-", "https://rustsec.org/advisories/", ".html" },
		{ "GO-", "https://pkg.go.dev/vuln/", "" },
		{ "DSA-", "https://security-tracker.debian.org/tracker/", "" },
		{ "DLA-", "https://security-tracker.debian.org/tracker/", "" },
		{ "PYSEC-", "https://osv.dev/vulnerability/", "" },
		{ "BIT-", "https://osv.dev/vulnerability/", "" },
		{ "MAL-", "https://osv.dev/vulnerability/", "" },
	};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (!bh_slice_starts(id, bh_slice_str(places[i].prefix)))
			continue;
		bh_buf_add_str(out, places[i].before);
		bh_buf_add(out, id); /* ids are letters, digits and . _ : - (vuln_feed_is_id) */
		bh_buf_add_str(out, places[i].behind);
		return;
	}
}

void describe_purl(struct bh_buf *out, const struct bh_report *report, const struct bh_package *p)
{
	if (p->purl.len)
		bh_buf_add(out, p->purl);
	else if (!bh_purl_of_package(p, &report->target.distro, out))
		return; /* what no URL can name has none */
}

void describe_location(struct bh_buf *out, const struct bh_location *l)
{
	bh_buf_add(out, l->path);
	bh_buf_add_str(out, l->inner.len ? "!/" : "");
	bh_buf_add(out, l->inner);
}

void describe_place(struct bh_buf *out, const struct bh_finding *f)
{
	if (f->path.len)
		bh_buf_add(out, f->path);
	else if (f->package)
		describe_location(out, &f->package->at);
}

void describe_finding(struct bh_buf *out, const struct bh_finding *f)
{
	if (f->package) {
		bh_buf_add(out, f->package->name);
		bh_buf_add_byte(out, ' ');
		bh_buf_add(out, f->package->version);
		bh_buf_add_str(out, ": ");
	}
	bh_buf_add(out, f->id);
	bh_buf_printf(out, " (%s)", bh_severity_name(f->severity));
}

struct bh_slice describe_note(const struct bh_not_covered *n)
{
	return n->note.len ? n->note : BH_SLICE_LIT("no data");
}

unsigned describe_score_tenths(const struct bh_finding *f)
{
	static const unsigned middle[] = {
		[BH_SEV_UNKNOWN] = 70, [BH_SEV_NEGLIGIBLE] = 1, [BH_SEV_LOW] = 20, [BH_SEV_MEDIUM] = 55, [BH_SEV_HIGH] = 80, [BH_SEV_CRITICAL] = 95,
	};
	return f->cvss.score_tenths ? f->cvss.score_tenths : middle[f->severity];
}

enum bh_severity describe_weight(const struct bh_finding *f)
{
	return f->severity == BH_SEV_UNKNOWN ? BH_SEV_HIGH : f->severity;
}

/* XML 1.0, section 2.2; and what turns the direction of text or can't be seen. */
static bool is_shown(uint32_t c)
{
	if (c < 0x20)
		return c == '\t' || c == '\n' || c == '\r';
	if (c >= 0x7f && c < 0xa0)
		return false;
	bool turns = (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
	return !turns && !(c >= 0xd800 && c <= 0xdfff) && c != 0xfffe && c != 0xffff;
}

bool describe_next(struct bh_slice *text, struct bh_slice *ret)
{
	uint32_t c;
	if (text->len == 0)
		return false;
	size_t n = bh_utf8_next(*text, &c);
	*ret = n && is_shown(c) ? bh_slice_sub(*text, 0, n) : BH_SLICE_LIT("\xef\xbf\xbd");
	*text = bh_slice_sub(*text, n ? n : 1, text->len);
	return true;
}

/* The character itself where markup means nothing by it. */
static struct bh_slice as_markup(struct bh_slice c)
{
	switch (c.ptr[0]) {
	case '&': return BH_SLICE_LIT("&amp;");
	case '<': return BH_SLICE_LIT("&lt;");
	case '>': return BH_SLICE_LIT("&gt;");
	case '"': return BH_SLICE_LIT("&quot;");
	case '\'': return BH_SLICE_LIT("&#39;");
	default: return c;
	}
}

void describe_markup(struct bh_buf *out, struct bh_slice text)
{
	struct bh_slice c;
	while (describe_next(&text, &c))
		bh_buf_add(out, as_markup(c));
}

static bool is_formula(struct bh_slice s)
{
	return s.len && strchr("=+-@\t\r", s.ptr[0]);
}

void describe_csv(struct bh_buf *out, struct bh_slice text)
{
	struct bh_slice c;
	bool quoted = false;
	for (size_t i = 0; i < text.len; i++)
		quoted |= text.ptr[i] == '"' || text.ptr[i] == ',' || text.ptr[i] == '\n' || text.ptr[i] == '\r';
	if (quoted)
		bh_buf_add_byte(out, '"');
	if (is_formula(text))
		bh_buf_add_byte(out, '\'');
	while (describe_next(&text, &c)) {
		bh_buf_add(out, c);
		if (bh_slice_eq_str(c, "\""))
			bh_buf_add(out, c);
	}
	if (quoted)
		bh_buf_add_byte(out, '"');
}

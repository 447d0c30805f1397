/* csv.c: one line per finding, RFC 4180, UTF-8. */
#include "report/describe.h"
#include "report/writer.h"

#define TEXT_BYTES_MAX (64u << 10)

static void cell(struct bh_buf *out, struct bh_slice s, char behind)
{
	describe_csv(out, s);
	bh_buf_add_byte(out, (uint8_t)behind);
}

static void built(struct bh_buf *out, struct bh_buf *text)
{
	cell(out, bh_buf_slice(text), ',');
	bh_buf_clear(text);
}

static void list(struct bh_buf *out, const struct bh_slice *items, size_t n, struct bh_buf *text)
{
	for (size_t i = 0; i < n; i++) {
		bh_buf_add_str(text, i ? " " : "");
		bh_buf_add(text, items[i]);
	}
	built(out, text);
}

static void fraction(struct bh_buf *out, const struct bh_finding *f, struct bh_buf *text)
{
	unsigned scaled = (unsigned)(((uint64_t)f->epss_score * 100000u + UINT16_MAX / 2) / UINT16_MAX);
	if (f->has_epss)
		bh_buf_printf(text, "%u.%05u", scaled / 100000u, scaled % 100000u);
	built(out, text);
}

static void write_line(const struct bh_report *r, const struct bh_finding *f, struct bh_buf *out, struct bh_buf *text)
{
	static const struct bh_package none;
	const struct bh_package *p = f->package ? f->package : &none;
	const struct bh_layer *layer = bh_report_layer(r, f->layer);
	char digest[BH_DIGEST_TEXT_BYTES];
	cell(out, bh_slice_str(bh_class_name(f->class)), ',');
	cell(out, f->id, ',');
	list(out, f->aliases, f->n_aliases, text);
	cell(out, bh_slice_str(bh_severity_name(f->severity)), ',');
	cell(out, bh_slice_str(bh_state_name(f->state)), ',');
	cell(out, p->type, ',');
	cell(out, p->name, ',');
	cell(out, p->version, ',');
	list(out, f->fixed, f->n_fixed, text);
	describe_place(text, f);
	built(out, text);
	cell(out, layer ? bh_slice_str(bh_digest_text(layer->digest.kind ? &layer->digest : &layer->diff_id, digest)) : (struct bh_slice){ 0 }, ',');
	cell(out, f->kev ? f->kev_date : (struct bh_slice){ 0 }, ',');
	fraction(out, f, text);
	if (f->cvss.score_tenths)
		bh_buf_printf(text, "%u.%u", f->cvss.score_tenths / 10u, f->cvss.score_tenths % 10u);
	built(out, text);
	cell(out, f->cvss.vector, ',');
	cell(out, f->title, ',');
	cell(out, f->fix, '\r');
	bh_buf_add_byte(out, '\n');
}

static int csv_write(const struct bh_report *report, const struct report_style *style, struct bh_buf *out, struct bh_err *err)
{
	(void)style;
	struct bh_buf text;
	bh_buf_init(&text, TEXT_BYTES_MAX);
	bh_buf_add_str(out, "class,id,aliases,severity,state,type,package,installed,fixed,path,layer,kev,epss,cvss,vector,title,fix\r\n");
	for (size_t i = 0; i < report->findings.len; i++)
		write_line(report, &report->findings.ptr[i], out, &text);
	bh_buf_done(&text);
	return out->failed ? bh_fail(err, BH_ELIMIT, 0, "the report does not fit into memory") : 0;
}

const struct report_writer report_writer_csv = { .name = "csv", .title = "one line per finding, for spreadsheets", .write = csv_write };

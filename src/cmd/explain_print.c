/*
 * explain_print.c: one text, three ways. On a terminal paragraphs and items are wrapped and examples stay as they are; Markdown is what the files of
 * rules/explain/ are, with what the tables say added; JSON has the sections one by one.
 */
#include "cmd/explain_print.h"

#include "report/layout.h"

#include <string.h>

#define INDENT 2u
#define EXAMPLE_INDENT 6u
#define PARAGRAPH_BYTES_MAX (64u << 10)

static void heading(struct bh_buf *b, const char *text, const struct explain_look *look)
{
	bh_buf_printf(b, look->colour ? "\033[1m%s\033[0m\n" : "%s\n", text);
}

/* What was collected of a paragraph. An item of a list is indented behind its mark. */
static void flush(struct bh_buf *b, struct bh_buf *paragraph, const struct explain_look *look)
{
	struct bh_slice text = bh_buf_slice(paragraph);
	bool item = bh_slice_starts(text, BH_SLICE_LIT("- "));
	if (text.len) {
		layout_spaces(b, INDENT);
		layout_paragraph(b, text, INDENT, item ? INDENT + 2 : INDENT, look->width);
	}
	bh_buf_clear(paragraph);
}

static void add_example(struct bh_buf *b, struct bh_slice line, const struct explain_look *look)
{
	if (!line.len) {
		bh_buf_add_byte(b, '\n');
		return;
	}
	layout_spaces(b, EXAMPLE_INDENT);
	bh_buf_printf(b, look->colour ? "\033[36m%.*s\033[0m\n" : "%.*s\n", BH_SLICE_FMT(line));
}

static void add_section(struct bh_buf *b, struct bh_slice text, const struct explain_look *look)
{
	struct bh_buf paragraph;
	struct bh_slice rest = text, line;
	bool example = false, more = true;
	bh_buf_init(&paragraph, PARAGRAPH_BYTES_MAX);
	while (more) {
		more = bh_slice_cut(rest, '\n', &line, &rest);
		bool fence = bh_slice_starts(line, BH_SLICE_LIT("```"));
		if (fence || !line.len || (!example && bh_slice_starts(line, BH_SLICE_LIT("- "))))
			flush(b, &paragraph, look);
		if (fence) {
			example = !example;
		} else if (example) {
			add_example(b, line, look);
		} else if (!line.len) {
			bh_buf_add_byte(b, '\n');
		} else {
			bh_buf_add_str(&paragraph, paragraph.len ? " " : "");
			bh_buf_add(&paragraph, line);
		}
	}
	flush(b, &paragraph, look);
	bh_buf_done(&paragraph);
}

static bool has_section(const struct explain_text *t, const char *name)
{
	const struct explain_section *s = t->sections;
	while (s->name && strcmp(s->name, name) != 0)
		s++;
	return s->name;
}

/* "high severity, misconfiguration" */
static void add_kind(struct bh_buf *b, const struct explain_text *t)
{
	bh_buf_printf(b, "%s%s%s", t->severity, *t->severity ? " severity, " : "", strcmp(t->kind, "class") == 0 ? "a class of findings" : t->kind);
}

void explain_print_text(struct bh_buf *b, const struct explain_text *t, const struct explain_look *look)
{
	heading(b, t->title, look);
	layout_spaces(b, INDENT);
	bh_buf_printf(b, "%s: ", t->id);
	add_kind(b, t);
	bh_buf_add_str(b, "\n\n");
	for (const struct explain_section *s = t->sections; s->name; s++) {
		heading(b, s->name, look);
		if (s == t->sections && *t->about) {
			add_section(b, bh_slice_str(t->about), look);
			bh_buf_add_byte(b, '\n');
		}
		if (strcmp(s->name, "Fix") == 0 && *t->fix) {
			add_section(b, bh_slice_str(t->fix), look);
			bh_buf_add_byte(b, '\n');
		}
		if (strcmp(s->name, "How to verify") == 0 && *t->fix && !has_section(t, "Fix")) {
			b->len -= strlen(s->name) + 1 + (look->colour ? strlen("\033[1m\033[0m") : 0);
			heading(b, "Fix", look);
			add_section(b, bh_slice_str(t->fix), look);
			bh_buf_add_byte(b, '\n');
			heading(b, s->name, look);
		}
		add_section(b, bh_slice_str(s->text), look);
		bh_buf_add_byte(b, '\n');
	}
	if (*t->controls) {
		struct bh_slice rest = bh_slice_str(t->controls), line;
		heading(b, "Asked for by", look);
		for (bool more = true; more;) {
			more = bh_slice_cut(rest, '\n', &line, &rest);
			bh_buf_printf(b, "  - %.*s\n", BH_SLICE_FMT(line));
		}
		bh_buf_add_byte(b, '\n');
	}
}

void explain_print_markdown(struct bh_buf *b, const struct explain_text *t)
{
	bh_buf_printf(b, "# %s\n\n`%s`: ", t->title, t->id);
	add_kind(b, t);
	bh_buf_add_str(b, "\n");
	for (const struct explain_section *s = t->sections; s->name; s++) {
		if (strcmp(s->name, "How to verify") == 0 && *t->fix && !has_section(t, "Fix"))
			bh_buf_printf(b, "\n## Fix\n\n%s\n", t->fix);
		if (s != t->sections)
			bh_buf_printf(b, "\n## %s\n", s->name);
		else if (*t->about)
			bh_buf_printf(b, "\n%s\n", t->about);
		if (strcmp(s->name, "Fix") == 0 && *t->fix)
			bh_buf_printf(b, "\n%s\n", t->fix);
		bh_buf_printf(b, "\n%s\n", s->text);
	}
	struct bh_slice rest = bh_slice_str(t->controls), line;
	bh_buf_add_str(b, rest.len ? "\n## Asked for by\n\n" : "");
	for (bool more = rest.len > 0; more;) {
		more = bh_slice_cut(rest, '\n', &line, &rest);
		bh_buf_printf(b, "- %.*s\n", BH_SLICE_FMT(line));
	}
}

static void member(struct bh_buf *b, const char *name, const char *value)
{
	bh_buf_printf(b, ", \"%s\": ", name);
	bh_buf_add_json(b, bh_slice_str(value));
}

void explain_print_json(struct bh_buf *b, const struct explain_text *t, struct bh_slice id, struct bh_slice advisory)
{
	struct bh_slice rest = bh_slice_str(t->controls), line;
	bh_buf_add_str(b, "{ \"id\": ");
	bh_buf_add_json(b, id);
	member(b, "text", t->id);
	member(b, "title", t->title);
	member(b, "severity", t->severity);
	member(b, "class", strcmp(t->kind, "class") == 0 ? t->id : t->kind);
	member(b, "about", t->about);
	member(b, "fix", t->fix);
	bh_buf_add_str(b, ",\n    \"standards\": [");
	for (bool more = rest.len > 0, first = true; more; first = false) {
		more = bh_slice_cut(rest, '\n', &line, &rest);
		bh_buf_add_str(b, first ? "" : ", ");
		bh_buf_add_json(b, line);
	}
	bh_buf_add_str(b, "],\n    \"sections\": {");
	for (const struct explain_section *s = t->sections; s->name; s++) {
		bh_buf_add_str(b, s == t->sections ? "\n      " : ",\n      ");
		bh_buf_add_json(b, bh_slice_str(s->name));
		bh_buf_add_str(b, ": ");
		bh_buf_add_json(b, bh_slice_str(s->text));
	}
	bh_buf_add_str(b, "\n    }");
	if (advisory.len) {
		bh_buf_add_str(b, ",\n    \"advisory\": ");
		bh_buf_add(b, advisory);
	}
	bh_buf_add_str(b, " }");
}

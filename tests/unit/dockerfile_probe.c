/* dockerfile_probe.c: names of Dockerfiles on standard input, one a line; for each a line of JSON with what was read: see tests/live/dockerfile.py. */
#include <stdio.h>
#include <string.h>

#include "dockerfile/dockerfile.h"

#define TEXT_BYTES_MAX (1u << 20)
#define OUT_BYTES_MAX (64u << 20)

static void put_list(struct bh_buf *out, const char *name, const struct bh_slice *all, size_t n)
{
	bh_buf_printf(out, ", \"%s\": [", name);
	for (size_t i = 0; i < n; i++) {
		bh_buf_add_str(out, i ? ", " : "");
		bh_buf_add_json(out, all[i]);
	}
	bh_buf_add_byte(out, ']');
}

static void put_instruction(struct bh_buf *out, const struct df_instruction *i)
{
	bh_buf_add_str(out, "{\"keyword\": ");
	bh_buf_add_json(out, i->is_trigger ? BH_SLICE_LIT("ONBUILD") : i->keyword);
	bh_buf_printf(out, ", \"line\": %u, \"endLine\": %u, \"exec\": %s, \"args\": ", i->line, i->end_line, i->is_exec ? "true" : "false");
	bh_buf_add_json(out, i->args);
	bh_buf_add_str(out, ", \"flags\": [");
	for (size_t k = 0; k < i->n_flags; k++) {
		bh_buf_add_str(out, k ? ", [" : "[");
		bh_buf_add_json(out, i->flags[k].name);
		bh_buf_add_str(out, ", ");
		bh_buf_add_json(out, i->flags[k].value);
		bh_buf_add_byte(out, ']');
	}
	bh_buf_add_byte(out, ']');
	put_list(out, "words", i->words, i->n_words);
	bh_buf_add_str(out, ", \"heredocs\": [");
	for (size_t k = 0; k < i->n_heredocs; k++) {
		bh_buf_add_str(out, k ? ", " : "");
		bh_buf_add_json(out, i->heredocs[k].content);
	}
	bh_buf_add_str(out, "]}");
}

static void put_file(struct bh_buf *out, const struct df_file *f)
{
	bh_buf_add_str(out, "{\"problems\": [");
	for (size_t i = 0; i < f->problems.len; i++) {
		bh_buf_printf(out, "%s[%u, ", i ? ", " : "", f->problems.ptr[i].line);
		bh_buf_add_json(out, bh_slice_str(f->problems.ptr[i].text));
		bh_buf_add_byte(out, ']');
	}
	bh_buf_add_str(out, "], \"instructions\": [");
	for (size_t i = 0; i < f->all.len; i++) {
		bh_buf_add_str(out, i ? ", " : "");
		put_instruction(out, &f->all.ptr[i]);
	}
	bh_buf_add_str(out, "]}\n");
}

static int read_file(const char *name, struct bh_buf *out)
{
	static uint8_t text[TEXT_BYTES_MAX];
	struct df_file f;
	struct bh_err err = { 0 };
	FILE *in = fopen(name, "rb");
	size_t n = in ? fread(text, 1, sizeof(text), in) : 0;
	if (in)
		(void)fclose(in);
	if (!in || df_parse((struct bh_slice){ text, n }, &f, &err) < 0)
		return -1;
	put_file(out, &f);
	df_done(&f);
	return 0;
}

int main(void)
{
	char name[4096];
	struct bh_buf out;
	bh_buf_init(&out, OUT_BYTES_MAX);
	while (fgets(name, sizeof(name), stdin)) {
		name[strcspn(name, "\n")] = '\0';
		bh_buf_clear(&out);
		if (read_file(name, &out) < 0)
			bh_buf_add_str(&out, "{}\n");
		if (fwrite(out.ptr, 1, out.len, stdout) != out.len)
			return 1;
	}
	bh_buf_done(&out);
	return 0;
}

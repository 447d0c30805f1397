/*
 * toml_probe.c: a program, not a test: TOML from standard input to the JSON that the toml-test suite compares, {"type":..., "value":...}
 * for words and strings; with --line a value's line stands there, too. Exit code 1 and the complaint on standard error when it is refused.
 */
#include "base/buf.h"
#include "format/toml.h"

#define TEXT_BYTES_MAX (256u << 20)

static bool lines;

static void add_word(struct bh_buf *out, const struct bh_toml_node *node)
{
	static const char *const names[] = { "string", "integer", "float", "bool", "datetime" };
	struct bh_slice text = bh_toml_is(node, BH_TOML_STRING) ? bh_toml_str(node) : bh_toml_text(node);
	int64_t number;
	unsigned kind = 0;
	while (!bh_toml_is(node, (enum bh_toml_kind)kind))
		kind++;
	bh_buf_printf(out, "{\"type\":\"%s\",", names[kind]);
	if (lines)
		bh_buf_printf(out, "\"line\":%u,", bh_toml_line(node));
	bh_buf_add_str(out, "\"value\":");
	if (bh_toml_i64(node, &number))
		bh_buf_printf(out, "\"%lld\"", (long long)number);
	else
		bh_buf_add_json(out, text);
	bh_buf_add_byte(out, '}');
}

static void add_node(struct bh_buf *out, const struct bh_toml_node *node)
{
	bool table = bh_toml_is(node, BH_TOML_TABLE);
	const struct bh_toml_node *value;
	struct bh_slice key;
	if (!table && !bh_toml_is(node, BH_TOML_ARRAY)) {
		add_word(out, node);
		return;
	}
	bh_buf_add_byte(out, table ? '{' : '[');
	for (size_t i = 0; i < bh_toml_len(node); i++) {
		if (i)
			bh_buf_add_byte(out, ',');
		if (table && bh_toml_pair(node, i, &key, &value)) {
			bh_buf_add_json(out, key);
			bh_buf_add_byte(out, ':');
		}
		add_node(out, table ? value : bh_toml_at(node, i));
	}
	bh_buf_add_byte(out, table ? '}' : ']');
}

int main(int argc, char **argv)
{
	struct bh_buf in, out;
	struct bh_toml *doc = NULL;
	struct bh_err err = { 0 };
	bh_buf_init(&in, TEXT_BYTES_MAX);
	bh_buf_init(&out, 8ul * TEXT_BYTES_MAX);
	lines = argc > 1 && strcmp(argv[1], "--line") == 0;
	for (size_t n = 1; n && bh_buf_reserve(&in, 1 << 16); in.len += n)
		n = fread(in.ptr + in.len, 1, 1 << 16, stdin);
	int rc = bh_toml_parse(bh_buf_slice(&in), TEXT_BYTES_MAX, &doc, &err);
	if (rc == 0) {
		add_node(&out, bh_toml_root(doc));
		fwrite(out.ptr, 1, out.len, stdout);
	} else {
		fprintf(stderr, "%s\n", err.text);
	}
	bh_toml_free(doc);
	bh_buf_done(&in);
	bh_buf_done(&out);
	return rc < 0;
}

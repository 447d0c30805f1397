/* symbols.c: see symbols.h. */
#include "vuln/symbols.h"

#define VALUE_BYTES_MAX 1000u /* of one package; a few records name hundreds of functions */
#define PACKAGES_MAX 4u       /* told of one advisory and module */

static bool is_word(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= ' ' || s.ptr[i] == 0x7f)
			return false;
	return s.len > 0 && s.len <= VALUE_BYTES_MAX / 4;
}

static void add_functions(struct bh_buf *out, struct vuln_tree symbols)
{
	size_t n = vuln_tree_is_array(symbols) ? vuln_tree_len(symbols) : 0;
	for (size_t i = 0; i < n; i++) {
		struct bh_slice name = vuln_tree_str(vuln_tree_at(symbols, i));
		if (!is_word(name))
			continue;
		if (out->len + name.len > VALUE_BYTES_MAX - 8) {
			bh_buf_add_str(out, ", ...");
			return;
		}
		bh_buf_add_str(out, i ? ", " : ": ");
		bh_buf_add(out, name);
	}
}

int vuln_symbols_add(struct vuln_builder *b, uint32_t source, struct bh_slice id, struct vuln_tree affected, struct bh_err *err)
{
	struct vuln_tree imports = vuln_tree_get(vuln_tree_get(affected, "ecosystem_specific"), "imports");
	struct bh_slice module = vuln_tree_str(vuln_tree_get(vuln_tree_get(affected, "package"), "name"));
	size_t n = vuln_tree_is_array(imports) && is_word(module) ? vuln_tree_len(imports) : 0;
	struct bh_buf value;
	int rc = 0;
	bh_buf_init(&value, VALUE_BYTES_MAX);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct vuln_tree import = vuln_tree_at(imports, i);
		struct bh_slice path = vuln_tree_str(vuln_tree_get(import, "path"));
		if (!is_word(path))
			continue;
		bh_buf_clear(&value);
		bh_buf_printf(&value, "%.*s %.*s", BH_SLICE_FMT(module), BH_SLICE_FMT(path));
		add_functions(&value, vuln_tree_get(import, "symbols"));
		rc = vuln_builder_entry(b, source, BH_SLICE_LIT("symbols"), id, bh_buf_slice(&value), err);
	}
	bh_buf_done(&value);
	return rc;
}

/* What one name of the advisory has. */
static int write_of(const struct vuln_db *db, struct bh_slice name, struct bh_slice module, size_t *told, struct bh_buf *out, struct bh_err *err)
{
	struct vuln_span all;
	int rc = vuln_db_table_find(db, BH_SLICE_LIT("symbols"), name, &all, err);
	for (uint32_t i = 0; rc == 0 && i < all.n && *told <= PACKAGES_MAX; i++) {
		struct vuln_entry e;
		struct bh_slice of, text;
		rc = vuln_db_entry(db, all.first + i, &e, err);
		if (rc < 0 || !bh_slice_cut(e.value, ' ', &of, &text) || (module.len && !bh_slice_eq(of, module)))
			continue;
		bh_buf_add_str(out, *told ? "; " : "");
		if ((*told)++ < PACKAGES_MAX)
			bh_buf_add(out, text);
		else
			bh_buf_add_str(out, "...");
	}
	return rc;
}

int vuln_symbols_write(const struct vuln_db *db, const struct vuln_advisory *a, struct bh_slice module, struct bh_buf *out, struct bh_err *err)
{
	size_t told = 0;
	int rc = write_of(db, a->id, module, &told, out, err);
	for (uint32_t i = 0; rc == 0 && i < a->n_aliases; i++) {
		struct bh_slice alias;
		rc = vuln_db_alias(db, a, i, &alias, err);
		if (rc == 0 && !bh_slice_eq(alias, a->id))
			rc = write_of(db, alias, module, &told, out, err);
	}
	return rc;
}

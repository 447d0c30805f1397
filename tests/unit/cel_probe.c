/*
 * cel_probe.c: what policy/cel makes of expressions, for tests/live/cel_*.py. Each line of standard input is a JSON object:
 *
 *     expr         the text
 *     container    (optional) where names are looked for
 *     check        false: unchecked
 *     variables    [[name, type], ...]
 *     functions    [[name, id, signature], ...] for the checker only
 *     bindings     [[name, expression], ...]: what the variables are
 *     without      the name of a library that is left out
 *     evaluate     false: compile only
 *     parse        true: the tree of the language's own macros, unchecked, is all that is asked for
 *
 * The answer is a line of JSON: issues (text) or tree, type, and value (text form) or error, cost.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "format/json.h"
#include "policy/cel/cel.h"
#include "policy/cel/check.h"
#include "policy/cel/parse.h"

#define LINE_BYTES_MAX (4u << 20)
#define OUT_BYTES_MAX (64u << 20)
#define VARIABLES_MAX 64u
#define LIBRARIES_MAX 64u
#define RUN_BYTES_MAX (256u << 20)

static void print_string(struct bh_buf *out, const char *key, struct bh_slice v)
{
	bh_buf_printf(out, "\"%s\":", key);
	bh_buf_add_json(out, v);
}

static void print_hex(struct bh_buf *out, struct bh_slice v)
{
	for (size_t i = 0; i < v.len; i++)
		bh_buf_printf(out, "%02x", v.ptr[i]);
}

/* ---- values ---- */

static void print_value(struct bh_buf *out, struct cel_value v)
{
	switch (v.kind) {
	case CEL_ERROR:
	case CEL_UNKNOWN: bh_buf_printf(out, "{\"%s\":\"\"}", cel_kind_name(v)); break;
	case CEL_NULL: bh_buf_add_str(out, "null"); break;
	case CEL_BOOL: bh_buf_add_str(out, v.boolean ? "true" : "false"); break;
	case CEL_INT: bh_buf_printf(out, "{\"int\":\"%" PRId64 "\"}", v.integer); break;
	case CEL_UINT: bh_buf_printf(out, "{\"uint\":\"%" PRIu64 "\"}", v.natural); break;
	case CEL_DOUBLE: bh_buf_printf(out, "{\"double\":\"%.17g\"}", v.real); break;
	case CEL_STRING: bh_buf_add_json(out, v.text); break;
	case CEL_BYTES:
		bh_buf_add_str(out, "{\"bytes\":\"");
		print_hex(out, v.text);
		bh_buf_add_str(out, "\"}");
		break;
	case CEL_LIST:
		bh_buf_add_byte(out, '[');
		for (size_t i = 0; i < v.list->len; i++) {
			bh_buf_add_str(out, i ? "," : "");
			print_value(out, v.list->items[i]);
		}
		bh_buf_add_byte(out, ']');
		break;
	case CEL_MAP:
		bh_buf_add_str(out, "{\"map\":[");
		for (size_t i = 0; i < v.map->len; i++) {
			bh_buf_add_str(out, i ? ",[" : "[");
			print_value(out, v.map->entries[i].key);
			bh_buf_add_byte(out, ',');
			print_value(out, v.map->entries[i].value);
			bh_buf_add_byte(out, ']');
		}
		bh_buf_add_str(out, "]}");
		break;
	case CEL_DURATION:
	case CEL_TIMESTAMP:
		bh_buf_printf(out, "{\"%s\":[\"%" PRId64 "\",%d]}", v.kind == CEL_DURATION ? "duration" : "timestamp", v.integer, v.nanos);
		break;
	case CEL_TYPE:
		bh_buf_add_str(out, "{\"type\":\"");
		cel_type_print(out, v.type);
		bh_buf_add_str(out, "\"}");
		break;
	case CEL_OPTIONAL:
		bh_buf_add_str(out, "{\"optional\":[");
		if (v.optional)
			print_value(out, *v.optional);
		bh_buf_add_str(out, "]}");
		break;
	case CEL_OBJECT: bh_buf_printf(out, "{\"object\":\"%s\"}", v.object->class->name); break;
	}
}

/* ---- trees ---- */

static void print_tree(struct bh_buf *out, const struct cel_expr *e);

static void print_refer(struct bh_buf *out, const struct cel_expr *e)
{
	const struct cel_refer *r = e->refer;
	if (!r)
		return;
	if (r->name.len) {
		bh_buf_add_byte(out, ',');
		print_string(out, "name", r->name);
	}
	if (r->kind == CEL_REFER_BLOCK)
		bh_buf_add_str(out, ",\"ids\":[\"cel_block_list\"]");
	if (r->kind == CEL_REFER_CALL) {
		bh_buf_printf(out, ",\"namespaced\":%s,\"ids\":[", r->is_namespaced ? "true" : "false");
		for (size_t i = 0; i < r->n; i++)
			bh_buf_printf(out, "%s\"%s\"", i ? "," : "", r->candidates[i]->of->id);
		bh_buf_add_byte(out, ']');
	}
}

static void print_child(struct bh_buf *out, const char *key, const struct cel_expr *e)
{
	bh_buf_printf(out, ",\"%s\":", key);
	print_tree(out, e);
}

static void print_children(struct bh_buf *out, const char *key, struct cel_expr *const *list, size_t n)
{
	bh_buf_printf(out, ",\"%s\":[", key);
	for (size_t i = 0; i < n; i++) {
		bh_buf_add_str(out, i ? "," : "");
		print_tree(out, list[i]);
	}
	bh_buf_add_byte(out, ']');
}

static void print_pairs(struct bh_buf *out, const struct cel_expr *e)
{
	bh_buf_add_str(out, ",\"pairs\":[");
	for (size_t i = 0; i < e->map.n; i++) {
		const struct cel_pair *pair = &e->map.pairs[i];
		bh_buf_printf(out, "%s{\"optional\":%s,", i ? "," : "", pair->optional ? "true" : "false");
		print_string(out, "field", pair->field);
		if (pair->key)
			print_child(out, "key", pair->key);
		print_child(out, "value", pair->value);
		bh_buf_add_byte(out, '}');
	}
	bh_buf_add_byte(out, ']');
}

static void print_optional(struct bh_buf *out, const struct cel_expr *e)
{
	bh_buf_add_str(out, ",\"optional\":[");
	for (size_t i = 0; e->list.optional && i < e->list.n; i++)
		bh_buf_printf(out, "%s%s", i ? "," : "", e->list.optional[i] ? "true" : "false");
	bh_buf_add_byte(out, ']');
}

static void print_tree(struct bh_buf *out, const struct cel_expr *e)
{
	static const char *const kinds[] = { "const", "ident", "select", "call", "list", "map", "record", "fold" };
	bh_buf_printf(out, "{\"kind\":\"%s\"", kinds[e->kind]);
	if (e->type) {
		bh_buf_add_str(out, ",\"type\":\"");
		cel_type_print(out, e->type);
		bh_buf_add_byte(out, '"');
	}
	print_refer(out, e);
	switch (e->kind) {
	case CEL_EXPR_CONST:
		bh_buf_add_str(out, ",\"value\":");
		print_value(out, e->constant);
		break;
	case CEL_EXPR_IDENT:
		bh_buf_add_byte(out, ',');
		print_string(out, "ident", e->ident.name);
		break;
	case CEL_EXPR_SELECT:
		bh_buf_printf(out, ",\"test\":%s,", e->select.test ? "true" : "false");
		print_string(out, "field", e->select.field);
		print_child(out, "operand", e->select.operand);
		break;
	case CEL_EXPR_CALL:
		bh_buf_add_byte(out, ',');
		print_string(out, "function", e->call.function);
		if (e->call.target)
			print_child(out, "target", e->call.target);
		print_children(out, "args", e->call.args, e->call.n);
		break;
	case CEL_EXPR_LIST:
		print_children(out, "items", e->list.items, e->list.n);
		print_optional(out, e);
		break;
	case CEL_EXPR_RECORD:
		bh_buf_add_byte(out, ',');
		print_string(out, "record", e->map.name);
		print_pairs(out, e);
		break;
	case CEL_EXPR_MAP: print_pairs(out, e); break;
	case CEL_EXPR_FOLD:
		bh_buf_add_byte(out, ',');
		print_string(out, "iter", e->fold.iter);
		bh_buf_add_byte(out, ',');
		print_string(out, "iter2", e->fold.iter2);
		bh_buf_add_byte(out, ',');
		print_string(out, "accu", e->fold.accu);
		print_child(out, "range", e->fold.range);
		print_child(out, "init", e->fold.init);
		print_child(out, "condition", e->fold.condition);
		print_child(out, "step", e->fold.step);
		print_child(out, "result", e->fold.result);
		break;
	}
	bh_buf_add_byte(out, '}');
}

/* ---- requests ---- */

struct probe {
	struct cel_env *env;
	struct cel_overload functions[VARIABLES_MAX];
	struct {
		struct bh_slice name;
		unsigned slot;
	} variables[VARIABLES_MAX];
	size_t n_functions, n_variables;
	char *texts[4 * VARIABLES_MAX];
	size_t n_texts;
};

static const char *text_at(struct probe *p, const struct bh_json_node *list, size_t i)
{
	struct bh_slice s = bh_json_str(bh_json_at(list, i));
	char *copy = strndup(s.len ? (const char *)s.ptr : "", s.len);
	if (p->n_texts < sizeof(p->texts) / sizeof(p->texts[0]))
		p->texts[p->n_texts++] = copy;
	return copy;
}

static int declare(struct probe *p, const struct bh_json_node *request, struct bh_err *err)
{
	const struct bh_json_node *list = bh_json_get(request, "variables");
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < bh_json_len(list) && i < VARIABLES_MAX; i++) {
		const struct bh_json_node *v = bh_json_at(list, i);
		p->variables[i].name = bh_json_str(bh_json_at(v, 0));
		rc = cel_env_variable(p->env, text_at(p, v, 0), text_at(p, v, 1), &p->variables[i].slot, err);
		p->n_variables = i + 1;
	}
	list = bh_json_get(request, "functions");
	for (size_t i = 0; rc == 0 && i < bh_json_len(list) && i < VARIABLES_MAX; i++) {
		const struct bh_json_node *f = bh_json_at(list, i);
		p->functions[i] = (struct cel_overload){ .function = text_at(p, f, 0), .id = text_at(p, f, 1), .signature = text_at(p, f, 2) };
		rc = cel_env_overload(p->env, &p->functions[i], err);
	}
	struct bh_slice container = bh_json_str(bh_json_get(request, "container"));
	if (rc == 0 && container.len) {
		BH_FREE char *copy = strndup((const char *)container.ptr, container.len);
		rc = cel_env_container(p->env, copy, err);
	}
	return rc;
}

/* The value of an expression without variables. */
static int evaluate_binding(struct probe *p, struct cel_run *run, struct bh_slice text, struct cel_program **ret, struct cel_value *value, struct bh_err *err)
{
	int rc = cel_compile(p->env, text, CEL_UNCHECKED, ret, NULL, err);
	if (rc == 0)
		*value = cel_eval(run, *ret);
	return rc;
}

static int bind(struct probe *p, const struct bh_json_node *request, struct cel_run *run, struct cel_program **programs, struct bh_err *err)
{
	const struct bh_json_node *list = bh_json_get(request, "bindings");
	for (size_t i = 0; i < bh_json_len(list) && i < VARIABLES_MAX; i++) {
		struct bh_slice name = bh_json_str(bh_json_at(bh_json_at(list, i), 0)), text = bh_json_str(bh_json_at(bh_json_at(list, i), 1));
		struct cel_value value;
		int rc = evaluate_binding(p, run, text, &programs[i], &value, err);
		if (rc < 0)
			return rc;
		for (size_t k = 0; k < p->n_variables; k++)
			if (bh_slice_eq(p->variables[k].name, name))
				cel_run_set(run, p->variables[k].slot, value);
	}
	return 0;
}

static void run_program(struct probe *p, const struct bh_json_node *request, const struct cel_program *program, struct bh_buf *out)
{
	struct cel_program *programs[VARIABLES_MAX] = { 0 };
	struct cel_limits limits = { .memory_bytes = RUN_BYTES_MAX };
	struct cel_run *run = NULL;
	struct bh_err err = { 0 };
	int rc = cel_run_new(p->env, &limits, &run, &err);
	if (rc == 0)
		rc = bind(p, request, run, programs, &err);
	if (rc == 0) {
		struct cel_value v = cel_eval(run, program);
		bh_buf_printf(out, ",\"cost\":%" PRIu64 ",", cel_run_cost(run));
		if (v.kind == CEL_ERROR) {
			print_string(out, "error", bh_slice_str(v.error));
		} else {
			bh_buf_add_str(out, "\"value\":");
			print_value(out, v);
		}
	} else {
		bh_buf_add_byte(out, ',');
		print_string(out, "error", bh_slice_str(err.text));
	}
	for (size_t i = 0; i < VARIABLES_MAX; i++)
		cel_program_free(programs[i]);
	cel_run_free(run);
}

static bool wants(const struct bh_json_node *request, const char *key)
{
	return !bh_json_get(request, key) || bh_json_bool(bh_json_get(request, key));
}

extern const struct cel_library cel_library_macros;

static void answer_parse(struct bh_slice text, struct bh_buf *out)
{
	static const struct cel_library *const libraries[] = { &cel_library_macros, NULL };
	struct bh_arena arena;
	struct bh_buf issues;
	bh_buf_init(&issues, OUT_BYTES_MAX);
	bh_arena_init(&arena, RUN_BYTES_MAX);
	struct cel_issues *list = BH_ARENA_NEW(&arena, struct cel_issues);
	if (list) {
		*list = (struct cel_issues){ .arena = &arena, .source = text };
		struct cel_maker m = { .arena = &arena, .issues = list };
		const struct cel_expr *e = cel_parse(&m, text, libraries);
		cel_issues_print(list, "<input>", &issues);
		bh_buf_add_byte(out, '{');
		if (e) {
			bh_buf_add_str(out, "\"tree\":");
			print_tree(out, e);
		} else {
			print_string(out, "issues", bh_buf_slice(&issues));
		}
		bh_buf_add_str(out, "}\n");
	}
	bh_buf_done(&issues);
	bh_arena_done(&arena);
}

static void select_libraries(struct bh_slice without, const struct cel_library **libraries)
{
	for (size_t i = 0, n = 0; cel_libraries_all[i] && n < LIBRARIES_MAX; i++)
		if (!bh_slice_eq_str(without, cel_libraries_all[i]->name))
			libraries[n++] = cel_libraries_all[i];
}

static void answer(const struct bh_json_node *request, struct bh_buf *out)
{
	struct probe p = { 0 };
	struct bh_err err = { 0 };
	struct bh_buf issues;
	struct cel_program *program = NULL;
	bh_buf_init(&issues, OUT_BYTES_MAX);
	bh_buf_add_byte(out, '{');
	const struct cel_library *libraries[LIBRARIES_MAX + 1] = { 0 };
	select_libraries(bh_json_str(bh_json_get(request, "without")), libraries);
	int rc = cel_env_new(libraries, &p.env, &err);
	if (rc == 0)
		rc = declare(&p, request, &err);
	if (rc == 0)
		rc = cel_compile(p.env, bh_json_str(bh_json_get(request, "expr")), wants(request, "check") ? CEL_CHECKED : CEL_UNCHECKED, &program, &issues, &err);
	if (rc < 0) {
		print_string(out, "issues", issues.len ? bh_buf_slice(&issues) : bh_slice_str(err.text));
	} else {
		bh_buf_add_str(out, "\"tree\":");
		print_tree(out, cel_program_tree(program));
		bh_buf_add_str(out, ",\"type\":\"");
		cel_type_print(out, cel_program_type(program));
		bh_buf_add_byte(out, '"');
		if (wants(request, "evaluate"))
			run_program(&p, request, program, out);
	}
	bh_buf_add_str(out, "}\n");
	cel_program_free(program);
	cel_env_free(p.env);
	bh_buf_done(&issues);
	for (size_t i = 0; i < p.n_texts; i++)
		free(p.texts[i]);
}

int main(void)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	while ((n = getline(&line, &cap, stdin)) > 0) {
		struct bh_json *doc = NULL;
		struct bh_err err = { 0 };
		struct bh_buf out;
		bh_buf_init(&out, OUT_BYTES_MAX);
		if (bh_json_parse((struct bh_slice){ (const uint8_t *)line, (size_t)n }, LINE_BYTES_MAX, &doc, &err) < 0) {
			fprintf(stderr, "cel-probe: %s\n", err.text);
			return 2;
		}
		if (bh_json_bool(bh_json_get(bh_json_root(doc), "parse")))
			answer_parse(bh_json_str(bh_json_get(bh_json_root(doc), "expr")), &out);
		else
			answer(bh_json_root(doc), &out);
		fwrite(out.ptr, 1, out.len, stdout);
		fflush(stdout);
		bh_buf_done(&out);
		bh_json_free(doc);
	}
	free(line);
	return 0;
}

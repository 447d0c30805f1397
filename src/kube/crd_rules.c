#include "kube/crd_rules.h"

#include <stdio.h>

#include "base/base64.h"
#include "base/vec.h"
#include "kube/admission.h"

#define ARENA_BYTES_MAX (64u << 20)
#define RUN_BYTES_MAX (64u << 20)
#define PROGRAMS_MAX 20000u
#define ISSUES_BYTES_MAX (64u << 10)
#define COST_OF_RULE 1000000u      /* apiserver, apis/cel/config.go: PerCallLimit */
#define COST_OF_RESOURCE 10000000u /* RuntimeCELCostBudget */
#define DEPTH_MAX 128u
#define TYPE_BYTES_MAX 4096u
#define MESSAGE_BYTES_MAX (5u << 10)
#define METADATA_TYPE "kubernetes.ObjectMeta"

struct rule {
	struct bh_slice text, message, field_path;
	struct cel_program *program, *message_program;
	bool is_transition; /* about oldSelf, which is not there */
	bool is_optional;   /* oldSelf is none */
	unsigned slot_old;
};

struct crd_rules {
	unsigned slot_self;
	struct rule *list;
	size_t n;
};

BH_VEC(program_vec, struct cel_program *)

struct crd_ruleset {
	struct bh_arena arena;
	struct cel_env *env;
	struct cel_run *run;
	struct program_vec programs;
	unsigned n_records;
	uint64_t spent; /* of the resource that is asked about */
};

/* ---- types ---- */

struct compiler {
	struct crd_ruleset *to;
	const struct crd_schema *root;
	const struct kube_fault_taker *taker;
	unsigned n;
	struct bh_err *err;
};

static int no_memory(struct compiler *c)
{
	return bh_fail(c->err, BH_ELIMIT, 0, "the rules of a schema need more than %u MiB", ARENA_BYTES_MAX >> 20);
}

/* Names of fields in rules (apiserver, cel/escaping.go): reserved words and what no name may hold have another form. False: there is none. */
static bool escape(struct bh_arena *arena, struct bh_slice name, struct bh_slice *ret)
{
	static const char *const words[] = { "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let",
					     "loop", "package", "namespace", "return", "var", "void", "while", NULL };
	struct bh_buf out;
	bool ok = name.len > 0 && !(name.ptr[0] >= '0' && name.ptr[0] <= '9');
	bh_buf_init(&out, TYPE_BYTES_MAX);
	if (bh_slice_is_one_of(name, words)) {
		bh_buf_printf(&out, "__%.*s__", BH_SLICE_FMT(name));
	} else {
		for (size_t i = 0; ok && i < name.len; i++) {
			uint8_t c = name.ptr[i];
			bool is_word = (bh_lower(c) >= 'a' && bh_lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '_';
			if (c == '_' && i + 1 < name.len && name.ptr[i + 1] == '_') {
				bh_buf_add_str(&out, "__underscores__");
				i++;
			} else if (is_word) {
				bh_buf_add_byte(&out, c);
			} else {
				ok = c == '.' || c == '-' || c == '/';
				bh_buf_add_str(&out, c == '.' ? "__dot__" : c == '-' ? "__dash__" : "__slash__");
			}
		}
	}
	ok = ok && !out.failed && bh_arena_copy(arena, bh_buf_slice(&out), ret);
	bh_buf_done(&out);
	return ok;
}

static int type_of(struct compiler *c, struct crd_schema *s, bool is_resource, unsigned depth, const char **ret);

static int field_of(struct compiler *c, const struct crd_property *p, unsigned depth, struct cel_field *out, size_t *n)
{
	struct bh_slice name;
	const char *type;
	int rc = type_of(c, p->schema, p->schema->is_embedded, depth + 1, &type);
	if (rc < 0 || !type || !escape(&c->to->arena, p->name, &name))
		return rc;
	out[*n].name = bh_arena_strdup(&c->to->arena, name);
	out[*n].type = type;
	return out[(*n)++].name ? 0 : no_memory(c);
}

/* Of resources, these are there whatever the schema says. */
static bool is_of_resource(struct bh_slice name)
{
	static const char *const names[] = { "apiVersion", "kind", "metadata", NULL };
	return bh_slice_is_one_of(name, names);
}

static int record_of(struct compiler *c, struct crd_schema *s, bool is_resource, unsigned depth, const char **ret)
{
	struct cel_field *fields = bh_arena_array(&c->to->arena, s->n_properties + 4, sizeof(*fields));
	size_t n = 0;
	int rc = 0;
	if (!fields)
		return no_memory(c);
	for (size_t i = 0; rc == 0 && i < s->n_properties; i++)
		if (!is_resource || !is_of_resource(s->properties[i].name))
			rc = field_of(c, &s->properties[i], depth, fields, &n);
	if (is_resource) {
		fields[n++] = (struct cel_field){ "apiVersion", "string" };
		fields[n++] = (struct cel_field){ "kind", "string" };
		fields[n++] = (struct cel_field){ "metadata", METADATA_TYPE };
	}
	const char *name = bh_arena_printf(&c->to->arena, "object.T%u", c->to->n_records++);
	if (rc == 0 && !name)
		return no_memory(c);
	rc = rc < 0 ? rc : cel_env_record(c->to->env, name, fields, c->err);
	*ret = name;
	return rc;
}

static int generic_of(struct compiler *c, struct crd_schema *of, const char *before, unsigned depth, const char **ret)
{
	const char *type;
	int rc = type_of(c, of, of->is_embedded, depth + 1, &type);
	*ret = NULL;
	if (rc < 0 || !type)
		return rc;
	*ret = bh_arena_printf(&c->to->arena, "%s%s)", before, type);
	return *ret ? 0 : no_memory(c);
}

static const char *text_type(struct bh_slice format)
{
	if (bh_slice_eq_str(format, "byte"))
		return "bytes";
	if (bh_slice_eq_str(format, "duration"))
		return "duration";
	return bh_slice_eq_str(format, "date") || bh_slice_eq_str(format, "date-time") ? "timestamp" : "string";
}

static int find_type(struct compiler *c, struct crd_schema *s, bool is_resource, unsigned depth, const char **ret)
{
	*ret = NULL;
	if (s->int_or_string)
		*ret = "dyn";
	else if (s->type == CRD_ARRAY && s->items)
		return generic_of(c, s->items, "list(", depth, ret);
	else if (s->type == CRD_OBJECT && s->additional)
		return generic_of(c, s->additional, "map(string, ", depth, ret);
	else if (s->type == CRD_OBJECT)
		return record_of(c, s, is_resource, depth, ret);
	else if (s->type == CRD_STRING)
		*ret = text_type(s->format);
	else if (s->type == CRD_BOOLEAN || s->type == CRD_NUMBER || s->type == CRD_INTEGER)
		*ret = s->type == CRD_BOOLEAN ? "bool" : s->type == CRD_NUMBER ? "double" : "int";
	return 0;
}

/* *ret NULL: rules can't see it. */
static int type_of(struct compiler *c, struct crd_schema *s, bool is_resource, unsigned depth, const char **ret)
{
	int rc = 0;
	if (depth > DEPTH_MAX)
		return no_memory(c);
	if (!s->has_cel_type)
		rc = find_type(c, s, is_resource, depth, &s->cel_type);
	s->has_cel_type = true;
	*ret = s->cel_type;
	return rc;
}

/* ---- compiling ---- */

/* Does an expression name a variable? As deep as expressions are. */
static bool uses(const struct cel_expr *e, const char *name);

static bool any_uses(struct cel_expr *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (uses(list[i], name))
			return true;
	return false;
}

static bool pairs_use(const struct cel_expr *e, const char *name)
{
	for (size_t i = 0; i < e->map.n; i++)
		if (uses(e->map.pairs[i].key, name) || uses(e->map.pairs[i].value, name))
			return true;
	return false;
}

static bool uses(const struct cel_expr *e, const char *name)
{
	if (!e)
		return false;
	switch (e->kind) {
	case CEL_EXPR_CONST: return false;
	case CEL_EXPR_IDENT: return bh_slice_eq_str(e->ident.name, name);
	case CEL_EXPR_SELECT: return uses(e->select.operand, name);
	case CEL_EXPR_CALL: return uses(e->call.target, name) || any_uses(e->call.args, e->call.n, name);
	case CEL_EXPR_LIST: return any_uses(e->list.items, e->list.n, name);
	case CEL_EXPR_MAP:
	case CEL_EXPR_RECORD: return pairs_use(e, name);
	case CEL_EXPR_FOLD:
		return uses(e->fold.range, name) || uses(e->fold.init, name) || uses(e->fold.condition, name) || uses(e->fold.step, name) || uses(e->fold.result, name);
	}
	return false;
}

/* The first line, without where cel-go would put the text. */
static struct bh_slice first_issue(struct bh_slice issues)
{
	struct bh_slice line, rest, prefix = BH_SLICE_LIT("ERROR: <input>:");
	(void)bh_slice_cut(issues, '\n', &line, &rest);
	return bh_slice_starts(line, prefix) ? bh_slice_sub(line, prefix.len, line.len) : line;
}

static int tell(struct compiler *c, struct cel_value rule, const char *field, struct bh_slice text)
{
	c->n++;
	return crd_tell(c->taker, KUBE_FAULT_CRD, rule.map, bh_slice_str(field), c->err, "%s: %.*s", field, BH_SLICE_FMT(text));
}

static int compile(struct compiler *c, struct cel_value rule, const char *field, const struct cel_type *wanted, struct cel_program **ret)
{
	struct bh_buf issues;
	bh_buf_init(&issues, ISSUES_BYTES_MAX);
	struct bh_slice text = kube_text(rule, field);
	int rc = cel_compile(c->to->env, text, CEL_CHECKED, ret, &issues, c->err);
	if (rc == 0 && !program_vec_push(&c->to->programs, *ret)) {
		cel_program_free(*ret);
		*ret = NULL;
		rc = no_memory(c);
	}
	if (rc == BH_EMALFORMED) {
		rc = tell(c, rule, field, first_issue(bh_buf_slice(&issues)));
	} else if (rc == 0 && !cel_type_same(cel_program_type(*ret), wanted)) {
		bh_buf_add_str(&issues, "has to be of type ");
		cel_type_print(&issues, wanted);
		bh_buf_add_str(&issues, ", not ");
		cel_type_print(&issues, cel_program_type(*ret));
		rc = tell(c, rule, field, bh_buf_slice(&issues));
	}
	bh_buf_done(&issues);
	return rc;
}

static int compile_rule(struct compiler *c, struct cel_value value, const char *type, struct rule *rule)
{
	rule->is_optional = cel_is_true(kube_get(value, "optionalOldSelf"));
	const char *old = rule->is_optional ? bh_arena_printf(&c->to->arena, "optional_type(%s)", type) : type;
	rule->text = bh_slice_trim(kube_text(value, "rule"));
	rule->message = bh_slice_trim(kube_text(value, "message"));
	rule->field_path = kube_text(value, "fieldPath");
	if (!old)
		return no_memory(c);
	int rc = cel_env_variable(c->to->env, "oldSelf", old, &rule->slot_old, c->err);
	rc = rc < 0 ? rc : compile(c, value, "rule", &cel_type_bool, &rule->program);
	if (rc == 0 && rule->program && uses(cel_program_tree(rule->program), "oldSelf"))
		rule->is_transition = !rule->is_optional;
	else if (rc == 0 && rule->program && rule->is_optional)
		rc = tell(c, value, "optionalOldSelf", BH_SLICE_LIT("the rule does not use oldSelf"));
	if (rc == 0 && kube_text(value, "messageExpression").len)
		rc = compile(c, value, "messageExpression", &cel_type_string, &rule->message_program);
	return rc;
}

static int compile_rules(void *ctx, struct crd_schema *s)
{
	struct compiler *c = ctx;
	struct cel_value at = { .kind = CEL_MAP, .map = s->at }, values = kube_get(at, "x-kubernetes-validations");
	const char *type;
	if (!s->has_rules)
		return 0;
	struct crd_rules *rules = BH_ARENA_NEW(&c->to->arena, struct crd_rules);
	if (!rules || !(rules->list = bh_arena_array(&c->to->arena, kube_length(values), sizeof(*rules->list))))
		return no_memory(c);
	int rc = type_of(c, s, s == c->root || s->is_embedded, 0, &type);
	if (rc == 0 && !type)
		return tell(c, at, "x-kubernetes-validations", BH_SLICE_LIT("the schema gives the value no type that a rule could ask about"));
	rc = rc < 0 ? rc : cel_env_variable(c->to->env, "self", type, &rules->slot_self, c->err);
	for (size_t i = 0; rc == 0 && i < kube_length(values); i++)
		rc = compile_rule(c, values.list->items[i], type, &rules->list[rules->n++]);
	s->rules = rules;
	return rc;
}

static int make_env(struct compiler *c, unsigned minor)
{
	static const struct cel_field metadata[] = { { "name", "string" }, { "generateName", "string" }, { 0 } };
	const struct cel_library *const *libraries = admission_libraries(&c->to->arena, minor);
	int rc = libraries ? cel_env_new(libraries, &c->to->env, c->err) : no_memory(c);
	rc = rc < 0 ? rc : cel_env_record(c->to->env, METADATA_TYPE, metadata, c->err);
	if (rc == 0)
		cel_env_set_literals(c->to->env, true, minor > ADMISSION_LITERALS_SINCE);
	return rc;
}

int crd_rules_new(struct crd_schema *root, unsigned minor, const struct kube_fault_taker *taker, unsigned *ret_n, struct crd_ruleset **ret, struct bh_err *err)
{
	const struct cel_limits limits = { .cost = COST_OF_RULE, .memory_bytes = RUN_BYTES_MAX };
	*ret_n = 0;
	*ret = NULL;
	if (!root->has_rules_below)
		return 0;
	struct crd_ruleset *r = calloc(1, sizeof(*r));
	struct compiler c = { .to = r, .root = root, .taker = taker, .err = err };
	if (!r)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for the rules of a schema");
	bh_arena_init(&r->arena, ARENA_BYTES_MAX);
	r->programs.max = PROGRAMS_MAX;
	int rc = make_env(&c, minor);
	rc = rc < 0 ? rc : crd_schema_visit(root, compile_rules, &c);
	rc = rc < 0 ? rc : cel_run_new(r->env, &limits, &r->run, err);
	if (rc < 0) {
		crd_rules_free(r);
		return rc;
	}
	*ret_n = c.n;
	*ret = r;
	return 0;
}

void crd_rules_free(struct crd_ruleset *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->programs.len; i++)
		cel_program_free(r->programs.ptr[i]);
	program_vec_done(&r->programs);
	cel_run_free(r->run);
	cel_env_free(r->env);
	bh_arena_done(&r->arena);
	free(r);
}

/* ---- values as rules see them ---- */

static int out_of_memory(struct crd_check *c)
{
	return bh_fail(c->err, BH_ELIMIT, 0, "its rules need more memory than there is for one resource");
}

static struct cel_value text_value(struct crd_check *c, const struct crd_schema *s, struct cel_value v)
{
	struct cel_time t;
	struct bh_buf bytes;
	if (bh_slice_eq_str(s->format, "duration") && crd_duration(v.text, &t))
		return (struct cel_value){ .kind = CEL_DURATION, .integer = t.seconds, .nanos = t.nanos };
	if ((bh_slice_eq_str(s->format, "date") && crd_date(v.text, &t)) || (bh_slice_eq_str(s->format, "date-time") && crd_date_time(v.text, &t)))
		return (struct cel_value){ .kind = CEL_TIMESTAMP, .integer = t.seconds, .nanos = t.nanos };
	if (!bh_slice_eq_str(s->format, "byte"))
		return v;
	bh_buf_init(&bytes, v.text.len + 1);
	struct bh_slice copy = { 0 };
	bool ok = bh_unbase64(&bytes, v.text) && bh_arena_copy(c->arena, bh_buf_slice(&bytes), &copy);
	bh_buf_done(&bytes);
	return ok ? cel_bytes(copy) : cel_error("bytes that are none");
}

static struct cel_value to_cel(struct crd_check *c, const struct crd_schema *s, struct cel_value v, unsigned depth);

static bool is_same(struct cel_value a, struct cel_value b)
{
	return a.kind == b.kind && (a.kind == CEL_MAP ? a.map == b.map : a.kind == CEL_LIST ? a.list == b.list : true);
}

static struct cel_value map_to_cel(struct crd_check *c, const struct crd_schema *s, struct cel_value v, unsigned depth)
{
	struct cel_entry *entries = bh_arena_array(c->arena, v.map->len + 1, sizeof(*entries));
	bool changed = false;
	size_t n = 0;
	if (!entries)
		return cel_error("out of memory");
	for (size_t i = 0; i < v.map->len; i++) {
		const struct cel_entry *e = &v.map->entries[i];
		const struct crd_schema *field = e->key.kind == CEL_STRING ? crd_property(s, e->key.text) : NULL, *of = field ? field : s->additional;
		struct bh_slice name = { 0 };
		if (field && e->value.kind == CEL_NULL) { /* is as if it were not there */
			changed = true;
			continue;
		}
		entries[n] = *e;
		if (of)
			entries[n].value = to_cel(c, of, e->value, depth + 1);
		changed |= !is_same(entries[n].value, e->value);
		if (field && escape(c->arena, e->key.text, &name) && !bh_slice_eq(name, e->key.text)) {
			entries[n].key = cel_string(name);
			changed = true;
		}
		n++;
	}
	return changed ? cel_map_of(c->arena, entries, n) : v;
}

static struct cel_value list_to_cel(struct crd_check *c, const struct crd_schema *s, struct cel_value v, unsigned depth)
{
	struct cel_value *items = bh_arena_array(c->arena, v.list->len + 1, sizeof(*items));
	bool changed = false;
	if (!items)
		return cel_error("out of memory");
	for (size_t i = 0; i < v.list->len; i++) {
		items[i] = to_cel(c, s->items, v.list->items[i], depth + 1);
		changed |= !is_same(items[i], v.list->items[i]);
	}
	return changed ? cel_list_of(c->arena, items, v.list->len) : v;
}

static struct cel_value to_cel(struct crd_check *c, const struct crd_schema *s, struct cel_value v, unsigned depth)
{
	if (depth > DEPTH_MAX || c->steps == 0)
		return cel_error("too deep");
	c->steps--;
	if (s->int_or_string)
		return v;
	if (v.kind == CEL_MAP)
		return map_to_cel(c, s, v, depth);
	if (v.kind == CEL_LIST && s->items)
		return list_to_cel(c, s, v, depth);
	if (v.kind == CEL_STRING && s->type == CRD_STRING)
		return text_value(c, s, v);
	if (s->type == CRD_NUMBER && v.kind == CEL_INT)
		return cel_double((double)v.integer);
	if (s->type == CRD_INTEGER && v.kind == CEL_DOUBLE)
		return cel_int((int64_t)v.real);
	return v;
}

/* ---- asking ---- */

/* ".spec.hosts['a.b']": as far as the fields are there, and the one that is missing behind them. */
static struct crd_spot find_field(const struct crd_spot *from, struct bh_slice path)
{
	struct crd_spot at = *from;
	while (path.len && at.value.kind == CEL_MAP) {
		struct bh_slice name;
		bool quoted = bh_slice_starts(path, BH_SLICE_LIT("['"));
		path = bh_slice_sub(path, quoted ? 2 : path.ptr[0] == '.', path.len);
		size_t n = 0;
		while (n < path.len && (quoted ? path.ptr[n] != '\'' : path.ptr[n] != '.' && path.ptr[n] != '['))
			n++;
		name = bh_slice_sub(path, 0, n);
		path = bh_slice_sub(path, n + (quoted ? 2 : 0), path.len);
		const struct cel_value *v = cel_map_field(at.value.map, name);
		struct cel_entry e = { cel_string(name), v ? *v : cel_null() };
		at = crd_field_spot(&at, &e);
	}
	return at;
}

static struct cel_value evaluate(struct crd_ruleset *r, const struct cel_program *program)
{
	struct cel_value v = cel_eval(r->run, program);
	r->spent += cel_run_cost(r->run);
	return v;
}

static struct bh_slice message_of(struct crd_ruleset *r, const struct rule *rule)
{
	if (rule->message_program) {
		struct cel_value v = evaluate(r, rule->message_program);
		struct bh_slice text = v.kind == CEL_STRING ? bh_slice_trim(v.text) : (struct bh_slice){ 0 };
		if (text.len && text.len <= MESSAGE_BYTES_MAX && bh_slice_find(text, '\n') == text.len)
			return text;
	}
	return rule->message;
}

static int tell_rule(struct crd_ruleset *r, struct crd_check *c, const struct rule *rule, const struct crd_spot *at)
{
	struct crd_spot where = find_field(at, rule->field_path);
	struct bh_slice message = message_of(r, rule);
	c->n_faults++;
	if (message.len)
		return crd_tell(c->taker, KUBE_FAULT_RULE, where.container, where.field, c->err, "%.*s", BH_SLICE_FMT(message));
	return crd_tell(c->taker, KUBE_FAULT_RULE, where.container, where.field, c->err, "failed rule: %.*s", BH_SLICE_FMT(rule->text));
}

static int ask_rule(struct crd_ruleset *r, struct crd_check *c, const struct rule *rule, const struct crd_spot *at)
{
	static const struct cel_value none = { .kind = CEL_OPTIONAL, .optional = NULL };
	if (!rule->program || rule->is_transition || r->spent > COST_OF_RESOURCE || c->n_faults > CRD_FAULTS_MAX)
		return 0;
	if (rule->is_optional)
		cel_run_set(r->run, rule->slot_old, none);
	struct cel_value v = evaluate(r, rule->program);
	if (r->spent > COST_OF_RESOURCE) {
		c->n_faults++;
		return crd_tell(c->taker, KUBE_FAULT_RULE, at->container, at->field, c->err, "the rules cost more than a resource may: an API server refuses it");
	}
	if (cel_is_true(v))
		return 0;
	if (v.kind == CEL_BOOL)
		return tell_rule(r, c, rule, at);
	c->n_faults++;
	return crd_tell(c->taker, KUBE_FAULT_RULE, at->container, at->field, c->err, "%s evaluating rule: %.*s", v.kind == CEL_ERROR ? v.error : "no answer",
			BH_SLICE_FMT(rule->text));
}

static int ask_rules(struct crd_ruleset *r, struct crd_check *c, const struct crd_schema *s, const struct crd_spot *at)
{
	struct cel_value self = to_cel(c, s, at->value, 0);
	int rc = cel_is_known(self) ? 0 : out_of_memory(c);
	for (size_t i = 0; rc == 0 && i < s->rules->n; i++) {
		cel_run_reset(r->run);
		cel_run_set(r->run, s->rules->slot_self, self);
		rc = ask_rule(r, c, &s->rules->list[i], at);
	}
	return rc;
}

static int ask(struct crd_ruleset *r, struct crd_check *c, const struct crd_schema *s, const struct crd_spot *at, unsigned depth)
{
	char name[CRD_NAME_BYTES_MAX];
	int rc = 0;
	if (!s || !s->has_rules_below || at->value.kind == CEL_NULL || depth > DEPTH_MAX)
		return 0;
	if (s->rules)
		rc = ask_rules(r, c, s, at);
	for (size_t i = 0; rc == 0 && at->value.kind == CEL_MAP && i < at->value.map->len; i++) {
		const struct cel_entry *e = &at->value.map->entries[i];
		const struct crd_schema *field = e->key.kind == CEL_STRING ? crd_property(s, e->key.text) : NULL;
		struct crd_spot part = crd_field_spot(at, e);
		rc = ask(r, c, field ? field : s->additional, &part, depth + 1);
	}
	for (size_t i = 0; rc == 0 && at->value.kind == CEL_LIST && i < at->value.list->len; i++) {
		struct crd_spot item = crd_item_spot(at, i, name);
		rc = ask(r, c, s->items, &item, depth + 1);
	}
	return rc;
}

int crd_rules_check(struct crd_ruleset *r, struct crd_check *c, const struct crd_schema *root, const struct crd_spot *at)
{
	r->spent = 0;
	int rc = ask(r, c, root, at, 0);
	cel_run_reset(r->run);
	c->steps -= r->spent < c->steps ? r->spent : c->steps;
	return rc;
}

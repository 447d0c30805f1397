#include "comply/settings.h"

#include "base/cleanup.h"
#include "comply/docker_host.h"
#include "comply/node_files.h"
#include "comply/objects.h"
#include "comply/special.h"

#include <stdarg.h>
#include <stdio.h>

#define VALUE_BYTES_MAX (64u << 10)
#define TEXT_BYTES_MAX 2048u
#define PATH_DEPTH_MAX 8u

enum op { EQUALS, DIFFERS, HAS, LACKS, ONLY, NO_HTTP, SET, UNSET, NO_SECRET, MINIMUM, POSITIVE, LOOPBACK, LOCAL, DURATION_SET, DURATION_TO };

#define CRITICAL BH_SEV_CRITICAL
#define HIGH BH_SEV_HIGH
#define MEDIUM BH_SEV_MEDIUM
#define LOW BH_SEV_LOW

struct setting {
	const char *check;
	enum component component;
	const char *flags, *configs;
	enum op op;
	const char *wanted, *by_default, *by_default_with_file;
	enum bh_severity severity;
	const char *fix;
	setting_special *special;
};

static const struct setting settings[] = {
#define SETTING(check, component, flags, configs, op, wanted, by_default, with_file, severity, fix) \
	{ check, component, flags, configs, op, wanted, by_default, with_file, severity, fix, NULL },
#define SPECIAL(check, component, function, severity, fix) { check, component, "", "", SET, "", "", NULL, severity, fix, special_##function },
#include "settings.def"
#undef SETTING
#undef SPECIAL
};
#define N_SETTINGS (sizeof(settings) / sizeof(settings[0]))

bool node_check_facts(struct bh_slice check, enum bh_severity *severity, const char **fix)
{
	for (size_t i = 0; i < N_SETTINGS; i++)
		if (bh_slice_eq_str(check, settings[i].check)) {
			*severity = settings[i].severity;
			*fix = settings[i].fix;
			return true;
		}
	return node_file_facts(check, severity, fix) || node_objects_facts(check, severity, fix) || node_docker_facts(check, severity, fix);
}

int node_say(struct node *n, struct comply_row *row, enum comply_verdict verdict, struct bh_err *err, const char *fmt, ...)
{
	char text[TEXT_BYTES_MAX];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	row->verdict = verdict;
	row->text = bh_slice_str(text);
	int rc = n->host->say(n->host->ctx, row, err);
	row->text = (struct bh_slice){ 0 };
	return rc;
}

/* ---- values ---- */

static void print_scalar(struct cel_value v, struct bh_buf *out)
{
	if (v.kind == CEL_BOOL)
		bh_buf_add_str(out, v.boolean ? "true" : "false");
	else if (v.kind == CEL_INT)
		bh_buf_printf(out, "%lld", (long long)v.integer);
	else if (v.kind == CEL_UINT)
		bh_buf_printf(out, "%llu", (unsigned long long)v.natural);
	else if (v.kind == CEL_DOUBLE)
		bh_buf_printf(out, "%g", v.real);
	else if (v.kind == CEL_STRING)
		bh_buf_add(out, v.text);
}

/* Lists as flags take them: "a,b"; maps: "a=true,b=false". */
static void print_value(struct cel_value v, struct bh_buf *out)
{
	for (size_t i = 0; v.kind == CEL_LIST && i < v.list->len; i++) {
		bh_buf_add_str(out, i ? "," : "");
		print_scalar(v.list->items[i], out);
	}
	for (size_t i = 0; v.kind == CEL_MAP && i < v.map->len; i++) {
		bh_buf_add_str(out, i ? "," : "");
		print_scalar(v.map->entries[i].key, out);
		bh_buf_add_byte(out, '=');
		print_scalar(v.map->entries[i].value, out);
	}
	print_scalar(v, out);
}

/* The first part of "a.b", and what is left; a part with dots stands in "'". False: it was the last one. */
static bool cut_part(struct bh_slice path, struct bh_slice *name, struct bh_slice *rest)
{
	struct bh_slice quoted;
	if (!bh_slice_starts(path, BH_SLICE_LIT("'")))
		return bh_slice_cut(path, '.', name, rest);
	(void)bh_slice_cut(bh_slice_sub(path, 1, path.len), '\'', name, &quoted);
	*rest = bh_slice_sub(quoted, 1, quoted.len);
	return quoted.len > 0;
}

static bool print_path(struct cel_value at, struct bh_slice path, unsigned depth, struct bh_buf *out, const struct cel_map **container);

/* "*": what the items of a list, or the values of a map, have at the rest of the path, separated by commas. */
static bool print_items(struct cel_value at, struct bh_slice rest, unsigned depth, struct bh_buf *out, const struct cel_map **container)
{
	size_t n = at.kind == CEL_LIST ? at.list->len : at.map->len;
	bool found = false;
	for (size_t i = 0; i < n; i++) {
		size_t before = out->len;
		if (found)
			bh_buf_add_byte(out, ',');
		if (print_path(at.kind == CEL_LIST ? at.list->items[i] : at.map->entries[i].value, rest, depth + 1, out, container))
			found = true;
		else
			out->len = before;
	}
	return found;
}

/* False: it is not there. */
static bool print_path(struct cel_value at, struct bh_slice path, unsigned depth, struct bh_buf *out, const struct cel_map **container)
{
	struct bh_slice name, rest;
	bool is_last = !cut_part(path, &name, &rest);
	if (depth > PATH_DEPTH_MAX)
		return false;
	if ((at.kind == CEL_LIST || at.kind == CEL_MAP) && bh_slice_eq_str(name, "*"))
		return print_items(at, rest, depth, out, container);
	const struct cel_value *field = at.kind == CEL_MAP ? cel_map_field(at.map, name) : NULL;
	if (!field || field->kind == CEL_NULL)
		return false;
	if (!is_last)
		return print_path(*field, rest, depth + 1, out, container);
	*container = at.map;
	print_value(*field, out);
	return true;
}

static struct bh_slice last_part(struct bh_slice path)
{
	struct bh_slice name = path;
	while (cut_part(path, &name, &path))
		;
	return name;
}

static bool find_in_config(struct node *n, const struct component_config *config, struct bh_slice path, struct setting_value *ret)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	BH_WITH(bh_buf_done) struct bh_buf place = { 0 };
	const struct cel_map *container = NULL;
	bh_buf_init(&text, VALUE_BYTES_MAX);
	bh_buf_init(&place, VALUE_BYTES_MAX);
	if (!print_path(config->root, path, 0, &text, &container) || !bh_arena_copy(&n->arena, bh_buf_slice(&text), &ret->text))
		return false;
	ret->state = SETTING_SET;
	ret->name = path;
	ret->file = config->file;
	ret->line = kube_tree_find(config->tree, container, last_part(path), &place);
	return true;
}

/* The file that another flag than --config names. */
static int find_in_file(struct node *n, const struct component_instance *in, struct bh_slice flag, struct bh_slice path, struct setting_value *ret, struct bh_err *err)
{
	const struct component_argument *a = component_argument(in, flag);
	const struct node_file *file;
	if (!a || a->value.len == 0)
		return 0;
	int rc = node_config(n, a->value, NODE_YAML, &file, err);
	if (rc < 0)
		return rc;
	if (file->code == 0) {
		(void)find_in_config(n, &file->config, path, ret);
		return 0;
	}
	const char *why = bh_arena_printf(&n->arena, "%.*s, the file of --%.*s, was not read: %.*s", BH_SLICE_FMT(a->value), BH_SLICE_FMT(flag), BH_SLICE_FMT(file->problem));
	*ret = (struct setting_value){ .state = SETTING_UNKNOWN, .text = bh_slice_str(why), .file = a->file, .line = a->line };
	return why ? 0 : node_no_memory(err);
}

/* "a|b": the first of them that is there. */
static bool find_any(struct node *n, const struct component_config *config, struct bh_slice paths, struct setting_value *ret)
{
	struct bh_slice path;
	for (bool more = true; more;) {
		more = bh_slice_cut(paths, '|', &path, &paths);
		if (find_in_config(n, config, path, ret))
			return true;
	}
	return false;
}

/*
 * A section of a plug-in in a file of containerd takes the place of the one in the files before, with all that it does not say; of version 3 of the configuration
 * (containerd 2) what it does not say is kept.
 */
static bool replaces_section(const struct component_config *config, struct bh_slice paths)
{
	struct cel_value plugins = kube_get(config->root, "plugins"), version = kube_get(config->root, "version");
	struct bh_slice path, name, rest;
	if (version.kind == CEL_INT && version.integer >= 3)
		return false;
	for (bool more = true; more;) {
		more = bh_slice_cut(paths, '|', &path, &paths);
		if (cut_part(path, &name, &rest) && bh_slice_eq_str(name, "plugins") && cut_part(rest, &name, &rest) && plugins.kind == CEL_MAP && cel_map_field(plugins.map, name))
			return true;
	}
	return false;
}

static void find_in_configs(struct node *n, const struct component_instance *in, struct bh_slice path, struct setting_value *ret)
{
	if (in->config_problem.len) /* the file that was not read may be the one that counts */
		*ret = (struct setting_value){ .state = SETTING_UNKNOWN, .text = in->config_problem };
	for (size_t i = in->configs.len; i > 0 && ret->state == SETTING_UNSET; i--)
		if (find_any(n, &in->configs.ptr[i - 1], path, ret) || (in->component == CONTAINERD && replaces_section(&in->configs.ptr[i - 1], path)))
			return;
}

/* Gates of the flag change those of the file, and leave the others. */
static int add_gates_of_configs(struct node *n, const struct component_instance *in, struct bh_slice path, struct setting_value *ret, struct bh_err *err)
{
	struct setting_value of_file = { 0 };
	if (path.len)
		find_in_configs(n, in, path, &of_file);
	if (of_file.state == SETTING_UNKNOWN)
		*ret = of_file;
	if (of_file.state != SETTING_SET)
		return 0;
	const char *both = bh_arena_printf(&n->arena, "%.*s,%.*s", BH_SLICE_FMT(of_file.text), BH_SLICE_FMT(ret->text));
	ret->text = bh_slice_str(both);
	return both ? 0 : node_no_memory(err);
}

/* All values of a flag that is given several times: lists grow, of others the last one counts. */
static int find_argument(struct node *n, const struct component_instance *in, struct bh_slice flag, struct setting_value *ret, struct bh_err *err)
{
	static const char *const lists[] = { "enable-admission-plugins", "disable-admission-plugins", "authorization-mode", "feature-gates", "tls-cipher-suites", NULL };
	const struct component_argument *last = component_argument(in, flag);
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	if (!last)
		return 0;
	const char *name = bh_arena_printf(&n->arena, "--%.*s", BH_SLICE_FMT(flag));
	*ret = (struct setting_value){ SETTING_SET, last->has_value ? last->value : BH_SLICE_LIT("true"), bh_slice_str(name), last->file, last->line };
	if (!name)
		return node_no_memory(err);
	if (!bh_slice_is_one_of(flag, lists))
		return 0;
	bh_buf_init(&text, VALUE_BYTES_MAX);
	for (size_t i = 0; i < in->arguments.len; i++) {
		if (!bh_slice_eq(in->arguments.ptr[i].name, flag))
			continue;
		bh_buf_add_str(&text, text.len ? "," : "");
		bh_buf_add(&text, in->arguments.ptr[i].value);
	}
	return bh_arena_copy(&n->arena, bh_buf_slice(&text), &ret->text) ? 0 : node_no_memory(err);
}

int setting_find(struct node *n, const struct component_instance *in, struct bh_slice flag, struct bh_slice config, struct setting_value *ret, struct bh_err *err)
{
	struct bh_slice file_flag, path;
	bool file_only = (in->configs.len || in->config_problem.len) && (in->component == ETCD || bh_slice_starts(config, BH_SLICE_LIT("=")));
	*ret = (struct setting_value){ 0 };
	if (bh_slice_starts(config, BH_SLICE_LIT("=")))
		config = bh_slice_sub(config, 1, config.len);
	int rc = flag.len && !file_only ? find_argument(n, in, flag, ret, err) : 0;
	if (rc == 0 && ret->state == SETTING_SET && bh_slice_eq_str(flag, "feature-gates"))
		return add_gates_of_configs(n, in, config, ret, err);
	if (rc < 0 || ret->state == SETTING_SET)
		return rc;
	if (in->arguments_problem.len)
		*ret = (struct setting_value){ .state = SETTING_UNKNOWN, .text = in->arguments_problem };
	if (ret->state == SETTING_UNKNOWN || config.len == 0)
		return 0;
	if (bh_slice_cut(config, '!', &file_flag, &path) && in->component != ETCD)
		return find_in_file(n, in, file_flag, path, ret, err);
	find_in_configs(n, in, path.len ? path : config, ret); /* etcd's --config-file is its --config */
	return 0;
}

/* ---- operations ---- */

static bool has_word(struct bh_slice list, struct bh_slice word)
{
	struct bh_slice head;
	bool more = true;
	while (more) {
		more = bh_slice_cut(list, ',', &head, &list);
		if (bh_slice_eq(bh_slice_trim(head), word))
			return true;
	}
	return false;
}

/* All words are among those of `wanted`; capabilities may be spelled with "CAP_" or without. */
static bool has_only(struct bh_slice list, const char *wanted)
{
	struct bh_slice head;
	for (bool more = true; more;) {
		more = bh_slice_cut(list, ',', &head, &list);
		head = bh_slice_trim(head);
		if (bh_slice_starts(head, BH_SLICE_LIT("CAP_")))
			head = bh_slice_sub(head, 4, head.len);
		if (head.len && !has_word(bh_slice_str(wanted), head))
			return false;
	}
	return true;
}

/* An address of a list is one of plain HTTP to another host. */
static bool has_plain_http(struct bh_slice list)
{
	struct bh_slice head;
	for (bool more = true; more;) {
		more = bh_slice_cut(list, ',', &head, &list);
		if (setting_is_plain_http(bh_slice_trim(head)))
			return true;
	}
	return false;
}

/* Of "A=true,B=false" the last one with the name counts. */
static bool has_pair(struct bh_slice list, const char *pair)
{
	struct bh_slice head, wanted = bh_slice_str(pair), name = bh_slice_sub(wanted, 0, bh_slice_find(wanted, '=') + 1);
	bool more = true, has = false;
	while (more) {
		more = bh_slice_cut(list, ',', &head, &list);
		head = bh_slice_trim(head);
		if (bh_slice_starts(head, name))
			has = bh_slice_eq(head, wanted);
	}
	return has;
}

/* Go's flags take 1, t, T, TRUE ... for true. */
static struct bh_slice plain(struct bh_slice value)
{
	static const char *const trues[] = { "t", "T", "TRUE", "True", NULL };
	static const char *const falses[] = { "f", "F", "FALSE", "False", NULL };
	if (bh_slice_is_one_of(value, trues))
		return BH_SLICE_LIT("true");
	return bh_slice_is_one_of(value, falses) ? BH_SLICE_LIT("false") : value;
}

static bool is_number(struct bh_slice text, int64_t *ret)
{
	bool negative = text.len && text.ptr[0] == '-';
	uint64_t v;
	if (!bh_slice_u64(bh_slice_sub(text, negative, text.len), INT64_MAX, &v))
		return false;
	*ret = negative ? -(int64_t)v : (int64_t)v;
	return true;
}

/* "1h30m", "300s", "250ms", "0": in seconds. False: it is no duration. */
static bool is_duration(struct bh_slice text, double *ret)
{
	double sum = 0;
	if (bh_slice_eq_str(text, "0"))
		text.len = 0;
	else if (text.len == 0)
		return false;
	while (text.len) {
		static const struct {
			const char *name;
			double seconds;
		} units[] = { { "ns", 1e-9 }, { "us", 1e-6 }, { "ms", 1e-3 }, { "s", 1 }, { "m", 60 }, { "h", 3600 } };
		double number = 0, scale = 1;
		size_t i = 0, u = 0;
		bool point = false;
		for (; i < text.len && ((text.ptr[i] >= '0' && text.ptr[i] <= '9') || (text.ptr[i] == '.' && !point)); i++) {
			if (text.ptr[i] == '.')
				point = true;
			else if (point)
				number += (text.ptr[i] - '0') * (scale /= 10);
			else
				number = number * 10 + (text.ptr[i] - '0');
		}
		text = bh_slice_sub(text, i, text.len);
		while (u < 6 && !bh_slice_starts(text, bh_slice_str(units[u].name)))
			u++;
		if (i == 0 || u == 6)
			return false;
		sum += number * units[u].seconds;
		text = bh_slice_sub(text, strlen(units[u].name), text.len);
	}
	*ret = sum;
	return true;
}

/* "127.0.0.1", "127.0.0.1:10249", "[::1]:10249", "localhost" */
static bool is_loopback(struct bh_slice address)
{
	return bh_slice_starts(address, BH_SLICE_LIT("127.")) || bh_slice_eq_str(address, "::1") || bh_slice_starts(address, BH_SLICE_LIT("[::1]"))
	       || bh_slice_eq_str(address, "localhost") || bh_slice_starts(address, BH_SLICE_LIT("localhost:"));
}

bool setting_is_plain_http(struct bh_slice url)
{
	return bh_slice_starts(url, BH_SLICE_LIT("http://")) && !is_loopback(bh_slice_sub(url, 7, url.len));
}

static bool complies(enum op op, struct bh_slice value, const char *wanted)
{
	int64_t number = 0, least = 0;
	double seconds = 0;
	switch (op) {
	case EQUALS: return bh_slice_eq_str(plain(value), wanted);
	case DIFFERS: return !bh_slice_eq_str(plain(value), wanted);
	case HAS: return has_word(value, bh_slice_str(wanted));
	case LACKS: return !(strchr(wanted, '=') ? has_pair(value, wanted) : has_word(value, bh_slice_str(wanted)));
	case ONLY: return has_only(value, wanted);
	case NO_HTTP: return !has_plain_http(value);
	case SET: return value.len > 0;
	case UNSET:
	case NO_SECRET: return value.len == 0;
	case MINIMUM: return is_number(value, &number) && is_number(bh_slice_str(wanted), &least) && number >= least;
	case POSITIVE: return is_number(value, &number) && number > 0;
	case LOOPBACK: return is_loopback(value);
	case LOCAL: return value.len == 0 || is_loopback(value);
	case DURATION_SET: return is_duration(value, &seconds) && seconds > 0;
	case DURATION_TO: return is_duration(value, &seconds) && seconds > 0 && is_number(bh_slice_str(wanted), &number) && seconds <= (double)number;
	}
	return false;
}

/* "5|27|50": 5 before Kubernetes 1.27, then 50. */
static struct bh_slice default_of(const struct setting *s, const struct component_instance *in, unsigned minor)
{
	bool has_file = in->configs.len || in->config_problem.len || !in->knows_arguments;
	struct bh_slice text = bh_slice_str(has_file && s->by_default_with_file ? s->by_default_with_file : s->by_default), old, rest, number;
	uint64_t since;
	if (bh_slice_cut(text, '|', &old, &rest) && bh_slice_cut(rest, '|', &number, &text) && bh_slice_u64(number, 1000, &since))
		return minor < since ? old : text;
	return text;
}

/* ---- one setting of one instance ---- */

static struct comply_row row_of(const char *check, const struct component_instance *in)
{
	return (struct comply_row){ .check = bh_slice_str(check), .file = in->origin, .evidence = bh_slice_str(component_name(in->component)) };
}

static int say_value(struct node *n, const struct setting *s, struct comply_row *row, const struct setting_value *v, struct bh_err *err)
{
	bool ok = complies(s->op, v->text, s->wanted);
	setting_point_at(row, v);
	if (s->op == NO_SECRET && !ok) /* what it is stays where it is */
		return node_say(n, row, COMPLY_FAIL, err, "%.*s is set, in clear", BH_SLICE_FMT(v->name));
	return node_say(n, row, ok ? COMPLY_PASS : COMPLY_FAIL, err, "%.*s is %.*s", BH_SLICE_FMT(v->name), BH_SLICE_FMT(v->text.len ? v->text : BH_SLICE_LIT("empty")));
}

/* Of several places for a setting the one that is told. */
static struct bh_slice first_path(struct bh_slice configs)
{
	return bh_slice_sub(configs, 0, bh_slice_find(configs, '|'));
}

static int say_default(struct node *n, const struct setting *s, const struct component_instance *in, struct comply_row *row, struct bh_slice flag,
		       struct bh_slice config, struct bh_err *err)
{
	struct bh_slice value = default_of(s, in, n->options->minor);
	bool ok = complies(s->op, value, s->wanted);
	const char *dashes = flag.len ? "--" : "";
	if (bh_slice_starts(config, BH_SLICE_LIT("=")))
		config = bh_slice_sub(config, 1, config.len);
	struct bh_slice name = flag.len ? flag : first_path(config);
	if (!in->knows_arguments && config.len == 0)
		return node_say(n, row, COMPLY_UNCHECKED, err, "only the configuration was given, and %s%.*s is a flag", dashes, BH_SLICE_FMT(name));
	if (value.len == 0)
		return node_say(n, row, ok ? COMPLY_PASS : COMPLY_FAIL, err, "%s%.*s is not set", dashes, BH_SLICE_FMT(name));
	return node_say(n, row, ok ? COMPLY_PASS : COMPLY_FAIL, err, "%s%.*s is not set; the default is %.*s", dashes, BH_SLICE_FMT(name), BH_SLICE_FMT(value));
}

/* In a file, a duration of 0 stands for the default (SetDefaults_KubeletConfiguration); kubeadm writes it. As a flag it switches the timeout off. */
static bool is_zero_of_file(const struct setting_value *v)
{
	double seconds;
	return !bh_slice_starts(v->name, BH_SLICE_LIT("--")) && is_duration(v->text, &seconds) && seconds <= 0;
}

/* Each flag with its place in the configuration: "a+b" and "c+d" are a with c, b with d. */
static int check_setting(struct node *n, const struct setting *s, const struct component_instance *in, struct bh_err *err)
{
	struct bh_slice flags = bh_slice_str(s->flags), configs = bh_slice_str(s->configs), flag, config;
	bool more = true;
	int rc = 0;
	while (rc == 0 && more) {
		struct comply_row row = row_of(s->check, in);
		struct setting_value v;
		more = bh_slice_cut(flags, '+', &flag, &flags);
		more |= bh_slice_cut(configs, '+', &config, &configs);
		rc = setting_find(n, in, flag, config, &v, err);
		if (rc < 0)
			return rc;
		if (s->op == DURATION_SET && v.state == SETTING_SET && is_zero_of_file(&v))
			v.state = SETTING_UNSET;
		if (v.state == SETTING_UNKNOWN)
			rc = node_say(n, &row, COMPLY_UNCHECKED, err, "%s%.*s is not set, and %.*s", flag.len ? "--" : "", BH_SLICE_FMT(flag.len ? flag : first_path(config)),
				      BH_SLICE_FMT(v.text));
		else
			rc = v.state == SETTING_SET ? say_value(n, s, &row, &v, err) : say_default(n, s, in, &row, flag, config, err);
	}
	return rc;
}

static int check_instances(struct node *n, const struct setting *s, struct bh_err *err)
{
	size_t found = 0;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n->instances.len; i++) {
		const struct component_instance *in = &n->instances.ptr[i];
		if (in->component != s->component)
			continue;
		struct comply_row row = row_of(s->check, in);
		found++;
		rc = s->special ? s->special(n, in, &row, err) : check_setting(n, s, in, err);
	}
	if (rc < 0 || found || !n->host->has_root)
		return rc;
	struct comply_row row = { .check = bh_slice_str(s->check) };
	if (n->problem.len)
		return node_say(n, &row, COMPLY_UNCHECKED, err, "no %s was found, and not everything could be read: %.*s", component_name(s->component), BH_SLICE_FMT(n->problem));
	return node_say(n, &row, COMPLY_NOT_APPLICABLE, err, "this node has no %s", component_name(s->component));
}

int node_check_settings(struct node *n, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < N_SETTINGS; i++)
		rc = check_instances(n, &settings[i], err);
	return rc;
}

#include "comply/component.h"

#include "base/cleanup.h"
#include "comply/engines.h"
#include "comply/rancher.h"
#include "comply/toml_tree.h"
#include "format/yaml.h"
#include "kube/workload.h"

#define ARENA_BYTES_MAX (512u << 20)
#define SET_BYTES_MAX (256u << 20)
#define INSTANCES_MAX 10000u
#define ARGUMENTS_MAX 5000u
#define CONFIGS_MAX 64u
#define FILES_MAX 1000u
#define CONFIG_BYTES_MAX (16u << 20)
#define PATH_BYTES_MAX 4096u

/* Index = enum component. comm: the kernel cuts names of processes to 15 bytes. */
static const struct {
	const char *name, *comm; /* comm: of programs */
	const char *config_flag; /* of its configuration file; NULL: it has none */
	const char *kind;        /* of the document; NULL: it has none */
} components[] = {
	{ "kube-apiserver", "kube-apiserver", NULL, NULL },
	{ "kube-controller-manager", "kube-controller", NULL, NULL },
	{ "kube-scheduler", "kube-scheduler", "config", "KubeSchedulerConfiguration" },
	{ "etcd", "etcd", "config-file", NULL },
	{ "kubelet", "kubelet", "config", "KubeletConfiguration" },
	{ "kube-proxy", "kube-proxy", "config", "KubeProxyConfiguration" },
	{ "containerd", "containerd", NULL, NULL },
	{ "crio", "crio", NULL, NULL },
	{ "containerd", NULL, NULL, NULL },
	{ "podman", NULL, NULL, NULL },
	{ "podman", NULL, NULL, NULL },
	{ "podman", NULL, NULL, NULL },
	{ "podman", NULL, NULL, NULL },
};

const char *component_name(enum component c)
{
	return components[c].name;
}

int node_no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "the node has more components, arguments or files than there is memory for");
}

int node_init(struct node *n, const struct comply_host *host, const struct kube_object_vec *objects, const struct comply_options *options, struct bh_err *err)
{
	*n = (struct node){ .host = host, .objects = objects, .options = options, .instances = { .max = INSTANCES_MAX }, .files = { .max = FILES_MAX },
			    .trees = { .max = FILES_MAX * 2 }, .yamls = { .max = FILES_MAX * 2 }, .tomls = { .max = FILES_MAX * 2 } };
	bh_arena_init(&n->arena, ARENA_BYTES_MAX);
	return kube_set_new(SET_BYTES_MAX, &n->own, err);
}

void node_done(struct node *n)
{
	for (size_t i = 0; i < n->instances.len; i++) {
		component_argument_vec_done(&n->instances.ptr[i].arguments);
		component_config_vec_done(&n->instances.ptr[i].configs);
	}
	for (size_t i = 0; i < n->trees.len; i++)
		kube_tree_done(n->trees.ptr[i]);
	for (size_t i = 0; i < n->yamls.len; i++)
		bh_yaml_free(n->yamls.ptr[i]);
	for (size_t i = 0; i < n->tomls.len; i++)
		bh_toml_free(n->tomls.ptr[i]);
	component_instance_vec_done(&n->instances);
	node_file_vec_done(&n->files);
	node_tree_vec_done(&n->trees);
	node_yaml_vec_done(&n->yamls);
	node_toml_vec_done(&n->tomls);
	kube_set_free(n->own);
	bh_arena_done(&n->arena);
}

/* ---- configuration files ---- */

static int keep_tree(struct node *n, struct kube_tree *tree, struct bh_err *err)
{
	if (node_tree_vec_push(&n->trees, tree))
		return 0;
	kube_tree_done(tree);
	return node_no_memory(err);
}

static int parse_yaml(struct node *n, struct bh_slice text, struct kube_tree *tree, struct bh_err *err)
{
	struct bh_yaml *yaml = NULL;
	int rc = bh_yaml_parse(text, CONFIG_BYTES_MAX, &yaml, err);
	if (rc < 0)
		return rc;
	if (!node_yaml_vec_push(&n->yamls, yaml)) {
		bh_yaml_free(yaml);
		return node_no_memory(err);
	}
	if (bh_yaml_documents(yaml) == 0)
		return bh_fail(err, BH_EMALFORMED, 0, "it is empty");
	rc = kube_tree_make(bh_yaml_root(yaml, 0), 0, &n->arena, tree, err);
	return rc < 0 ? rc : keep_tree(n, tree, err);
}

static int parse_toml(struct node *n, struct bh_slice text, struct kube_tree *tree, struct bh_err *err)
{
	struct bh_toml *toml = NULL;
	int rc = bh_toml_parse(text, CONFIG_BYTES_MAX, &toml, err);
	if (rc < 0)
		return rc;
	if (!node_toml_vec_push(&n->tomls, toml)) {
		bh_toml_free(toml);
		return node_no_memory(err);
	}
	rc = toml_tree_make(toml, &n->arena, tree, err);
	return rc < 0 ? rc : keep_tree(n, tree, err);
}

static int parse(struct node *n, struct bh_slice file, struct bh_slice text, enum node_syntax syntax, struct component_config *ret, struct bh_err *err)
{
	struct kube_tree *tree = BH_ARENA_NEW(&n->arena, struct kube_tree);
	struct component_config config = { .tree = tree };
	if (!tree || !bh_arena_copy(&n->arena, file, &config.file))
		return node_no_memory(err);
	int rc = syntax == NODE_TOML ? parse_toml(n, text, tree, err) : parse_yaml(n, text, tree, err);
	if (rc < 0)
		return rc;
	if (tree->root.kind != CEL_MAP)
		return bh_fail(err, BH_EMALFORMED, 0, "it is no mapping");
	config.root = tree->root;
	*ret = config;
	return 0;
}

int node_parse(struct node *n, struct bh_slice file, struct bh_slice text, struct component_config *ret, struct bh_err *err)
{
	return parse(n, file, text, NODE_YAML, ret, err);
}

static int read_file(struct node *n, struct node_file *f, struct bh_err *err)
{
	struct bh_err why = { 0 };
	struct bh_slice text;
	f->code = n->host->has_root ? n->host->read(n->host->ctx, f->path, &text, &why) : bh_fail(&why, BH_ENOTFOUND, 0, "it was not given");
	if (f->code == 0)
		f->code = parse(n, f->path, text, f->syntax, &f->config, &why);
	if (f->code == BH_ENOMEM || f->code == BH_ECHILD) {
		*err = why;
		return f->code;
	}
	return f->code == 0 || bh_arena_copy(&n->arena, bh_slice_str(why.text), &f->problem) ? 0 : node_no_memory(err);
}

int node_config(struct node *n, struct bh_slice path, enum node_syntax syntax, const struct node_file **ret, struct bh_err *err)
{
	for (size_t i = 0; i < n->files.len; i++)
		if (n->files.ptr[i]->syntax == syntax && bh_slice_eq(n->files.ptr[i]->path, path)) {
			*ret = n->files.ptr[i];
			return 0;
		}
	struct node_file *f = BH_ARENA_NEW(&n->arena, struct node_file);
	if (!f || !bh_arena_copy(&n->arena, path, &f->path))
		return node_no_memory(err);
	f->syntax = syntax;
	int rc = read_file(n, f, err);
	if (rc < 0)
		return rc;
	*ret = f;
	return node_file_vec_push(&n->files, f) ? 0 : node_no_memory(err);
}

int node_read(struct node *n, struct bh_slice path, struct bh_slice *ret, struct bh_slice *problem, struct bh_err *err)
{
	struct bh_err why = { 0 };
	*ret = *problem = (struct bh_slice){ 0 };
	int rc = n->host->read(n->host->ctx, path, ret, &why);
	if (rc == BH_EIO)
		return bh_arena_copy(&n->arena, bh_slice_str(why.text), problem) ? 0 : node_no_memory(err);
	if (rc < 0 && rc != BH_ENOTFOUND) {
		*err = why;
		return rc;
	}
	if (rc < 0)
		*ret = (struct bh_slice){ 0 };
	return 0;
}

/* ---- arguments ---- */

const struct component_argument *component_argument(const struct component_instance *i, struct bh_slice name)
{
	for (size_t k = i->arguments.len; k > 0; k--)
		if (bh_slice_eq(i->arguments.ptr[k - 1].name, name))
			return &i->arguments.ptr[k - 1];
	return NULL;
}

/* Kubernetes' programs take "_" for "-" in the names of flags. */
static bool put_name(struct node *n, struct bh_slice name, struct bh_slice *ret)
{
	char *copy = bh_arena_strdup(&n->arena, name);
	for (char *c = copy; c && *c; c++)
		if (*c == '_')
			*c = '-';
	*ret = bh_slice_str(copy);
	return copy != NULL;
}

static bool is_flag(struct bh_slice word)
{
	return word.len > 1 && word.ptr[0] == '-' && (word.ptr[1] < '0' || word.ptr[1] > '9');
}

/* "--flag=value", "--flag value", "-flag": the word behind is the value when it looks like none of a flag. */
int component_add_words(struct node *n, struct component_instance *in, const struct comply_word *words, size_t n_words, struct bh_err *err)
{
	in->arguments.max = ARGUMENTS_MAX;
	for (size_t i = 0; i < n_words; i++) {
		struct bh_slice word = words[i].text;
		struct component_argument a = { .file = words[i].file, .line = words[i].line };
		if (!is_flag(word))
			continue;
		while (word.len && word.ptr[0] == '-')
			word = bh_slice_sub(word, 1, word.len);
		a.has_value = bh_slice_cut(word, '=', &word, &a.value);
		if (!a.has_value && i + 1 < n_words && !is_flag(words[i + 1].text)) {
			a.has_value = true;
			a.value = words[++i].text;
		}
		if (!put_name(n, word, &a.name) || !component_argument_vec_push(&in->arguments, a))
			return node_no_memory(err);
	}
	return 0;
}

/* The component that a command line starts, and the index of its first argument. */
static bool recognise(const struct comply_word *words, size_t n_words, enum component *ret, size_t *first)
{
	for (size_t i = 0; i < n_words; i++) {
		if (is_flag(words[i].text) && !bh_slice_eq_str(words[i].text, "-c"))
			return false; /* what stands behind a flag is its value, not a program */
		for (enum component c = 0; c < PROGRAMS; c++)
			if (bh_slice_eq_str(bh_slice_base(words[i].text), components[c].name)) {
				*ret = c;
				*first = i + 1;
				return true;
			}
	}
	return false;
}

/* Where a shell's command ends. */
static size_t command_end(const struct comply_word *words, size_t first, size_t n_words)
{
	static const char *const ends[] = { "|", "||", "&", "&&", ";", ">", ">>", "1>", "1>>", "2>", "2>>", "2>&1", NULL };
	while (first < n_words && !bh_slice_is_one_of(words[first].text, ends))
		first++;
	return first;
}

int component_add(struct node *n, enum component c, struct bh_slice origin, bool knows_arguments, struct component_instance **ret, struct bh_err *err)
{
	struct component_instance in = { .component = c, .knows_arguments = knows_arguments, .configs = { .max = CONFIGS_MAX } };
	if (!bh_arena_copy(&n->arena, origin, &in.origin) || !component_instance_vec_push(&n->instances, in))
		return node_no_memory(err);
	*ret = &n->instances.ptr[n->instances.len - 1];
	return 0;
}

static int add_command(struct node *n, struct bh_slice origin, const struct comply_word_vec *words, struct component_instance **ret, struct bh_err *err)
{
	enum component c;
	size_t first;
	*ret = NULL;
	if (!recognise(words->ptr, words->len, &c, &first))
		return 0;
	int rc = component_add(n, c, origin, true, ret, err);
	return rc < 0 ? rc : component_add_words(n, *ret, words->ptr + first, command_end(words->ptr, first, words->len) - first, err);
}

/* etcd takes its flags from the environment too: ETCD_CERT_FILE is --cert-file, unless that is given. */
static int add_etcd_variable(struct node *n, struct component_instance *in, const struct comply_variable *v, struct bh_err *err)
{
	struct component_argument a = { .value = v->value, .has_value = true, .file = v->file, .line = v->line };
	if (in->component != ETCD || !bh_slice_starts(v->name, BH_SLICE_LIT("ETCD_")))
		return 0;
	char *name = bh_arena_strdup(&n->arena, bh_slice_sub(v->name, 5, v->name.len));
	for (char *c = name; c && *c; c++)
		*c = *c == '_' ? '-' : (char)bh_lower((uint8_t)*c);
	a.name = bh_slice_str(name);
	if (!name)
		return node_no_memory(err);
	if (component_argument(in, a.name))
		return 0;
	in->arguments.max = ARGUMENTS_MAX;
	return component_argument_vec_push(&in->arguments, a) ? 0 : node_no_memory(err);
}

/* ---- pods ---- */

static uint32_t line_of_item(const struct kube_tree *tree, const struct cel_list *list, size_t index)
{
	for (size_t i = 0; i < tree->places.len; i++)
		if (tree->places.ptr[i].at == list)
			return tree->line_offset + bh_yaml_line(bh_yaml_at(tree->places.ptr[i].node, index));
	return 0;
}

static int add_words(struct node *n, const struct kube_object *o, struct cel_value list, struct comply_word_vec *out, struct bh_err *err)
{
	bool is_script = false;
	int rc = 0;
	for (size_t i = 0; rc == 0 && list.kind == CEL_LIST && i < list.list->len; i++) {
		struct cel_value item = list.list->items[i];
		struct comply_word w = { item.kind == CEL_STRING ? item.text : (struct bh_slice){ 0 }, o->file, line_of_item(o->tree, list.list, i) };
		if (is_script)
			rc = comply_words_split(w.text, &w, &n->arena, out, err);
		else if (!comply_word_vec_push(out, w))
			rc = node_no_memory(err);
		is_script = bh_slice_eq_str(w.text, "-c");
	}
	return rc;
}

static int add_environment(struct node *n, struct component_instance *in, const struct kube_object *o, struct cel_value env, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && env.kind == CEL_LIST && i < env.list->len; i++) {
		struct comply_variable v = { kube_text(env.list->items[i], "name"), kube_text(env.list->items[i], "value"), o->file, o->line };
		rc = add_etcd_variable(n, in, &v, err);
	}
	return rc;
}

static int add_container(struct node *n, const struct kube_object *o, struct cel_value container, struct bh_err *err)
{
	struct comply_word_vec words = { .max = WORDS_MAX };
	struct component_instance *in = NULL;
	int rc = add_words(n, o, kube_get(container, "command"), &words, err);
	rc = rc < 0 ? rc : add_words(n, o, kube_get(container, "args"), &words, err);
	rc = rc < 0 ? rc : add_command(n, o->file, &words, &in, err);
	if (rc == 0 && in)
		rc = add_environment(n, in, o, kube_get(container, "env"), err);
	comply_word_vec_done(&words);
	return rc;
}

/* Applications have an etcd of their own, too. */
static bool is_of_cluster(const struct kube_object *o)
{
	return o->namespace.len == 0 || bh_slice_eq_str(o->namespace, "kube-system") || bh_slice_starts(o->namespace, BH_SLICE_LIT("openshift-"));
}

/* Pods of components: static ones, or those of a dump. */
static int add_objects(struct node *n, const struct kube_object_vec *objects, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < objects->len; i++) {
		if (!is_of_cluster(&objects->ptr[i]))
			continue;
		struct cel_value containers = kube_path(kube_pod_of(&objects->ptr[i]), "spec.containers");
		for (size_t k = 0; rc == 0 && containers.kind == CEL_LIST && k < containers.list->len; k++)
			rc = add_container(n, &objects->ptr[i], containers.list->items[k], err);
	}
	return rc;
}

/* ---- a node's processes, static pods and units ---- */

static int path_of(struct node *n, struct bh_slice *ret, struct bh_err *err, const char *folder, struct bh_slice name, const char *rest)
{
	const char *path = bh_arena_printf(&n->arena, "%s/%.*s%s", folder, BH_SLICE_FMT(name), rest);
	*ret = bh_slice_str(path);
	return path && ret->len < PATH_BYTES_MAX ? 0 : node_no_memory(err);
}

static int note_problem(struct node *n, struct bh_slice file, struct bh_slice text, struct bh_err *err)
{
	if (n->problem.len)
		return 0;
	n->problem = bh_slice_str(bh_arena_printf(&n->arena, "%.*s: %.*s", BH_SLICE_FMT(file), BH_SLICE_FMT(text)));
	return n->problem.len ? 0 : node_no_memory(err);
}

/* What is absent stays empty, and so does a process that ended meanwhile. */
static int read_process(struct node *n, struct bh_slice path, struct bh_slice *ret, struct bh_err *err)
{
	struct bh_slice ignored;
	return node_read(n, path, ret, &ignored, err);
}

/* What is absent stays empty; what can't be read is noted. */
static int read_if_there(struct node *n, struct bh_slice path, struct bh_slice *ret, struct bh_err *err)
{
	struct bh_slice problem;
	int rc = node_read(n, path, ret, &problem, err);
	return rc < 0 || problem.len == 0 ? rc : note_problem(n, path, problem, err);
}

int node_list(struct node *n, struct bh_slice folder, struct host_name_vec *names, struct bh_err *err)
{
	struct bh_err why = { 0 };
	names->len = 0;
	int rc = n->host->list(n->host->ctx, folder, &n->arena, names, &why);
	if (rc == BH_EIO)
		return note_problem(n, folder, BH_SLICE_LIT("the rights to list it are missing"), err);
	if (rc < 0)
		*err = why;
	return rc;
}

static bool is_wanted_process(struct bh_slice comm)
{
	for (enum component c = 0; c < PROGRAMS; c++)
		if (bh_slice_eq_str(comm, components[c].comm))
			return true;
	return bh_slice_eq_str(comm, "hyperkube");
}

static int add_process(struct node *n, struct bh_slice pid, struct bh_err *err)
{
	struct bh_slice path, text = { 0 };
	struct component_instance *in;
	uint64_t number;
	if (!bh_slice_u64(pid, UINT32_MAX, &number))
		return 0;
	int rc = path_of(n, &path, err, "/proc", pid, "/comm");
	rc = rc < 0 ? rc : read_process(n, path, &text, err);
	if (rc < 0 || !is_wanted_process(bh_slice_trim(text)))
		return rc;
	rc = path_of(n, &path, err, "/proc", pid, "/cmdline");
	rc = rc < 0 ? rc : read_process(n, path, &text, err);
	struct comply_word_vec words = { .max = WORDS_MAX };
	const char *origin = bh_arena_printf(&n->arena, "process %llu", (unsigned long long)number);
	rc = rc < 0 ? rc : comply_words_of_process(text, &words, err);
	if (rc == 0)
		rc = origin ? add_command(n, bh_slice_str(origin), &words, &in, err) : node_no_memory(err);
	comply_word_vec_done(&words);
	return rc;
}

static int list(struct node *n, const char *folder, struct host_name_vec *names, struct bh_err *err)
{
	return node_list(n, bh_slice_str(folder), names, err);
}

static int add_processes(struct node *n, struct host_name_vec *names, struct bh_err *err)
{
	int rc = list(n, "/proc", names, err);
	for (size_t i = 0; rc == 0 && i < names->len; i++)
		rc = add_process(n, names->ptr[i], err);
	return rc;
}

static int add_static_pods(struct node *n, struct host_name_vec *names, struct bh_err *err)
{
	static const char *const folders[] = { "/etc/kubernetes/manifests", "/var/lib/rancher/rke2/agent/pod-manifests", NULL };
	int rc = 0;
	for (size_t f = 0; rc == 0 && folders[f]; f++) {
		rc = list(n, folders[f], names, err);
		for (size_t i = 0; rc == 0 && i < names->len; i++) {
			struct bh_slice path, text;
			if (names->ptr[i].len && names->ptr[i].ptr[0] == '.') /* as the kubelet does */
				continue;
			rc = path_of(n, &path, err, folders[f], names->ptr[i], "");
			rc = rc < 0 ? rc : read_if_there(n, path, &text, err);
			if (rc == 0 && text.len)
				rc = kube_set_read(n->own, path, text, err);
		}
	}
	const struct kube_problem_vec *problems = kube_set_problems(n->own);
	if (rc == 0 && problems->len)
		rc = note_problem(n, problems->ptr[0].file, problems->ptr[0].text, err);
	return rc < 0 ? rc : add_objects(n, kube_set_objects(n->own), err);
}

/* The folders of systemd, the strongest first: the first unit counts, and the drop-ins of all, each name once. */
static const char *const unit_folders[] = { "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
					    "/lib/systemd/system", NULL };

static int read_unit(struct node *n, const char *name, struct comply_unit *unit, bool *found, struct bh_err *err)
{
	int rc = 0;
	*found = false;
	for (size_t f = 0; rc == 0 && !*found && unit_folders[f]; f++) {
		struct bh_slice path, text;
		rc = path_of(n, &path, err, unit_folders[f], bh_slice_str(name), "");
		rc = rc < 0 ? rc : read_if_there(n, path, &text, err);
		*found = rc == 0 && text.len;
		if (*found)
			rc = comply_unit_read(unit, path, text, &n->arena, err);
	}
	return rc;
}

struct drop_in {
	struct bh_slice name, path;
};

static int by_name(const void *a, const void *b)
{
	return bh_slice_cmp(((const struct drop_in *)a)->name, ((const struct drop_in *)b)->name);
}

BH_VEC(drop_in_vec, struct drop_in)

static int add_drop_ins(struct node *n, const char *folder, const char *unit, struct host_name_vec *names, struct drop_in_vec *out, struct bh_err *err)
{
	struct bh_slice path;
	int rc = path_of(n, &path, err, folder, bh_slice_str(unit), ".d");
	if (rc < 0)
		return rc;
	rc = list(n, (const char *)path.ptr, names, err);
	for (size_t i = 0; rc == 0 && i < names->len; i++) {
		struct drop_in d = { .name = names->ptr[i] };
		bool known = !bh_slice_ends(d.name, BH_SLICE_LIT(".conf"));
		for (size_t k = 0; !known && k < out->len; k++)
			known = bh_slice_eq(out->ptr[k].name, d.name);
		if (known)
			continue;
		rc = path_of(n, &d.path, err, (const char *)path.ptr, d.name, "");
		if (rc == 0 && !drop_in_vec_push(out, d))
			rc = node_no_memory(err);
	}
	return rc;
}

static int read_drop_ins(struct node *n, const char *name, struct comply_unit *unit, struct bh_err *err)
{
	struct drop_in_vec all = { .max = FILES_MAX };
	struct host_name_vec names = { .max = FILES_MAX };
	int rc = 0;
	for (size_t f = 0; rc == 0 && unit_folders[f]; f++)
		rc = add_drop_ins(n, unit_folders[f], name, &names, &all, err);
	host_name_vec_done(&names);
	if (rc == 0 && all.len)
		qsort(all.ptr, all.len, sizeof(*all.ptr), by_name);
	for (size_t i = 0; rc == 0 && i < all.len; i++) {
		struct bh_slice text;
		rc = read_if_there(n, all.ptr[i].path, &text, err);
		rc = rc < 0 ? rc : comply_unit_read(unit, all.ptr[i].path, text, &n->arena, err);
	}
	drop_in_vec_done(&all);
	return rc;
}

static int read_environment_files(struct node *n, struct comply_unit *unit, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < unit->environment_files.len; i++) {
		struct bh_slice path = unit->environment_files.ptr[i].text, text = { 0 };
		struct bh_err why = { 0 };
		rc = n->host->read(n->host->ctx, path, &text, &why);
		if (rc == BH_EIO)
			unit->problem = bh_slice_str(bh_arena_printf(&n->arena, "%.*s, which may hold more, was not read: %s", BH_SLICE_FMT(path), why.text));
		else if (rc < 0 && rc != BH_ENOTFOUND)
			*err = why;
		rc = rc == BH_EIO || rc == BH_ENOTFOUND ? 0 : rc;
		rc = rc < 0 ? rc : comply_variables_read(path, text, &n->arena, &unit->variables, err);
	}
	return rc;
}

bool node_has_component(const struct node *n, enum component c)
{
	for (size_t i = 0; i < n->instances.len; i++)
		if (n->instances.ptr[i].component == c)
			return true;
	return false;
}

int node_read_unit(struct node *n, const char *name, struct comply_unit *unit, bool *found, struct bh_err *err)
{
	int rc = read_unit(n, name, unit, found, err);
	if (rc == 0 && *found)
		rc = read_drop_ins(n, name, unit, err);
	return rc < 0 ? rc : read_environment_files(n, unit, err);
}

static int add_variables(struct node *n, const struct comply_unit *unit, enum component c, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; i < n->instances.len; i++)
		for (size_t k = unit->variables.len; rc == 0 && n->instances.ptr[i].component == c && k > 0; k--)
			rc = add_etcd_variable(n, &n->instances.ptr[i], &unit->variables.ptr[k - 1], err);
	return rc;
}

/* A unit is what is seen of a component that does not run; of etcd that does, it still tells the environment. */
static int add_unit(struct node *n, enum component c, bool is_seen, struct bh_err *err)
{
	struct comply_unit unit;
	struct comply_word_vec words = { .max = WORDS_MAX };
	struct component_instance *in;
	bool found = false;
	const char *name = bh_arena_printf(&n->arena, "%s.service", components[c].name);
	comply_unit_init(&unit);
	int rc = name ? node_read_unit(n, name, &unit, &found, err) : node_no_memory(err);
	if (rc == 0 && found && !is_seen) {
		rc = comply_unit_words(&unit, &n->arena, &words, err);
		rc = rc < 0 ? rc : add_command(n, unit.exec.file, &words, &in, err);
		if (rc == 0 && in)
			in->arguments_problem = unit.problem;
	}
	rc = rc < 0 ? rc : add_variables(n, &unit, c, err);
	comply_word_vec_done(&words);
	comply_unit_done(&unit);
	return rc;
}

/* snap's way: a file of arguments, one in a line. */
static int add_argument_file(struct node *n, enum component c, struct bh_err *err)
{
	struct comply_word_vec words = { .max = WORDS_MAX };
	struct component_instance *in;
	struct bh_slice path, rest, line;
	int rc = path_of(n, &path, err, "/var/snap/microk8s/current/args", bh_slice_str(components[c].name), "");
	rc = rc < 0 ? rc : read_if_there(n, path, &rest, err);
	if (rc < 0 || rest.len == 0)
		return rc;
	rc = component_add(n, c, path, true, &in, err);
	for (uint32_t number = 1; rc == 0 && rest.len; number++) {
		(void)bh_slice_cut(rest, '\n', &line, &rest);
		const struct comply_word at = { .file = path, .line = number };
		if (line.len && line.ptr[0] != '#')
			rc = comply_words_split(line, &at, &n->arena, &words, err);
	}
	rc = rc < 0 ? rc : component_add_words(n, in, words.ptr, words.len, err);
	comply_word_vec_done(&words);
	return rc;
}

/* ---- configuration ---- */

static int push_config(struct node *n, struct component_instance *in, const struct component_config *config, struct bh_err *err)
{
	(void)n;
	return component_config_vec_push(&in->configs, *config) ? 0 : node_no_memory(err);
}

/* The files in the kubelet's --config-dir, in the order of their names: each overrides what came before it. */
static int add_config_folder(struct node *n, struct component_instance *in, struct bh_slice folder, struct host_name_vec *names, struct bh_err *err)
{
	const char *path = bh_arena_strdup(&n->arena, folder);
	int rc = path ? list(n, path, names, err) : node_no_memory(err);
	for (size_t i = 0; rc == 0 && i < names->len; i++) {
		const struct node_file *file;
		struct bh_slice at;
		if (!bh_slice_ends(names->ptr[i], BH_SLICE_LIT(".conf")))
			continue;
		rc = path_of(n, &at, err, path, names->ptr[i], "");
		rc = rc < 0 ? rc : node_config(n, at, NODE_YAML, &file, err);
		if (rc == 0 && file->code == 0)
			rc = push_config(n, in, &file->config, err);
		else if (rc == 0)
			in->config_problem = file->problem;
	}
	return rc;
}

/* An object of the kind that configures the component: given as a file of its own, or within a ConfigMap as kubeadm keeps it. */
static int find_config_object(struct node *n, const char *kind, struct component_config *ret, struct bh_err *err)
{
	for (size_t i = 0; kind && i < n->objects->len; i++) {
		const struct kube_object *o = &n->objects->ptr[i];
		const struct cel_value data = kube_get(o->value, "data");
		if (bh_slice_eq_str(o->kind, kind)) {
			*ret = (struct component_config){ o->file, o->value, o->tree };
			return 0;
		}
		if (!bh_slice_eq_str(o->kind, "ConfigMap") || data.kind != CEL_MAP)
			continue;
		for (size_t k = 0; k < data.map->len; k++) {
			struct cel_value text = data.map->entries[k].value;
			struct component_config config = { 0 };
			struct bh_err why = { 0 };
			if (text.kind != CEL_STRING || !bh_slice_search(text.text, kind))
				continue;
			int rc = node_parse(n, o->file, text.text, &config, &why);
			if (rc == BH_ENOMEM) {
				*err = why;
				return rc;
			}
			if (rc == 0 && bh_slice_eq_str(kube_text(config.root, "kind"), kind)) {
				config.tree = o->tree; /* lines within the text are none of the file: places are not found in this tree, and stay 0 */
				*ret = config;
				return 0;
			}
		}
	}
	return 0;
}

static int add_config(struct node *n, struct component_instance *in, struct host_name_vec *names, struct bh_err *err)
{
	const char *flag = components[in->component].config_flag;
	const struct component_argument *a = flag ? component_argument(in, bh_slice_str(flag)) : NULL;
	const struct component_argument *folder = in->component == KUBELET ? component_argument(in, BH_SLICE_LIT("config-dir")) : NULL;
	const struct node_file *file = NULL;
	struct component_config given = { 0 };
	int rc = 0;
	if (a && a->value.len) {
		rc = node_config(n, a->value, NODE_YAML, &file, err);
		if (rc == 0 && file->code < 0)
			rc = find_config_object(n, components[in->component].kind, &given, err);
		if (rc < 0)
			return rc;
		if (file->code == 0 || given.tree)
			rc = push_config(n, in, file->code == 0 ? &file->config : &given, err);
		else
			in->config_problem = bh_slice_str(bh_arena_printf(&n->arena, "%.*s: %.*s", BH_SLICE_FMT(a->value), BH_SLICE_FMT(file->problem)));
	}
	return rc < 0 || !folder ? rc : add_config_folder(n, in, folder->value, names, err);
}

/* Configurations of components of which nothing else was given. */
static int add_lone_configs(struct node *n, struct host_name_vec *names, struct bh_err *err)
{
	static const char *const places[] = { "/var/lib/kubelet/config.yaml", "/var/lib/kubelet/config.yml", "/etc/kubernetes/kubelet/kubelet-config.json",
					      "/etc/kubernetes/kubelet/config.json", "/etc/kubernetes/kubelet-config.yaml", NULL };
	struct component_instance *in;
	int rc = 0;
	(void)names;
	for (enum component c = 0; rc == 0 && c < COMPONENTS; c++) {
		struct component_config config = { 0 };
		if (!components[c].kind || node_has_component(n, c))
			continue;
		rc = find_config_object(n, components[c].kind, &config, err);
		for (size_t i = 0; rc == 0 && !config.tree && c == KUBELET && n->host->has_root && places[i]; i++) {
			const struct node_file *file;
			rc = node_config(n, bh_slice_str(places[i]), NODE_YAML, &file, err);
			if (rc == 0 && file->code == 0)
				config = file->config;
		}
		if (rc < 0 || !config.tree)
			continue;
		rc = component_add(n, c, config.file, false, &in, err);
		rc = rc < 0 ? rc : push_config(n, in, &config, err);
	}
	return rc;
}

static int find_on_node(struct node *n, struct host_name_vec *names, struct bh_err *err)
{
	int rc = add_processes(n, names, err);
	size_t running = n->instances.len;
	bool seen[COMPONENTS];
	for (enum component c = 0; c < COMPONENTS; c++)
		seen[c] = node_has_component(n, c);
	rc = rc < 0 ? rc : add_static_pods(n, names, err);
	/* What runs is the truth; manifests tell of what does not run here. */
	size_t kept = running;
	for (size_t i = running; i < n->instances.len; i++) {
		struct component_instance *in = &n->instances.ptr[i];
		if (!seen[in->component]) {
			n->instances.ptr[kept++] = *in;
			continue;
		}
		component_argument_vec_done(&in->arguments);
		component_config_vec_done(&in->configs);
	}
	n->instances.len = kept;
	for (enum component c = 0; c < COMPONENTS; c++)
		seen[c] = node_has_component(n, c);
	for (enum component c = 0; rc == 0 && c < PROGRAMS; c++)
		rc = add_unit(n, c, seen[c], err);
	for (enum component c = 0; rc == 0 && c < PROGRAMS; c++)
		if (!node_has_component(n, c))
			rc = add_argument_file(n, c, err);
	return rc < 0 ? rc : rancher_find(n, err);
}

int node_find_components(struct node *n, struct bh_err *err)
{
	struct host_name_vec names = { .max = 100000 };
	int rc = n->host->has_root ? find_on_node(n, &names, err) : 0;
	rc = rc < 0 ? rc : add_objects(n, n->objects, err);
	for (size_t i = 0; rc == 0 && i < n->instances.len; i++)
		rc = add_config(n, &n->instances.ptr[i], &names, err);
	rc = rc < 0 ? rc : add_lone_configs(n, &names, err);
	rc = rc < 0 || !n->host->has_root ? rc : engines_find(n, err);
	host_name_vec_done(&names);
	return rc;
}

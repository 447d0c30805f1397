#include "kube/paths_facts.h"

#include "base/cleanup.h"
#include "kube/netpol_reach.h"
#include "kube/paths_collect.h"

#define ARENA_BYTES_MAX (512u << 20)
#define PLACE_BYTES_MAX 4096u
#define CLOUD_ROLE "node's cloud role"
#define CONTROL_PLANE BH_SLICE_LIT("node-role.kubernetes.io/control-plane")
#define MASTER BH_SLICE_LIT("node-role.kubernetes.io/master") /* before 1.24 */
#define ENFORCE BH_SLICE_LIT("pod-security.kubernetes.io/enforce")

static const struct rule {
	const char *id, *technique, *text, *sentence;
} rules[] = {
#define PATHS_RULE(id, technique, text, sentence) { id, technique, text, sentence },
#include "kube/paths_rules.def"
#undef PATHS_RULE
};

#define N_RULES (sizeof(rules) / sizeof(*rules))

static const struct paths_change changes[] = {
	{ "exposed", "$0 is open to the outside", "close its service, ingress or route, or let a NetworkPolicy take only whom it serves; in Compose: publish on 127.0.0.1, or not at all" },
	{ "exploitable", "what $0 runs can be exploited", "update its image" },
	{ "link", "$0 may connect to $1", "write a NetworkPolicy for $1 that does not take $0; in Compose: give them networks of their own" },
	{ "metadata", "$0 may connect to the cloud's metadata service", "write an egress NetworkPolicy for $0 without 169.254.169.254, fd00:ec2::254, fd20:ce::254 and fd00:c1::a9fe:a9fe; in Compose: internal: true" },
	{ "host_network", "$0 is on its node's network", "set hostNetwork: false, or a network_mode of its own" },
	{ "escape", "$0 has $1", "take it away from the pod" },
	{ "token", "$0 gets the token of $1", "set automountServiceAccountToken: false, or give it a service account of its own without rights" },
	{ "holds", "$0 gets the secret $1", "give the pod only what it needs" },
	{ "config_in", "$1 holds what looks like a secret", "move it into a Secret, which fewer may read" },
	{ "may", "$0 has the right to \"$1\" in $2", "narrow the role, or take the binding away" },
	{ "may_everywhere", "$0 has the right to \"$1\" in all namespaces", "narrow the role, or bind it in the namespaces that need it" },
	{ "unguarded", "nothing keeps privileged pods out of $0", "label the namespace pod-security.kubernetes.io/enforce: baseline" },
	{ "mounts", "$0 mounts the volume $1", "mount it read-only, or not at all" },
};

const char *paths_rule_id(size_t rule)
{
	return rules[rule].id;
}

const char *paths_rule_technique(size_t rule)
{
	return rules[rule].technique;
}

const char *paths_rule_sentence(size_t rule)
{
	return rules[rule].sentence;
}

const struct paths_change *paths_change_of(const struct paths_facts *f, uint32_t fact)
{
	const struct logic_fact *a = &f->logic.facts.ptr[fact];
	for (size_t i = 0; a->is_given && i < sizeof(changes) / sizeof(*changes); i++)
		if (bh_slice_eq_str(logic_text(&f->logic, a->predicate), changes[i].predicate))
			return &changes[i];
	return NULL;
}

struct bh_slice paths_place_of(const struct paths_facts *f, uint32_t fact)
{
	return fact < f->places.len ? f->places.ptr[fact] : (struct bh_slice){ 0 };
}

/* ---- what the collectors use ---- */

static int full(struct paths_collect *c)
{
	return bh_fail(c->err, BH_ELIMIT, 0, "the facts about the objects need more than %u MiB", ARENA_BYTES_MAX >> 20);
}

int paths_give(struct paths_collect *c, const char *predicate, const struct bh_slice *arguments, size_t n, struct bh_slice place)
{
	struct paths_facts *f = c->f;
	uint32_t fact;
	for (size_t i = 0; i < n; i++)
		if (!arguments[i].ptr)
			return full(c);
	int rc = logic_add(&f->logic, predicate, arguments, n, &fact, c->err);
	while (rc == 0 && f->places.len <= fact)
		rc = paths_place_vec_push(&f->places, (struct bh_slice){ 0 }) ? 0 : full(c);
	if (rc == 0 && f->places.ptr[fact].len == 0 && !bh_arena_copy(&f->arena, place, &f->places.ptr[fact]))
		rc = full(c);
	return rc;
}

struct bh_slice paths_place(struct paths_collect *c, const struct kube_object *o, struct cel_value at, const char *field)
{
	BH_WITH(bh_buf_done) struct bh_buf path = { 0 }, text = { 0 };
	struct bh_slice copy = { 0 };
	uint32_t line = 0;
	bh_buf_init(&path, PLACE_BYTES_MAX);
	bh_buf_init(&text, PLACE_BYTES_MAX * 2);
	if (at.kind == CEL_MAP)
		line = kube_tree_find(o->tree, at.map, bh_slice_str(field), &path);
	bh_buf_add(&text, o->file);
	if (o->line)
		bh_buf_printf(&text, ":%u", line ? line : o->line);
	bh_buf_printf(&text, ": %.*s %.*s", BH_SLICE_FMT(o->kind), BH_SLICE_FMT(o->name));
	if (path.len) {
		bh_buf_add_byte(&text, ' ');
		bh_buf_add(&text, bh_buf_slice(&path));
	}
	(void)!bh_arena_copy(&c->f->arena, bh_buf_slice(&text), &copy);
	return copy;
}

struct bh_slice paths_name(struct paths_collect *c, struct bh_slice namespace, struct bh_slice name)
{
	const char *text = bh_arena_printf(&c->f->arena, "%.*s/%.*s", BH_SLICE_FMT(namespace), BH_SLICE_FMT(name));
	return bh_slice_str(text);
}

/* ---- the network ---- */

/* Workloads that no policy tells apart. */
struct class {
	struct bh_slice first; /* "shop/web" */
	uint32_t members;
	struct bh_slice name;  /* "shop/web and 3 like it"; empty: not asked for yet */
};

BH_VEC(class_vec, struct class)

struct network {
	struct paths_collect *c;
	struct class_vec classes;
};

static int on_workload(void *ctx, const struct kube_workload *w, uint32_t class)
{
	struct network *n = ctx;
	while (n->classes.len <= class)
		if (!class_vec_push(&n->classes, (struct class){ 0 }))
			return full(n->c);
	struct class *in = &n->classes.ptr[class];
	in->first = in->members++ ? in->first : paths_name(n->c, w->namespace, w->name);
	return 0;
}

/* All members are known by now. */
static struct bh_slice name_of(struct network *n, uint32_t class)
{
	struct class *k = &n->classes.ptr[class];
	if (k->name.len == 0 && k->members > 1)
		k->name = bh_slice_str(bh_arena_printf(&n->c->f->arena, "%.*s and %u that policies treat alike", BH_SLICE_FMT(k->first), k->members - 1));
	else if (k->name.len == 0)
		k->name = k->first;
	return k->name;
}

static int on_link(void *ctx, uint32_t from, uint32_t to, struct bh_slice ports)
{
	struct network *n = ctx;
	const struct bh_slice pair[] = { name_of(n, from), name_of(n, to) };
	return paths_give(n->c, "link", pair, 2, ports);
}

static int on_metadata(void *ctx, uint32_t from, const char *address)
{
	struct network *n = ctx;
	const struct bh_slice class = name_of(n, from);
	return paths_give(n->c, "metadata", &class, 1, bh_slice_str(address));
}

static int on_exposed(void *ctx, const struct kube_workload *w, struct bh_slice source, struct bh_slice ports)
{
	struct network *n = ctx;
	const struct bh_slice name = paths_name(n->c, w->namespace, w->name);
	const char *how = bh_arena_printf(&n->c->f->arena, "%.*s: %.*s", BH_SLICE_FMT(source), BH_SLICE_FMT(ports));
	return paths_give(n->c, "exposed", &name, 1, bh_slice_str(how));
}

/* Which class each workload is in, both ways round: rules look things up by the first argument. */
static int give_classes(void *ctx, const struct kube_workload *w, uint32_t class)
{
	struct network *n = ctx;
	const struct bh_slice name = paths_name(n->c, w->namespace, w->name), of = name_of(n, class);
	const struct bh_slice in[] = { name, of }, member[] = { of, name };
	int rc = paths_give(n->c, "in", in, 2, (struct bh_slice){ 0 });
	rc = rc < 0 ? rc : paths_give(n->c, "member", member, 2, (struct bh_slice){ 0 });
	return rc < 0 ? rc : paths_give(n->c, "class", &of, 1, (struct bh_slice){ 0 });
}

static int find_network(struct paths_collect *c)
{
	struct network n = { .c = c, .classes = { .max = 2 * KUBE_WORKLOADS_MAX } };
	const struct netpol_reach reach = {
		.workload = on_workload, .classes = give_classes, .link = on_link, .metadata = on_metadata, .exposed = on_exposed, .ctx = &n,
	};
	int rc = netpol_reach(c->asked, 0, &reach, c->err);
	class_vec_done(&n.classes);
	return rc;
}

/* ---- namespaces, nodes, secrets ---- */

static bool is_guarded(const struct kube_object *namespace)
{
	struct cel_value labels = namespace ? kube_path(namespace->value, "metadata.labels") : cel_null();
	const struct cel_value *level = labels.kind == CEL_MAP ? cel_map_field(labels.map, ENFORCE) : NULL;
	return level && level->kind == CEL_STRING && (bh_slice_eq_str(level->text, "baseline") || bh_slice_eq_str(level->text, "restricted"));
}

static struct bh_slice place_of_labels(struct paths_collect *c, const struct kube_object *o)
{
	return paths_place(c, o, kube_path(o->value, "metadata"), "labels");
}

static int find_namespaces(struct paths_collect *c)
{
	const struct kube_kind named = kube_world_kind(&c->world, (struct bh_slice){ 0 }, BH_SLICE_LIT("Namespace"));
	const struct logic *l = &c->f->logic;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < named.n; i++)
		rc = paths_give(c, "namespace", &named.objects[i]->name, 1, (struct bh_slice){ 0 });
	for (uint32_t f = logic_next(l, "namespace", LOGIC_NONE); rc == 0 && f != LOGIC_NONE; f = logic_next(l, "namespace", f)) {
		const struct bh_slice name = logic_text(l, l->facts.ptr[f].arguments[0]);
		const struct kube_object *o = kube_world_namespace(&c->world, name);
		if (!is_guarded(o))
			rc = paths_give(c, "unguarded", &name, 1, o ? place_of_labels(c, o) : BH_SLICE_LIT("not among the objects"));
	}
	return rc;
}

static int find_nodes(struct paths_collect *c)
{
	const struct kube_kind nodes = kube_world_kind(&c->world, (struct bh_slice){ 0 }, BH_SLICE_LIT("Node"));
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < nodes.n; i++) {
		struct cel_value labels = kube_path(nodes.objects[i]->value, "metadata.labels");
		const struct bh_slice controls[] = { nodes.objects[i]->name, BH_SLICE_LIT(PATHS_CLUSTER) };
		rc = paths_give(c, "node_name", &nodes.objects[i]->name, 1, (struct bh_slice){ 0 });
		if (rc == 0 && labels.kind == CEL_MAP && (cel_map_field(labels.map, CONTROL_PLANE) || cel_map_field(labels.map, MASTER)))
			rc = paths_give(c, "control_plane", controls, 2, (struct bh_slice){ 0 });
	}
	return rc;
}

static int find_secrets(struct paths_collect *c)
{
	const struct kube_kind secrets = kube_world_kind(&c->world, (struct bh_slice){ 0 }, BH_SLICE_LIT("Secret"));
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < secrets.n; i++) {
		const struct kube_object *o = secrets.objects[i];
		struct cel_value notes = kube_path(o->value, "metadata.annotations");
		const struct cel_value *account = notes.kind == CEL_MAP ? cel_map_field(notes.map, BH_SLICE_LIT("kubernetes.io/service-account.name")) : NULL;
		const struct bh_slice in[] = { kube_namespace(o), paths_name(c, kube_namespace(o), o->name) };
		rc = paths_give(c, "secret_in", in, 2, (struct bh_slice){ 0 });
		if (rc == 0 && account && account->kind == CEL_STRING && bh_slice_eq_str(kube_text(o->value, "type"), "kubernetes.io/service-account-token")) {
			const struct bh_slice token[] = { in[1], paths_name(c, in[0], account->text) };
			rc = paths_give(c, "token_of", token, 2, (struct bh_slice){ 0 });
		}
	}
	return rc;
}

static int give_constants(struct paths_collect *c)
{
	const struct bh_slice cluster = BH_SLICE_LIT(PATHS_CLUSTER), role = BH_SLICE_LIT(CLOUD_ROLE), node = BH_SLICE_LIT(PATHS_SOME_NODE);
	int rc = paths_give(c, "cluster", &cluster, 1, (struct bh_slice){ 0 });
	rc = rc < 0 ? rc : paths_give(c, "cloud_role", &role, 1, (struct bh_slice){ 0 });
	return rc < 0 ? rc : paths_give(c, "node_name", &node, 1, (struct bh_slice){ 0 });
}

/* ---- all of it ---- */

static int init(struct paths_facts *f, struct bh_err *err)
{
	const char *texts[N_RULES];
	*f = (struct paths_facts){ .places = { .max = LOGIC_FACTS_MAX } };
	bh_arena_init(&f->arena, ARENA_BYTES_MAX);
	for (size_t i = 0; i < N_RULES; i++)
		texts[i] = rules[i].text;
	return logic_init(&f->logic, texts, N_RULES, err);
}

int paths_facts_find(struct paths_facts *f, struct kube_asked *asked, struct bh_slice start, struct bh_err *err)
{
	struct paths_collect c = { .f = f, .asked = asked, .workloads = { .max = KUBE_WORKLOADS_MAX }, .err = err };
	c.all = kube_set_objects(kube_asked_set(asked, 0));
	int rc = init(f, err);
	rc = rc < 0 ? rc : kube_world_init(&c.world, c.all, err);
	rc = rc < 0 ? rc : give_constants(&c);
	rc = rc < 0 ? rc : kube_workloads(c.all, &c.workloads, err);
	f->has_pods = c.workloads.len > 0;
	rc = rc < 0 ? rc : find_network(&c);
	rc = rc < 0 ? rc : paths_find_configs(&c);
	rc = rc < 0 ? rc : paths_find_pods(&c);
	rc = rc < 0 ? rc : paths_find_nodes(&c);
	rc = rc < 0 ? rc : paths_find_compose(&c);
	rc = rc < 0 ? rc : find_secrets(&c);
	rc = rc < 0 ? rc : find_nodes(&c);
	rc = rc < 0 ? rc : find_namespaces(&c);
	rc = rc < 0 ? rc : paths_find_rights(&c, start);
	rc = rc < 0 ? rc : paths_find_reports(&c);
	kube_world_done(&c.world);
	kube_workload_vec_done(&c.workloads);
	return rc;
}

void paths_facts_done(struct paths_facts *f)
{
	logic_done(&f->logic);
	paths_place_vec_done(&f->places);
	bh_arena_done(&f->arena);
}

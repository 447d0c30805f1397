/*
 * paths_compose.c: the facts of paths.h about the services of docker-compose files (compose-spec), so that the same rules tell what falls with them: ways to
 * the host, secrets, volumes. A service "web" of the project "shop" is the workload shop/web; all of them run on one host. A project is no namespace: nobody has rights in it.
 */
#include "kube/paths_compose.h"

#include "kube/compose.h"

#define THE_HOST "the host"

int compose_give(const struct compose_service *s, const char *predicate, struct bh_slice second, const char *field)
{
	const struct bh_slice arguments[] = { s->name, second };
	return paths_give(s->c, predicate, arguments, second.len ? 2 : 1, paths_place(s->c, s->file, s->value, field));
}

struct bh_slice compose_text(const struct compose_service *s, struct cel_value v)
{
	struct bh_slice text = v.kind == CEL_STRING ? v.text : (struct bh_slice){ 0 }, copy = { 0 };
	struct bh_buf out;
	if (text.len == 0 || !bh_slice_search(text, "$"))
		return text;
	bh_buf_init(&out, 1u << 16);
	(void)kube_compose_expand(text, NULL, &out); /* a variable that nobody knows leaves nothing */
	(void)!bh_arena_copy(&s->c->f->arena, bh_buf_slice(&out), &copy);
	bh_buf_done(&out);
	return copy;
}

static struct cel_value item(struct cel_value list, size_t i)
{
	return list.kind == CEL_LIST && i < list.list->len ? list.list->items[i] : cel_null();
}

/* ---- ways to the host ---- */

/* Disks and memory: whoever writes there has the host. */
static bool is_telling_device(struct bh_slice path)
{
	static const char *const starts[] = { "/dev/sd", "/dev/nvme", "/dev/vd", "/dev/xvd", "/dev/dm-", "/dev/mapper", "/dev/mem", "/dev/kmem" };
	for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++)
		if (bh_slice_starts(path, bh_slice_str(starts[i])))
			return true;
	return bh_slice_eq_str(path, "/dev");
}

static int give_escape(const struct compose_service *s, const char *what, struct bh_slice which, const char *field)
{
	struct bh_slice how = bh_slice_str(bh_arena_printf(&s->c->f->arena, "%s%.*s", what, BH_SLICE_FMT(which)));
	return how.ptr ? compose_give(s, "escape", how, field) : bh_fail(s->c->err, BH_ELIMIT, 0, "too many services");
}

static int look_at_rights(const struct compose_service *s)
{
	struct cel_value add = kube_get(s->value, "cap_add"), devices = kube_get(s->value, "devices");
	bool host_pid = bh_slice_eq_str(kube_text(s->value, "pid"), "host");
	int rc = cel_is_true(kube_get(s->value, "privileged")) ? give_escape(s, "a privileged container", (struct bh_slice){ 0 }, "privileged") : 0;
	if (rc == 0 && cel_is_true(kube_get(s->value, "use_api_socket")))
		rc = give_escape(s, "the runtime's socket", (struct bh_slice){ 0 }, "use_api_socket");
	for (size_t i = 0; rc == 0 && i < kube_length(add); i++) {
		struct bh_slice name = compose_text(s, item(add, i));
		if (paths_capability_is_dangerous(name, host_pid))
			rc = give_escape(s, "the capability ", name, "cap_add");
	}
	for (size_t i = 0; rc == 0 && i < kube_length(devices); i++) {
		struct cel_value v = item(devices, i);
		struct bh_slice path, rest;
		(void)bh_slice_cut(compose_text(s, v.kind == CEL_MAP ? kube_get(v, "source") : v), ':', &path, &rest);
		if (is_telling_device(path))
			rc = give_escape(s, "the device ", path, "devices");
	}
	return rc;
}

/* ---- volumes ---- */

struct mount {
	struct bh_slice source;
	bool is_bind, is_read_only;
};

static bool is_path(struct bh_slice source)
{
	return source.len && (source.ptr[0] == '/' || source.ptr[0] == '.' || source.ptr[0] == '~');
}

/* "SOURCE:TARGET:ro,z"; a target alone is a volume that nobody shares. */
static struct mount read_short_mount(struct bh_slice text)
{
	struct mount m = { 0 };
	struct bh_slice target, options, word;
	if (!bh_slice_cut(text, ':', &m.source, &target))
		return (struct mount){ 0 };
	(void)bh_slice_cut(target, ':', &target, &options);
	while (options.len) {
		(void)bh_slice_cut(options, ',', &word, &options);
		m.is_read_only |= bh_slice_eq_str(word, "ro");
	}
	m.is_bind = is_path(m.source);
	return m;
}

static struct mount read_mount(const struct compose_service *s, struct cel_value v)
{
	if (v.kind != CEL_MAP)
		return read_short_mount(compose_text(s, v));
	return (struct mount){
		.source = compose_text(s, kube_get(v, "source")), .is_bind = bh_slice_eq_str(kube_text(v, "type"), "bind"), .is_read_only = cel_is_true(kube_get(v, "read_only")),
	};
}

static int look_at_mount(const struct compose_service *s, struct cel_value v)
{
	const struct mount m = read_mount(s, v);
	/* "~" is somebody's home, whoever he is. */
	struct bh_slice path = bh_slice_starts(m.source, BH_SLICE_LIT("~")) ? BH_SLICE_LIT("/home") : m.source, how;
	if (m.source.len == 0 || (!m.is_bind && m.is_read_only))
		return 0;
	if (!m.is_bind)
		return compose_give(s, "mounts", paths_name(s->c, s->file->name, m.source), "volumes");
	int rc = paths_host_path(s->c, path, !m.is_read_only, &how);
	return rc < 0 || how.len == 0 ? rc : compose_give(s, "escape", how, "volumes");
}

/* ---- secrets ---- */

static int give_secret(const struct compose_service *s, struct bh_slice name, const char *field)
{
	return name.len ? compose_give(s, "holds", paths_name(s->c, s->file->name, name), field) : 0;
}

/* Whose name says so: DB_PASSWORD, API_KEY. A file that the value only names is among the secrets. */
bool compose_names_secret(struct bh_slice variable, struct bh_slice value)
{
	static const char *const ends[] = { "PASSWORD", "PASSWD", "PASS", "SECRET", "TOKEN", "API_KEY", "APIKEY", "SECRET_KEY", "ACCESS_KEY", "PRIVATE_KEY" };
	for (size_t i = 0; value.len && i < sizeof(ends) / sizeof(*ends); i++)
		if (bh_slice_ends(variable, bh_slice_str(ends[i])))
			return true;
	return false;
}

/* "NAME=VALUE" in a list, or a map. NAME alone is taken from the shell, and so has a value. */
static int look_at_environment(const struct compose_service *s)
{
	struct cel_value all = kube_get(s->value, "environment");
	struct bh_slice name, value;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < kube_length(all); i++) {
		struct cel_value v = item(all, i);
		bool is_set = v.kind == CEL_STRING && bh_slice_cut(v.text, '=', &name, &value);
		if (!is_set)
			name = value = v.kind == CEL_STRING ? v.text : (struct bh_slice){ 0 };
		rc = compose_names_secret(name, value) ? give_secret(s, name, "environment") : 0;
	}
	for (size_t i = 0; rc == 0 && all.kind == CEL_MAP && i < all.map->len; i++) {
		const struct cel_entry *e = &all.map->entries[i];
		value = e->value.kind == CEL_STRING ? e->value.text : BH_SLICE_LIT("a number, or the shell's");
		rc = compose_names_secret(e->key.text, value) ? give_secret(s, e->key.text, "environment") : 0;
	}
	return rc;
}

static int look_at_secrets(const struct compose_service *s)
{
	struct cel_value all = kube_get(s->value, "secrets");
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < kube_length(all); i++) {
		struct cel_value v = item(all, i);
		rc = give_secret(s, compose_text(s, v.kind == CEL_MAP ? kube_get(v, "source") : v), "secrets");
	}
	rc = rc < 0 ? rc : look_at_environment(s);
	return rc < 0 ? rc : compose_find_env_files(s);
}

/* ---- all of them ---- */

/* What is in other files, which nobody read. */
static int say_what_is_elsewhere(const struct compose_service *s)
{
	static const char *const fields[] = { "extends", "volumes_from" };
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		struct bh_buf path;
		if (kube_get(s->value, fields[i]).kind == CEL_NULL)
			continue;
		bh_buf_init(&path, 4096);
		uint32_t line = kube_tree_find(s->file->tree, s->value.map, bh_slice_str(fields[i]), &path);
		bh_buf_add_str(&path, " is not followed: what it brings is not considered");
		int rc = kube_say_gap(s->c->asked, s->file->file, line, bh_buf_slice(&path), s->c->err);
		bh_buf_done(&path);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int look_at_service(const struct compose_service *s)
{
	const struct bh_slice host = BH_SLICE_LIT(THE_HOST), hosts[] = { host, s->name }, in[] = { s->file->name, s->name };
	struct cel_value volumes = kube_get(s->value, "volumes");
	int rc = paths_give(s->c, "pod_in", in, 2, (struct bh_slice){ 0 });
	rc = rc < 0 ? rc : compose_give(s, "on", host, "image");
	rc = rc < 0 ? rc : paths_give(s->c, "hosts", hosts, 2, (struct bh_slice){ 0 });
	rc = rc < 0 ? rc : look_at_rights(s);
	for (size_t i = 0; rc == 0 && i < kube_length(volumes); i++)
		rc = look_at_mount(s, item(volumes, i));
	rc = rc < 0 ? rc : look_at_secrets(s);
	return rc < 0 ? rc : say_what_is_elsewhere(s);
}

static int add_services(struct paths_collect *c, const struct kube_object *file, struct compose_service_vec *all)
{
	struct cel_value services = kube_get(file->value, "services");
	for (size_t i = 0; i < services.map->len; i++) {
		const struct cel_entry *e = &services.map->entries[i];
		const struct compose_service s = { c, file, paths_name(c, file->name, e->key.text), e->value };
		if (e->key.kind != CEL_STRING || e->value.kind != CEL_MAP)
			continue;
		if (!s.name.ptr || !compose_service_vec_push(all, s))
			return bh_fail(c->err, BH_ELIMIT, 0, "more than %u services of Compose", COMPOSE_SERVICES_MAX);
	}
	return kube_get(file->value, "include").kind == CEL_NULL
		       ? 0
		       : kube_say_gap(c->asked, file->file, file->line, BH_SLICE_LIT("include is not followed: give the files themselves"), c->err);
}

int paths_find_compose(struct paths_collect *c)
{
	struct compose_service_vec all = { .max = COMPOSE_SERVICES_MAX };
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < c->all->len; i++)
		if (kube_is_compose(&c->all->ptr[i]))
			rc = add_services(c, &c->all->ptr[i], &all);
	for (size_t i = 0; rc == 0 && i < all.len; i++)
		rc = look_at_service(&all.ptr[i]);
	rc = rc < 0 ? rc : compose_find_network(&all);
	compose_service_vec_done(&all);
	return rc;
}

/* facts_container.c: containers and pods (facts_parts.h). */
#include "agent/facts_parts.h"

/* ---- containers ---- */

static bool container_id(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	const struct agent_container *c = e->container;
	if (!e->group_is_known)
		return false;
	if (is(o, "container.type"))
		return word(ret, c ? c->type : "host");
	return text(ret, c ? (struct bh_slice){ (const uint8_t *)c->id, is(o, "container.full_id") ? AGENT_ID_BYTES : AGENT_SHORT_ID_BYTES } : BH_SLICE_LIT("host"));
}

/* "docker.io/library/alpine:3.19@sha256:..." */
static bool image_part(struct bh_slice image, const struct guard_operand *o, struct guard_values *ret)
{
	struct bh_slice rest = bh_slice_sub(image, 0, bh_slice_find(image, '@')), base = bh_slice_base(rest);
	size_t colon = bh_slice_find(base, ':');
	if (is(o, "container.image.repository"))
		return has(ret, bh_slice_sub(rest, 0, rest.len - (base.len - colon)));
	return colon < base.len && has(ret, bh_slice_sub(base, colon + 1, base.len));
}

static bool container_text(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	const struct agent_container *c = e->container;
	if (!c)
		return is(o, "container.name") && e->group_is_known && word(ret, "host");
	const struct {
		const char *name;
		struct bh_slice value;
	} texts[] = {
		{ "container.name", c->name }, { "container.image", c->image }, { "container.image.full", c->image }, { "container.image.id", c->image_id }, { "container.image.digest", c->image_digest },
		{ "k8s.pod.name", c->pod_name }, { "k8s.ns.name", c->pod_namespace }, { "k8s.pod.uid", c->pod_uid }, { "k8s.pod.full_sandbox_id", c->pod_sandbox },
		{ "k8s.pod.sandbox_id", bh_slice_sub(c->pod_sandbox, 0, AGENT_SHORT_ID_BYTES) }, { "k8s.pod.id", bh_slice_sub(c->pod_sandbox, 0, AGENT_SHORT_ID_BYTES) },
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (is(o, texts[i].name))
			return has(ret, texts[i].value);
	return image_part(c->image, o, ret);
}

static bool container_kind(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	const struct agent_container *c = e->container;
	if (!c || !c->is_described)
		return false;
	if (is(o, "container.start_ts"))
		return c->started_ns && number(e, ret, (int64_t)c->started_ns);
	if (is(o, "container.duration"))
		return c->started_ns && number(e, ret, (int64_t)(e->host->boot_ns + e->record->time_ns - c->started_ns));
	return yes(ret, is(o, "container.privileged") ? c->is_privileged : is(o, "container.host_pid") ? c->host_pid : is(o, "container.host_network") ? c->host_network : c->host_ipc);
}

static void put_mount(const struct agent_mount *m, struct bh_buf *b)
{
	bh_buf_printf(b, "%.*s:%.*s:%.*s:%s:%.*s", BH_SLICE_FMT(m->source), BH_SLICE_FMT(m->destination), BH_SLICE_FMT(m->mode), m->is_writable ? "true" : "false", BH_SLICE_FMT(m->propagation));
}

/* '*' is any text. */
static bool matches(struct bh_slice pattern, struct bh_slice s)
{
	size_t star = bh_slice_find(pattern, '*');
	if (star == pattern.len)
		return bh_slice_eq(pattern, s);
	return star == pattern.len - 1 && bh_slice_starts(s, bh_slice_sub(pattern, 0, star));
}

/* By number, by destination (container.mount.source), by source (container.mount.dest), the rest by either. */
static const struct agent_mount *mount_of(const struct agent_container *c, const struct guard_operand *o)
{
	uint64_t at;
	if (bh_slice_u64(o->argument, UINT32_MAX, &at))
		return at < c->n_mounts ? &c->mounts[at] : NULL;
	for (size_t i = 0; i < c->n_mounts; i++) {
		const struct agent_mount *m = &c->mounts[i];
		if (!is(o, "container.mount.source") && matches(o->argument, m->source))
			return m;
		if (!is(o, "container.mount.dest") && !is(o, "container.mount") && matches(o->argument, m->destination))
			return m;
	}
	return NULL;
}

static bool container_mount(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	const struct agent_container *c = e->container;
	struct bh_buf b;
	if (!c || !c->is_described)
		return false;
	const struct agent_mount *m = is(o, "container.mounts") ? NULL : mount_of(c, o);
	if (!m && !is(o, "container.mounts"))
		return word(ret, "N/A"); /* as Falco's plug-in says */
	if (m && is(o, "container.mount.source"))
		return has(ret, m->source);
	if (m && is(o, "container.mount.dest"))
		return has(ret, m->destination);
	if (m && is(o, "container.mount.mode"))
		return has(ret, m->mode);
	if (m && is(o, "container.mount.rdwr"))
		return yes(ret, m->is_writable);
	if (m && is(o, "container.mount.propagation"))
		return has(ret, m->propagation);
	bh_buf_init(&b, TEXT_BYTES_MAX);
	for (size_t i = 0; c->mounts && i < c->n_mounts; i++)
		if (!m || m == &c->mounts[i]) {
			bh_buf_add_str(&b, b.len ? "," : "");
			put_mount(&c->mounts[i], &b);
		}
	return written(e, &b, ret);
}

static bool container_label(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	const struct agent_container *c = e->container;
	struct bh_slice name = o->has_argument ? o->argument : o->dotted;
	struct bh_buf b;
	if (!c || !c->is_described)
		return false;
	bool all = is(o, "container.labels");
	bh_buf_init(&b, TEXT_BYTES_MAX);
	for (size_t i = 0; i < c->n_labels; i++) {
		if (!all && bh_slice_eq(c->labels[i].name, name)) {
			bh_buf_done(&b);
			return text(ret, c->labels[i].value);
		}
		if (all)
			bh_buf_printf(&b, "%s%.*s:%.*s", i ? ", " : "", BH_SLICE_FMT(c->labels[i].name), BH_SLICE_FMT(c->labels[i].value));
	}
	if (all)
		return written(e, &b, ret);
	bh_buf_done(&b);
	return false;
}

/* ---- the table ---- */

const struct agent_fact_row agent_container_facts[] = {
	{ "container.id container.full_id container.type", container_id },
	{ "container.name container.image container.image.full container.image.id container.image.digest container.image.repository container.image.tag k8s.pod.name k8s.ns.name k8s.pod.uid "
	  "k8s.pod.full_sandbox_id k8s.pod.sandbox_id k8s.pod.id",
	  container_text },
	{ "container.privileged container.host_pid container.host_network container.host_ipc container.start_ts container.duration", container_kind },
	{ "container.mounts container.mount container.mount.source container.mount.dest container.mount.mode container.mount.rdwr container.mount.propagation", container_mount },
	{ "container.labels container.label", container_label },
	{ NULL, NULL },
};

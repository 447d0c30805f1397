/*
 * paths_reports.c: which workloads can be exploited, by reports of `bulkhead scan -f json` (role 1) about their images. An image counts as exploitable when a
 * finding of its report is known to be exploited (KEV), or can be used over the network without rights or a user's help (CVSS AV:N, PR:N, UI:N) and is
 * high or critical. Without any report every workload is taken to be exploitable: the answer is then the worst case.
 */
#include "kube/paths_collect.h"

struct report {
	struct bh_slice target, reference, digest;
	struct bh_slice worst;          /* the id of the finding; empty: none counts */
	const struct kube_object *object;
};

BH_VEC(report_vec, struct report)

static bool has_part(struct bh_slice vector, const char *part)
{
	struct bh_slice word;
	while (vector.len) {
		(void)bh_slice_cut(vector, '/', &word, &vector);
		if (bh_slice_eq_str(word, part))
			return true;
	}
	return false;
}

static bool counts(struct cel_value finding)
{
	struct bh_slice severity = kube_text(finding, "severity"), vector = kube_text(finding, "cvss.vector");
	if (kube_get(finding, "kev").kind == CEL_MAP)
		return true;
	return (bh_slice_eq_str(severity, "high") || bh_slice_eq_str(severity, "critical")) && has_part(vector, "AV:N") && has_part(vector, "PR:N")
	       && has_part(vector, "UI:N");
}

static struct report read_report(const struct kube_object *o)
{
	struct report r = { .target = kube_text(o->value, "target.text"), .reference = kube_text(o->value, "target.reference"),
			    .digest = kube_text(o->value, "target.digest"), .object = o };
	struct cel_value findings = kube_get(o->value, "findings");
	for (size_t i = 0; findings.kind == CEL_LIST && r.worst.len == 0 && i < findings.list->len; i++)
		if (counts(findings.list->items[i]))
			r.worst = kube_text(findings.list->items[i], "id");
	return r;
}

/* "web:1" is of "registry.example/team/web:1" and of "docker:web:1"; a digest settles it. */
static bool is_of(const struct report *r, struct bh_slice image)
{
	if (r->digest.len && bh_slice_ends(image, r->digest))
		return true;
	if (bh_slice_eq(r->target, image) || bh_slice_eq(r->reference, image))
		return true;
	if (image.len == 0 || !bh_slice_ends(r->target, image))
		return false;
	uint8_t before = r->target.ptr[r->target.len - image.len - 1];
	return before == '/' || before == ':';
}

static const struct report *find_report(const struct report_vec *reports, struct bh_slice image)
{
	for (size_t i = 0; i < reports->len; i++)
		if (is_of(&reports->ptr[i], image))
			return &reports->ptr[i];
	return NULL;
}

static int give_exploitable(struct paths_collect *c, struct bh_slice name, struct bh_slice how)
{
	return paths_give(c, "exploitable", &name, 1, how);
}

static int look_at_image(struct paths_collect *c, const struct report_vec *reports, struct bh_slice name, struct cel_value container)
{
	struct bh_slice image = kube_text(container, "image");
	const struct report *r = find_report(reports, image);
	const char *how = NULL;
	if (reports->len == 0)
		return give_exploitable(c, name, BH_SLICE_LIT("assumed: no report of an image was given"));
	if (!r)
		how = bh_arena_printf(&c->f->arena, "no report of the image %.*s was given", BH_SLICE_FMT(image));
	else if (r->worst.len)
		how = bh_arena_printf(&c->f->arena, "%.*s: %.*s in %.*s", BH_SLICE_FMT(r->object->file), BH_SLICE_FMT(r->worst), BH_SLICE_FMT(image));
	return how ? give_exploitable(c, name, bh_slice_str(how)) : 0;
}

static int look_at_workloads(struct paths_collect *c, const struct report_vec *reports)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < c->workloads.len; i++) {
		const struct kube_workload *w = &c->workloads.ptr[i];
		const struct bh_slice name = paths_name(c, w->namespace, w->name);
		struct cel_value containers = kube_get(w->spec, "containers");
		if (reports->len == 0)
			rc = look_at_image(c, reports, name, cel_null());
		for (size_t k = 0; rc == 0 && reports->len && containers.kind == CEL_LIST && k < containers.list->len; k++)
			rc = look_at_image(c, reports, name, containers.list->items[k]);
	}
	return rc;
}

static int look_at_services(struct paths_collect *c, const struct report_vec *reports)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < c->all->len; i++) {
		const struct kube_object *o = &c->all->ptr[i];
		struct cel_value services = kube_get(o->value, "services");
		for (size_t k = 0; rc == 0 && kube_is_compose(o) && k < services.map->len; k++)
			if (services.map->entries[k].value.kind == CEL_MAP)
				rc = look_at_image(c, reports, paths_name(c, o->name, services.map->entries[k].key.text), services.map->entries[k].value);
	}
	return rc;
}

int paths_find_reports(struct paths_collect *c)
{
	const struct kube_object_vec *objects = kube_set_objects(kube_asked_set(c->asked, 1));
	struct report_vec reports = { .max = KUBE_OBJECTS_MAX };
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < objects->len; i++)
		if (bh_slice_starts(objects->ptr[i].api_version, BH_SLICE_LIT(KUBE_REPORT_SCHEMA)) && !report_vec_push(&reports, read_report(&objects->ptr[i])))
			rc = bh_fail(c->err, BH_ELIMIT, 0, "more than %u reports", KUBE_OBJECTS_MAX);
	c->f->n_reports = reports.len;
	rc = rc < 0 ? rc : look_at_workloads(c, &reports);
	rc = rc < 0 ? rc : look_at_services(c, &reports);
	report_vec_done(&reports);
	return rc;
}

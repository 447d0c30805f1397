/* sbom.c: see sbom.h. A component's package URL becomes a package; properties of its maker tell what the URL leaves out. */
#include "pkg/sbom.h"

#include "model/purl.h"
#include "pkg/rpm.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define COMPONENT_BYTES_MAX (256u << 10) /* memory for the parts of one package URL */
#define TEXT_BYTES_MAX (32u << 10)
#define LICENSE_BYTES_MAX 4096u

/* Of the SBOM that is scanned, as sure as os-release; of one that lies in an image, less than the least of its own files. */
enum rank { RANK_SYSTEM = 100, RANK_URL = 60, RANK_VENDOR = 50, RANK_FOUND_SYSTEM = 8, RANK_FOUND_URL = 6, RANK_FOUND_VENDOR = 4 };

void sbom_init(struct sbom *s, const struct pkg_file *file, const struct pkg_sink *sink)
{
	*s = (struct sbom){ .file = file, .notes.sink = sink };
	bh_buf_init(&s->buf, TEXT_BYTES_MAX);
}

int sbom_done(struct sbom *s, int rc, struct bh_err *err)
{
	if (rc >= 0 && s->nameless)
		rc = pkg_note(&s->notes, 0, err, "components without a package URL: %" PRIu64 " (\"%s\" first); listed, but no ecosystem's advisories are about "
					     "them", s->nameless, s->first_nameless);
	if (rc >= 0)
		rc = pkg_notes_end(&s->notes, s->file->data.len, err);
	bh_buf_done(&s->buf);
	return rc;
}

int sbom_document(struct sbom *s, struct bh_err *err, const char *fmt, ...)
{
	const struct pkg_sink *sink = s->notes.sink;
	char text[128];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return sink->document ? sink->document(sink->ctx, bh_slice_str(text), err) : 0;
}

/* ---- the distribution ---- */

/* What Trivy and others call distributions -> ID of os-release. */
static struct bh_slice os_release_id(struct bh_slice name, struct bh_buf *buf)
{
	static const struct {
		const char *name, *id;
	} others[] = {
		{ "alma", "almalinux" }, { "amazon", "amzn" }, { "cbl-mariner", "mariner" }, { "debian gnu/linux", "debian" }, { "opensuse.leap", "opensuse-leap" },
		{ "opensuse.tumbleweed", "opensuse-tumbleweed" }, { "oracle", "ol" }, { "redhat", "rhel" }, { "red hat enterprise linux", "rhel" },
		{ "suse linux enterprise server", "sles" }, { "alpine linux", "alpine" }, { "rocky linux", "rocky" },
	};
	bh_buf_clear(buf);
	for (size_t i = 0; i < name.len; i++)
		bh_buf_add_byte(buf, bh_lower(name.ptr[i]));
	struct bh_slice lower = bh_buf_slice(buf);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (bh_slice_eq_str(lower, others[i].name))
			return bh_slice_str(others[i].id);
	return lower;
}

static int tell_distro(struct sbom *s, struct bh_distro *d, enum rank target, enum rank found, struct bh_err *err)
{
	const struct pkg_sink *sink = s->notes.sink;
	d->id = os_release_id(bh_slice_sub(d->id, 0, BH_NAME_BYTES_MAX), &s->buf);
	d->rank = s->file->is_target ? target : found;
	d->path = s->file->path;
	if (!pkg_word_ok(d->id, BH_NAME_BYTES_MAX) || bh_slice_eq_str(d->id, "unknown"))
		return 0;
	return sink->distro(sink->ctx, d, err);
}

static int give_system(struct sbom *s, const struct sbom_component *c, struct bh_err *err)
{
	struct bh_slice version, rest;
	(void)bh_slice_cut(bh_slice_trim(c->version), ' ', &version, &rest); /* "2 (Karoo)" */
	struct bh_distro d = { .id = bh_slice_trim(c->name), .version_id = bh_slice_sub(version, 0, BH_VERSION_BYTES_MAX),
			       .name = bh_slice_sub(c->description, 0, BH_NAME_BYTES_MAX) };
	return tell_distro(s, &d, RANK_SYSTEM, RANK_FOUND_SYSTEM, err);
}

static bool begins_with_digit(struct bh_slice s)
{
	return s.len && s.ptr[0] >= '0' && s.ptr[0] <= '9';
}

/* Where "-12" of "debian-12" or "-15.5" of "opensuse-leap-15.5" begins; the length when nothing does. */
static size_t version_dash(struct bh_slice distro)
{
	for (size_t i = 0; i + 1 < distro.len; i++)
		if (distro.ptr[i] == '-' && begins_with_digit(bh_slice_sub(distro, i + 1, 1)))
			return i;
	return distro.len;
}

/* "debian-12", "opensuse-tumbleweed"; "3.19.1" (Trivy, of apk) and "jessie" are the namespace's. */
static void split_distro(struct bh_slice distro, struct bh_distro *d)
{
	struct bh_slice rest;
	size_t dash = version_dash(distro);
	bool is_id = dash < distro.len || bh_slice_find(distro, '-') < distro.len || bh_slice_eq(distro, d->id) || d->id.len == 0;
	if (begins_with_digit(distro)) {
		d->version_id = distro;
	} else if (!is_id) {
		d->codename = distro;
	} else {
		d->id = bh_slice_sub(distro, 0, dash);
		(void)bh_slice_cut(bh_slice_sub(distro, dash + 1, distro.len), ' ', &d->version_id, &rest);
	}
}

/* By "distro="; without one the namespace says whose packages they are. */
static int distro_of_url(struct sbom *s, const struct bh_purl *url, struct bh_err *err)
{
	struct bh_slice distro = bh_purl_value(url, "distro");
	struct bh_distro d = { .id = url->namespace };
	if (s->distro_told)
		return 0;
	if (distro.len == 0)
		return tell_distro(s, &d, RANK_VENDOR, RANK_FOUND_VENDOR, err);
	s->distro_told = true;
	split_distro(distro, &d);
	return tell_distro(s, &d, RANK_URL, RANK_FOUND_URL, err);
}

/* ---- the source package ---- */

/* "EPOCH:VERSION-RELEASE" of its parts; empty when there is no version. */
static struct bh_slice join_version(struct bh_slice epoch, struct bh_slice version, struct bh_slice release, struct bh_arena *arena)
{
	bool has_epoch = epoch.len && !bh_slice_eq_str(epoch, "0") && bh_slice_find(version, ':') == version.len;
	if (version.len == 0 || (!has_epoch && release.len == 0))
		return version;
	char *text = bh_arena_printf(arena, "%.*s%s%.*s%s%.*s", BH_SLICE_FMT(has_epoch ? epoch : (struct bh_slice){ 0 }), has_epoch ? ":" : "",
				     BH_SLICE_FMT(version), release.len ? "-" : "", BH_SLICE_FMT(release));
	return bh_slice_str(text ? text : "");
}

/* "upstream=openssl", "upstream=gcc-12@12.2.0-14", "upstream=bash-5.1-2.el9.src.rpm". */
static void take_upstream(const struct bh_purl *url, struct bh_package *p, struct bh_arena *arena)
{
	struct bh_slice upstream = bh_purl_value(url, "upstream"), version;
	if (bh_slice_eq_str(url->type, "rpm") && pkg_rpm_split_source(upstream, &p->source_name, &version)) {
		p->source_version = join_version(bh_purl_value(url, "epoch"), version, (struct bh_slice){ 0 }, arena);
		return;
	}
	(void)bh_slice_cut(upstream, '@', &p->source_name, &p->source_version);
}

static void take_source(const struct sbom_component *c, const struct bh_purl *url, struct bh_package *p, struct bh_arena *arena)
{
	take_upstream(url, p, arena);
	if (c->source_name.len)
		p->source_name = c->source_name;
	if (c->source_version.len)
		p->source_version = join_version(c->source_epoch, c->source_version, c->source_release, arena);
	if (!pkg_word_ok(p->source_name, BH_NAME_BYTES_MAX) || bh_slice_eq(p->source_name, p->name))
		p->source_name = (struct bh_slice){ 0 };
	if (!pkg_word_ok(p->source_version, BH_VERSION_BYTES_MAX) || bh_slice_eq(p->source_version, p->version))
		p->source_version = (struct bh_slice){ 0 };
}

/* ---- packages ---- */

static bool is_image(const struct bh_purl *url)
{
	return bh_slice_eq_str(url->type, "oci") || bh_slice_eq_str(url->type, "docker");
}

static struct bh_slice first_of(struct bh_slice a, struct bh_slice b)
{
	return a.len ? a : b;
}

/* Modules' versions begin with "v"; Trivy leaves it out. The standard library's don't. */
static struct bh_slice go_version(const struct bh_purl *url, struct bh_slice version, struct bh_arena *arena)
{
	bool bare = version.len && version.ptr[0] >= '0' && version.ptr[0] <= '9' && !bh_slice_eq_str(url->name, "stdlib");
	char *text = bare ? bh_arena_printf(arena, "v%.*s", BH_SLICE_FMT(version)) : NULL;
	return text ? bh_slice_str(text) : version;
}

static struct bh_slice version_of(const struct sbom_component *c, const struct bh_purl *url, struct bh_arena *arena)
{
	struct bh_slice version = first_of(url->version, c->version);
	if (bh_slice_eq_str(url->type, "golang"))
		return go_version(url, version, arena);
	if (bh_slice_eq_str(url->type, "rpm") || bh_slice_eq_str(url->type, "deb"))
		return join_version(bh_purl_value(url, "epoch"), version, (struct bh_slice){ 0 }, arena);
	return version;
}

/* As the component has it when that is the URL's but for the case, which URLs of some types lack: "Django". */
static bool name_of(const struct sbom_component *c, const struct bh_purl *url, struct bh_arena *arena, struct bh_slice *ret)
{
	struct bh_buf x, y;
	struct bh_purl a = { .type = url->type, .name = url->name }, b = { .type = url->type, .name = c->name };
	if (!bh_purl_package_name(url, arena, ret))
		return false;
	if (!bh_slice_eq(*ret, url->name)) /* it has other parts */
		return true;
	bh_buf_init(&x, TEXT_BYTES_MAX);
	bh_buf_init(&y, TEXT_BYTES_MAX);
	if (bh_purl_write(&a, &x) && bh_purl_write(&b, &y) && bh_slice_eq(bh_buf_slice(&x), bh_buf_slice(&y)))
		*ret = c->name;
	bh_buf_done(&x);
	bh_buf_done(&y);
	return true;
}

/* In an image the SBOM is the place; when the SBOM itself is scanned, the file that it names is. */
static struct bh_location place_of(const struct sbom *s, const struct sbom_component *c)
{
	struct bh_location at = { .line = c->line, .evidence = BH_EVIDENCE_SBOM };
	struct bh_slice path = c->location.len && c->location.ptr[0] == '/' ? bh_slice_sub(c->location, 1, c->location.len) : c->location;
	if (!s->file->is_target || path.len == 0 || path.len > BH_PATH_BYTES_MAX || memchr(path.ptr, '\0', path.len))
		return at;
	at.path = path;
	at.line = c->location_line;
	return at;
}

static struct bh_package common(const struct sbom *s, const struct sbom_component *c)
{
	return (struct bh_package){
		.license = bh_slice_sub(c->license, 0, LICENSE_BYTES_MAX),
		.vendor = bh_slice_sub(c->vendor, 0, BH_NAME_BYTES_MAX),
		.sha1 = c->sha1.len == 40 ? c->sha1 : (struct bh_slice){ 0 },
		.scope = c->scope,
		.at = place_of(s, c),
	};
}

/* The URL in its canonical form, with the package's version; only rpm's have the epoch beside it. */
static void write_url(const struct bh_purl *url, struct bh_slice version, struct bh_buf *out)
{
	struct bh_purl own = *url;
	bool rpm = bh_slice_eq_str(url->type, "rpm");
	if (!rpm)
		own.version = version;
	for (size_t i = 0; !rpm && i < own.n_qualifiers; i++)
		if (bh_slice_eq_str(own.qualifiers[i].key, "epoch"))
			own.qualifiers[i].value = (struct bh_slice){ 0 };
	bh_buf_clear(out);
	if (!bh_purl_write(&own, out))
		bh_buf_clear(out); /* a name that no URL can hold: the package stays, without one */
}

static int give_url(struct sbom *s, const struct sbom_component *c, const struct bh_purl *url, struct bh_arena *arena, struct bh_err *err)
{
	struct bh_package p = common(s, c);
	if (is_image(url))
		return 0;
	bool distro = bh_purl_type_is_distro(url->type);
	int rc = distro && url->namespace.len ? distro_of_url(s, url, err) : 0;
	if (rc < 0)
		return rc;
	p.type = url->type;
	p.version = version_of(c, url, arena);
	p.arch = first_of(bh_purl_value(url, "arch"), c->arch);
	if (bh_slice_eq_str(p.arch, "None")) /* rpm's own keys, by Trivy */
		p.arch.len = 0;
	p.modularity = first_of(c->modularity, first_of(bh_purl_value(url, "rpmmod"), bh_purl_value(url, "modularitylabel")));
	if (!name_of(c, url, arena, &p.name))
		return bh_fail(err, BH_ENOMEM, c->offset_bytes, "out of memory for a component");
	if (distro)
		take_source(c, url, &p, arena);
	else
		p.owner = bh_slice_sub(c->owner, 0, BH_PATH_BYTES_MAX);
	write_url(url, p.version, &s->buf);
	p.purl = bh_buf_slice(&s->buf);
	return pkg_give(&s->notes, &p, c->offset_bytes, err);
}

/* Listed all the same, by the name that it has. */
static int give_nameless(struct sbom *s, const struct sbom_component *c, struct bh_err *err)
{
	struct bh_package p = common(s, c);
	bool known = pkg_word_ok(c->type, BH_NAME_BYTES_MAX);
	p.type = known ? c->type : BH_SLICE_LIT("generic");
	p.version = c->version;
	bh_buf_clear(&s->buf);
	bh_buf_add(&s->buf, c->group);
	bh_buf_add_str(&s->buf, c->group.len ? "/" : "");
	bh_buf_add(&s->buf, c->name);
	p.name = bh_buf_slice(&s->buf);
	if (!known && pkg_word_ok(p.name, BH_NAME_BYTES_MAX) && s->nameless++ == 0)
		(void)snprintf(s->first_nameless, sizeof(s->first_nameless), "%.*s", BH_SLICE_FMT(bh_slice_sub(p.name, 0, 100)));
	return pkg_give(&s->notes, &p, c->offset_bytes, err);
}

int sbom_give(struct sbom *s, const struct sbom_component *c, struct bh_err *err)
{
	if (c->kind == SBOM_SYSTEM)
		return give_system(s, c, err);
	if (c->purl.len == 0)
		return c->kind == SBOM_PACKAGE ? give_nameless(s, c, err) : 0;
	struct bh_arena arena;
	struct bh_purl url;
	bh_arena_init(&arena, COMPONENT_BYTES_MAX);
	int rc = bh_purl_parse(bh_slice_trim(c->purl), &arena, &url) ? give_url(s, c, &url, &arena, err) :
		 pkg_note(&s->notes, c->offset_bytes, err, "line %u: \"%.*s\" is no package URL", c->line, BH_SLICE_FMT(bh_slice_sub(c->purl, 0, 100)));
	bh_arena_done(&arena);
	return rc;
}

/* ---- words ---- */

void sbom_property(struct sbom_component *c, struct bh_slice name, struct bh_slice value)
{
	static const struct bh_slice yes = { (const uint8_t *)"true", 4 };
	struct {
		const char *name;
		struct bh_slice *slot;
	} slots[] = {
		{ "aquasecurity:trivy:SrcName", &c->source_name }, { "aquasecurity:trivy:SrcVersion", &c->source_version },
		{ "aquasecurity:trivy:SrcRelease", &c->source_release }, { "aquasecurity:trivy:SrcEpoch", &c->source_epoch },
		{ "aquasecurity:trivy:Modularitylabel", &c->modularity }, { "aquasecurity:trivy:FilePath", &c->location },
		{ "bulkhead:source:name", &c->source_name }, { "bulkhead:source:version", &c->source_version },
		{ "bulkhead:modularity", &c->modularity }, { "bulkhead:package:arch", &c->arch }, { "bulkhead:package:type", &c->type },
		{ "bulkhead:owner", &c->owner },
		{ "bulkhead:license", &c->license }, { "syft:location:0:path", &c->location }, { "syft:metadata:modularityLabel", &c->modularity },
		{ "SrcFile", &c->location },
	};
	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
		if (bh_slice_eq_str(name, slots[i].name))
			*slots[i].slot = value;
	if (bh_slice_eq_str(name, "cdx:npm:package:development") && bh_slice_eq(value, yes))
		c->scope = BH_SCOPE_DEVELOPMENT;
	if (bh_slice_eq_str(name, "aquasecurity:trivy:Class") && c->kind == SBOM_PACKAGE)
		c->kind = SBOM_OTHER; /* a lockfile or folder that Trivy groups packages under */
}

bool sbom_add_license(struct bh_slice *list, struct bh_slice item, struct bh_arena *arena)
{
	item = bh_slice_sub(item, 0, LICENSE_BYTES_MAX);
	if (list->len == 0)
		return bh_arena_copy(arena, item, list);
	if (item.len == 0 || list->len + item.len > LICENSE_BYTES_MAX)
		return true;
	char *text = bh_arena_printf(arena, "%.*s AND %.*s", BH_SLICE_FMT(*list), BH_SLICE_FMT(item));
	if (text)
		*list = bh_slice_str(text);
	return text != NULL;
}

static int check_version(const char *format, struct bh_slice version, const char *const *known, struct bh_err *err)
{
	size_t last = 0;
	for (; known[last]; last++)
		if (bh_slice_eq_str(version, known[last]))
			return 0;
	if (version.len == 0)
		return bh_fail(err, BH_EMALFORMED, 0, "%s without a version; %s to %s are read", format, known[0], known[last - 1]);
	return bh_fail(err, BH_EUNSUPPORTED, 0, "%s %.*s is not read; %s to %s are", format, BH_SLICE_FMT(bh_slice_sub(version, 0, 40)), known[0],
		       known[last - 1]);
}

int sbom_cyclonedx_version(struct bh_slice version, struct bh_err *err)
{
	static const char *const known[] = { "1.4", "1.5", "1.6", "1.7", NULL };
	return check_version("CycloneDX", version, known, err);
}

int sbom_spdx_version(struct bh_slice version, struct bh_err *err)
{
	static const char *const known[] = { "SPDX-2.2", "SPDX-2.3", NULL };
	return check_version("SPDX of version", version, known, err);
}

enum sbom_kind sbom_cyclonedx_kind(struct bh_slice type)
{
	static const char *const packages[] = { "", "application", "framework", "library", "platform", "firmware", "device-driver", NULL };
	if (bh_slice_eq_str(type, "operating-system"))
		return SBOM_SYSTEM;
	return bh_slice_is_one_of(type, packages) ? SBOM_PACKAGE : SBOM_OTHER;
}

enum bh_scope sbom_cyclonedx_scope(struct bh_slice scope)
{
	if (bh_slice_eq_str(scope, "excluded"))
		return BH_SCOPE_DEVELOPMENT;
	return bh_slice_eq_str(scope, "optional") ? BH_SCOPE_OPTIONAL : BH_SCOPE_RUNTIME;
}

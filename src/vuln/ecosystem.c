/*
 * ecosystem.c: distribution or package type -> OSV ecosystem.
 *
 * Names are those of https://ossf.github.io/osv-schema/#defined-ecosystems, and in their style where OSV has none (Oracle
 * Linux, Amazon Linux, Fedora). What stands behind the colon is the release as the distribution's advisories count:
 *
 *     debian 12.5 -> Debian:12      ubuntu 22.04 -> Ubuntu:22.04:LTS      alpine 3.19.1 -> Alpine:v3.19
 *     rocky 9.3 -> Rocky Linux:9    opensuse-leap 15.5 -> openSUSE:Leap 15.5    sles 15.5 -> SUSE:Linux Enterprise Server 15 SP5
 */
#include "vuln/ecosystem.h"

#include "model/purl.h"
#include "vuln/package_name.h"

enum release {
	WHOLE,      /* "39", "2023" */
	MAJOR,      /* "9.3" -> "9" */
	MINOR,      /* "3.19.1" -> "3.19" */
	NONE,       /* rolling: the name alone */
	RULE_ALPINE,
	RULE_DEBIAN,
	RULE_UBUNTU,
	RULE_RHEL,
	RULE_SLE,
};

static const struct distro_rule {
	const char *id, *type, *ecosystem;
	enum release release;
} distro_rules[] = {
	{ "debian", "deb", "Debian", RULE_DEBIAN },
	{ "ubuntu", "deb", "Ubuntu", RULE_UBUNTU },
	{ "alpine", "apk", "Alpine", RULE_ALPINE },
	{ "wolfi", "apk", "Wolfi", NONE },
	{ "chainguard", "apk", "Chainguard", NONE },
	{ "minimos", "apk", "MinimOS", NONE },
	{ "alpaquita", "apk", "Alpaquita", WHOLE },
	{ "almalinux", "rpm", "AlmaLinux", MAJOR },
	{ "rocky", "rpm", "Rocky Linux", MAJOR },
	{ "rhel", "rpm", "Red Hat", RULE_RHEL },
	{ "centos", "rpm", "CentOS", MAJOR },
	{ "ol", "rpm", "Oracle Linux", MAJOR },
	{ "amzn", "rpm", "Amazon Linux", WHOLE },
	{ "fedora", "rpm", "Fedora", WHOLE },
	{ "opensuse-leap", "rpm", "openSUSE:Leap ", MINOR },
	{ "opensuse-tumbleweed", "rpm", "openSUSE:Tumbleweed", NONE },
	{ "sles", "rpm", "SUSE:Linux Enterprise Server", RULE_SLE },
	{ "sled", "rpm", "SUSE:Linux Enterprise Desktop", RULE_SLE },
	{ "azurelinux", "rpm", "Azure Linux", MAJOR },
	{ "mariner", "rpm", "Azure Linux", MAJOR }, /* its name up to release 2 */
	{ "photon", "rpm", "Photon OS", MINOR },
	{ "openEuler", "rpm", "openEuler", WHOLE },
	{ "mageia", "rpm", "Mageia", WHOLE },
	{ "arch", "alpm", "Arch Linux", NONE },
};

/* Somebody publishes advisories for these, in no form that a feed here reads. */
static const char *const uncollected_types[] = { "cpan", "otp", "pear", "wordpress-plugin", "wordpress-theme" };

/*
 * Programs found by their content, type "generic", and the application of Bitnami that is the same product. Bitnami's records of them repeat what
 * the makers announce about versions of their own, so they hold for every build of those sources; the revisions of Bitnami's packages
 * don't matter here. Only products that Bitnami names alike are in this list.
 */
static const struct {
	const char *program, *application;
} programs[] = {
	{ "apache", "apache" },         { "consul", "consul" },     { "envoy", "envoy" },           { "erlang", "erlang" },         { "etcd", "etcd" },
	{ "go", "golang" },             { "haproxy", "haproxy" },   { "httpd", "apache" },          { "java", "java" },             { "jdk", "java" },
	{ "jre", "jre" },               { "keydb", "keydb" },       { "libphp", "libphp" },         { "mariadb", "mariadb" },       { "memcached", "memcached" },
	{ "mongodb", "mongodb" },       { "mysql", "mysql" },       { "nginx", "nginx" },           { "node", "node" },             { "nodejs", "node" },
	{ "openjdk", "java" },          { "openldap", "openldap" }, { "php", "php" },               { "postgres", "postgresql" },   { "postgresql", "postgresql" },
	{ "powershell", "powershell" }, { "python", "python" },     { "rabbitmq", "rabbitmq" },     { "redis", "redis" },           { "ruby", "ruby" },
	{ "sqlite", "sqlite" },         { "traefik", "traefik" },   { "valkey", "valkey" },         { "vault", "vault" },           { "wordpress", "wordpress" },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool is_number(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	return s.len > 0;
}

/* The first n parts of a dotted version; whatever is behind an underscore ("3.21.0_alpha") is no part. */
static struct bh_slice parts(struct bh_slice version, unsigned n)
{
	size_t i = 0;
	for (; i < version.len && version.ptr[i] != '_'; i++)
		if (version.ptr[i] == '.' && --n == 0)
			break;
	return bh_slice_sub(version, 0, i);
}

/* LTS: each April of an even year, and 6.06. */
static bool ubuntu_is_lts(struct bh_slice version)
{
	struct bh_slice year, month;
	if (!bh_slice_cut(version, '.', &year, &month) || !is_number(year))
		return false;
	return bh_slice_eq_str(version, "6.06") || (bh_slice_eq_str(month, "04") && (year.ptr[year.len - 1] - '0') % 2 == 0);
}

/* Versions that only Ubuntu Pro delivers say so: "1.1.1f-1ubuntu2.24+esm1". They are judged by Pro's own advisories. */
static bool ubuntu_is_pro(struct bh_slice version)
{
	return bh_slice_search(version, "esm");
}

/* "15.5" -> "15 SP5", "15" -> "15" */
static char *sle_release(struct bh_slice version, struct bh_arena *a)
{
	struct bh_slice major, pack;
	bool has_pack = bh_slice_cut(version, '.', &major, &pack) && !bh_slice_eq_str(pack, "0");
	return has_pack ? bh_arena_printf(a, "%.*s SP%.*s", BH_SLICE_FMT(major), BH_SLICE_FMT(pack)) : bh_arena_strdup(a, major);
}

static char *name_sle(const struct distro_rule *r, struct bh_slice version, struct bh_arena *a, struct vuln_place *ret)
{
	char *release = sle_release(version, a), *suffix = release ? bh_arena_printf(a, " %s", release) : NULL;
	if (!suffix)
		return NULL;
	ret->prefix = BH_SLICE_LIT("SUSE:Linux Enterprise "); /* modules: "SUSE:Linux Enterprise Module for Basesystem 15 SP5" */
	ret->suffix = bh_slice_str(suffix);
	return bh_arena_printf(a, "%s %s", r->ecosystem, release);
}

static char *name_rhel(struct bh_slice version, struct bh_arena *a, struct vuln_place *ret)
{
	char *name = bh_arena_printf(a, "Red Hat:enterprise_linux:%.*s", BH_SLICE_FMT(parts(version, 1)));
	char *prefix = name ? bh_arena_printf(a, "%s::", name) : NULL; /* "...:9::appstream"; EUS and its like are other products */
	if (!prefix)
		return NULL;
	ret->prefix = bh_slice_str(prefix);
	return name;
}

static char *name_of(const struct distro_rule *r, const struct bh_distro *d, const struct bh_package *p, struct bh_arena *a, struct vuln_place *ret)
{
	struct bh_slice v = d->version_id;
	switch (r->release) {
	case NONE: return bh_arena_strdup(a, bh_slice_str(r->ecosystem));
	case MAJOR: return bh_arena_printf(a, "%s:%.*s", r->ecosystem, BH_SLICE_FMT(parts(v, 1)));
	case MINOR: return bh_arena_printf(a, "%s%s%.*s", r->ecosystem, strchr(r->ecosystem, ':') ? "" : ":", BH_SLICE_FMT(parts(v, 2)));
	case WHOLE: return bh_arena_printf(a, "%s:%.*s", r->ecosystem, BH_SLICE_FMT(v));
	case RULE_ALPINE:
		if (bh_slice_eq_str(d->codename, "edge"))
			return bh_arena_strdup(a, BH_SLICE_LIT("Alpine:edge"));
		return bh_arena_printf(a, "Alpine:v%.*s", BH_SLICE_FMT(parts(v, 2)));
	case RULE_DEBIAN: return bh_arena_printf(a, "Debian:%.*s", BH_SLICE_FMT(parts(v, 1)));
	case RULE_UBUNTU:
		return bh_arena_printf(a, "Ubuntu:%s%.*s%s", ubuntu_is_pro(bh_package_source_version(p)) ? "Pro:" : "", BH_SLICE_FMT(v),
				       ubuntu_is_lts(v) ? ":LTS" : "");
	case RULE_RHEL: return name_rhel(v, a, ret);
	case RULE_SLE: return name_sle(r, v, a, ret);
	}
	return NULL;
}

static const struct distro_rule *find_rule(const struct bh_distro *d)
{
	for (size_t i = 0; i < COUNT(distro_rules); i++)
		if (bh_slice_eq_str(d->id, distro_rules[i].id))
			return &distro_rules[i];
	return NULL;
}

/* A package that no advisory can be about: say whose it is, and why. */
static bool nowhere(const struct bh_distro *d, const struct bh_package *p, struct bh_arena *a, const char *why, struct vuln_place *ret)
{
	char *name = d->id.len ? bh_arena_printf(a, "%.*s packages of %.*s%s%.*s", BH_SLICE_FMT(p->type), BH_SLICE_FMT(d->id),
						 d->version_id.len ? " " : "", BH_SLICE_FMT(d->version_id))
			       : bh_arena_printf(a, "%.*s packages of an unknown distribution", BH_SLICE_FMT(p->type));
	if (!name)
		return false;
	*ret = (struct vuln_place){ .name = bh_slice_str(name), .why_not = why };
	return true;
}

static bool place_of_distro(const struct bh_distro *d, const struct bh_package *p, struct bh_arena *a, struct vuln_place *ret)
{
	const struct distro_rule *r = find_rule(d);
	if (d->id.len == 0)
		return nowhere(d, p, a, "not checked: the image does not say which distribution it is", ret);
	if (!r && d->id_like.len)
		return nowhere(d, p, a, "not checked: a derivative; the advisories of its parent don't hold for its own builds", ret);
	if (!r)
		return nowhere(d, p, a, "not checked: no advisories are known for this distribution", ret);
	if (!bh_slice_eq_str(p->type, r->type))
		return nowhere(d, p, a, "not checked: not the package type of this distribution", ret);
	if (d->version_id.len == 0 && r->release != NONE)
		return nowhere(d, p, a, "not checked: the image does not say which release it is (testing and rolling branches don't)", ret);
	struct vuln_place place = { .by_source = strcmp(r->type, "deb") == 0 || strcmp(r->type, "apk") == 0 };
	place.source_word = !place.by_source ? "package" : strcmp(r->type, "apk") == 0 ? "origin" : "source";
	char *name = name_of(r, d, p, a, &place);
	if (!name)
		return false;
	place.name = bh_slice_str(name);
	place.package = place.by_source ? bh_package_source_name(p) : p->name;
	place.scheme = version_scheme_for_ecosystem(place.name);
	*ret = place;
	return true;
}

static struct vuln_place place_in(const char *ecosystem, struct bh_slice package)
{
	struct bh_slice name = bh_slice_str(ecosystem);
	return (struct vuln_place){ .name = name, .package = package, .scheme = version_scheme_for_ecosystem(name), .source_word = "package" };
}

static struct vuln_place place_of_program(const struct bh_package *p)
{
	for (size_t i = 0; i < COUNT(programs); i++)
		if (bh_slice_eq_str(p->name, programs[i].program)) {
			struct vuln_place place = place_in("Bitnami", bh_slice_str(programs[i].application));
			place.source_word = "by Bitnami's records of the same program,";
			return place;
		}
	return (struct vuln_place){ .name = BH_SLICE_LIT("programs found by their content"),
				    .why_not = "not checked: no advisories are collected for these programs" };
}

/* Not of a distribution. */
static bool place_of_language(const struct bh_package *p, struct bh_arena *arena, struct vuln_place *ret)
{
	if (bh_slice_eq_str(p->type, "generic")) {
		*ret = place_of_program(p);
		return true;
	}
	const char *ecosystem = version_ecosystem_of_type(p->type);
	if (ecosystem) {
		*ret = place_in(ecosystem, p->name);
		return vuln_package_name(ret->name, p->name, arena, &ret->package);
	}
	for (size_t i = 0; i < COUNT(uncollected_types); i++)
		if (bh_slice_eq_str(p->type, uncollected_types[i])) {
			*ret = (struct vuln_place){ .name = p->type, .why_not = "not checked: no advisories are collected for packages of this type" };
			return true;
		}
	*ret = (struct vuln_place){ .name = p->type, .why_not = "nobody publishes advisories for packages of this type", .unpublished = true };
	return true;
}

bool vuln_place_of(const struct bh_distro *distro, const struct bh_package *package, struct bh_arena *arena, struct vuln_place *ret)
{
	return bh_purl_type_is_distro(package->type) ? place_of_distro(distro, package, arena, ret) : place_of_language(package, arena, ret);
}

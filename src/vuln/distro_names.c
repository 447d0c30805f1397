/* distro_names.c: see distro_names.h. */
#include "vuln/distro_names.h"

#include "model/purl.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* The digits (and dots, when `dots`) that s begins with. */
static struct bh_slice leading_number(struct bh_slice s, bool dots)
{
	size_t n = 0;
	while (n < s.len && (is_digit(s.ptr[n]) || (dots && n && s.ptr[n] == '.')))
		n++;
	return bh_slice_sub(s, 0, n);
}

static struct bh_slice join(struct bh_arena *arena, const char *before, struct bh_slice middle, const char *after)
{
	char *text = bh_arena_printf(arena, "%s%.*s%s", before, BH_SLICE_FMT(middle), after);
	return bh_slice_str(text ? text : "");
}

/* ---- releases ---- */

static const struct {
	const char *codename, *ecosystem;
} ubuntus[] = {
	{ "trusty", "Ubuntu:14.04:LTS" }, { "xenial", "Ubuntu:16.04:LTS" }, { "bionic", "Ubuntu:18.04:LTS" }, { "focal", "Ubuntu:20.04:LTS" },
	{ "jammy", "Ubuntu:22.04:LTS" },  { "kinetic", "Ubuntu:22.10" },    { "lunar", "Ubuntu:23.04" },      { "mantic", "Ubuntu:23.10" },
	{ "noble", "Ubuntu:24.04:LTS" },  { "oracular", "Ubuntu:24.10" },   { "plucky", "Ubuntu:25.04" },     { "questing", "Ubuntu:25.10" },
	{ "resolute", "Ubuntu:26.04:LTS" },
};

struct bh_slice vuln_ubuntu_of_codename(struct bh_slice codename)
{
	for (size_t i = 0; i < COUNT(ubuntus); i++)
		if (bh_slice_eq_str(codename, ubuntus[i].codename))
			return bh_slice_str(ubuntus[i].ecosystem);
	return (struct bh_slice){ 0 };
}

/* "22.04": the name in the table says whether it is an LTS. */
static struct bh_slice ubuntu_of_number(struct bh_arena *arena, struct bh_slice number)
{
	for (size_t i = 0; i < COUNT(ubuntus); i++) {
		struct bh_slice known = bh_slice_str(ubuntus[i].ecosystem + strlen("Ubuntu:"));
		if (bh_slice_starts(known, number) && (known.len == number.len || known.ptr[number.len] == ':'))
			return bh_slice_str(ubuntus[i].ecosystem);
	}
	return join(arena, "Ubuntu:", number, "");
}

struct bh_slice vuln_release_of_product(struct bh_arena *arena, struct bh_slice product)
{
	enum rule { NUMBER, DOTTED, REST, UBUNTU };
	static const struct {
		const char *prefix, *ecosystem;
		enum rule rule;
	} rules[] = {
		{ "Red Hat Enterprise Linux ", "Red Hat:enterprise_linux:", NUMBER },
		{ "Oracle Linux ", "Oracle Linux:", NUMBER },
		{ "SUSE ", "SUSE:", REST },
		{ "openSUSE ", "openSUSE:", REST },
		{ "Ubuntu ", "", UBUNTU },
		{ "AlmaLinux ", "AlmaLinux:", NUMBER },
		{ "Rocky Linux ", "Rocky Linux:", NUMBER },
		{ "CentOS Linux ", "CentOS:", NUMBER },
		{ "Fedora ", "Fedora:", NUMBER },
		{ "Amazon Linux ", "Amazon Linux:", NUMBER },
		{ "Azure Linux ", "Azure Linux:", NUMBER },
		{ "CBL-Mariner ", "Azure Linux:", NUMBER },
		{ "Debian GNU/Linux ", "Debian:", NUMBER },
		{ "VMware Photon OS ", "Photon OS:", DOTTED },
	};
	for (size_t i = 0; i < COUNT(rules); i++) {
		if (!bh_slice_starts(product, bh_slice_str(rules[i].prefix)))
			continue;
		struct bh_slice rest = bh_slice_trim(bh_slice_sub(product, strlen(rules[i].prefix), product.len));
		struct bh_slice part = rules[i].rule == REST ? rest : leading_number(rest, rules[i].rule != NUMBER);
		if (part.len == 0)
			break;
		return rules[i].rule == UBUNTU ? ubuntu_of_number(arena, part) : join(arena, rules[i].ecosystem, part, "");
	}
	return (struct bh_slice){ 0 };
}

struct bh_slice vuln_release_of_tag(struct bh_arena *arena, const char *family, struct bh_slice release)
{
	static const struct {
		const char *tag, *ecosystem; /* NULL: the family's */
	} tags[] = {
		{ ".azl", "Azure Linux" }, { ".cm", "Azure Linux" },   { ".amzn", "Amazon Linux" }, { ".fc", "Fedora" },
		{ ".ph", "Photon OS" },    { ".el", NULL },            { "_el", NULL },             { "+el", NULL },
	};
	for (size_t i = 0; i < COUNT(tags); i++) {
		const char *name = tags[i].ecosystem ? tags[i].ecosystem : family;
		const uint8_t *at = name ? bh_slice_search(release, tags[i].tag) : NULL;
		if (!at)
			continue;
		size_t from = (size_t)(at - release.ptr) + strlen(tags[i].tag);
		struct bh_slice number = leading_number(bh_slice_sub(release, from, release.len), false);
		if (number.len == 0)
			continue;
		if (strcmp(tags[i].tag, ".amzn") == 0 && bh_slice_eq_str(number, "1"))
			number = BH_SLICE_LIT("2018.03"); /* as its os-release has it */
		bool is_photon = strcmp(tags[i].tag, ".ph") == 0; /* its releases have a minor number that tags lack */
		char *text = bh_arena_printf(arena, "%s:%.*s%s", name, BH_SLICE_FMT(number), is_photon ? ".0" : "");
		return bh_slice_str(text ? text : "");
	}
	return (struct bh_slice){ 0 };
}

/* ---- builds ---- */

struct bh_slice vuln_evr_without_zero(struct bh_slice evr)
{
	return bh_slice_starts(evr, BH_SLICE_LIT("0:")) ? bh_slice_sub(evr, 2, evr.len) : evr;
}

struct bh_slice vuln_evr(struct bh_arena *arena, struct bh_slice epoch, struct bh_slice version, struct bh_slice release)
{
	bool has_epoch = epoch.len && !bh_slice_eq_str(epoch, "0");
	char *text = bh_arena_printf(arena, "%.*s%s%.*s%s%.*s", BH_SLICE_FMT(has_epoch ? epoch : (struct bh_slice){ 0 }), has_epoch ? ":" : "",
				     BH_SLICE_FMT(version), release.len ? "-" : "", BH_SLICE_FMT(release));
	return bh_slice_str(text ? text : "");
}

/* Index of the last c before `end`; end when there is none. */
static size_t find_last(struct bh_slice s, size_t end, char c)
{
	for (size_t i = end; i-- > 0;)
		if (s.ptr[i] == (uint8_t)c)
			return i;
	return end;
}

bool vuln_nevra_split(struct bh_slice text, struct vuln_nevra *ret)
{
	size_t dot = find_last(text, text.len, '.');
	struct bh_slice arch = bh_slice_sub(text, dot + 1, text.len);
	static const char *const arches[] = { "x86_64", "noarch", "src", "nosrc", "aarch64", "ppc64le", "s390x", "i386", "i486", "i586", "i686", "ppc64",
					      "ppc", "s390", "ia64", "armv7hl", "armv6hl", "riscv64", "loongarch64" };
	bool known = false;
	for (size_t i = 0; dot < text.len && i < COUNT(arches); i++)
		known = known || bh_slice_eq_str(arch, arches[i]);
	size_t end = known ? dot : text.len;
	size_t release = find_last(text, end, '-');
	size_t version = release < end ? find_last(text, release, '-') : end;
	if (release >= end || version >= release || version == 0 || version + 1 >= release || release + 1 >= end)
		return false;
	*ret = (struct vuln_nevra){ .name = bh_slice_sub(text, 0, version),
				    .evr = vuln_evr_without_zero(bh_slice_sub(text, version + 1, end - version - 1)),
				    .arch = known ? arch : (struct bh_slice){ 0 } };
	return true;
}

struct bh_slice vuln_module_stream(struct bh_slice label)
{
	struct bh_slice name, rest;
	if (!bh_slice_cut(label, ':', &name, &rest))
		return label;
	return bh_slice_sub(label, 0, name.len + 1 + bh_slice_find(rest, ':'));
}

bool vuln_nevra_of_purl(struct bh_arena *arena, struct bh_slice purl, struct vuln_nevra *ret, struct bh_slice *ret_module)
{
	struct bh_purl p;
	struct bh_slice epoch = { 0 }, arch = { 0 }, module = { 0 };
	if (!bh_purl_parse(purl, arena, &p) || !bh_slice_eq_str(p.type, "rpm"))
		return false;
	for (size_t i = 0; i < p.n_qualifiers; i++) {
		const struct bh_purl_qualifier *q = &p.qualifiers[i];
		if (bh_slice_eq_str(q->key, "arch"))
			arch = q->value;
		else if (bh_slice_eq_str(q->key, "epoch"))
			epoch = q->value;
		else if (bh_slice_eq_str(q->key, "rpmmod"))
			module = vuln_module_stream(q->value);
	}
	*ret = (struct vuln_nevra){ .name = p.name, .evr = p.version.len ? vuln_evr(arena, epoch, p.version, (struct bh_slice){ 0 }) : p.version, .arch = arch };
	*ret_module = module;
	return true;
}

bool vuln_evr_is_modular(struct bh_slice evr)
{
	return evr.len && (bh_slice_search(evr, ".module_el") || bh_slice_search(evr, ".module+el"));
}

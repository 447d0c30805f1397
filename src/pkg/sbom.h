/*
 * sbom.h: what the readers of SBOMs share. A reader fills one struct sbom_component for each component of its format, whatever it is, and
 * gives it here: packages are told by their package URL, the distribution by the component that is an operating system or, failing
 * that, by the URLs' "distro=".
 *
 * The reader of a file is chosen by what is in it; the parsers' names of files only say where to look.
 */
#ifndef BH_PKG_SBOM_H
#define BH_PKG_SBOM_H

#include "pkg/entry.h"

#define SBOM_BYTES_MAX BH_WANTED_FILE_BYTES_MAX /* SBOMs of the largest images have some 100 MB */

#define SBOM_VERSION_BYTES 32u

enum sbom_kind {
	SBOM_PACKAGE,
	SBOM_SYSTEM,  /* an operating system */
	SBOM_OTHER,   /* a package only when it has a package URL: files, containers, groups of components */
};

/* Slices are borrowed for the call that they are given to. */
struct sbom_component {
	enum sbom_kind kind;
	struct bh_slice purl, group, name, version;
	struct bh_slice license, sha1, vendor, description;
	enum bh_scope scope;
	/* What a distribution's package was built from, as properties tell; more than the package URL may know. */
	struct bh_slice source_name, source_version, source_release, source_epoch, modularity, arch;
	struct bh_slice type;                  /* of a package that no URL can name: Bulkhead's word for it */
	struct bh_slice owner;                 /* package URL of the distribution's package that brought it */
	struct bh_slice location;              /* the file that it was found in when the SBOM was made, and the line there */
	uint32_t location_line;
	uint32_t line;                         /* of the SBOM */
	uint64_t offset_bytes;
};

/* One document being read. */
struct sbom {
	const struct pkg_file *file;
	struct pkg_notes notes;
	struct bh_buf buf;       /* scratch */
	bool distro_told;        /* by a package URL */
	uint64_t nameless;       /* components that no package URL names */
	char first_nameless[128];
};

void sbom_init(struct sbom *s, const struct pkg_file *file, const struct pkg_sink *sink);
int sbom_done(struct sbom *s, int rc, struct bh_err *err) BH_MUST_CHECK; /* tells what was only counted; returns rc when that is negative */

/* "CycloneDX 1.6 JSON": once, before the first component. */
int sbom_document(struct sbom *s, struct bh_err *err, const char *fmt, ...) BH_PRINTF(3, 4) BH_MUST_CHECK;

int sbom_give(struct sbom *s, const struct sbom_component *c, struct bh_err *err) BH_MUST_CHECK;

/* A property of a component as Trivy, Syft, cdxgen, cyclonedx-npm and Bulkhead name theirs. Others are passed over. */
void sbom_property(struct sbom_component *c, struct bh_slice name, struct bh_slice value);

/* One more licence: several are joined by " AND ". False: the arena is full. */
bool sbom_add_license(struct bh_slice *list, struct bh_slice item, struct bh_arena *arena) BH_MUST_CHECK;

/* CycloneDX's words for types and scopes, and the versions of it that are read: an error names another. */
enum sbom_kind sbom_cyclonedx_kind(struct bh_slice type);
enum bh_scope sbom_cyclonedx_scope(struct bh_slice scope);
int sbom_cyclonedx_version(struct bh_slice version, struct bh_err *err) BH_MUST_CHECK;

/* "SPDX-2.2", "SPDX-2.3" */
int sbom_spdx_version(struct bh_slice version, struct bh_err *err) BH_MUST_CHECK;

/* ---- which reader? ---- */

/* Of a file named by the user: the parser that reads what is in it. BH_EUNSUPPORTED with a reason when there is none. */
int sbom_recognise(struct bh_slice text, const struct pkg_parser **ret, struct bh_err *err) BH_MUST_CHECK;

/* What a JSON text says it is, by the keys at its top. */
enum sbom_json { SBOM_JSON_UNKNOWN, SBOM_JSON_CYCLONEDX, SBOM_JSON_SPDX, SBOM_JSON_SPDX3, SBOM_JSON_SYFT };
int sbom_json_kind(struct bh_slice text, enum sbom_json *ret_kind, char ret_version[SBOM_VERSION_BYTES], struct bh_err *err) BH_MUST_CHECK;

bool sbom_is_json(struct bh_slice text); /* begins with "{" */
bool sbom_is_xml(struct bh_slice text);  /* begins with "<", in any encoding that xml.h reads */

#endif

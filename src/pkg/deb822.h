/*
 * deb822.h: the stanza format that dpkg, opkg and distroless images share.
 *
 *     Package: libc6            field names are case-insensitive
 *     Status: install ok installed
 *     Description: first line
 *      more lines of the same value start with a blank
 *                               an empty line ends the stanza
 */
#ifndef BH_PKG_DEB822_H
#define BH_PKG_DEB822_H

#include "base/reader.h"
#include "pkg/pkg.h"

/*
 * The next stanza of r: values[i] gets the value of the field names[i] (trimmed, continuation lines and their line feeds
 * included; the first one counts), empty when it is not there. *ret_offset is where it starts; *ret_damage is NULL or says
 * what is wrong with it. False at the end of the source.
 */
bool pkg_deb822_next(struct bh_reader *r, const char *const *names, size_t n_names, struct bh_slice *values, size_t *ret_offset,
		     const char **ret_damage);

/* value with each line break and the blanks around it turned into one blank; a copy in a only when it has any. */
bool pkg_deb822_fold(struct bh_slice value, struct bh_arena *a, struct bh_slice *ret) BH_MUST_CHECK;

/* A whole database of package stanzas: hands every package that is present to the sink, as packages of this purl type. */
int pkg_deb822_parse(const struct pkg_file *file, const char *type, const struct pkg_sink *sink, struct bh_arena *scratch,
		     struct bh_err *err);

#endif

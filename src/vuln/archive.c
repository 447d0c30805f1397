/* archive.c: names of archives by their digest, from the table that feed_java_index.c fills. */
#include "vuln/match.h"
#include "vuln/set.h"

int vuln_archive_name(const struct vuln_set *set, struct bh_slice sha1, struct bh_slice artifact, struct bh_slice *ret, struct bh_err *err)
{
	const struct vuln_db *db;
	struct vuln_span found;
	struct vuln_entry entry;
	int rc = vuln_set_table(set, "java-archive", sha1, &db, &found, err);
	*ret = (struct bh_slice){ 0 };
	for (uint32_t i = 0; rc == 0 && i < found.n; i++) {
		struct bh_slice group, rest, name, version;
		rc = vuln_db_entry(db, found.first + i, &entry, err);
		if (rc < 0)
			return rc;
		(void)bh_slice_cut(entry.value, ':', &group, &rest);
		(void)bh_slice_cut(rest, ':', &name, &version);
		if (ret->len == 0 || bh_slice_eq(name, artifact))
			*ret = entry.value;
	}
	return rc;
}

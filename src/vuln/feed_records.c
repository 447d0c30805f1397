/* feed_records.c: see feed_records.h. */
#include "vuln/feed_records.h"

int vuln_feed_json_items(struct vuln_feed_run *run, struct bh_json_walk *w, size_t max_bytes, vuln_feed_json_record *record, struct bh_err *err)
{
	struct bh_slice key, text;
	int rc = bh_json_walk_enter(w, err);
	while (rc == 0 && (rc = bh_json_walk_item(w, &key, err)) == 1) {
		struct bh_json *doc = NULL;
		vuln_feed_record(run);
		rc = bh_json_walk_value(w, &text, err);
		rc = rc < 0 ? rc : bh_json_parse(text, max_bytes, &doc, err);
		rc = rc < 0 ? rc : record(run, bh_json_root(doc), err);
		bh_json_free(doc);
	}
	return rc;
}

static int items_under(struct vuln_feed_run *run, struct bh_json_walk *w, const char *wanted, size_t max_bytes, vuln_feed_json_record *record,
		       struct bh_err *err)
{
	struct bh_slice key;
	bool found = false;
	int rc = bh_json_walk_enter(w, err);
	while (rc == 0 && (rc = bh_json_walk_item(w, &key, err)) == 1) {
		bool here = bh_slice_eq_str(key, wanted);
		found |= here;
		rc = here ? vuln_feed_json_items(run, w, max_bytes, record, err) : 0;
	}
	return rc == 0 && !found ? bh_fail(err, BH_EMALFORMED, 0, "not data of this feed: it has no \"%s\"", wanted) : rc;
}

int vuln_feed_json_list(struct vuln_feed_run *run, struct bh_source plain, const char *key, size_t max_bytes, vuln_feed_json_record *record,
			struct bh_err *err)
{
	struct bh_json_walk *w;
	int rc = bh_json_walk_new(plain, max_bytes, &w, err);
	if (rc < 0)
		return rc;
	rc = key ? items_under(run, w, key, max_bytes, record, err) : vuln_feed_json_items(run, w, max_bytes, record, err);
	bh_json_walk_free(w);
	return rc;
}

int vuln_feed_yaml_text(struct vuln_feed_run *run, struct bh_source plain, size_t max_bytes, vuln_feed_yaml_record *record, struct bh_err *err)
{
	struct bh_slice text;
	struct bh_yaml *y = NULL;
	vuln_feed_record(run);
	int rc = vuln_feed_read_all(run, plain, max_bytes, &text, err);
	rc = rc < 0 ? rc : bh_yaml_parse(text, max_bytes, &y, err);
	for (size_t i = 0; rc == 0 && i < bh_yaml_documents(y); i++)
		rc = record(run, bh_yaml_root(y, i), err);
	bh_yaml_free(y);
	return rc;
}

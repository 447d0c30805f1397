/* feed_records.h: the shapes that feeds share: a list of JSON records, read one at a time, and YAML documents. */
#ifndef BH_VULN_FEED_RECORDS_H
#define BH_VULN_FEED_RECORDS_H

#include "format/json.h"
#include "format/json_walk.h"
#include "format/yaml.h"
#include "vuln/feed.h"

typedef int vuln_feed_json_record(struct vuln_feed_run *run, const struct bh_json_node *record, struct bh_err *err);
typedef int vuln_feed_yaml_record(struct vuln_feed_run *run, const struct bh_yaml_node *document, struct bh_err *err);

/* Every item of the list or object that the walk stands before; max_bytes: of one item. */
int vuln_feed_json_items(struct vuln_feed_run *run, struct bh_json_walk *w, size_t max_bytes, vuln_feed_json_record *record, struct bh_err *err)
	BH_MUST_CHECK;

/* A document that is such a list; with a key, an object that has it under that key, or else is malformed. */
int vuln_feed_json_list(struct vuln_feed_run *run, struct bh_source plain, const char *key, size_t max_bytes, vuln_feed_json_record *record,
			struct bh_err *err) BH_MUST_CHECK;

/* Every document of a YAML text of at most max_bytes; they count as one record. */
int vuln_feed_yaml_text(struct vuln_feed_run *run, struct bh_source plain, size_t max_bytes, vuln_feed_yaml_record *record, struct bh_err *err)
	BH_MUST_CHECK;

#endif

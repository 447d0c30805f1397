/* scanning.c: see scanning.h. */
#include "cmd/scanning.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "cmd/output.h"
#include "policy/report_read.h"
#include "sys/signals.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>


void cmd_reading_options(const struct cmd_args *args, struct scan_options *ret)
{
	*ret = (struct scan_options){
		.platform = cmd_string(args, "platform"),
		.parallel = (size_t)cmd_uint(args, "parallel"),
		.max_layer_bytes = cmd_uint(args, "max-layer-size"),
		.cache_folder = cmd_string(args, "cache-dir"),
		.max_cache_bytes = cmd_flag(args, "no-cache") ? 0 : cmd_uint(args, "cache-size"),
		.registry = cmd_registry_options(args),
		.tell = cmd_flag(args, "quiet") ? NULL : cmd_tell_source,
		.quiet = cmd_flag(args, "quiet"),
	};
}

void cmd_scanning_options(const struct cmd_args *args, struct scan_options *ret)
{
	cmd_reading_options(args, ret);
	ret->scanners = SCAN_DEFAULT;
	ret->db_path = cmd_string(args, "db");
	ret->max_db_age_days = (uint32_t)cmd_uint(args, "max-db-age");
	ret->include_withdrawn = cmd_flag(args, "include-withdrawn");
	ret->match_owned = cmd_flag(args, "match-owned");
}

int cmd_open_json(const char *path)
{
	struct stat st;
	char start;
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && (pread(fd, &start, 1, 0) != 1 || start != '{')) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

int cmd_scan_or_read(const struct scan_options *o, struct bh_report *report, struct bh_err *err)
{
	BH_CLOSE int fd = cmd_open_json(o->target);
	int rc = fd < 0 ? BH_EUNSUPPORTED : policy_report_read(fd, o->target, report, err);
	if (rc == BH_EUNSUPPORTED)
		return scan_run(o, report, err);
	report->target.text = bh_slice_str(o->target);
	return rc;
}

int cmd_report_time(int64_t *ret, struct bh_err *err)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	if (!epoch || !epoch[0]) {
		*ret = (int64_t)time(NULL);
		return BH_OK;
	}
	uint64_t seconds;
	if (!bh_slice_u64(bh_slice_str(epoch), (uint64_t)INT32_MAX * 64, &seconds))
		return bh_fail(err, BH_EUSAGE, 0, "SOURCE_DATE_EPOCH is '%s', not a number of seconds since 1970", epoch);
	*ret = (int64_t)seconds;
	return BH_OK;
}

/*
 * No report at all. The target is the user's: whatever the operating system or a limit said about it is an input error (2). A
 * child that died over it means that nothing was checked (3). What is left is our own trouble (4).
 */
int cmd_no_report(const struct bh_err *err)
{
	int code = cmd_failed(err);
	switch (err->code) {
	case BH_ECANCELLED: return bh_interrupted() ? EXIT_SIGNAL_BASE + bh_interrupt_signal() : EXIT_INTERNAL;
	case BH_EIO:
	case BH_ELIMIT: return EXIT_USAGE;
	case BH_ECHILD: return EXIT_INCOMPLETE;
	default: return code;
	}
}

int cmd_tell_incomplete(const struct bh_report *report)
{
	for (size_t i = 0; i < report->incomplete.len; i++) {
		const struct bh_incomplete *n = &report->incomplete.ptr[i];
		bh_warn("not read: %.*s%s%.*s: %.*s", BH_SLICE_FMT(n->what), n->path.len ? " " : "", BH_SLICE_FMT(n->path), BH_SLICE_FMT(n->reason));
	}
	return report->incomplete.len ? EXIT_INCOMPLETE : EXIT_CLEAN;
}

int cmd_verdict_exit(enum bh_verdict verdict)
{
	switch (verdict) {
	case BH_VERDICT_PASS: return EXIT_CLEAN;
	case BH_VERDICT_FAIL: return EXIT_FINDINGS;
	case BH_VERDICT_INCOMPLETE: return EXIT_INCOMPLETE;
	}
	return EXIT_INTERNAL;
}


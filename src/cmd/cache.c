/* cache.c: `bulkhead cache`: how much is kept of layers that were read, and away with it. */
#include "base/cleanup.h"
#include "base/limits.h"
#include "cmd/output.h"
#include "store/cache.h"

static const struct cmd_verb verbs[] = { { .name = "status" }, { .name = "clear" }, { 0 } };

static const struct cmd_option options[] = {
	{ .name = "cache-dir", .kind = CMD_STRING, .argument = "DIR", .help = "the cache's folder; default: ~/.cache/bulkhead" },
	{ 0 },
};

static const char details[] =
	"`bulkhead cache status` prints the folder, the number of layers whose results are kept, and their size.\n"
	"`bulkhead cache clear` removes them. What is in the cache can always be made again.\n";

static int open_folder(const struct cmd_args *args, char **folder, struct store_cache **ret, struct bh_err *err)
{
	const char *named = cmd_string(args, "cache-dir");
	BH_FREE char *own = named ? NULL : store_cache_default_folder();
	if (!named && !own)
		return bh_fail(err, BH_EUSAGE, 0, "there is no folder for a cache: HOME is not set; name one with --cache-dir");
	if (asprintf(folder, "%s/layers", named ? named : own) < 0) {
		*folder = NULL;
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	}
	return store_cache_open(*folder, STORE_CACHE_MAX_BYTES_DEFAULT, ret, err);
}

static int say(const char *folder, const char *what, const struct store_cache_totals *t)
{
	struct bh_buf out;
	struct bh_err err = { 0 };
	bh_buf_init(&out, 2 * BH_PATH_BYTES_MAX);
	bh_buf_printf(&out, "%s: %s%llu layers, %llu bytes\n", folder, what, (unsigned long long)t->entries, (unsigned long long)t->bytes);
	int rc = cmd_write(STDOUT_FILENO, &out, &err);
	bh_buf_done(&out);
	return rc < 0 ? cmd_failed(&err) : 0;
}

static int run(const struct cmd_args *args)
{
	const char *const *words;
	(void)cmd_targets(args, &words);
	BH_FREE char *folder = NULL;
	struct store_cache *cache = NULL;
	struct store_cache_totals totals = { 0 };
	struct bh_err err = { 0 };
	bool clear = strcmp(words[0], "clear") == 0;
	int rc = open_folder(args, &folder, &cache, &err);
	if (rc == BH_OK)
		rc = clear ? store_cache_clear(cache, &totals, &err) : store_cache_count(cache, &totals, &err);
	store_cache_close(cache);
	return rc < 0 ? cmd_failed(&err) : say(folder, clear ? "removed " : "", &totals);
}

const struct cmd_command cmd_command_cache = {
	.name = "cache",
	.usage = "[options] status|clear",
	.summary = "Show or clear the results that are kept of layers",
	.options = options,
	.min_targets = 1,
	.max_targets = 1,
	.verbs = verbs,
	.details = details,
	.run = run,
};

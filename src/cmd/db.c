/* db.c: `bulkhead db VERB`: advisory databases: make, look at, check. The verbs are in db_*.c. */
#include "cmd/db.h"
#include "cmd/output.h"

#include "vuln/feed.h"

#include <string.h>


static const char *const feed_choices[] = {
	"auto",
#define FEED(name) #name,
#include "vuln/feeds.def"
#undef FEED
	NULL,
};

static const char *const format_choices[] = { "text", "json", NULL };

static const struct cmd_option options[] = {
	{ .name = "db", .kind = CMD_STRING, .argument = "FILE", .help = "the database; default: the user's, see bulkhead-db(1)" },
	{ .name = "feed", .kind = CMD_CHOICE, .argument = "FEED", .help = "import: what the files are", .choices = feed_choices, .default_text = "auto",
	  .not_in_config = true },
	{ .name = "source", .kind = CMD_STRING, .argument = "NAME", .help = "import: name of the source; default: the feed's. update: this source only",
	  .not_in_config = true },
	{ .name = "sources", .kind = CMD_LIST, .argument = "NAME", .help = "update: what is fetched: names that --list shows, or NAME=FEED:URL",
	  .default_text = "kev,epss,debian,alpine,npm,pypi,go,maven", .commas = true },
	{ .name = "list", .kind = CMD_FLAG, .help = "update: show the built-in sources and stop", .not_in_config = true },
	{ .name = "from", .kind = CMD_STRING, .argument = "URL|PATH", .help = "update: fetch a signed export instead, only what changed in it; needs --key" },
	{ .name = "max-downloads", .kind = CMD_UINT, .argument = "BYTES", .help = "update: keep at most so much of downloaded files of other sources",
	  .default_text = "8G" },
	{ .name = "insecure", .kind = CMD_FLAG, .help = "update: don't check certificates of servers" },
	{ .name = "url", .kind = CMD_STRING, .argument = "URL", .help = "import: where the files came from, for reports", .not_in_config = true },
	{ .name = "licence", .kind = CMD_STRING, .argument = "TEXT", .help = "import: licence of the data, for reports", .alias = "license",
	  .not_in_config = true },
	{ .name = "date", .kind = CMD_STRING, .argument = "YYYY-MM-DD", .help = "import: date of the data; default: as the data or the file say",
	  .not_in_config = true },
	{ .name = "ecosystem", .kind = CMD_LIST, .argument = "NAME", .help = "import: take these ecosystems only; may be repeated", .commas = true,
	  .not_in_config = true },
	{ .name = "release", .kind = CMD_LIST, .argument = "NAME=ECOSYSTEM",
	  .help = "import: the ecosystem of a release that the feed names; may be repeated",
	  .commas = true, .not_in_config = true },
	{ .name = "vendor", .kind = CMD_FLAG, .help = "import: the data come from who makes the packages; they beat other sources", .not_in_config = true },
	{ .name = "replace", .kind = CMD_FLAG, .help = "import: replace the source even if an ecosystem gets lost by it", .not_in_config = true },
	{ .name = "no-embedded", .kind = CMD_FLAG, .help = "import: begin a new database without the built-in facts", .not_in_config = true },
	{ .name = "key", .kind = CMD_STRING, .argument = "FILE", .help = "sign: private key; verify, update --from: the key that must have signed (PEM)" },
	{ .name = "valid-days", .kind = CMD_UINT, .argument = "N", .help = "sign: for how many days the signature holds; 0: for ever", .default_text = "30",
	  .max = 36500 },
	{ .name = "format", .letter = 'f', .kind = CMD_CHOICE, .argument = "FORMAT", .help = "status, lookup: text or json", .choices = format_choices,
	  .default_text = "text", .not_in_config = true },
	{ 0 },
};

static const char details[] =
	"  import FILE|FOLDER|- ...            put a source into the database\n"
	"  update                              fetch what changed in the sources\n"
	"  remove NAME                         take a source out of it\n"
	"  status                              sources, dates, what they cover\n"
	"  verify                              check every byte; --key: signature\n"
	"  export FILE                         all of it in one file, for a fleet\n"
	"  sign FILE                           sign an export for update --from\n"
	"  lookup ECOSYSTEM PACKAGE [VERSION]  what the data say about a package\n"
	"  lookup ID                           what they say about an advisory\n";

static const struct cmd_verb verbs[] = {
	{ "import", "FILE|FOLDER|- ...", 1, SIZE_MAX, db_import, db_check_import },
	{ "remove", "NAME", 1, 1, db_remove, NULL },
	{ "status", NULL, 0, 0, db_status, NULL },
	{ "verify", NULL, 0, 0, db_verify, NULL },
	{ "lookup", "ID | ECOSYSTEM PACKAGE [VERSION]", 1, 3, db_lookup, NULL },
	{ "export", "FILE", 1, 1, db_export, NULL },
	{ "sign", "FILE", 1, 1, db_sign, db_check_sign },
	{ "update", NULL, 0, 0, db_update, db_check_update },
	{ 0 },
};

const struct cmd_command cmd_command_db = {
	.name = "db",
	.usage = "VERB [options] ...",
	.summary = "Make, inspect and verify advisory databases",
	.options = options,
	.min_targets = 1,
	.max_targets = SIZE_MAX,
	.verbs = verbs,
	.details = details,
};

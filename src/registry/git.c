/* git.c: see git.h. */
#include "registry/git.h"

#include "sys/program.h"

#include <stdio.h>
#include <stdlib.h>

#define COMPLAINT_BYTES_MAX 65536u

/*
 * What a repository's own configuration could start is off, and so is everything that would reach out for objects that are not there. The folder is $1.
 * core.quotePath=false keeps names readable; one that git must quote all the same stays quoted.
 */
#define GIT "git -C \"$1\" --no-pager --no-replace-objects -c safe.directory='*' -c protocol.allow=never -c core.fsmonitor=false -c core.hooksPath=/dev/null -c core.quotePath=false"

/* Lines ":modes BLOB-ID-BEFORE BLOB-ID STATUS<tab>PATH" -> "BLOB-ID COMMIT DATE PATH", each blob once; links to other repositories are none. */
#define ONCE \
	"awk -F '\\t' '!/^:/ { if (NF) commit = $0; next }" \
	" { split($1, f, \" \"); if (f[2] != \"160000\" && f[4] !~ /^0+$/ && !(f[4] in seen)) { seen[f[4]] = 1; print f[4] \" \" commit \" \" $2 } }'"

#define BATCH " | " GIT " cat-file --buffer --batch='%(objectname) %(objecttype) %(objectsize) %(rest)'"

static const char history[] =
	"{ " GIT " log --all --reverse -m --root --raw --no-abbrev --no-renames --no-show-signature --diff-filter=AMT --format='%H %as' || echo '!failed'; } | " ONCE BATCH;
static const char index_only[] =
	"{ echo 'staged -'; " GIT " diff --cached --raw --no-abbrev --no-renames --no-ext-diff --no-textconv --diff-filter=AMT || echo '!failed'; } | " ONCE BATCH;

static void forget_settings(void)
{
	(void)setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	(void)setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
	(void)setenv("GIT_TERMINAL_PROMPT", "0", 1);
	(void)setenv("GIT_OPTIONAL_LOCKS", "0", 1);
	(void)setenv("GIT_NO_LAZY_FETCH", "1", 1);
	(void)setenv("LC_ALL", "C.UTF-8", 1);
}

/* git's hooks are told where the repository is by variables, which mean another one here. */
static void forget_place(void)
{
	static const char *const names[] = { "GIT_DIR", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_PREFIX", "GIT_EXTERNAL_DIFF", "GIT_CONFIG",
					     "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT", "GIT_NAMESPACE", NULL };
	for (size_t i = 0; names[i]; i++)
		(void)unsetenv(names[i]);
}

static int run(const struct registry_git *g, const char *script, int out_fd, struct bh_buf *out, struct bh_err *err)
{
	const char *const argv[] = { "sh", "-c", script, "sh", g->folder, NULL };
	const struct bh_program p = { .argv = argv, .out_fd = out_fd, .out = out };
	char complaint[BH_PROGRAM_COMPLAINT_BYTES];
	int code = 0;
	forget_settings();
	forget_place();
	int rc = bh_program_run(&p, &code, complaint, err);
	if (rc < 0 || code == 0)
		return rc;
	if (code == BH_PROGRAM_MISSING)
		return bh_fail(err, BH_EUNSUPPORTED, 0, "repositories are read with git, which is not installed");
	return bh_fail(err, BH_EUSAGE, 0, "%s: %s", g->folder, complaint);
}

static int start(void *ctx, struct bh_buf *name, struct bh_err *err)
{
	const struct registry_git *g = ctx;
	struct bh_buf said;
	bh_buf_init(&said, COMPLAINT_BYTES_MAX);
	int rc = run(g, GIT " rev-parse --git-dir", -1, &said, err);
	bh_buf_done(&said);
	if (rc == 0 && !bh_buf_add_str(name, g->folder))
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	return rc;
}

static bool streams(void *ctx, const char *name)
{
	(void)ctx;
	return bh_slice_eq_str(bh_slice_str(name), "blobs");
}

static int document(void *ctx, const char *name, struct bh_buf *out, struct bh_err *err)
{
	(void)ctx, (void)out;
	return bh_fail(err, BH_ENOTFOUND, 0, "%s is not part of a repository", name);
}

static int stream(void *ctx, const char *name, uint64_t max_bytes, int out_fd, struct bh_err *err)
{
	const struct registry_git *g = ctx;
	(void)name, (void)max_bytes; /* whoever reads it counts */
	int rc = bh_leave_network(err);
	return rc < 0 ? rc : run(g, g->staged ? index_only : history, out_fd, NULL, err);
}

int registry_git_init(struct registry_git *g, const char *folder, bool staged, struct bh_err *err)
{
	*g = (struct registry_git){ .staged = staged };
	if (snprintf(g->folder, sizeof(g->folder), "%s", folder) >= (int)sizeof(g->folder))
		return bh_fail(err, BH_EUSAGE, 0, "a path of more than %u bytes", REGISTRY_GIT_PATH_BYTES);
	return 0;
}

struct broker_backend registry_git_backend(struct registry_git *g)
{
	return (struct broker_backend){ start, streams, document, stream, g };
}

/*
 * verify.c: see verify.h.
 *
 *   load ─► run -d ─► inspect (address, process) ─► command, again and again until it succeeds ─► rm -f ─► rmi
 *
 * All of it with the engine's own program: its words are what the user would type.
 */
#include "harden/verify.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "sys/program.h"
#include "sys/signals.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_BYTES_MAX (1u << 20)
#define SHOWN_BYTES 400u
#define PAUSE_NS 500000000L
#define NAME_BYTES 64u
#define SCRIPT_SECONDS "30" /* that one try of the command may take */

/*
 * Scripts get what they need as $1, $2 ...; nothing of it becomes a part of a script. $ENGINE and $RUN are parted into words on purpose. The files of a run profile have
 * one option on a line, quoted for xargs.
 */
#define LOAD "$ENGINE load -q -i \"$1\""
#define RUN_PLAIN "exec $ENGINE run -d --name \"$1\" $RUN \"$2\""
#define RUN_HARDENED "cd \"$3\" && sed \"s/^--volume data/--volume $1-data/\" \"$4\" | NAME=\"$1\" IMAGE=\"$2\" xargs sh -c 'exec $ENGINE run -d --name \"$NAME\" $RUN \"$@\" \"$IMAGE\"' sh"
#define INSPECT "$ENGINE inspect -f '{{.State.Pid}} {{.NetworkSettings.IPAddress}}' \"$1\""
#define ASK "ENGINE=\"$ENGINE\" CONTAINER=\"$1\" PID=\"$2\" ADDRESS=\"$3\" exec timeout -k 5 " SCRIPT_SECONDS " sh -c \"$4\""
#define LOGS "$ENGINE logs --tail 5 \"$1\" 2>&1"
#define REMOVE "$ENGINE rm -f -v \"$1\"; $ENGINE rmi -f \"$2\"; $ENGINE volume ls -q | grep \"^$1-data\" | xargs -r $ENGINE volume rm"

struct trial {
	const struct verify_options *o;
	const char *what, *archive;
	char name[NAME_BYTES], image[NAME_BYTES];
	char pid[32], address[64];
	int code;
	struct bh_buf output;
};

static int script(const struct trial *t, const char *text, const char *const words[4], struct bh_buf *out, int *ret_code, char complaint[static BH_PROGRAM_COMPLAINT_BYTES],
		  struct bh_err *err)
{
	struct bh_buf engine, run;
	bh_buf_init(&engine, 4096);
	bh_buf_init(&run, 65536);
	bool ok = bh_buf_printf(&engine, "ENGINE=%s", t->o->engine) && bh_buf_add_byte(&engine, 0) && bh_buf_printf(&run, "RUN=%s", t->o->run ? t->o->run : "") && bh_buf_add_byte(&run, 0);
	const char *const argv[] = { "env", (const char *)engine.ptr, (const char *)run.ptr, "sh", "-c", text, "sh", words[0], words[1], words[2], words[3], NULL };
	const struct bh_program p = { .argv = argv, .out = out };
	bh_buf_clear(out);
	int rc = ok ? bh_program_run(&p, ret_code, complaint, err) : bh_fail(err, BH_EUSAGE, 0, "--engine and --run: too many words");
	bh_buf_done(&engine);
	bh_buf_done(&run);
	return rc;
}

/* One that has to succeed. */
static int must(const struct trial *t, const char *what, const char *text, const char *const words[4], struct bh_buf *out, struct bh_err *err)
{
	char complaint[BH_PROGRAM_COMPLAINT_BYTES];
	int code = 0, rc = script(t, text, words, out, &code, complaint, err);
	if (rc < 0 || code == 0)
		return rc;
	return bh_fail(err, BH_EIO, 0, "%s: %s %s: %s", t->o->engine, what, t->what, complaint[0] ? complaint : "it failed and did not say why");
}

static int start(struct trial *t, bool hardened, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf out = { 0 };
	bh_buf_init(&out, OUTPUT_BYTES_MAX);
	const char *const load[4] = { t->archive, "", "", "" };
	int rc = must(t, "loading the image", LOAD, load, &out, err);
	const char *const run[4] = { t->name, t->image, t->o->profile, strstr(t->o->engine, "podman") ? "podman-run.txt" : "docker-run.txt" };
	return rc < 0 ? rc : must(t, "starting", hardened ? RUN_HARDENED : RUN_PLAIN, run, &out, err);
}

/* Where it is; a container that ended has the process 0. */
static int look(struct trial *t, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf out = { 0 };
	bh_buf_init(&out, OUTPUT_BYTES_MAX);
	const char *const words[4] = { t->name, "", "", "" };
	int rc = must(t, "looking at", INSPECT, words, &out, err);
	struct bh_slice pid, address;
	(void)bh_slice_cut(bh_slice_trim(bh_buf_slice(&out)), ' ', &pid, &address);
	snprintf(t->pid, sizeof(t->pid), "%.*s", BH_SLICE_FMT(bh_slice_sub(pid, 0, sizeof(t->pid) - 1)));
	snprintf(t->address, sizeof(t->address), "%.*s", BH_SLICE_FMT(bh_slice_sub(address, 0, sizeof(t->address) - 1)));
	return rc;
}

static bool has_ended(const struct trial *t)
{
	return strcmp(t->pid, "0") == 0 || t->pid[0] == 0;
}

static double seconds_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool is_as(const struct trial *t, const struct trial *like)
{
	return t->code == 0 && (!like || bh_slice_eq(bh_buf_slice(&t->output), bh_buf_slice(&like->output)));
}

/* Until the command succeeds (and prints what it printed before), the container ends, or the time is over. */
static int ask(struct trial *t, const struct trial *like, struct bh_err *err)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	char complaint[BH_PROGRAM_COMPLAINT_BYTES];
	double end = seconds_now() + t->o->seconds;
	for (;;) {
		int rc = look(t, err);
		const char *const words[4] = { t->name, t->pid, t->address, t->o->command };
		rc = rc < 0 ? rc : script(t, ASK, words, &t->output, &t->code, complaint, err);
		if (rc < 0 || is_as(t, like) || has_ended(t) || seconds_now() > end)
			return rc;
		if (bh_interrupted())
			return bh_fail(err, BH_ECANCELLED, 0, "interrupted");
		(void)nanosleep(&pause, NULL);
	}
}

static void put_shown(struct bh_buf *out, struct bh_slice text)
{
	bh_buf_add_escaped(out, bh_slice_sub(bh_slice_trim(text), 0, SHOWN_BYTES));
}

static int tell_failure(struct trial *t, const struct trial *like, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	BH_WITH(bh_buf_done) struct bh_buf logs = { 0 };
	char complaint[BH_PROGRAM_COMPLAINT_BYTES];
	int code = 0;
	const char *const words[4] = { t->name, "", "", "" };
	bh_buf_init(&text, 8192);
	bh_buf_init(&logs, OUTPUT_BYTES_MAX);
	bh_buf_printf(&text, "%s: the command exits with %d and prints \"", t->what, t->code);
	put_shown(&text, bh_buf_slice(&t->output));
	bh_buf_add_str(&text, like ? "\", with the original \"" : "\"");
	put_shown(&text, like ? bh_buf_slice(&like->output) : (struct bh_slice){ 0 });
	bh_buf_add_str(&text, like ? "\"" : "");
	bh_buf_add_str(&text, has_ended(t) ? "; the container has ended" : "");
	if (script(t, LOGS, words, &logs, &code, complaint, err) == 0 && logs.len) {
		bh_buf_add_str(&text, "; it said: ");
		put_shown(&text, bh_buf_slice(&logs));
	}
	return bh_fail(err, BH_EMISMATCH, 0, "%.*s", BH_SLICE_FMT(bh_buf_slice(&text)));
}

static void tidy(struct trial *t)
{
	struct bh_err ignored = { 0 };
	char complaint[BH_PROGRAM_COMPLAINT_BYTES];
	struct bh_buf out;
	int code = 0;
	bh_buf_init(&out, OUTPUT_BYTES_MAX);
	const char *const words[4] = { t->name, t->image, "", "" };
	(void)script(t, REMOVE, words, &out, &code, complaint, &ignored);
	bh_buf_done(&out);
}

static int try_one(struct trial *t, const struct trial *like, struct bh_err *err)
{
	if (!t->o->quiet)
		fprintf(stderr, "bulkhead: trying the %s image with %s\n", t->what, t->o->engine);
	int rc = start(t, like != NULL, err);
	rc = rc < 0 ? rc : ask(t, like, err);
	if (rc == 0 && !is_as(t, like))
		rc = tell_failure(t, like, err);
	tidy(t);
	return rc;
}

int verify_run(const struct verify_options *o, struct bh_err *err)
{
	struct trial original = { .o = o, .what = "original", .archive = o->original }, hardened = { .o = o, .what = "hardened", .archive = o->hardened };
	struct trial *both[] = { &original, &hardened };
	for (size_t i = 0; i < 2; i++) {
		snprintf(both[i]->name, NAME_BYTES, "bulkhead-verify-%u-%s", (unsigned)getpid(), both[i]->what);
		snprintf(both[i]->image, NAME_BYTES, "%s:%s", VERIFY_IMAGE, both[i]->what);
		bh_buf_init(&both[i]->output, OUTPUT_BYTES_MAX);
	}
	int rc = try_one(&original, NULL, err);
	rc = rc < 0 ? rc : try_one(&hardened, &original, err);
	bh_buf_done(&original.output);
	bh_buf_done(&hardened.output);
	return rc;
}

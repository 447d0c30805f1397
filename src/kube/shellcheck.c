/* shellcheck.c: see shellcheck.h. */
#include "kube/shellcheck.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/reader.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "dockerfile/dockerfile.h"
#include "format/json.h"
#include "model/wire.h"
#include "sys/files.h"
#include "sys/helper.h"
#include "sys/program.h"

#define SECONDS "120"
#define TIMED_OUT 124 /* exit codes of timeout(1) */
#define FORBIDDEN 126
#define FD_MIN 100    /* above those that a program is started with */
#define BATCH_SCRIPTS_MAX 64u
#define BATCH_BYTES_MAX (256u << 10)
#define SCRIPTS_MAX 100000u
#define FILES_MAX 100000u
#define ANSWER_BYTES_MAX (64u << 20)
#define QUESTION_SHELL 1u

/* Sourced files are not there (SC1090, SC1091), the first line is ours (SC1128), ash is what it is (SC2187); nothing of the user's own settings counts. */
static const char *const options[] = { "timeout", SECONDS, "shellcheck", "--norc", "--format=json1", "--exclude=SC1090,SC1091,SC1128,SC2187", "--color=never" };
#define N_OPTIONS (sizeof(options) / sizeof(options[0]))

static const char *const dialects[] = { "sh", "bash", "dash", "ksh" };
#define DIALECTS (sizeof(dialects) / sizeof(dialects[0]))

enum answer { ANSWER_NO, ANSWER_YES };

/* ---- in the helper ---- */

/* A text as a file in memory that the program inherits. */
static int hand_over(struct bh_slice text, uint32_t *ret_number, struct bh_err *err)
{
	BH_CLOSE int fd = -1;
	int rc = bh_memory_text(text, &fd, err);
	int kept = rc < 0 ? -1 : fcntl(fd, F_DUPFD, FD_MIN);
	if (rc == 0 && kept < 0)
		return bh_fail(err, BH_EIO, 0, "too many open files for ShellCheck");
	*ret_number = (uint32_t)kept;
	return rc;
}

static int run(const char *const *argv, int out_fd, struct bh_err *err)
{
	char complaint[BH_PROGRAM_COMPLAINT_BYTES];
	const struct bh_program program = { .argv = argv, .out_fd = out_fd };
	int code = 0;
	int rc = bh_program_run(&program, &code, complaint, err);
	if (rc < 0 || code == 0 || code == 1) /* 1: it has something to say */
		return rc;
	if (code == BH_PROGRAM_MISSING || code == FORBIDDEN)
		return bh_fail(err, BH_EUNSUPPORTED, 0, "ShellCheck is not installed");
	return code == TIMED_OUT ? bh_fail(err, BH_ELIMIT, 0, "ShellCheck took more than " SECONDS " seconds") : bh_fail(err, BH_EUNSUPPORTED, 0, "ShellCheck failed: %s", complaint);
}

/* Number of a dialect and of scripts, the scripts. Answer: numbers of the files that its own names. */
static int serve(void *ctx, uint16_t type, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(payload);
	const char *argv[N_OPTIONS + BATCH_SCRIPTS_MAX + 2];
	char shell[16], paths[BATCH_SCRIPTS_MAX][32];
	uint32_t dialect, n, number = 0;
	BH_CLOSE int fd = -1;
	(void)ctx;
	if (type != QUESTION_SHELL || !bh_take_u32le(&r, &dialect) || dialect >= DIALECTS || !bh_take_u32le(&r, &n) || n == 0 || n > BATCH_SCRIPTS_MAX)
		return bh_fail(err, BH_EMALFORMED, 0, "a question that is none");
	memcpy(argv, options, sizeof(options));
	(void)snprintf(shell, sizeof(shell), "-s%s", dialects[dialect]);
	argv[N_OPTIONS] = shell;
	argv[N_OPTIONS + 1 + n] = NULL;
	int rc = bh_leave_network(err);
	for (uint32_t i = 0; rc == 0 && i < n; i++) {
		struct bh_slice script;
		rc = bh_wire_get_slice(&r, BATCH_BYTES_MAX, &script) ? hand_over(script, &number, err) : bh_fail(err, BH_EMALFORMED, 0, "a question that is none");
		(void)snprintf(paths[i], sizeof(paths[i]), "/proc/self/fd/%u", number);
		argv[N_OPTIONS + 1 + i] = paths[i];
		bh_wire_put_u32(reply->payload, number);
	}
	rc = rc < 0 ? rc : bh_memory_file(&fd, err);
	rc = rc < 0 ? rc : run(argv, fd, err);
	rc = rc < 0 ? rc : bh_memory_file_seal(fd, err);
	if (rc < 0)
		return rc;
	reply->fd = BH_TAKE_FD(fd);
	reply->close_fd = true;
	return 0;
}

/* ---- in the program ---- */

/* That it can't be asked is an answer, too. */
int shellcheck_serve(struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf numbers = { 0 };
	struct bh_helper *helper = NULL;
	struct bh_err why = { 0 };
	bh_buf_init(&numbers, BH_FRAME_BYTES_MAX);
	int rc = bh_helper_start(serve, NULL, &helper, err);
	if (rc < 0)
		return rc;
	rc = bh_helper_call(helper, QUESTION_SHELL, payload, &numbers, &reply->fd, &why);
	bh_helper_stop(helper);
	if (rc == BH_ECANCELLED) {
		*err = why;
		return rc;
	}
	bh_wire_put_u8(reply->payload, rc < 0 ? ANSWER_NO : ANSWER_YES);
	if (rc < 0)
		bh_wire_put_slice(reply->payload, bh_slice_str(why.text));
	else
		bh_buf_add(reply->payload, bh_buf_slice(&numbers));
	reply->close_fd = true;
	return 0;
}

/* ---- the child's side ---- */

struct file {
	struct bh_slice name;
	struct df_file f;
};
BH_VEC(file_vec, struct file *)

struct script {
	const struct file *file;
	const struct df_instruction *i;
	enum { OF_ARGUMENTS, OF_HEREDOC, OF_WORD } of;
	struct bh_slice part; /* arguments, to which here-documents may belong; a here-document; a word of an exec form, whose line is the instruction's */
	struct bh_slice text; /* with a first line of its own */
	uint32_t dialect;
};
BH_VEC(script_vec, struct script)

struct shellcheck {
	struct bh_arena arena;
	struct file_vec files;
	struct script_vec scripts;
	uint64_t n_too_long; /* scripts that are left out */
};

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "the scripts of Dockerfiles need more memory than there is for them");
}

int shellcheck_new(struct shellcheck **ret, struct bh_err *err)
{
	struct shellcheck *s = calloc(1, sizeof(*s));
	if (!s)
		return no_memory(err);
	*s = (struct shellcheck){ .files = { .max = FILES_MAX }, .scripts = { .max = SCRIPTS_MAX } };
	bh_arena_init(&s->arena, 512u << 20);
	*ret = s;
	return 0;
}

void shellcheck_free(struct shellcheck *s)
{
	if (!s)
		return;
	for (size_t k = 0; k < s->files.len; k++)
		df_done(&s->files.ptr[k]->f);
	file_vec_done(&s->files);
	script_vec_done(&s->scripts);
	bh_arena_done(&s->arena);
	free(s);
}

/* "/bin/bash": bash. DIALECTS: none that it knows. */
static uint32_t dialect_of(struct bh_slice program)
{
	struct bh_slice name = bh_slice_base(program);
	if (bh_slice_eq_str(name, "ash"))
		name = BH_SLICE_LIT("dash");
	for (uint32_t k = 0; k < DIALECTS; k++)
		if (bh_slice_eq_str(name, dialects[k]))
			return k;
	return DIALECTS;
}

static uint32_t shell_of(const struct df_file *f, size_t at)
{
	const struct df_instruction *shell = df_last(f, at, f->all.ptr[at].stage, "SHELL");
	return shell && shell->is_exec && shell->n_words ? dialect_of(shell->words[0]) : shell ? DIALECTS : 0;
}

/* "#!/usr/bin/env bash": what env starts. */
static uint32_t interpreter_of(struct bh_slice content)
{
	struct bh_slice line, rest, word;
	(void)bh_slice_cut(content, '\n', &line, &rest);
	line = bh_slice_trim(bh_slice_sub(line, 2, line.len));
	(void)bh_slice_cut(line, ' ', &word, &rest);
	return dialect_of(bh_slice_eq_str(bh_slice_base(word), "env") ? bh_slice_trim(rest) : word);
}

static bool is_name(struct bh_slice s)
{
	for (size_t k = 0; k < s.len; k++) {
		uint8_t c = s.ptr[k];
		if (c != '_' && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(k && c >= '0' && c <= '9'))
			return false;
	}
	return s.len > 0;
}

/* What ENV sets to one plain word stays that; everything else may have blanks in it. */
static bool is_plain_word(const struct df_instruction *i, const struct df_pair *pair)
{
	for (size_t k = 0; k < pair->value.len; k++)
		if (strchr(" \t\n*?[$`\\", pair->value.ptr[k]))
			return false;
	return bh_slice_eq_str(i->keyword, "ENV") && pair->value.len;
}

/* A first line that sets what the file's ENV and ARG set: what has a value is not told to have none. */
static bool with_variables(struct shellcheck *s, const struct df_file *f, size_t at, struct bh_slice script, struct bh_slice *ret)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	bh_buf_init(&text, BATCH_BYTES_MAX);
	for (size_t k = 0; k < at; k++)
		for (size_t n = 0; n < f->all.ptr[k].n_pairs && !bh_slice_eq_str(f->all.ptr[k].keyword, "LABEL"); n++) {
			const struct df_pair *pair = &f->all.ptr[k].pairs[n];
			if (is_name(pair->name) && is_plain_word(&f->all.ptr[k], pair))
				bh_buf_printf(&text, "export %.*s=x;", BH_SLICE_FMT(pair->name));
			else if (is_name(pair->name))
				bh_buf_printf(&text, "export %.*s=\"$%.*s\";", BH_SLICE_FMT(pair->name), BH_SLICE_FMT(pair->name));
		}
	bh_buf_add_byte(&text, '\n');
	bh_buf_add(&text, script);
	bh_buf_add_byte(&text, '\n');
	s->n_too_long += text.failed;
	return text.failed || bh_arena_copy(&s->arena, bh_buf_slice(&text), ret);
}

static int add_script(struct shellcheck *s, struct script script, size_t at, struct bh_slice text, struct bh_err *err)
{
	if (script.dialect == DIALECTS)
		return 0;
	if (!with_variables(s, &script.file->f, at, text, &script.text))
		return no_memory(err);
	return script.text.len == 0 || script_vec_push(&s->scripts, script) ? 0 : no_memory(err);
}

/* ["sh", "-c", "script"] */
static int add_exec_form(struct shellcheck *s, const struct file *file, size_t at, struct bh_err *err)
{
	const struct df_instruction *i = &file->f.all.ptr[at];
	if (i->n_words < 3 || !bh_slice_starts(i->words[1], BH_SLICE_LIT("-")) || !bh_slice_ends(i->words[1], BH_SLICE_LIT("c")))
		return 0;
	return add_script(s, (struct script){ file, i, OF_WORD, i->words[2], .dialect = dialect_of(i->words[0]) }, at, i->words[2], err);
}

/* All options, and one of a here-document: "bash -eux <<'EOF'". */
static bool is_for_shell(const struct df_instruction *i)
{
	bool only_options = i->n_words > 1;
	for (size_t k = 1; k < i->n_words; k++)
		only_options &= bh_slice_starts(i->words[k], BH_SLICE_LIT("-")) || bh_slice_starts(i->words[k], BH_SLICE_LIT("<<"));
	return only_options && i->n_heredocs == 1;
}

/* A command line with the here-documents behind it, as the shell gets them; and what a shell of its own runs, where variables are left to that. */
static int add_with_heredocs(struct shellcheck *s, const struct file *file, size_t at, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	const struct df_instruction *i = &file->f.all.ptr[at];
	const struct df_heredoc *first = &i->heredocs[0];
	bh_buf_init(&text, BATCH_BYTES_MAX);
	bh_buf_add(&text, i->args);
	for (size_t k = 0; k < i->n_heredocs; k++)
		bh_buf_printf(&text, "\n%.*s%.*s", BH_SLICE_FMT(i->heredocs[k].content), BH_SLICE_FMT(i->heredocs[k].name));
	s->n_too_long += text.failed;
	if (text.failed)
		return 0;
	int rc = add_script(s, (struct script){ file, i, OF_ARGUMENTS, i->args, .dialect = shell_of(&file->f, at) }, at, bh_buf_slice(&text), err);
	if (rc < 0 || !is_for_shell(i) || !first->is_quoted)
		return rc;
	return add_script(s, (struct script){ file, i, OF_HEREDOC, first->content, .dialect = dialect_of(i->words[0]) }, at, first->content, err);
}

static int add_instruction(struct shellcheck *s, const struct file *file, size_t at, struct bh_err *err)
{
	const struct df_instruction *i = &file->f.all.ptr[at];
	struct script script = { file, i, OF_ARGUMENTS, i->args, .dialect = shell_of(&file->f, at) };
	if (!bh_slice_eq_str(i->keyword, "RUN"))
		return 0;
	if (i->is_exec)
		return add_exec_form(s, file, at, err);
	if (i->n_heredocs > 1 || (i->n_heredocs && i->n_words > 1))
		return add_with_heredocs(s, file, at, err);
	if (i->n_heredocs) {
		script.of = OF_HEREDOC;
		script.part = i->heredocs[0].content;
		if (bh_slice_starts(script.part, BH_SLICE_LIT("#!")))
			script.dialect = interpreter_of(script.part);
	}
	return add_script(s, script, at, script.part, err);
}

int shellcheck_add(struct shellcheck *s, struct bh_slice name, struct bh_slice text, struct bh_err *err)
{
	struct file *file = BH_ARENA_NEW(&s->arena, struct file);
	struct bh_err why = { 0 };
	if (!file)
		return no_memory(err);
	file->name = name;
	if (df_parse(text, &file->f, &why) < 0) /* the review tells it */
		return 0;
	if (!file_vec_push(&s->files, file)) {
		df_done(&file->f);
		return no_memory(err);
	}
	int rc = 0;
	for (size_t k = 0; rc == 0 && k < file->f.all.len; k++)
		rc = add_instruction(s, file, k, err);
	return rc;
}

/* ---- what it says ---- */

/* The byte of a place, lines and characters counted from 1. */
static size_t offset_of(struct bh_slice text, uint64_t line, uint64_t column)
{
	size_t at = 0;
	uint32_t cp;
	for (; line > 1 && at < text.len; line--)
		at += bh_slice_find(bh_slice_sub(text, at, text.len), '\n') + 1;
	for (; column > 1 && at < text.len && text.ptr[at] != '\n'; column--) {
		size_t n = bh_utf8_next(bh_slice_sub(text, at, text.len), &cp);
		at += n ? n : 1;
	}
	return at < text.len ? at : text.len;
}

/* Of the text behind our own line, line `k` from 0 on. */
static uint32_t line_of_arguments(const struct script *s, uint64_t k, uint64_t column)
{
	uint64_t n = bh_slice_count(s->part, '\n') + 1;
	if (k < n) {
		size_t at = offset_of(s->part, k + 1, column);
		return df_line_of(s->i, s->part.ptr + (at && at == s->part.len ? at - 1 : at));
	}
	k -= n;
	for (size_t h = 0; h < s->i->n_heredocs; h++, k -= n) {
		n = bh_slice_count(s->i->heredocs[h].content, '\n') + 1;
		if (k < n)
			return s->i->heredocs[h].line + (uint32_t)k;
	}
	return s->i->end_line;
}

static uint32_t line_of(const struct script *s, uint64_t line, uint64_t column)
{
	if (s->of == OF_WORD || line < 2) /* our own line */
		return s->i->line;
	return s->of == OF_HEREDOC ? s->i->heredocs[0].line + (uint32_t)(line - 2) : line_of_arguments(s, line - 2, column);
}

struct batch {
	struct shellcheck *s;
	size_t *scripts; /* indices */
	size_t n;
	uint32_t numbers[BATCH_SCRIPTS_MAX];
	int (*say)(void *ctx, const struct shellcheck_said *said, struct bh_err *err);
	void *ctx;
};

static const struct script *script_named(const struct batch *b, struct bh_slice path)
{
	char name[32];
	for (size_t k = 0; k < b->n; k++) {
		(void)snprintf(name, sizeof(name), "/proc/self/fd/%u", b->numbers[k]);
		if (bh_slice_eq_str(path, name))
			return &b->s->scripts.ptr[b->scripts[k]];
	}
	return NULL;
}

static int say_comment(const struct batch *b, const struct bh_json_node *c, struct bh_err *err)
{
	const struct script *script = script_named(b, bh_json_str(bh_json_get(c, "file")));
	uint64_t line = 0, column = 0, code = 0;
	if (!script || !bh_json_u64(bh_json_get(c, "line"), UINT32_MAX, &line) || !bh_json_u64(bh_json_get(c, "column"), UINT32_MAX, &column) || !bh_json_u64(bh_json_get(c, "code"), 99999, &code))
		return bh_fail(err, BH_EMALFORMED, 0, "ShellCheck says what is not understood");
	if (line < 2) /* of the line that is none of the file's */
		return 0;
	const struct shellcheck_said said = {
		.file = script->file->name, .message = bh_json_str(bh_json_get(c, "message")), .line = line_of(script, line, column), .code = (unsigned)code, .level = bh_json_str(bh_json_get(c, "level")),
	};
	return b->say(b->ctx, &said, err);
}

static int read_answer(struct batch *b, int fd, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	BH_WITH(bh_json_cleanup) struct bh_json *json = NULL;
	bh_buf_init(&text, ANSWER_BYTES_MAX);
	int rc = bh_read_all(fd, ANSWER_BYTES_MAX, &text, err);
	rc = rc < 0 ? rc : bh_json_parse(bh_buf_slice(&text), ANSWER_BYTES_MAX, &json, err);
	const struct bh_json_node *comments = json ? bh_json_get(bh_json_root(json), "comments") : NULL;
	for (size_t k = 0; rc == 0 && k < bh_json_len(comments); k++)
		rc = say_comment(b, bh_json_at(comments, k), err);
	return rc;
}

static int take_reply(struct batch *b, struct bh_slice reply, int fd, struct bh_err *why, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(reply);
	struct bh_slice text = { 0 };
	uint8_t answer = ANSWER_NO;
	if (bh_take_u8(&r, &answer) && answer == ANSWER_NO && bh_wire_get_slice(&r, reply.len, &text)) {
		(void)bh_fail(why, BH_EUNSUPPORTED, 0, "%.*s", BH_SLICE_FMT(text));
		return 0;
	}
	for (size_t k = 0; k < b->n; k++)
		if (!bh_take_u32le(&r, &b->numbers[k]))
			return bh_fail(err, BH_ECHILD, 0, "a reply that is none");
	return fd < 0 ? bh_fail(err, BH_ECHILD, 0, "a reply that is none") : read_answer(b, fd, err);
}

static int ask_batch(struct batch *b, struct bh_channel *ch, uint16_t type, uint32_t dialect, struct bh_err *why, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf question = { 0 };
	BH_WITH(bh_buf_done) struct bh_buf reply = { 0 };
	BH_CLOSE int fd = -1;
	bh_buf_init(&question, BH_FRAME_BYTES_MAX);
	bh_buf_init(&reply, BH_FRAME_BYTES_MAX);
	bh_wire_put_u32(&question, dialect);
	bh_wire_put_u32(&question, (uint32_t)b->n);
	for (size_t k = 0; k < b->n; k++)
		bh_wire_put_slice(&question, b->s->scripts.ptr[b->scripts[k]].text);
	int rc = question.failed ? no_memory(err) : bh_channel_call(ch, type, bh_buf_slice(&question), &reply, &fd, err);
	return rc < 0 ? rc : take_reply(b, bh_buf_slice(&reply), fd, why, err);
}

/* Scripts of one dialect, as many as fit, until one answer is that it can't be asked. */
static int ask_dialect(struct batch *b, struct bh_channel *ch, uint16_t type, uint32_t dialect, struct bh_err *why, struct bh_err *err)
{
	size_t bytes = 0;
	int rc = 0;
	b->n = 0;
	for (size_t k = 0; rc == 0 && !why->code && k <= b->s->scripts.len; k++) {
		bool is_end = k == b->s->scripts.len;
		if (!is_end && b->s->scripts.ptr[k].dialect != dialect)
			continue;
		if (b->n && (is_end || b->n == BATCH_SCRIPTS_MAX || bytes + b->s->scripts.ptr[k].text.len > BATCH_BYTES_MAX)) {
			rc = ask_batch(b, ch, type, dialect, why, err);
			b->n = bytes = 0;
		}
		if (!is_end) {
			b->scripts[b->n++] = k;
			bytes += b->s->scripts.ptr[k].text.len;
		}
	}
	return rc;
}

int shellcheck_ask(struct shellcheck *s, struct bh_channel *ch, uint16_t type, int (*say)(void *ctx, const struct shellcheck_said *said, struct bh_err *err), void *ctx, struct bh_err *why,
		   struct bh_err *err)
{
	size_t scripts[BATCH_SCRIPTS_MAX];
	struct batch b = { .s = s, .scripts = scripts, .say = say, .ctx = ctx };
	int rc = 0;
	for (uint32_t k = 0; rc == 0 && !why->code && k < DIALECTS; k++)
		rc = ask_dialect(&b, ch, type, k, why, err);
	if (rc == 0 && !why->code && s->n_too_long)
		(void)bh_fail(why, BH_ELIMIT, 0, "%llu scripts are longer than ShellCheck is asked about", (unsigned long long)s->n_too_long);
	return rc;
}

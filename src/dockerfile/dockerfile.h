/*
 * dockerfile.h: what a Dockerfile says, as BuildKit's parser reads it: directives, instructions with their flags, words, pairs and here-documents, and stages
 * with what they are built on. Every part knows its line. What is wrong is a problem of its own, and the rest is read all the same.
 */
#ifndef BH_DOCKERFILE_DOCKERFILE_H
#define BH_DOCKERFILE_DOCKERFILE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/vec.h"

#define DF_TEXT_BYTES_MAX (16u << 20)
#define DF_INSTRUCTIONS_MAX 4096u
#define DF_NO_STAGE UINT32_MAX

struct df_flag {
	struct bh_slice name, value; /* "mount", "type=cache,target=/x" */
};

struct df_pair {
	struct bh_slice name, value; /* of ENV, LABEL, ARG; quotes taken off */
	bool has_value;
};

struct df_heredoc {
	struct bh_slice name, content; /* content: whole lines, leading tabs gone where "<<-" says so */
	uint32_t line;                 /* of the first line of the content */
	const uint8_t *written;        /* the content in the file's text; NULL: it stands there otherwise */
	bool is_quoted;                /* variables are not replaced in it */
};

/* Lines of a joined text: from the offset on. */
struct df_span {
	size_t offset;
	uint32_t line;
	const uint8_t *written; /* the same byte in the file's text */
};

struct df_instruction {
	struct bh_slice keyword;     /* upper-case: "RUN"; of ONBUILD the one it triggers */
	struct bh_slice written;     /* all of it in the file's text, from the keyword on, without the newline at its end */
	struct bh_slice whole, args; /* behind the keyword, lines joined as BuildKit joins them; args: without flags */
	struct df_span *spans;       /* of `whole` */
	struct df_flag *flags;
	struct bh_slice *words;      /* the list of an exec form; else parted at blanks */
	struct df_pair *pairs;
	struct df_heredoc *heredocs;
	size_t n_spans, n_flags, n_words, n_pairs, n_heredocs;
	uint32_t line, end_line;
	uint32_t stage;              /* DF_NO_STAGE: above the first FROM */
	bool is_trigger;             /* ONBUILD */
	bool is_exec;                /* a JSON list */
	bool is_old_form;            /* ENV name value */
};
BH_VEC(df_instruction_vec, struct df_instruction)

struct df_stage {
	struct bh_slice name;        /* empty: it has none */
	struct bh_slice written;     /* as FROM names it */
	struct bh_slice base;        /* arguments replaced; empty: it depends on one without a default */
	uint32_t of;                 /* the stage that it is FROM; DF_NO_STAGE: an image */
	uint32_t line;
	size_t from, first, end;     /* instructions: its FROM, its own */
};
BH_VEC(df_stage_vec, struct df_stage)

struct df_problem {
	uint32_t line;
	const char *text;
};
BH_VEC(df_problem_vec, struct df_problem)

struct df_file {
	struct bh_arena arena;
	struct df_instruction_vec all;
	struct df_stage_vec stages;
	struct df_problem_vec problems;
	struct bh_slice syntax, check; /* directives */
	uint8_t escape;
};

/* The text must outlive the file. Only a file beyond the limits is an error. */
int df_parse(struct bh_slice text, struct df_file *ret, struct bh_err *err) BH_MUST_CHECK;
void df_done(struct df_file *f);

/* The line of a place in `whole` or `args`. */
uint32_t df_line_of(const struct df_instruction *i, const uint8_t *at);

/* The bytes of the file's text that a part of `whole`, `args` or the content of a here-document was made of; ptr NULL: it is a text of its own, or empty. */
struct bh_slice df_written(const struct df_instruction *i, struct bh_slice part);
struct bh_slice df_flag(const struct df_instruction *i, const char *name); /* ptr NULL: it is not there */

/*
 * Replaces variables as they are in front of instruction `before`: arguments by their defaults, environment of the stage and of those that it is FROM.
 * False: one has no value that the file tells, or is cut by a pattern (${x#y}, ${x/y/z}).
 */
bool df_expand(const struct df_file *f, size_t before, struct bh_slice s, struct bh_buf *out);

/* The last instruction of that keyword in front of another one, in its stage and those that it is FROM; SIZE_MAX: at the stage's end. NULL: there is none. */
const struct df_instruction *df_last(const struct df_file *f, size_t before, uint32_t stage, const char *keyword);

/* The stage in front of `stage` that has that name or number; DF_NO_STAGE: none has. */
uint32_t df_stage_before(const struct df_file *f, uint32_t stage, struct bh_slice name);

/* Is a file of that name one: Dockerfile, Containerfile, *.Dockerfile, Dockerfile.* */
bool df_is_name(struct bh_slice path);
/* Does a text begin like one: FROM or ARG behind comments. */
bool df_is_text(struct bh_slice text);

#endif

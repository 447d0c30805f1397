/*
 * words.h: command lines as files spell them: words of a shell or of systemd with quotes, unit files with their drop-ins, files of environment variables,
 * the NUL-separated words of /proc/N/cmdline.
 */
#ifndef BH_COMPLY_WORDS_H
#define BH_COMPLY_WORDS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"

#define WORDS_MAX 20000u

struct comply_word {
	struct bh_slice text;
	struct bh_slice file; /* where it was found; may be empty */
	uint32_t line;        /* 0: none */
};
BH_VEC(comply_word_vec, struct comply_word)

/* NAME=value, later ones win. */
struct comply_variable {
	struct bh_slice name, value, file;
	uint32_t line;
};
BH_VEC(comply_variable_vec, struct comply_variable)

/* The words of `text`, split at blanks that are not quoted; `at` gives file and line. Texts lie in the arena or in `text`. */
int comply_words_split(struct bh_slice text, const struct comply_word *at, struct bh_arena *arena, struct comply_word_vec *out, struct bh_err *err) BH_MUST_CHECK;

/* The words of /proc/N/cmdline. */
int comply_words_of_process(struct bh_slice text, struct comply_word_vec *out, struct bh_err *err) BH_MUST_CHECK;

/* A systemd unit, or several of them: the unit and then its drop-ins. */
struct comply_unit {
	struct comply_word exec;                 /* the last ExecStart=, unsplit; text empty: there is none */
	struct comply_word_vec environment_files; /* paths; "-" before them is gone */
	struct comply_variable_vec variables;     /* Environment=, then what the caller reads of the files */
	struct bh_slice problem;                  /* why a file of them was not read; empty: all were, or are absent */
};

void comply_unit_init(struct comply_unit *unit);
void comply_unit_done(struct comply_unit *unit);
int comply_unit_read(struct comply_unit *unit, struct bh_slice file, struct bh_slice text, struct bh_arena *arena, struct bh_err *err) BH_MUST_CHECK;

/* NAME=value by line, with quotes, as systemd's EnvironmentFile= has them. */
int comply_variables_read(struct bh_slice file, struct bh_slice text, struct bh_arena *arena, struct comply_variable_vec *out, struct bh_err *err) BH_MUST_CHECK;

/* The unit's command line: $NAME becomes the words of its value, ${NAME} its value within a word. */
int comply_unit_words(const struct comply_unit *unit, struct bh_arena *arena, struct comply_word_vec *out, struct bh_err *err) BH_MUST_CHECK;

#endif

/*
 * code.h: the code of a function, in its template, in folders and archives beside it, and in layers: it becomes spec.code, of which policies ask. What a
 * template names and nobody here can read is told as something that was not checked.
 */
#ifndef BH_SERVERLESS_CODE_H
#define BH_SERVERLESS_CODE_H

#include "serverless/build.h"

#define FN_CODE_PLACES_MAX 16u /* of a function: Lambda takes five layers */

struct fn_code {
	struct fn_doc *doc;
	struct bh_slice function;  /* its name */
	const struct fn_code_place *places[FN_CODE_PLACES_MAX];
	size_t n;
	struct fn_from whole;      /* where the first one stands */
};

struct fn_code fn_code_of(struct fn_doc *doc, struct bh_slice function);
void fn_code_done(struct fn_doc *doc); /* what was read of all functions of the document */

/* The text in the template. `runtime` tells its language. */
void fn_code_text(struct fn_code *c, struct fn_from text, struct fn_from runtime);

/*
 * A folder, archive or file that the template names, relative to the template: as written, "s3://..." too. `patterns`: of serverless.yml, "!a" leaves out what
 * a takes in, the last that fits wins; null: everything counts. False: it is not there, which only fn_code_missing tells, when nothing else is either.
 */
bool fn_code_path(struct fn_code *c, struct fn_from path, struct cel_value patterns);
void fn_code_missing(struct fn_code *c, struct fn_from at, const char *fmt, ...) BH_PRINTF(3, 4);

/* Sets spec.code, when there is any. */
void fn_code_put(struct fn_code *c, struct fn_map *spec);

/* The code of an archive, as of a path: for tests of bytes. Null: it holds none. */
struct cel_value fn_code_archive(struct fn_doc *doc, struct bh_slice bytes);

#endif

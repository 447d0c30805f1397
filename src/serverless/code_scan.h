/*
 * code_scan.h: what a source file is seen to do, by regular expressions and words, without parsing it: names that it calls, and facts (code.def): event data
 * that reaches a shell, a literal that is a password. What is put together at run time is not seen. Time is linear in the text.
 */
#ifndef BH_SERVERLESS_CODE_SCAN_H
#define BH_SERVERLESS_CODE_SCAN_H

#include "base/err.h"
#include "base/slice.h"

enum code_language {
	CODE_PYTHON = 1,
	CODE_JAVASCRIPT = 2, /* and TypeScript */
	CODE_RUBY = 4,
	CODE_GO = 8,
	CODE_JAVA = 16, /* and Kotlin */
	CODE_CSHARP = 32,
	CODE_PHP = 64,
	CODE_SHELL = 128,
	CODE_ANY = 255,
};

#define CODE_NAME_BYTES_MAX 64u
#define CODE_LINE_BYTES_MAX 4096u /* longer ones are nobody's: bundled and minified */

/* Of a file, by the end of its name; 0: none that is known. */
enum code_language code_language_of(struct bh_slice path);
enum code_language code_language_of_runtime(struct bh_slice runtime); /* "python3.12"; CODE_ANY: not known */
const char *code_language_name(enum code_language language);
extern const char code_suffixes[]; /* of all languages: ".py .js" */

struct code_taker {
	/* A name that is called, small letters without "_" and without the "Command" and "Request" of SDKs behind it: "getobject". It is there during the call. */
	bool (*call)(void *ctx, struct bh_slice name, uint32_t line);
	/* line_text: without spaces around it. */
	bool (*fact)(void *ctx, const char *kind, uint32_t line, struct bh_slice line_text);
	void *ctx;
};

struct code_scanner;

int code_scanner_new(struct code_scanner **ret, struct bh_err *err) BH_MUST_CHECK;
void code_scanner_free(struct code_scanner *s);

/* False: the taker, or the memory of a search, gave up. */
bool code_scan_calls(struct bh_slice text, const struct code_taker *taker);
bool code_scan_facts(const struct code_scanner *s, struct bh_slice text, enum code_language language, const struct code_taker *taker, uint64_t *long_lines);

#endif

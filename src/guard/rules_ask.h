/*
 * rules_ask.h: questions about files of rules, answered in a sandboxed child: rules are fetched from elsewhere, too. What is found is text for standard output and for standard error.
 */
#ifndef BH_GUARD_RULES_ASK_H
#define BH_GUARD_RULES_ASK_H

#include "base/buf.h"
#include "base/err.h"
#include "guard/alert.h"
#include "guard/rule_files.h"

enum guard_question_kind { GUARD_ASK_CHECK, GUARD_ASK_LIST, GUARD_ASK_EXPLAIN, GUARD_ASK_FIELDS, GUARD_ASK_TEST };

struct guard_question {
	enum guard_question_kind kind;
	const struct guard_rule_file *files; /* in the order in which they count */
	size_t n_files;
	const char *rule; /* EXPLAIN: its name, or a part of it that only one has */
	bool json;
	/* TEST: recorded events (replay.h) */
	const struct guard_alert_format *format; /* of alerts */
	const struct guard_rule_file *events;
	size_t n_events;
	bool all_rules; /* not only the first that matches an event */
};

struct guard_answer {
	struct bh_buf out, told; /* for standard output and error; initialized by the caller */
	bool has_errors;         /* something is wrong with the rules, or an event did not do what it was expected to */
};

/* BH_ENOTFOUND: no rule has that name. */
int guard_rules_ask(const struct guard_question *question, struct guard_answer *answer, struct bh_err *err) BH_MUST_CHECK;

#endif

/*
 * fuzz_guard_rules.c: any bytes as a file of rules, as one condition, and as recorded events. Each problem has a place in the file; what parses is shown as a condition that parses again,
 * to one that is shown as the same text; rules that are good are asked about events.
 */
#include "guard/replay.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show(const char *text, struct bh_slice source, struct bh_buf *out)
{
	struct bh_arena arena;
	struct bh_err err = { 0 };
	struct guard_node *tree = NULL;
	const struct guard_text condition = { .text = source };
	bh_arena_init(&arena, 256u << 20);
	bh_buf_init(out, 64u << 20);
	int rc = guard_parse(&condition, &arena, &tree, &err);
	if (rc < 0 && (err.text[0] == '\0' || err.offset_bytes > source.len || text))
		abort();
	if (rc == 0)
		guard_show_condition(tree, 0, out);
	bh_arena_done(&arena);
}

static void try_condition(struct bh_slice text)
{
	struct bh_buf once, again;
	show(NULL, text, &once);
	if (once.len && !once.failed) {
		show("shown", bh_buf_slice(&once), &again);
		if (!bh_slice_eq(bh_buf_slice(&once), bh_buf_slice(&again)))
			abort();
		bh_buf_done(&again);
	}
	bh_buf_done(&once);
}

static const char events[] = "{\"evt.type\":\"open\",\"fd.name\":\"/etc/x\",\"proc.name\":\"a\",\"proc.aname\":[\"a\",\"b\"],\"fd.num\":3,\"fd.cip\":\"10.0.0.1\",\"fd.sip\":\"::1\",\"fd.sport\":80,\"fd.types\":[\"file\"],"
			     "\"evt.buffer\":\"abc\",\"proc.args\":\"-c x\",\"proc.env\":{\"A\":\"b\"},\"fd.connected\":true}\n{\"evt.type\":\"execve\"}\n";

static const char rules[] = "- rule: R\n  desc: d\n  condition: evt.type!=close and (proc.name glob '*a*b' or proc.aname[2] exists or fd.net in (10.0.0.0/8) or fd.num >= 1 or proc.env[A]=b or fd.types in (file)"
			    " or len(proc.args) > 1 or b64(proc.args)=x or join(\",\", fd.types)=y or getopt(proc.args, \"c:\")=z or fd.name pmatch (/a/*) or evt.buffer bcontains 00 or fd.name regex '(a|b)*')\n"
			    "  output: '%proc.name %proc.aname[2] %evt.arg.x %tolower(fd.name)'\n  priority: info\n";

static void replay(const struct guard_ruleset *r, struct bh_slice text)
{
	struct bh_buf out, told;
	struct bh_err err = { 0 };
	bh_buf_init(&out, 64u << 20);
	bh_buf_init(&told, 64u << 20);
	for (size_t i = 0; guard_alert_format_at(i); i++) {
		struct guard_replay replay = { .rules = r, .all = true, .format = guard_alert_format_at(i), .out = &out, .told = &told };
		if (guard_replay_events(&replay, "events", text, &err) < 0 && err.text[0] == '\0')
			abort();
	}
	bh_buf_done(&out);
	bh_buf_done(&told);
}

static void try_events(struct bh_slice text)
{
	static struct guard_ruleset r;
	static bool is_ready;
	struct bh_err err = { 0 };
	if (!is_ready) {
		guard_ruleset_init(&r);
		if (guard_ruleset_add(&r, "rules", bh_slice_str(rules), &err) < 0 || guard_ruleset_compile(&r, &err) < 0 || r.n_errors)
			abort();
		is_ready = true;
	}
	replay(&r, text);
}

static void try_file(struct bh_slice text)
{
	struct guard_ruleset r;
	struct bh_err err = { 0 };
	guard_ruleset_init(&r);
	int rc = guard_ruleset_add(&r, "first.yaml", text, &err);
	rc = rc < 0 ? rc : guard_ruleset_add(&r, "second.yaml", text, &err);
	rc = rc < 0 ? rc : guard_ruleset_compile(&r, &err);
	if (rc < 0 && err.text[0] == '\0')
		abort();
	for (size_t i = 0; i < r.problems.len; i++)
		if (r.problems.ptr[i].text.len == 0 || !r.problems.ptr[i].place.file[0])
			abort();
	for (size_t i = 0; rc == 0 && i < r.rules.len; i++) {
		const struct guard_rule *rule = r.rules.entries[i].value;
		if (rule->is_loaded && (!rule->condition.tree || rule->condition.n_checks == 0))
			abort();
	}
	if (rc == 0)
		replay(&r, bh_slice_str(events));
	guard_ruleset_done(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_condition((struct bh_slice){ data, size });
	try_file((struct bh_slice){ data, size });
	try_events((struct bh_slice){ data, size });
	return 0;
}

/* test_agent_filter.c: what the kernel leaves out is never what a rule fires for: random rules' conditions, paths, flags and processes, each event judged with and without the filter. */
#include "agent/filter.h"
#include "guard/alert.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#define EVENTS 20000

static const char rules[] = "- list: files\n  items: [/etc/shadow, /etc/sudoers]\n"
			    "- rule: secret\n  desc: d\n  condition: evt.type in (open, openat) and evt.is_open_read=true and fd.name in (files) and not proc.name in (login, sshd)\n  output: o\n  priority: INFO\n"
			    "- rule: logs\n  desc: d\n  condition: evt.type=openat and evt.is_open_write=true and (fd.name startswith /var/log or fd.filename=history) and fd.num>=0\n  output: o\n  priority: INFO\n"
			    "- rule: traversal\n  desc: d\n  condition: evt.type in (open, openat) and fd.nameraw contains ../ and fd.directory=/etc\n  output: o\n  priority: INFO\n"
			    "- rule: regex\n  desc: d\n  condition: evt.type=open and (fd.name regex '.*[.]key' or fd.name glob '/srv/*/x') and user.uid=0\n  output: o\n  priority: INFO\n"
			    "- rule: made\n  desc: d\n  condition: evt.type=openat and evt.is_open_create=true\n  output: o\n  priority: INFO\n"
			    "- rule: failed\n  desc: d\n  condition: evt.type=openat and evt.rawres<0 and fd.name=/etc/hostname\n  output: o\n  priority: INFO\n";
static const char *const paths[] = { "/etc/shadow", "/etc/sudoers", "/etc/hostname", "/var/log/syslog", "/var/lib/x", "/root/history", "/srv/a/x", "/srv/a/y", "/tmp/a.key", "/usr/lib/libc.so", "pipe:", "/etc",
				     "/a/very/long/path/a/very/long/path/a/very/long/path/a/very/long/path/a/very/long/path/a/very/long/path/a/very/long/path/a/very/long/path" };
static const char *const raws[] = { "x", "../etc/x", "/etc/../etc/x" };
static const char *const names[] = { "cat", "login", "sh" };
static const uint32_t flags[] = { O_RDONLY, O_WRONLY, O_RDWR, O_RDONLY | O_CLOEXEC, O_WRONLY | O_CREAT, O_WRONLY | O_APPEND, O_RDONLY | O_DIRECTORY };

struct place {
	struct guard_path paths[GUARD_PATHS];
	uint64_t secrets[GUARD_PATH_WORDS + 1];
	uint32_t mode, names;
};

static uint64_t state_of_random = 42;

static uint32_t below(uint32_t n)
{
	state_of_random = state_of_random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state_of_random >> 33) % n;
}

/* What bpf/filter.h does, as its comment says it. */
static bool is_listed(const struct place *p, const struct guard_record *r, struct bh_slice path)
{
	uint64_t words[GUARD_PATH_WORDS + 1] = { 0 };
	uint32_t how = (uint32_t)r->arguments[r->call == SYS_openat ? 2 : 1];
	if (r->result < 0 || how & (O_CREAT | 020000000) || path.len > GUARD_PATH_WORDS * 8)
		return false;
	memcpy(words, path.ptr, path.len);
	words[GUARD_PATH_WORDS] = (uint64_t)r->call << 32 | how | (bh_slice_eq(agent_string(r, GUARD_STRING_NAME), path) ? GUARD_PATH_AS_NAMED : 0);
	for (size_t i = 0; i <= GUARD_PATH_WORDS; i++)
		words[i] ^= p->secrets[i];
	for (size_t i = 0; i < GUARD_PATHS; i++)
		if (memcmp(p->paths[i].words, words, sizeof(words)) == 0)
			return true;
	return false;
}

struct room {
	struct guard_record r;
	char strings[1024];
};

static void put(struct room *to, enum guard_string slot, const char *text)
{
	to->r.string_at[slot] = (uint16_t)(to->r.bytes - sizeof(to->r));
	to->r.string_bytes[slot] = (uint16_t)strlen(text);
	memcpy((char *)to + to->r.bytes, text, strlen(text));
	to->r.bytes += (uint32_t)strlen(text);
}

static void make(struct room *to, const char *path)
{
	memset(to, 0, sizeof(*to));
	to->r.bytes = sizeof(to->r);
	to->r.kind = GUARD_KIND_CALL;
	to->r.call = below(2) ? SYS_openat : SYS_open;
	to->r.result = below(5) ? (int64_t)below(100) : -2;
	to->r.uid = below(2);
	uint32_t how = flags[below(sizeof(flags) / sizeof(flags[0]))];
	to->r.arguments[to->r.call == SYS_openat ? 2 : 1] = how;
	to->r.flags = how & O_CREAT && to->r.result >= 0 && below(2) ? GUARD_FLAG_CREATED : 0;
	put(to, GUARD_STRING_COMM, names[below(3)]);
	put(to, GUARD_STRING_NAME, below(2) ? path : raws[below(3)]);
	put(to, GUARD_STRING_CWD, "/tmp");
	if (to->r.result >= 0)
		put(to, GUARD_STRING_PATH, path);
}

static bool fires(const struct guard_ruleset *set, const struct agent_event *event)
{
	const struct guard_event e = { agent_extract, (void *)(uintptr_t)event, event->arena };
	size_t at = 0;
	return guard_next_match(set, agent_event_type(event), &e, &at) != NULL;
}

static void begin(struct place *p, struct guard_ruleset *set, struct bh_arena *arena)
{
	struct bh_err err = { 0 };
	guard_ruleset_init(set);
	bh_arena_init(arena, 1u << 24);
	assert_int_equal(guard_ruleset_add(set, "rules", bh_slice_str(rules), &err), 0);
	assert_int_equal(guard_ruleset_compile(set, &err), 0);
	assert_int_equal(set->n_errors, 0);
	for (size_t i = 0; i <= GUARD_PATH_WORDS; i++)
		p->secrets[i] = (uint64_t)below(UINT32_MAX) << 32 | below(UINT32_MAX);
}

static void no_alert_is_lost(void **state)
{
	static struct place p;
	struct guard_ruleset set;
	struct agent_host host = { 0 };
	struct agent_filter filter;
	struct bh_arena arena;
	struct room room;
	size_t n_listed = 0, n_fired = 0;
	(void)state;
	begin(&p, &set, &arena);
	agent_filter_begin(&filter, (struct sensor_filter){ p.paths, p.secrets, &p.mode, &p.names }, &set, GUARD_FILTER_DROPS);
	assert_int_equal(p.mode, GUARD_FILTER_DROPS);
	assert_true(p.names);
	for (uint64_t i = 1; i <= EVENTS; i++) {
		make(&room, paths[below(sizeof(paths) / sizeof(paths[0]))]);
		const struct agent_event event = { .record = &room.r, .call = agent_call_of(room.r.call), .group_is_known = true, .host = &host, .number = i, .arena = &arena };
		bool listed = is_listed(&p, &room.r, agent_string(&room.r, GUARD_STRING_PATH)), fired = fires(&set, &event);
		assert_false(listed && fired);
		n_listed += listed;
		n_fired += fired;
		agent_filter_learn(&filter, &set, &event);
		bh_arena_clear(&arena);
	}
	/* It is not just that nothing is left out, or that nothing fires. */
	assert_true(n_listed > EVENTS / 4 && n_fired > EVENTS / 20);
	guard_ruleset_done(&set);
	bh_arena_done(&arena);
}

static void is_begun_again_when_full(void **state)
{
	static struct place p;
	struct agent_filter filter;
	struct guard_ruleset set;
	struct agent_host host = { 0 };
	struct bh_arena arena;
	struct room room;
	char path[64];
	(void)state;
	begin(&p, &set, &arena);
	agent_filter_begin(&filter, (struct sensor_filter){ p.paths, p.secrets, &p.mode, &p.names }, &set, GUARD_FILTER_DROPS);
	for (uint64_t i = 0; i < 2 * GUARD_PATHS; i++) {
		(void)snprintf(path, sizeof(path), "/usr/share/%u", (unsigned)i);
		make(&room, "");
		room.r.call = SYS_openat;
		room.r.arguments[2] = O_RDONLY;
		room.r.flags = 0;
		room.r.result = 3;
		put(&room, GUARD_STRING_PATH, path);
		const struct agent_event event = { .record = &room.r, .call = agent_call_of(SYS_openat), .group_is_known = true, .host = &host, .number = i + 1, .arena = &arena };
		agent_filter_learn(&filter, &set, &event);
		bh_arena_clear(&arena);
	}
	assert_in_range(filter.n, GUARD_PATHS / 2, GUARD_PATHS / 4 * 3 + 1);
	agent_filter_tick(&filter);
	assert_int_equal(p.mode, GUARD_FILTER_DROPS); /* not before its time */
	filter.begun_ns = 0;
	agent_filter_tick(&filter);
	assert_int_equal(p.mode, GUARD_FILTER_OFF);
	assert_true(filter.n > 0);
	agent_filter_tick(&filter);
	assert_int_equal(p.mode, GUARD_FILTER_DROPS);
	assert_int_equal(filter.n, 0);
	for (size_t i = 0; i < GUARD_PATHS; i++)
		assert_int_equal(p.paths[i].words[0], 0);
	guard_ruleset_done(&set);
	bh_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(no_alert_is_lost), cmocka_unit_test(is_begun_again_when_full) };
	return cmocka_run_group_tests_name("agent_filter", tests, NULL, NULL);
}

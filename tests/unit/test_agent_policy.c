/*
 * test_agent_policy.c: files of policies: what is right, what is wrong and where; addresses, ports and paths as the tables say them, beside what the lists say when they are read one by one.
 */
#include "agent/learn.h"
#include "agent/peers.h"
#include "agent/policy.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int parse(struct agent_policies *p, const char *text, struct bh_err *err)
{
	assert_int_equal(agent_policies_init(p, err), 0);
	return agent_policies_parse(p, "p.yaml", bh_slice_str(text), err);
}

static void wrong(void **state)
{
	static const struct {
		const char *text, *told;
	} cases[] = {
		{ "policies: 1", "p.yaml:1:11: 'policies' is a list" },
		{ "policies:\n- 1", "p.yaml:2:3: a policy is a mapping with a name" },
		{ "policies:\n- {drift: deny}", "p.yaml:2:3: a policy is a mapping with a name" },
		{ "policy: []", "p.yaml:1:1: a file of policies has no key 'policy'" },
		{ "policies:\n- {name: a b}", "p.yaml:2:10: a policy's name has letters" },
		{ "policies:\n- {name: a}\n- {name: b}", "p.yaml:3:3: only one policy can be without images and containers: that of all others; 'a' is it" },
		{ "policies:\n- {name: a, images: [x]}\n- {name: a, images: [y]}", "p.yaml:3:10: there is a policy 'a' already" },
		{ "policies:\n- {name: a, drift: refuse}", "p.yaml:2:20: 'refuse' is none of allow, audit, deny, kill" },
		{ "policies:\n- {name: a, mode: on}", "p.yaml:2:19: 'on' is none of protect, monitor" },
		{ "policies:\n- {name: a, fallback: deny}", "'deny' is none of kill, audit" },
		{ "policies:\n- {name: a, deny: [drift]}", "p.yaml:2:20: 'drift' is none of volume-programs, setuid" },
		{ "policies:\n- {name: a, deny: mounts}", "p.yaml:2:19: a list is wanted here" },
		{ "policies:\n- {name: a, deny: [[mounts]]}", "p.yaml:2:20: a text is wanted here" },
		{ "policies:\n- {name: a, capabilities: [SYS_EVERYTHING]}", "there is no capability 'SYS_EVERYTHING'" },
		{ "policies:\n- {name: a, connect: {allow: [example.com]}}", "'example.com': an address, a prefix like 10.0.0.0/8" },
		{ "policies:\n- {name: a, connect: {allow: [10.0.0.0/33]}}", "the length of the prefix is wrong" },
		{ "policies:\n- {name: a, connect: {allow: [10.0.0.1 http]}}", "ports are numbers up to 65535" },
		{ "policies:\n- {name: a, connect: {allow: [10.0.0.1 90-80]}}", "the first port of a range is the lower one" },
		{ "policies:\n- {name: a, connect: {refuse: [10.0.0.1]}}", "connect has no key 'refuse'" },
		{ "policies:\n- {name: a, listen: {allow: [99999]}}", "ports are numbers up to 65535" },
		{ "policies:\n- {name: a, files: {read-only: [etc]}}", "an absolute path" },
		{ "policies:\n- {name: a, files: {read-only: [/etc/../x]}}", "an absolute path" },
		{ "policies:\n- {name: a, files: {read-only: [/etc/*]}}", "an absolute path" },
		{ "policies:\n- {name: a, files: {read-only: [/etc], writable: [/etc]}}", "'/etc' can't be writable and protected" },
		{ "policies:\n- {name: a, name: b}", "p.yaml: line 2" },
		{ "policies: [", "p.yaml: line" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct agent_policies p;
		struct bh_err err = { 0 };
		if (parse(&p, cases[i].text, &err) == 0 || !strstr(err.text, cases[i].told))
			fail_msg("'%s': '%s' is not '%s'", cases[i].text, err.text, cases[i].told);
		agent_policies_done(&p);
	}
}

static void right(void **state)
{
	struct agent_policies p;
	struct bh_err err = { 0 };
	(void)state;
	assert_int_equal(parse(&p, "policies:\n"
				   "- {name: shop, images: ['registry.example/shop*'], drift: deny, deny: [mounts], audit: [ptrace], capabilities: [CAP_SYS_ADMIN, NET_RAW], fallback: audit}\n"
				   "- {name: builder, containers: ['build-?'], drift: kill}\n"
				   "- {name: seen, images: ['sha256:00*'], mode: monitor, deny: all}\n"
				   "- {name: rest, deny: all}\n",
			       &err),
			 0);
	assert_int_equal(p.policies.len, 4);
	const struct guard_policy *rest = &p.policies.ptr[0].rules, *shop = &p.policies.ptr[1].rules, *builder = &p.policies.ptr[2].rules, *seen = &p.policies.ptr[3].rules;
	assert_string_equal(p.policies.ptr[0].name, "rest");
	assert_int_equal(rest->kills_instead, rest->refused);
	assert_int_equal(shop->refused, GUARD_BIT(DRIFT) | GUARD_BIT(MOUNT) | GUARD_BIT(CAPABILITY));
	assert_int_equal(shop->told, GUARD_BIT(PTRACE));
	assert_int_equal(shop->kills_instead, 0);
	assert_int_equal(shop->capabilities, 1ull << 21 | 1ull << 13); /* capability.h */
	assert_int_equal(builder->kills, GUARD_BIT(DRIFT));
	assert_int_equal(seen->refused, 0);
	assert_int_equal(seen->told, rest->refused);
	const struct {
		const char *image, *id, *name;
		uint32_t policy;
	} containers[] = {
		{ "registry.example/shop:1.0", "", "web", 1 }, { "registry.example/shop@sha256:11", "", "web", 1 }, { "registry.example/other", "", "build-1", 2 }, { "registry.example/other", "", "build-12", 0 },
		{ "x", "sha256:0011", "web", 3 }, { "", "", "", 0 },
	};
	for (size_t i = 0; i < sizeof(containers) / sizeof(containers[0]); i++) {
		struct agent_container c = { .image = bh_slice_str(containers[i].image), .image_id = bh_slice_str(containers[i].id), .name = bh_slice_str(containers[i].name) };
		assert_int_equal(agent_policy_of(&p, &c), containers[i].policy);
	}
	agent_policies_done(&p);
}

/* ---- addresses ---- */

/* As the kernel's prefix tree finds it. */
static const struct guard_ports *longest(const struct agent_policy_peer_vec *table, const uint8_t address[16])
{
	const struct agent_policy_peer *best = NULL;
	for (size_t i = 0; i < table->len; i++) {
		const struct agent_policy_peer *p = &table->ptr[i];
		uint32_t bits = p->key.bits - 32;
		bool same = true;
		for (uint32_t k = 0; k < bits; k++)
			same = same && !((p->key.address[k / 8] ^ address[k / 8]) >> (7 - k % 8) & 1);
		if (same && (!best || p->key.bits > best->key.bits))
			best = p;
	}
	return best ? &best->ports : NULL;
}

static bool refuses(const struct guard_ports *ports, uint16_t port, uint8_t protocol, bool otherwise)
{
	for (size_t i = 0; ports && i < ports->n; i++)
		if (port >= ports->rules[i].from && port <= ports->rules[i].to && (!ports->rules[i].protocol || ports->rules[i].protocol == protocol))
			return ports->rules[i].refuses;
	return ports ? ports->otherwise_refuses : otherwise;
}

static bool refuses_by_list(const struct agent_peer_rules *r, const uint8_t address[16], uint16_t port, uint8_t protocol, bool otherwise)
{
	for (size_t i = 0; i < r->rules.len; i++) {
		const struct agent_peer_rule *rule = &r->rules.ptr[i];
		bool same = true;
		for (uint32_t k = 0; k < rule->bits; k++)
			same = same && !((rule->address[k / 8] ^ address[k / 8]) >> (7 - k % 8) & 1);
		if (same && port >= rule->ports.from && port <= rule->ports.to && (!rule->ports.protocol || rule->ports.protocol == protocol))
			return rule->ports.refuses;
	}
	return otherwise;
}

static void peers(void **state)
{
	static const char *const prefixes[] = { "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/23", "10.1.2.3", "0.0.0.0/0", "world", "metadata", "private", "fd00::/8", "fd00:1::/32", "10.128.0.0/9" };
	static const char *const ports[] = { "", " 80", " tcp/443", " udp", " 1000-2000", " tcp/1-65535" };
	static const uint8_t addresses[][16] = {
		{ [10] = 255, 255, 10, 1, 2, 3 }, { [10] = 255, 255, 10, 1, 2, 4 }, { [10] = 255, 255, 10, 1, 9, 9 }, { [10] = 255, 255, 10, 200, 0, 1 }, { [10] = 255, 255, 192, 0, 2, 1 },
		{ [10] = 255, 255, 169, 254, 169, 254 }, { 0xfd, 0, 0, 1, [15] = 1 }, { 0xfd, 0, 0, 2, [15] = 1 }, { 0x20, 1, 0x0d, 0xb8, [15] = 1 },
	};
	static const uint16_t tried[] = { 0, 53, 80, 443, 999, 1000, 1500, 2000, 2001, 65535 };
	(void)state;
	srand(7);
	for (unsigned round = 0; round < 2000; round++) {
		struct agent_peer_rules rules;
		struct agent_policy_peer_vec table = { .max = GUARD_PEERS_MAX };
		bool otherwise = rand() & 1;
		agent_peer_rules_init(&rules);
		for (int n = rand() % 6; n >= 0; n--) {
			char text[64];
			(void)snprintf(text, sizeof(text), "%s%s", prefixes[(size_t)rand() % 11], ports[(size_t)rand() % 6]);
			assert_null(agent_peer_rules_add(&rules, bh_slice_str(text), rand() & 1));
		}
		assert_null(agent_peer_rules_flatten(&rules, 0, otherwise, &table));
		for (size_t a = 0; a < sizeof(addresses) / sizeof(addresses[0]); a++)
			for (size_t k = 0; k < sizeof(tried) / sizeof(tried[0]); k++)
				for (int udp = 0; udp < 2; udp++)
					assert_int_equal(refuses(longest(&table, addresses[a]), tried[k], udp ? IPPROTO_UDP : IPPROTO_TCP, otherwise),
							 refuses_by_list(&rules, addresses[a], tried[k], udp ? IPPROTO_UDP : IPPROTO_TCP, otherwise));
		agent_policy_peer_vec_done(&table);
		agent_peer_rules_done(&rules);
	}
}

/* ---- files ---- */

static uint32_t rights_at(const struct agent_policies *p, const char *path)
{
	uint32_t best = 0, rights = 0;
	char key[GUARD_POLICY_PATH_BYTES] = "";
	(void)snprintf(key, sizeof(key), "%s", path);
	for (size_t i = 0; i < p->files.len; i++) {
		const struct agent_policy_file *f = &p->files.ptr[i];
		if (f->key.bits > best && memcmp(f->key.path, key, f->key.bits / 8 - 4) == 0) {
			best = f->key.bits;
			rights = f->rights;
		}
	}
	return rights;
}

static void files(void **state)
{
	static const struct {
		const char *path;
		uint32_t rights;
	} cases[] = {
		{ "/etc", 1 | GUARD_FILE_PINNED }, { "/etc/passwd", 1 }, { "/etcetera", 0 }, { "/etc/ssl/x/y", 1 }, { "/etc/resolv.conf", 0 }, { "/etc/resolv.conf.d", 1 }, { "/srv", GUARD_FILE_PINNED },
		{ "/srv/a", GUARD_FILE_PINNED }, { "/srv/a/b", 1 }, { "/srv/a/b/c", 1 }, { "/srv/a/c", 0 }, { "/run/secrets/x", 2 }, { "/run", GUARD_FILE_PINNED }, { "/etc/keys", 3 }, { "/home", 0 },
	};
	struct agent_policies p;
	struct bh_err err = { 0 };
	(void)state;
	assert_int_equal(parse(&p, "policies:\n- name: a\n  files: {read-only: [/etc/, /srv/a/b, /etc/keys], writable: [/etc/resolv.conf], forbidden: [/run/secrets, /etc/keys]}\n", &err), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (rights_at(&p, cases[i].path) != cases[i].rights)
			fail_msg("%s: %u is not %u", cases[i].path, rights_at(&p, cases[i].path), cases[i].rights);
	agent_policies_done(&p);
	assert_int_equal(parse(&p, "policies:\n- name: a\n  files: {read-only: [/], writable: [/tmp]}\n", &err), 0);
	assert_int_equal(rights_at(&p, "/"), 1);
	assert_int_equal(rights_at(&p, "/usr/bin/x"), 1);
	assert_int_equal(rights_at(&p, "/tmp/x"), 0);
	agent_policies_done(&p);
}

/* What this kernel can't do is told, and what is done instead. */
static void missing(void **state)
{
	struct agent_policies p;
	struct bh_err err = { 0 };
	struct bh_buf b;
	(void)state;
	assert_int_equal(parse(&p, "policies:\n- {name: a, images: [x], drift: deny, deny: [mounts], capabilities: [KILL]}\n- {name: b, images: [y], fallback: audit, deny: [mounts]}\n- {name: c, drift: kill}\n", &err), 0);
	bh_buf_init(&b, 1 << 20);
	agent_policies_tell(&p, GUARD_BIT(CONNECT), &b);
	bh_buf_add_byte(&b, '\0');
	assert_string_equal((const char *)b.ptr, "policy 'a' asks to refuse drift: would need LSM; the process is killed before it has anything of it\n"
						 "policy 'a' asks to refuse mounts: would need LSM; the process is killed when it is done, not before\n"
						 "policy 'a' asks to refuse capabilities: would need LSM; nothing is done here, and nothing told\n"
						 "policy 'b' asks to refuse mounts: would need LSM; only told here\n");
	bh_buf_clear(&b);
	agent_policies_tell(&p, UINT32_MAX, &b);
	assert_int_equal(b.len, 0);
	bh_buf_done(&b);
	agent_policies_done(&p);
}

/* ---- what was learned ---- */

static struct guard_record *deed(enum guard_deed which, const char *path)
{
	static _Alignas(8) uint8_t room[sizeof(struct guard_record) + 512];
	struct guard_record *r = (struct guard_record *)room;
	memset(room, 0, sizeof(room));
	r->kind = GUARD_KIND_DEED;
	r->call = (uint16_t)which;
	r->string_bytes[GUARD_STRING_PATH] = (uint16_t)strlen(path);
	memcpy(room + sizeof(*r), path, strlen(path) + 1);
	r->bytes = (uint32_t)(sizeof(*r) + strlen(path));
	return r;
}

static void parse_learned(const struct agent_learned *l, struct agent_policies *p, struct bh_buf *b)
{
	struct bh_err err = { 0 };
	bh_buf_init(b, 1 << 24);
	agent_learn_write(l, UINT32_MAX, 60, b);
	assert_int_equal(agent_policies_init(p, &err), 0);
	if (agent_policies_parse(p, "learned", bh_buf_slice(b), &err) < 0)
		fail_msg("%s\n%.*s", err.text, (int)b->len, b->ptr);
	for (size_t i = 1; i < p->policies.len; i++)
		assert_int_equal(p->policies.ptr[i].rules.refused, 0); /* they only tell at first */
}

static void learned(void **state)
{
	struct agent_container shop = { .image = BH_SLICE_LIT("registry.example:5000/team/shop:1.0@sha256:00") }, nameless = { .name = BH_SLICE_LIT("we:ird name") }, nobody = { .id = "0" };
	struct agent_learned *l = agent_learn_new();
	struct agent_policies p;
	struct bh_buf b;
	char path[64];
	(void)state;
	assert_non_null(l);
	for (int i = 0; i < 40; i++) {
		(void)snprintf(path, sizeof(path), "/var/lib/app/%d", i);
		agent_learn_deed(l, &shop, deed(GUARD_DEED_READ_ONLY, path));
		(void)snprintf(path, sizeof(path), "/few/%d", i % 8);
		agent_learn_deed(l, &shop, deed(GUARD_DEED_READ_ONLY, path));
	}
	agent_learn_deed(l, &shop, deed(GUARD_DEED_READ_ONLY, "/od\"d\n: name"));
	agent_learn_deed(l, &shop, deed(GUARD_DEED_MOUNT, ""));
	struct guard_record *r = deed(GUARD_DEED_CAPABILITY, "");
	r->arguments[1] = 21;
	agent_learn_deed(l, &shop, r);
	agent_learn_deed(l, &nameless, deed(GUARD_DEED_DRIFT, ""));
	agent_learn_deed(l, &nobody, deed(GUARD_DEED_DRIFT, ""));
	parse_learned(l, &p, &b);
	assert_int_equal(p.policies.len, 3);
	assert_string_equal(p.matches.ptr[0].pattern, "registry.example:5000/team/shop");
	assert_string_equal(p.matches.ptr[1].pattern, "we:ird name");
	assert_true(p.matches.ptr[1].is_name);
	const struct guard_policy *own = &p.policies.ptr[1].rules;
	assert_true(own->told & GUARD_BIT(DRIFT) && own->told & GUARD_BIT(PTRACE) && !(own->told & GUARD_BIT(MOUNT)));
	assert_false(own->capabilities >> 21 & 1);
	assert_true(own->capabilities >> 22 & 1);
	assert_false(p.policies.ptr[2].rules.told & GUARD_BIT(DRIFT));
	assert_non_null(bh_slice_search(bh_buf_slice(&b), "\"/var/lib/app\"\n"));
	assert_non_null(bh_slice_search(bh_buf_slice(&b), "\"/few/7\"\n"));
	assert_non_null(bh_slice_search(bh_buf_slice(&b), "# 1 deeds were those of containers that nobody knows"));
	bh_buf_done(&b);
	agent_policies_done(&p);
	agent_learn_free(l);
}

/* More than there is room for is no list, and says so. */
static void learned_too_much(void **state)
{
	struct agent_container shop = { .image = BH_SLICE_LIT("shop") };
	struct agent_learned *l = agent_learn_new();
	struct agent_policies p;
	struct bh_buf b;
	char path[64];
	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		(void)snprintf(path, sizeof(path), "/%u/%u", i, i);
		agent_learn_deed(l, &shop, deed(GUARD_DEED_READ_ONLY, path));
		struct guard_record *r = deed(GUARD_DEED_CONNECT, "");
		r->socket.remote[15] = (uint8_t)i;
		r->socket.remote_port = (uint16_t)i;
		agent_learn_deed(l, &shop, r);
		r = deed(GUARD_DEED_LISTEN, "");
		r->socket.local_port = (uint16_t)i;
		agent_learn_deed(l, &shop, r);
	}
	parse_learned(l, &p, &b);
	assert_int_equal(p.files.len + p.peers.len + p.policies.ptr[1].rules.listen.n, 0);
	assert_non_null(bh_slice_search(bh_buf_slice(&b), "# connect: it had more than 256 peers"));
	assert_non_null(bh_slice_search(bh_buf_slice(&b), "# listen: it had more than 16 ports"));
	assert_non_null(bh_slice_search(bh_buf_slice(&b), "# files: it wrote more than 2048 files"));
	bh_buf_done(&b);
	agent_policies_done(&p);
	agent_learn_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(wrong), cmocka_unit_test(right), cmocka_unit_test(peers), cmocka_unit_test(files), cmocka_unit_test(missing), cmocka_unit_test(learned), cmocka_unit_test(learned_too_much) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

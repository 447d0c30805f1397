/* policy.c: see policy.h. Files of policies as YAML, and what is known of deeds. */
#include "agent/policy.h"

#include "agent/calls.h"
#include "agent/peers.h"
#include "base/cleanup.h"
#include "format/yaml.h"
#include "guard/match.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define POLICY_FILE_BYTES_MAX (4u << 20)

static const struct agent_deed deeds[] = {
#define DEED(id, name_, privilege, means, tag_, what_, fields_) [GUARD_DEED_##id] = { name_, privilege, AGENT_##means, tag_, what_, fields_ },
#include "agent/deeds.def"
#undef DEED
};

const struct agent_deed *agent_deed_at(size_t number)
{
	return number < GUARD_DEEDS ? &deeds[number] : NULL;
}

int agent_policies_init(struct agent_policies *p, struct bh_err *err)
{
	*p = (struct agent_policies){ .policies.max = GUARD_POLICIES_MAX, .matches.max = AGENT_PATTERNS_MAX, .files.max = (size_t)4 * GUARD_FILE_RULES_MAX, .peers.max = GUARD_PEERS_MAX };
	return agent_policy_vec_push(&p->policies, (struct agent_policy){ 0 }) ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

void agent_policies_done(struct agent_policies *p)
{
	agent_policy_vec_done(&p->policies);
	agent_policy_match_vec_done(&p->matches);
	agent_policy_file_vec_done(&p->files);
	agent_policy_peer_vec_done(&p->peers);
}

uint32_t agent_policies_deeds(const struct agent_policies *p)
{
	uint32_t all = 0;
	for (size_t i = 0; i < p->policies.len; i++)
		all |= p->policies.ptr[i].rules.refused | p->policies.ptr[i].rules.told;
	return all;
}

/* ---- a file ---- */

struct parse {
	struct agent_policies *to;
	const char *name;
	struct bh_err *err;
	uint32_t number; /* of the policy at work */
	struct guard_policy rules;
	uint32_t falls_back; /* deeds that are killed where they can't be refused: all, or none */
	bool monitors;
};

static int wrong(const struct parse *s, const struct bh_yaml_node *at, const char *fmt, ...) BH_PRINTF(3, 4);

static int wrong(const struct parse *s, const struct bh_yaml_node *at, const char *fmt, ...)
{
	char text[512];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return bh_fail(s->err, BH_EMALFORMED, 0, "%s:%" PRIu32 ":%" PRIu32 ": %s", s->name, bh_yaml_line(at), bh_yaml_column(at), text);
}

typedef int (*key_reader)(struct parse *s, const struct bh_yaml_node *value);

struct key {
	const char *name;
	key_reader read;
};

/* Every key of a mapping is one of a table's; the first one that is not is told. */
static int read_keys(struct parse *s, const struct bh_yaml_node *mapping, const struct key *keys, const char *what)
{
	const struct bh_yaml_node *key, *value;
	int rc = bh_yaml_is(mapping, BH_YAML_MAPPING) ? 0 : wrong(s, mapping, "%s is a mapping", what);
	for (size_t i = 0; rc == 0 && bh_yaml_pair(mapping, i, &key, &value); i++) {
		const struct key *k = keys;
		while (k->name && !bh_slice_eq_str(bh_yaml_str(key), k->name))
			k++;
		if (!k->name)
			return wrong(s, key, "%s has no key '%.*s'", what, BH_SLICE_FMT(bh_slice_sub(bh_yaml_str(key), 0, 64)));
		rc = k->read ? k->read(s, value) : 0;
	}
	return rc;
}

/* Gives each text of a sequence to `take`. */
static int each(struct parse *s, const struct bh_yaml_node *list, int (*take)(struct parse *s, const struct bh_yaml_node *item, void *ctx), void *ctx)
{
	int rc = bh_yaml_is(list, BH_YAML_SEQUENCE) ? 0 : wrong(s, list, "a list is wanted here: [a, b]");
	for (size_t i = 0; rc == 0 && i < bh_yaml_len(list); i++) {
		const struct bh_yaml_node *item = bh_yaml_at(list, i);
		rc = bh_yaml_is(item, BH_YAML_SCALAR) && bh_yaml_str(item).len && !memchr(bh_yaml_str(item).ptr, '\0', bh_yaml_str(item).len) ? take(s, item, ctx) : wrong(s, item, "a text is wanted here");
	}
	return rc;
}

static int one_of(const struct parse *s, const struct bh_yaml_node *value, const char *const *words, size_t *ret)
{
	for (*ret = 0; words[*ret]; ++*ret)
		if (bh_slice_eq_str(bh_yaml_str(value), words[*ret]))
			return 0;
	char all[256] = "";
	for (size_t i = 0, at = 0; words[i] && at < sizeof(all); i++)
		at += (size_t)snprintf(all + at, sizeof(all) - at, "%s%s", i ? ", " : "", words[i]);
	return wrong(s, value, "'%.*s' is none of %s", BH_SLICE_FMT(bh_slice_sub(bh_yaml_str(value), 0, 64)), all);
}

static int read_name(struct parse *s, const struct bh_yaml_node *value)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	struct bh_slice name = bh_yaml_str(value);
	bool good = name.len > 0 && name.len < AGENT_POLICY_NAME_BYTES;
	for (size_t i = 0; good && i < name.len; i++)
		good = name.ptr[i] && strchr(letters, name.ptr[i]);
	if (!good)
		return wrong(s, value, "a policy's name has letters, digits, '.', '_' and '-', at most %u", AGENT_POLICY_NAME_BYTES - 1);
	for (size_t i = 0; i < s->to->policies.len; i++)
		if (bh_slice_eq_str(name, s->to->policies.ptr[i].name))
			return wrong(s, value, "there is a policy '%.*s' already", BH_SLICE_FMT(name));
	(void)snprintf(s->to->policies.ptr[s->number].name, AGENT_POLICY_NAME_BYTES, "%.*s", BH_SLICE_FMT(name));
	return 0;
}

static int take_pattern(struct parse *s, const struct bh_yaml_node *item, void *ctx)
{
	struct agent_policy_match m = { .policy = s->number, .is_name = *(const bool *)ctx };
	struct bh_slice pattern = bh_yaml_str(item);
	if (pattern.len >= sizeof(m.pattern))
		return wrong(s, item, "patterns have at most %zu bytes", sizeof(m.pattern) - 1);
	memcpy(m.pattern, pattern.ptr, pattern.len);
	return agent_policy_match_vec_push(&s->to->matches, m) ? 0 : wrong(s, item, "there are too many patterns");
}

static int read_images(struct parse *s, const struct bh_yaml_node *value)
{
	bool is_name = false;
	return each(s, value, take_pattern, &is_name);
}

static int read_containers(struct parse *s, const struct bh_yaml_node *value)
{
	bool is_name = true;
	return each(s, value, take_pattern, &is_name);
}

static int read_mode(struct parse *s, const struct bh_yaml_node *value)
{
	static const char *const words[] = { "protect", "monitor", NULL };
	size_t which = 0;
	int rc = one_of(s, value, words, &which);
	s->monitors = which == 1;
	return rc;
}

static int read_fallback(struct parse *s, const struct bh_yaml_node *value)
{
	static const char *const words[] = { "kill", "audit", NULL };
	size_t which = 0;
	int rc = one_of(s, value, words, &which);
	s->falls_back = which == 0 ? UINT32_MAX : 0;
	return rc;
}

static int read_drift(struct parse *s, const struct bh_yaml_node *value)
{
	static const char *const words[] = { "allow", "audit", "deny", "kill", NULL };
	size_t which = 0;
	int rc = one_of(s, value, words, &which);
	s->rules.told |= which == 1 ? GUARD_BIT(DRIFT) : 0;
	s->rules.refused |= which >= 2 ? GUARD_BIT(DRIFT) : 0;
	s->rules.kills |= which == 3 ? GUARD_BIT(DRIFT) : 0;
	return rc;
}

static int take_privilege(struct parse *s, const struct bh_yaml_node *item, void *ctx)
{
	uint32_t *bits = ctx;
	for (size_t i = 0; i < GUARD_DEEDS; i++)
		if (deeds[i].is_privilege && bh_slice_eq_str(bh_yaml_str(item), deeds[i].name)) {
			*bits |= 1u << i;
			return 0;
		}
	char all[512] = "";
	for (size_t i = 0, at = 0; i < GUARD_DEEDS && at < sizeof(all); i++)
		at += deeds[i].is_privilege ? (size_t)snprintf(all + at, sizeof(all) - at, "%s%s", at ? ", " : "", deeds[i].name) : 0;
	return wrong(s, item, "'%.*s' is none of %s", BH_SLICE_FMT(bh_slice_sub(bh_yaml_str(item), 0, 64)), all);
}

static int read_privileges(struct parse *s, const struct bh_yaml_node *value, uint32_t *bits)
{
	if (!bh_slice_eq_str(bh_yaml_str(value), "all"))
		return each(s, value, take_privilege, bits);
	for (size_t i = 0; i < GUARD_DEEDS; i++)
		*bits |= deeds[i].is_privilege ? 1u << i : 0;
	return 0;
}

static int read_deny(struct parse *s, const struct bh_yaml_node *value)
{
	return read_privileges(s, value, &s->rules.refused);
}

static int read_audit(struct parse *s, const struct bh_yaml_node *value)
{
	return read_privileges(s, value, &s->rules.told);
}

static int take_capability(struct parse *s, const struct bh_yaml_node *item, void *ctx)
{
	struct bh_slice name = bh_yaml_str(item);
	(void)ctx;
	name = bh_slice_sub(name, bh_slice_starts(name, BH_SLICE_LIT("CAP_")) ? 4 : 0, name.len);
	for (unsigned i = 0; agent_capability_name(i); i++)
		if (bh_slice_eq_str(name, agent_capability_name(i))) {
			s->rules.capabilities |= 1ull << i;
			return 0;
		}
	return wrong(s, item, "there is no capability '%.*s'", BH_SLICE_FMT(bh_slice_sub(name, 0, 64)));
}

static int read_capabilities(struct parse *s, const struct bh_yaml_node *value)
{
	s->rules.refused |= GUARD_BIT(CAPABILITY);
	return each(s, value, take_capability, NULL);
}

/* ---- the network ---- */

struct peers_list {
	struct agent_peer_rules rules;
	bool refuses, has_allow;
};

static int take_peer(struct parse *s, const struct bh_yaml_node *item, void *ctx)
{
	struct peers_list *l = ctx;
	const char *why = agent_peer_rules_add(&l->rules, bh_yaml_str(item), l->refuses);
	return why ? wrong(s, item, "'%.*s': %s", BH_SLICE_FMT(bh_slice_sub(bh_yaml_str(item), 0, 80)), why) : 0;
}

/* What is denied counts before what is allowed, wherever it stands; where something is allowed, the rest is denied. */
static int read_lists(struct parse *s, const struct bh_yaml_node *value, const char *what, int (*take)(struct parse *s, const struct bh_yaml_node *item, void *ctx), struct peers_list *l)
{
	static const struct key keys[] = { { "deny", NULL }, { "allow", NULL }, { NULL, NULL } };
	const struct bh_yaml_node *deny = bh_yaml_get(value, "deny"), *allow = bh_yaml_get(value, "allow");
	int rc = read_keys(s, value, keys, what);
	l->refuses = true;
	rc = rc == 0 && deny ? each(s, deny, take, l) : rc;
	l->refuses = false;
	l->has_allow = allow != NULL;
	return rc == 0 && allow ? each(s, allow, take, l) : rc;
}

static int read_connect(struct parse *s, const struct bh_yaml_node *value)
{
	struct peers_list l = { 0 };
	agent_peer_rules_init(&l.rules);
	int rc = read_lists(s, value, "connect", take_peer, &l);
	if (rc == 0 && l.has_allow)
		rc = agent_peer_rules_add(&l.rules, BH_SLICE_LIT("loopback"), false) ? wrong(s, value, "there are too many addresses") : 0;
	s->rules.refuses_peers = l.has_allow;
	s->rules.refused |= GUARD_BIT(CONNECT);
	const char *why = rc == 0 ? agent_peer_rules_flatten(&l.rules, s->number, l.has_allow, &s->to->peers) : NULL;
	agent_peer_rules_done(&l.rules);
	return why ? wrong(s, value, "%s", why) : rc;
}

static int take_port(struct parse *s, const struct bh_yaml_node *item, void *ctx)
{
	const struct peers_list *l = ctx;
	struct guard_ports *to = &s->rules.listen;
	if (to->n == GUARD_PORT_RULES_MAX)
		return wrong(s, item, "there are more than %u ports and ranges", GUARD_PORT_RULES_MAX);
	struct guard_port_rule *r = &to->rules[to->n++];
	const char *why = agent_ports_parse(bh_yaml_str(item), r);
	r->refuses = l->refuses;
	return why ? wrong(s, item, "'%.*s': %s", BH_SLICE_FMT(bh_slice_sub(bh_yaml_str(item), 0, 80)), why) : 0;
}

static int read_listen(struct parse *s, const struct bh_yaml_node *value)
{
	struct peers_list l = { 0 };
	int rc = read_lists(s, value, "listen", take_port, &l);
	s->rules.listen.otherwise_refuses = l.has_allow;
	s->rules.refused |= GUARD_BIT(LISTEN);
	return rc;
}

/* ---- files ---- */

#define FILE_KEY_BITS(bytes) (8 * (uint32_t)(sizeof(uint32_t) + (bytes)))

static struct agent_policy_file *file_at(struct parse *s, const char *path, size_t bytes)
{
	for (size_t i = 0; i < s->to->files.len; i++) {
		struct agent_policy_file *f = &s->to->files.ptr[i];
		if (f->key.policy == s->number && f->key.bits == FILE_KEY_BITS(bytes) && memcmp(f->key.path, path, bytes) == 0)
			return f;
	}
	struct agent_policy_file n = { .key = { .bits = FILE_KEY_BITS(bytes), .policy = s->number } };
	memcpy(n.key.path, path, bytes);
	return agent_policy_file_vec_push(&s->to->files, n) ? &s->to->files.ptr[s->to->files.len - 1] : NULL;
}

static bool has_odd_parts(struct bh_slice path)
{
	struct bh_slice part;
	path = bh_slice_sub(path, 1, path.len);
	for (bool more = path.len > 0; more;) {
		more = bh_slice_cut(path, '/', &part, &path);
		if (part.len == 0 || bh_slice_eq_str(part, ".") || bh_slice_eq_str(part, "..") || memchr(part.ptr, '*', part.len))
			return true;
	}
	return false;
}

/* The file or folder itself, and what is below it. */
static int take_path(struct parse *s, const struct bh_yaml_node *item, void *ctx)
{
	char path[GUARD_POLICY_PATH_BYTES] = "";
	struct bh_slice own = bh_yaml_str(item);
	uint32_t rights = *(const uint32_t *)ctx;
	while (own.len > 1 && own.ptr[own.len - 1] == '/')
		own.len--;
	if (own.ptr[0] != '/' || own.len > sizeof(path) - 2 || has_odd_parts(own))
		return wrong(s, item, "an absolute path of at most %zu bytes is wanted, without '*', '.', '..' and '//'", sizeof(path) - 2);
	memcpy(path, own.ptr, own.len);
	size_t known = s->to->files.len;
	struct agent_policy_file *self = file_at(s, path, own.len + 1);
	if (self && known == s->to->files.len && !self->rights != !rights)
		return wrong(s, item, "'%.*s' can't be writable and protected", BH_SLICE_FMT(own));
	if (self)
		self->rights |= rights;
	path[own.len] = own.len > 1 ? '/' : '\0';
	struct agent_policy_file *below = self ? file_at(s, path, own.len > 1 ? own.len + 1 : 1) : NULL;
	if (!below)
		return wrong(s, item, "there are too many paths");
	below->rights |= rights;
	return 0;
}

static int read_read_only(struct parse *s, const struct bh_yaml_node *value)
{
	uint32_t rights = GUARD_FILE_READ_ONLY;
	s->rules.refused |= GUARD_BIT(READ_ONLY);
	return each(s, value, take_path, &rights);
}

static int read_forbidden(struct parse *s, const struct bh_yaml_node *value)
{
	uint32_t rights = GUARD_FILE_FORBIDDEN;
	s->rules.refused |= GUARD_BIT(FORBIDDEN);
	return each(s, value, take_path, &rights);
}

static int read_writable(struct parse *s, const struct bh_yaml_node *value)
{
	uint32_t rights = 0;
	return each(s, value, take_path, &rights);
}

/* What the kernel would find for a path. */
static uint32_t rights_of(const struct parse *s, const char *path, size_t bytes)
{
	uint32_t best = 0, rights = 0;
	for (size_t i = 0; i < s->to->files.len; i++) {
		const struct agent_policy_file *f = &s->to->files.ptr[i];
		size_t own = f->key.bits / 8 - sizeof(uint32_t);
		if (f->key.policy == s->number && own <= bytes && f->key.bits > best && memcmp(f->key.path, path, own) == 0) {
			best = f->key.bits;
			rights = f->rights;
		}
	}
	return rights;
}

/* Whoever could rename a folder above a protected file would have its name free for another one. */
static int pin_folders(struct parse *s, const struct bh_yaml_node *at)
{
	size_t n = s->to->files.len;
	for (size_t i = 0; i < n; i++) {
		char path[GUARD_POLICY_PATH_BYTES];
		const struct agent_policy_file *f = &s->to->files.ptr[i];
		size_t bytes = f->key.bits / 8 - sizeof(uint32_t);
		if (f->key.policy != s->number || !f->rights || f->key.path[bytes - 1] == '/')
			continue;
		memcpy(path, f->key.path, bytes);
		for (char *slash; (slash = strrchr(path, '/')) != path;) {
			*slash = '\0';
			size_t own = (size_t)(slash - path) + 1;
			uint32_t rights = rights_of(s, path, own);
			struct agent_policy_file *folder = file_at(s, path, own);
			if (!folder)
				return wrong(s, at, "there are too many paths");
			folder->rights = rights | GUARD_FILE_PINNED;
		}
	}
	return 0;
}

static int read_files(struct parse *s, const struct bh_yaml_node *value)
{
	static const struct key keys[] = { { "read-only", read_read_only }, { "forbidden", read_forbidden }, { "writable", read_writable }, { NULL, NULL } };
	int rc = read_keys(s, value, keys, "files");
	return rc == 0 ? pin_folders(s, value) : rc;
}

/* ---- policies ---- */

/* The first one has no pattern, all others have: so each container has exactly one that is meant. */
static int place_policy(struct parse *s, const struct bh_yaml_node *node)
{
	bool has_patterns = bh_yaml_get(node, "images") || bh_yaml_get(node, "containers");
	s->number = 0;
	if (!bh_yaml_is(node, BH_YAML_MAPPING) || !bh_yaml_get(node, "name"))
		return wrong(s, node, "a policy is a mapping with a name");
	if (!has_patterns && s->to->policies.ptr[0].name[0])
		return wrong(s, node, "only one policy can be without images and containers: that of all others; '%s' is it", s->to->policies.ptr[0].name);
	if (has_patterns) {
		s->number = (uint32_t)s->to->policies.len;
		if (!agent_policy_vec_push(&s->to->policies, (struct agent_policy){ 0 }))
			return wrong(s, node, "there are more than %u policies", GUARD_POLICIES_MAX);
	}
	return 0;
}

static int read_policy(struct parse *s, const struct bh_yaml_node *node)
{
	static const struct key keys[] = {
		{ "name", read_name }, { "images", read_images }, { "containers", read_containers }, { "mode", read_mode }, { "fallback", read_fallback }, { "drift", read_drift }, { "deny", read_deny },
		{ "audit", read_audit }, { "capabilities", read_capabilities }, { "connect", read_connect }, { "listen", read_listen }, { "files", read_files }, { NULL, NULL },
	};
	int rc = place_policy(s, node);
	s->falls_back = UINT32_MAX;
	s->monitors = false;
	s->rules = (struct guard_policy){ 0 };
	rc = rc == 0 ? read_keys(s, node, keys, "a policy") : rc;
	if (rc < 0)
		return rc;
	struct guard_policy *rules = &s->rules;
	rules->kills_instead = rules->kills | (s->falls_back & rules->refused);
	if (s->monitors) {
		rules->told |= rules->refused;
		rules->refused = rules->kills = rules->kills_instead = 0;
	}
	s->to->policies.ptr[s->number].rules = *rules;
	return 0;
}

int agent_policies_parse(struct agent_policies *p, const char *name, struct bh_slice text, struct bh_err *err)
{
	struct bh_yaml *doc = NULL;
	struct parse s = { .to = p, .name = name, .err = err };
	struct bh_err why = { 0 };
	static const struct key keys[] = { { "policies", NULL }, { NULL, NULL } };
	if (bh_yaml_parse(text, POLICY_FILE_BYTES_MAX, &doc, &why) < 0)
		return bh_fail(err, why.code, 0, "%s: %s", name, why.text);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < bh_yaml_documents(doc); i++) {
		const struct bh_yaml_node *root = bh_yaml_root(doc, i), *list = bh_yaml_get(root, "policies");
		rc = read_keys(&s, root, keys, "a file of policies");
		if (rc == 0 && !bh_yaml_is(list, BH_YAML_SEQUENCE))
			rc = wrong(&s, list ? list : root, "'policies' is a list");
		for (size_t k = 0; rc == 0 && k < bh_yaml_len(list); k++)
			rc = read_policy(&s, bh_yaml_at(list, k));
	}
	bh_yaml_free(doc);
	return rc;
}

/* ---- which one ---- */

static bool is_like(const struct agent_policy_match *m, const struct agent_container *c)
{
	struct bh_slice pattern = bh_slice_str(m->pattern);
	if (m->is_name)
		return c->name.len && guard_glob(pattern, c->name, false);
	struct bh_slice name = bh_slice_sub(c->image, 0, bh_slice_find(c->image, '@')), base = bh_slice_base(name);
	struct bh_slice repository = bh_slice_sub(name, 0, name.len - (base.len - bh_slice_find(base, ':')));
	const struct bh_slice names[] = { c->image, name, repository, c->image_id, c->image_digest };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].len && guard_glob(pattern, names[i], false))
			return true;
	return false;
}

uint32_t agent_policy_of(const struct agent_policies *p, const struct agent_container *c)
{
	for (size_t i = 0; i < p->matches.len; i++)
		if (is_like(&p->matches.ptr[i], c))
			return p->matches.ptr[i].policy;
	return 0;
}

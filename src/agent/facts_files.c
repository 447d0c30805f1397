/* facts_files.c: files, sockets, descriptors and arguments of calls (facts_parts.h). */
#include "agent/facts_parts.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define EXECUTABLE_BITS 0111u

/* ---- names of files ---- */

/* "a/../b//c" below "/x" is "/x/b/c", as text: links are not followed. */
static bool absolute(const struct agent_event *e, struct bh_slice folder, struct bh_slice path, struct guard_values *ret)
{
	struct bh_buf b;
	struct bh_slice parts[2] = { folder, path }, part;
	bh_buf_init(&b, TEXT_BYTES_MAX);
	if (path.len && path.ptr[0] == '/')
		parts[0] = (struct bh_slice){ 0 };
	for (size_t i = 0; i < 2; i++)
		while (parts[i].len) {
			(void)bh_slice_cut(parts[i], '/', &part, &parts[i]);
			if (part.len == 0 || bh_slice_eq_str(part, "."))
				continue;
			if (bh_slice_eq_str(part, "..")) {
				while (b.len && b.ptr[--b.len] != '/')
					;
				continue;
			}
			bh_buf_add_byte(&b, '/');
			bh_buf_add(&b, part);
		}
	if (b.len == 0)
		bh_buf_add_byte(&b, '/');
	return written(e, &b, ret);
}

static bool path_argument(const struct agent_event *e, unsigned which, bool raw, struct guard_values *ret)
{
	struct bh_slice path = agent_string(e->record, which == 2 ? GUARD_STRING_NAME2 : GUARD_STRING_NAME);
	if (path.len == 0 || raw)
		return has(ret, path);
	return absolute(e, agent_string(e->record, GUARD_STRING_CWD), path, ret);
}

static bool is_open(const struct agent_event *e)
{
	return e->call && (strncmp(e->call->name, "open", 4) == 0 || strcmp(e->call->name, "creat") == 0);
}

/* A call, or what a policy is about. */
static bool has_target(const struct agent_event *e)
{
	return e->call || e->record->kind == GUARD_KIND_DEED;
}

static bool has_file(const struct agent_event *e)
{
	return has_target(e) && (e->record->mode || e->record->flags & GUARD_FLAG_SOCKET || agent_string(e->record, GUARD_STRING_PATH).len || is_open(e));
}

/* The argument of an open: its flags, or the mode of what it creates. */
static uint64_t open_argument(const struct agent_event *e, enum agent_form form)
{
	for (const struct agent_parameter *p = e->call->parameters; p->name; p++)
		if (p->form == form && p->argument)
			return e->record->arguments[(p->argument - 1) % GUARD_ARGUMENTS];
	return strcmp(e->call->name, "creat") == 0 && form == AGENT_OPEN ? O_WRONLY | O_CREAT | O_TRUNC : 0;
}

static bool event_opens(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	if (!is_open(e))
		return yes(ret, false);
	uint64_t flags = open_argument(e, AGENT_OPEN), access_mode = flags & O_ACCMODE;
	bool creates = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
	if (is(o, "evt.is_open_read"))
		return yes(ret, access_mode == O_RDONLY || access_mode == O_RDWR);
	if (is(o, "evt.is_open_write"))
		return yes(ret, access_mode == O_WRONLY || access_mode == O_RDWR);
	if (is(o, "evt.is_open_create"))
		return yes(ret, e->record->flags & GUARD_FLAG_CREATED);
	return yes(ret, creates && open_argument(e, AGENT_MODE) & EXECUTABLE_BITS);
}

/* ---- sockets ---- */

static bool is_socket(const struct agent_event *e)
{
	return has_target(e) && e->record->flags & GUARD_FLAG_SOCKET;
}

static bool is_ip(const struct agent_event *e)
{
	return is_socket(e) && (e->record->socket.family == AF_INET || e->record->socket.family == AF_INET6);
}

/* A new one has no addresses yet. */
static bool has_addresses(const struct agent_event *e)
{
	return is_ip(e) && (e->record->socket.local_port || e->record->socket.remote_port);
}

/* Who waits for others is the server. */
static bool is_server(const struct agent_event *e)
{
	static const char *const calls[] = { "accept", "accept4", "listen", "bind", "recvfrom", "recvmsg", "recvmmsg", NULL };
	return e->call && bh_slice_is_one_of(bh_slice_str(e->call->name), calls);
}

/* An IPv4 address in an IPv6 one is what it stands for. */
static bool put_address(const struct agent_event *e, const uint8_t *address, struct bh_buf *b)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char own[INET6_ADDRSTRLEN];
	bool is_mapped = e->record->socket.family == AF_INET6 && memcmp(address, mapped, sizeof(mapped)) == 0;
	return bh_buf_add_str(b, inet_ntop(is_mapped ? AF_INET : e->record->socket.family, is_mapped ? address + 12 : address, own, sizeof(own)) ? own : "");
}

static bool side_address(const struct agent_event *e, bool remote, struct guard_values *ret)
{
	struct bh_buf b;
	const struct guard_socket *s = &e->record->socket;
	if (!has_addresses(e))
		return false;
	bh_buf_init(&b, TEXT_BYTES_MAX);
	put_address(e, remote ? s->remote : s->local, &b);
	return written(e, &b, ret);
}

static bool side_port(const struct agent_event *e, bool remote, struct guard_values *ret)
{
	return has_addresses(e) && number(e, ret, remote ? e->record->socket.remote_port : e->record->socket.local_port);
}

/* Whose the letter in fd.cip, fd.snet or fd.lport means: c and s are the client and the server, l and r the local and the remote side. */
static bool is_remote(const struct agent_event *e, char letter)
{
	bool server = is_server(e);
	return letter == 'r' || (letter == 'c' && server) || (letter == 's' && !server);
}

/* fd.ip, fd.net, fd.port: both sides. */
static bool socket_side(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	const char *name = o->field->name + 3;
	bool (*side)(const struct agent_event *e, bool remote, struct guard_values *ret) = strstr(name, "port") ? side_port : side_address;
	if (strcmp(name, "ip") == 0 || strcmp(name, "net") == 0 || strcmp(name, "port") == 0)
		return side(e, false, ret) && side(e, true, ret);
	return side(e, is_remote(e, *name), ret);
}

static bool has_line(struct bh_slice lines, struct bh_slice wanted)
{
	struct bh_slice line;
	while (lines.len) {
		(void)bh_slice_cut(lines, '\n', &line, &lines);
		if (bh_slice_eq(line, wanted))
			return true;
	}
	return false;
}

/* fd.sip.name: which of the names that rules have is this address? Nobody asks a name server for the name of an address. */
static bool side_name(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	struct guard_values address = { 0 };
	if (!side_address(e, is_remote(e, o->field->name[3]), &address))
		return false;
	for (size_t i = 0; i < e->host->n_names; i++)
		if (has_line(e->host->names[i].addresses, address.list[0]))
			(void)text(ret, e->host->names[i].name);
	return ret->n != 0;
}

static void put_tuple(const struct agent_event *e, struct bh_buf *b)
{
	const struct guard_socket *s = &e->record->socket;
	bool server = is_server(e);
	const uint8_t *addresses[2] = { server ? s->remote : s->local, server ? s->local : s->remote };
	unsigned ports[2] = { server ? s->remote_port : s->local_port, server ? s->local_port : s->remote_port };
	bool waits = server && s->remote_port == 0;
	for (size_t i = waits; i < 2; i++) {
		bh_buf_add_str(b, i == 1 && !waits ? "->" : "");
		put_address(e, addresses[i], b);
		bh_buf_printf(b, ":%u", ports[i]);
	}
}

static bool socket_name(const struct agent_event *e, struct guard_values *ret)
{
	struct bh_slice path = agent_string(e->record, GUARD_STRING_PATH);
	struct bh_buf b;
	if (is_ip(e) && !has_addresses(e))
		return false;
	if (!is_ip(e))
		return has(ret, path.len ? path : agent_string(e->record, GUARD_STRING_NAME));
	bh_buf_init(&b, TEXT_BYTES_MAX);
	put_tuple(e, &b);
	return written(e, &b, ret);
}

static bool socket_kind(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	const struct guard_socket *s = &e->record->socket;
	if (!is_socket(e))
		return false;
	if (is(o, "fd.is_server"))
		return yes(ret, is_server(e));
	if (is(o, "fd.sockfamily"))
		return is_ip(e) ? word(ret, "ip") : s->family == AF_UNIX && word(ret, "unix");
	if (is(o, "fd.connected"))
		return yes(ret, s->remote_port && !(e->record->flags & GUARD_FLAG_ADDRESS) && e->record->result >= 0);
	if (is(o, "fd.name_changed"))
		return yes(ret, e->record->flags & GUARD_FLAG_ADDRESS);
	return word(ret, s->type == SOCK_RAW ? "raw" : s->protocol == IPPROTO_ICMP || s->protocol == IPPROTO_ICMPV6 ? "icmp" : s->type == SOCK_STREAM ? "tcp" : s->type == SOCK_DGRAM ? "udp" : NULL);
}

/* ---- descriptors ---- */

struct kind {
	const char *name, *letter;
};

static struct kind socket_type(const struct guard_record *r)
{
	switch (r->socket.family) {
	case AF_INET:
		return (struct kind){ "ipv4", "4" };
	case AF_INET6:
		return (struct kind){ "ipv6", "6" };
	case AF_UNIX:
		return (struct kind){ "unix", "u" };
	case AF_NETLINK:
		return (struct kind){ "netlink", "n" };
	default:
		return (struct kind){ "unknown", "o" };
	}
}

/* What has no type in its inode is told by the kernel's name of it. */
static struct kind anonymous_type(struct bh_slice name)
{
	static const struct {
		const char *name;
		struct kind kind;
	} kinds[] = {
		{ "[eventfd", { "event", "e" } }, { "[signalfd", { "signalfd", "s" } }, { "[eventpoll", { "eventpoll", "l" } }, { "inotify", { "inotify", "i" } }, { "[timerfd", { "timerfd", "t" } },
		{ "bpf-", { "bpf", "b" } }, { "[userfaultfd", { "userfaultfd", "u" } }, { "[io_uring", { "io_uring", "r" } }, { "[pidfd", { "pidfd", "P" } },
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (bh_slice_starts(name, bh_slice_str(kinds[i].name)))
			return kinds[i].kind;
	return (struct kind){ "unknown", "o" };
}

static struct kind type_of(const struct agent_event *e)
{
	struct bh_slice path = agent_string(e->record, GUARD_STRING_PATH);
	uint32_t type = e->record->mode & S_IFMT;
	if (e->record->flags & GUARD_FLAG_SOCKET)
		return socket_type(e->record);
	if (type == S_IFDIR)
		return (struct kind){ "directory", "d" };
	if (type == S_IFIFO)
		return (struct kind){ "pipe", "p" };
	if (bh_slice_starts(path, BH_SLICE_LIT("memfd:")))
		return (struct kind){ "memfd", "m" };
	if (type == 0 && path.len)
		return anonymous_type(path);
	return (struct kind){ "file", "f" };
}

static bool descriptor_number(const struct agent_event *e, struct guard_values *ret)
{
	return number(e, ret, e->call->facts.how == GUARD_HOW_RESULT ? e->record->result : (int64_t)(int32_t)e->record->arguments[0]);
}

static bool descriptor_name(const struct agent_event *e, struct guard_values *ret)
{
	struct bh_slice path = agent_string(e->record, GUARD_STRING_PATH);
	if (is_socket(e))
		return socket_name(e, ret);
	return path.len ? text(ret, path) : is_open(e) && path_argument(e, 1, false, ret);
}

static bool descriptor_part(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	if (is_socket(e) || !descriptor_name(e, ret) || ret->list[0].ptr[0] != '/')
		return false;
	struct bh_slice path = ret->list[0], folder = bh_slice_folder(path);
	ret->list[0] = is(o, "fd.filename") ? bh_slice_base(path) : folder.len ? folder : BH_SLICE_LIT("/");
	return true;
}

static bool descriptor(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	if (!has_file(e))
		return false;
	if (is(o, "fd.num"))
		return descriptor_number(e, ret);
	if (is(o, "fd.name"))
		return descriptor_name(e, ret);
	if (is(o, "fd.nameraw"))
		return path_argument(e, 1, true, ret);
	if (is(o, "fd.path"))
		return has(ret, agent_string(e->record, GUARD_STRING_PATH));
	if (is(o, "fd.ino"))
		return number(e, ret, (int64_t)e->record->inode);
	struct kind k = type_of(e);
	return word(ret, is(o, "fd.type") ? k.name : k.letter);
}

/* ---- arguments ---- */

static bool exec_flags(const struct agent_event *e, struct guard_values *ret)
{
	static const struct {
		unsigned flag;
		const char *name;
	} names[] = { { GUARD_FLAG_UPPER, "EXE_UPPER_LAYER" }, { GUARD_FLAG_MEMORY, "EXE_FROM_MEMFD" } };
	struct bh_buf b;
	bh_buf_init(&b, TEXT_BYTES_MAX);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (e->record->flags & names[i].flag)
			bh_buf_printf(&b, "%s%s", b.len ? "|" : "", names[i].name);
	return written(e, &b, ret);
}

static bool exec_argument(const struct agent_event *e, struct bh_slice name, struct guard_values *ret)
{
	if (bh_slice_eq_str(name, "filename"))
		return has(ret, agent_string(e->record, GUARD_STRING_NAME));
	if (bh_slice_eq_str(name, "exe"))
		return has(ret, bh_slice_sub(agent_string(e->record, GUARD_STRING_NAME2), 0, bh_slice_find(agent_string(e->record, GUARD_STRING_NAME2), '\0')));
	if (bh_slice_eq_str(name, "args"))
		return words(e, agent_string(e->record, GUARD_STRING_NAME2), true, ret);
	if (bh_slice_eq_str(name, "comm"))
		return has(ret, agent_string(e->record, GUARD_STRING_COMM));
	if (bh_slice_eq_str(name, "cwd"))
		return has(ret, agent_string(e->record, GUARD_STRING_CWD));
	if (bh_slice_eq_str(name, "env"))
		return words(e, agent_string(e->record, GUARD_STRING_ENV), false, ret);
	if (bh_slice_eq_str(name, "flags"))
		return exec_flags(e, ret);
	if (bh_slice_eq_str(name, "uid"))
		return number(e, ret, e->record->uid);
	if (bh_slice_eq_str(name, "tty"))
		return number(e, ret, e->record->tty);
	if (bh_slice_eq_str(name, "pid") || bh_slice_eq_str(name, "tid"))
		return number(e, ret, e->record->pid);
	return bh_slice_eq_str(name, "res") && word(ret, "0");
}

static bool put_parameter(const struct agent_event *e, const struct agent_parameter *p, bool raw, struct guard_values *ret)
{
	struct bh_buf b;
	if (p->form == AGENT_PATH || p->form == AGENT_TEXT)
		return path_argument(e, p->argument, raw || p->form == AGENT_TEXT, ret);
	if (p->form == AGENT_REAL)
		return has(ret, agent_string(e->record, GUARD_STRING_PATH));
	if (p->form == AGENT_TUPLE)
		return is_socket(e) && socket_name(e, ret);
	if (raw && p->argument)
		return number(e, ret, (int64_t)e->record->arguments[(p->argument - 1) % GUARD_ARGUMENTS]);
	bh_buf_init(&b, TEXT_BYTES_MAX);
	if (!agent_argument_text(e->record, p, &b)) {
		bh_buf_done(&b);
		return false;
	}
	return written(e, &b, ret);
}

/* evt.arg.flags, or evt.arg[2]. */
static bool event_argument(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	uint64_t index = UINT64_MAX;
	struct bh_slice name = o->has_argument ? o->argument : o->dotted;
	bool by_number = o->has_argument && bh_slice_u64(o->argument, AGENT_PARAMETERS_MAX, &index), raw = is(o, "evt.rawarg");
	if (is_exec(e) && !by_number)
		return exec_argument(e, name, ret);
	for (size_t i = 0; e->call && i < AGENT_PARAMETERS_MAX && e->call->parameters[i].name; i++)
		if (by_number ? i == index : bh_slice_eq_str(name, e->call->parameters[i].name))
			return put_parameter(e, &e->call->parameters[i], raw, ret);
	return false;
}

static bool event_arguments(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	struct bh_buf b;
	(void)o;
	bh_buf_init(&b, TEXT_BYTES_MAX);
	if (is_exec(e)) {
		bh_buf_add_str(&b, "res=0 filename=");
		bh_buf_add(&b, agent_string(e->record, GUARD_STRING_NAME));
	}
	for (size_t i = 0; e->call && i < AGENT_PARAMETERS_MAX && e->call->parameters[i].name; i++) {
		struct guard_values v = { 0 };
		bh_buf_printf(&b, "%s%s=", i ? " " : "", e->call->parameters[i].name);
		if (put_parameter(e, &e->call->parameters[i], false, &v))
			bh_buf_add(&b, v.list[0]);
	}
	return written(e, &b, ret);
}

/* ---- the table ---- */

const struct agent_fact_row agent_file_facts[] = {
	{ "evt.is_open_read evt.is_open_write evt.is_open_exec evt.is_open_create", event_opens },
	{ "evt.arg evt.rawarg", event_argument },
	{ "evt.args evt.info", event_arguments },
	{ "fd.num fd.name fd.nameraw fd.path fd.ino fd.type fd.typechar", descriptor },
	{ "fd.directory fd.filename", descriptor_part },
	{ "fd.ip fd.cip fd.sip fd.lip fd.rip fd.net fd.cnet fd.snet fd.lnet fd.rnet fd.port fd.cport fd.sport fd.lport fd.rport", socket_side },
	{ "fd.cip.name fd.sip.name fd.lip.name fd.rip.name", side_name },
	{ "fd.l4proto fd.sockfamily fd.is_server fd.connected fd.name_changed", socket_kind },
	{ NULL, NULL },
};

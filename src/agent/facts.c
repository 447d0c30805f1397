/* facts.c: see facts.h. One function for a group of fields; the table at the end says which. */
#include "agent/facts.h"

#include "base/buf.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#define TEXT_BYTES_MAX (64u << 10)
#define SECOND_NS 1000000000ull
#define EXECUTABLE_BITS 0111u

typedef bool (*fact)(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret);

/* ---- values ---- */

static bool text(struct guard_values *ret, struct bh_slice s)
{
	if (ret->n == GUARD_VALUES_MAX)
		return false;
	ret->list[ret->n++] = s;
	return true;
}

static bool word(struct guard_values *ret, const char *s)
{
	return s && text(ret, bh_slice_str(s));
}

static bool yes(struct guard_values *ret, bool is_so)
{
	return word(ret, is_so ? "true" : "false");
}

static bool number(const struct agent_event *e, struct guard_values *ret, int64_t n)
{
	const char *s = bh_arena_printf(e->arena, "%" PRId64, n);
	return word(ret, s);
}

static bool has(struct guard_values *ret, struct bh_slice s)
{
	return s.len && text(ret, s);
}

/* What was written into b, which is released. */
static bool written(const struct agent_event *e, struct bh_buf *b, struct guard_values *ret)
{
	struct bh_slice s;
	bool ok = !b->failed && bh_arena_copy(e->arena, bh_buf_slice(b), &s) && text(ret, s);
	bh_buf_done(b);
	return ok;
}

/* Is it the field of that name? */
static bool is(const struct guard_operand *o, const char *name)
{
	return strcmp(o->field->name, name) == 0;
}

/* ---- the event ---- */

static bool is_exec(const struct agent_event *e)
{
	return e->record->kind == GUARD_KIND_EXEC;
}

struct bh_slice agent_event_type(const struct agent_event *e)
{
	switch (e->record->kind) {
	case GUARD_KIND_EXEC:
		return BH_SLICE_LIT("execve");
	case GUARD_KIND_FORK:
		return BH_SLICE_LIT("clone");
	case GUARD_KIND_EXIT:
		return BH_SLICE_LIT("procexit");
	default:
		return e->call ? bh_slice_str(e->call->name) : (struct bh_slice){ 0 };
	}
}

static bool event_type(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	struct bh_slice type = agent_event_type(e);
	return is(o, "evt.type.is") ? yes(ret, bh_slice_eq(type, o->dotted)) : has(ret, type);
}

static bool event_number(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	(void)o;
	return number(e, ret, (int64_t)e->number);
}

static bool event_time(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	uint64_t ns = e->host->boot_ns + e->record->time_ns;
	time_t seconds = (time_t)(ns / SECOND_NS);
	char date[32], clock[32];
	struct tm tm;
	if (is(o, "evt.rawtime"))
		return number(e, ret, (int64_t)ns);
	if (!gmtime_r(&seconds, &tm) || !strftime(date, sizeof(date), "%Y-%m-%d", &tm) || !strftime(clock, sizeof(clock), "%H:%M:%S", &tm))
		return false;
	unsigned rest = (unsigned)(ns % SECOND_NS);
	if (is(o, "evt.time.s"))
		return word(ret, bh_arena_printf(e->arena, "%s", clock));
	if (is(o, "evt.time.iso8601"))
		return word(ret, bh_arena_printf(e->arena, "%sT%s.%09uZ", date, clock, rest));
	if (is(o, "evt.datetime"))
		return word(ret, bh_arena_printf(e->arena, "%s %s.%09u", date, clock, rest));
	return word(ret, bh_arena_printf(e->arena, "%s.%09u", clock, rest));
}

static bool event_constant(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	if (is(o, "evt.source"))
		return word(ret, "syscall");
	if (is(o, "evt.hostname"))
		return word(ret, e->host->name);
	if (is(o, "evt.action"))
		return word(ret, e->action);
	if (is(o, "evt.tier"))
		return word(ret, e->record->flags & GUARD_FLAG_KILLED ? "kill" : "audit");
	if (is(o, "evt.cpu"))
		return number(e, ret, e->record->cpu);
	return word(ret, "<"); /* evt.dir: where the call ends */
}

static bool event_result(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	char name[32];
	int64_t result = e->record->result;
	bool failed = e->call && result < 0;
	if (!e->call && !is_exec(e))
		return false;
	if (is(o, "evt.failed"))
		return yes(ret, failed);
	if (is(o, "evt.rawres"))
		return number(e, ret, result);
	return word(ret, failed ? bh_arena_printf(e->arena, "%s", agent_errno_name(result, name)) : "SUCCESS");
}

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

static bool has_file(const struct agent_event *e)
{
	return e->call && (e->record->mode || e->record->flags & GUARD_FLAG_SOCKET || agent_string(e->record, GUARD_STRING_PATH).len || is_open(e));
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
	return e->call && e->record->flags & GUARD_FLAG_SOCKET;
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

static bool words(const struct agent_event *e, struct bh_slice list, bool without_first, struct guard_values *ret);

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

/* ---- processes ---- */

typedef bool (*process_fact)(const struct agent_event *e, const struct agent_process *p, struct guard_values *ret);

/* A list with ends as words with blanks between them. */
static bool words(const struct agent_event *e, struct bh_slice list, bool without_first, struct guard_values *ret)
{
	struct bh_buf b;
	struct bh_slice one;
	bool any = false;
	bh_buf_init(&b, TEXT_BYTES_MAX);
	if (without_first)
		(void)bh_slice_cut(list, '\0', &one, &list);
	while (list.len) {
		(void)bh_slice_cut(list, '\0', &one, &list);
		bh_buf_add_str(&b, any ? " " : "");
		bh_buf_add(&b, one);
		any = true;
	}
	return written(e, &b, ret);
}

static bool process_name(const struct agent_event *e, const struct agent_process *p, struct guard_values *ret)
{
	(void)e;
	return word(ret, p->comm);
}

static bool process_exe(const struct agent_event *e, const struct agent_process *p, struct guard_values *ret)
{
	(void)e;
	return p->program && has(ret, bh_slice_sub(p->program->arguments, 0, bh_slice_find(p->program->arguments, '\0')));
}

static bool process_path(const struct agent_event *e, const struct agent_process *p, struct guard_values *ret)
{
	(void)e;
	return p->program && has(ret, p->program->path);
}

static bool process_arguments(const struct agent_event *e, const struct agent_process *p, struct guard_values *ret)
{
	return p->program && words(e, p->program->arguments, true, ret);
}

static bool with_arguments(const struct agent_event *e, struct bh_slice first, const struct agent_process *p, struct guard_values *ret)
{
	struct guard_values arguments = { 0 };
	if (!p->program || !words(e, p->program->arguments, true, &arguments))
		return false;
	const char *line = bh_arena_printf(e->arena, "%.*s%s%.*s", BH_SLICE_FMT(first), arguments.list[0].len ? " " : "", BH_SLICE_FMT(arguments.list[0]));
	return word(ret, line);
}

static bool process_line(const struct agent_event *e, const struct agent_process *p, struct guard_values *ret)
{
	return with_arguments(e, bh_slice_str(p->comm), p, ret);
}

static bool process_exe_line(const struct agent_event *e, const struct agent_process *p, struct guard_values *ret)
{
	struct guard_values exe = { 0 };
	return process_exe(e, p, &exe) && with_arguments(e, exe.list[0], p, ret);
}

static bool process_number(const struct agent_event *e, const struct agent_process *p, struct guard_values *ret)
{
	return number(e, ret, p->pid);
}

static bool process_vpid(const struct agent_event *e, const struct agent_process *p, struct guard_values *ret)
{
	return p->vpid && number(e, ret, p->vpid);
}

static bool process_duration(const struct agent_event *e, const struct agent_process *p, struct guard_values *ret)
{
	return number(e, ret, (int64_t)(e->record->time_ns - p->start_ns));
}

static bool process_start(const struct agent_event *e, const struct agent_process *p, struct guard_values *ret)
{
	return number(e, ret, (int64_t)(e->host->boot_ns + p->start_ns));
}

/* Fields of one process by whose they are: its own, the parent's, an ancestor's, the leader's of its session or group. */
static const struct {
	const char *own, *parent, *ancestor, *session, *group, *group_inside;
	process_fact fact;
} process_facts[] = {
	{ "proc.name", "proc.pname", "proc.aname", "proc.sname", "proc.pgid.name", "proc.vpgid.name", process_name },
	{ "proc.exe", "proc.pexe", "proc.aexe", "proc.sid.exe", "proc.pgid.exe", "proc.vpgid.exe", process_exe },
	{ "proc.exepath", "proc.pexepath", "proc.aexepath", "proc.sid.exepath", "proc.pgid.exepath", "proc.vpgid.exepath", process_path },
	{ "proc.args", "", "", "", "", "", process_arguments },
	{ "proc.cmdline", "proc.pcmdline", "proc.acmdline", "", "", "", process_line },
	{ "proc.exeline", "", "", "", "", "", process_exe_line },
	{ "proc.pid", "proc.ppid", "proc.apid", "", "", "", process_number },
	{ "", "proc.pvpid", "", "", "", "", process_vpid },
	{ "proc.duration", "proc.ppid.duration", "", "", "", "", process_duration },
	{ "proc.pid.ts", "proc.ppid.ts", "", "", "", "", process_start },
};

/* proc.aname: of any ancestor; proc.aname[2]: of the parent's parent, [0] being the process itself. */
static bool of_ancestors(const struct agent_event *e, const struct guard_operand *o, process_fact one, struct guard_values *ret)
{
	uint64_t wanted = 0, at = 0;
	if (o->has_argument && !bh_slice_u64(o->argument, AGENT_ANCESTORS_MAX, &wanted))
		return false;
	for (const struct agent_process *p = e->process; p && at <= AGENT_ANCESTORS_MAX; p = p->parent, at++) {
		if (o->has_argument && at == wanted)
			return one(e, p, ret);
		if (!o->has_argument && at > 0)
			(void)one(e, p, ret);
	}
	return ret->n != 0;
}

/* Of a session or a group. */
static bool of_leader(const struct agent_event *e, uint32_t pid, process_fact one, struct guard_values *ret)
{
	const struct agent_process *leader = agent_process_find(e->host->processes, pid);
	return leader && one(e, leader, ret);
}

static bool of_process(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	const struct agent_process *p = e->process;
	for (size_t i = 0; p && i < sizeof(process_facts) / sizeof(process_facts[0]); i++) {
		if (is(o, process_facts[i].own))
			return process_facts[i].fact(e, p, ret);
		if (is(o, process_facts[i].parent))
			return p->parent && process_facts[i].fact(e, p->parent, ret);
		if (is(o, process_facts[i].ancestor))
			return of_ancestors(e, o, process_facts[i].fact, ret);
		if (is(o, process_facts[i].session))
			return of_leader(e, e->record->sid, process_facts[i].fact, ret);
		if (is(o, process_facts[i].group) || is(o, process_facts[i].group_inside))
			return of_leader(e, e->record->pgid, process_facts[i].fact, ret);
	}
	return false;
}

static bool numbers_of(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	const struct guard_record *r = e->record;
	const struct {
		const char *name;
		int64_t value;
	} numbers[] = {
		{ "proc.vpid", r->vpid }, { "proc.sid", r->sid }, { "proc.pgid", r->pgid }, { "proc.vpgid", r->vpgid }, { "proc.tty", r->tty }, { "thread.tid", r->tid }, { "thread.vtid", r->vtid },
		{ "user.uid", r->uid }, { "user.loginuid", (int32_t)r->loginuid }, { "group.gid", r->gid },
	};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (is(o, numbers[i].name))
			return number(e, ret, numbers[i].value);
	return false;
}

static bool is_leader(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	const struct guard_record *r = e->record;
	if (is(o, "thread.ismain"))
		return yes(ret, r->pid == r->tid);
	return yes(ret, is(o, "proc.is_sid_leader") ? r->sid == r->pid : is(o, "proc.is_vpgid_leader") ? r->vpgid == r->vpid : r->pgid == r->pid);
}

static bool executable(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	const struct agent_program *p = e->process ? e->process->program : NULL;
	if (!p || p->inode == 0) /* of those that ran before the guard, it is not known */
		return false;
	int64_t start = (int64_t)(e->host->boot_ns + e->process->start_ns);
	if (is(o, "proc.is_exe_upper_layer"))
		return yes(ret, p->flags & GUARD_FLAG_UPPER);
	if (is(o, "proc.is_exe_lower_layer"))
		return yes(ret, p->flags & GUARD_FLAG_CONTAINED && !(p->flags & (GUARD_FLAG_UPPER | GUARD_FLAG_MEMORY)));
	if (is(o, "proc.is_exe_from_memfd"))
		return yes(ret, p->flags & GUARD_FLAG_MEMORY);
	if (is(o, "proc.exe_ino"))
		return number(e, ret, (int64_t)p->inode);
	if (is(o, "proc.exe_ino.mtime"))
		return p->modified_ns && number(e, ret, (int64_t)p->modified_ns);
	if (is(o, "proc.exe_ino.ctime"))
		return number(e, ret, (int64_t)p->changed_ns);
	if (is(o, "proc.exe_ino.ctime_duration_proc_start"))
		return number(e, ret, start - (int64_t)p->changed_ns);
	bool contained = p->flags & GUARD_FLAG_CONTAINED;
	return word(ret, p->flags & GUARD_FLAG_MEMORY ? "memory" : !contained ? "host" : p->flags & GUARD_FLAG_UPPER ? "new" : "image");
}

/* A script's path, where an interpreter was started for it: what was asked for is then not what runs. */
static bool script(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	(void)o;
	struct bh_slice name = agent_string(e->record, GUARD_STRING_NAME), line = agent_string(e->record, GUARD_STRING_NAME2), first, rest;
	if (!is_exec(e))
		return false;
	(void)bh_slice_cut(line, '\0', &first, &rest);
	/* The kernel puts the interpreter, its argument if there is one, and the script in front. */
	for (size_t i = 0; i < 2 && rest.len; i++) {
		(void)bh_slice_cut(rest, '\0', &first, &rest);
		if (bh_slice_eq(first, name) && !bh_slice_eq(name, agent_string(e->record, GUARD_STRING_PATH)))
			return text(ret, name);
	}
	return false;
}

static bool variable(struct bh_slice env, struct bh_slice name, struct guard_values *ret)
{
	struct bh_slice one, own;
	while (env.len) {
		(void)bh_slice_cut(env, '\0', &one, &env);
		own = bh_slice_sub(one, 0, bh_slice_find(one, '='));
		if (bh_slice_eq(own, name))
			return text(ret, bh_slice_sub(one, own.len + 1, one.len));
	}
	return false;
}

static bool environment(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	const struct agent_program *p = e->process ? e->process->program : NULL;
	if (!p)
		return false;
	return o->has_argument ? variable(p->env, o->argument, ret) : words(e, p->env, false, ret);
}

static bool current_folder(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	const struct agent_program *p = e->process ? e->process->program : NULL;
	(void)o;
	return p && has(ret, p->cwd);
}

static bool capabilities(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	struct bh_buf b;
	bh_buf_init(&b, TEXT_BYTES_MAX);
	agent_capability_names(is(o, "thread.cap_permitted") ? e->record->permitted : is(o, "thread.cap_effective") ? e->record->effective : e->record->inheritable, &b);
	return written(e, &b, ret);
}

/* ---- users ---- */

/* passwd(5) and group(5): the name of a number, which is the third part. */
static bool name_of(struct bh_slice file, uint32_t wanted, struct guard_values *ret)
{
	struct bh_slice line, name, rest, part;
	uint64_t own;
	while (file.len) {
		(void)bh_slice_cut(file, '\n', &line, &file);
		(void)bh_slice_cut(line, ':', &name, &rest);
		(void)bh_slice_cut(rest, ':', &part, &rest);
		(void)bh_slice_cut(rest, ':', &part, &rest);
		if (bh_slice_u64(part, UINT32_MAX, &own) && own == wanted)
			return has(ret, name);
	}
	return false;
}

static bool user(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	bool logs_in = is(o, "user.loginname"), is_group = is(o, "group.name");
	if (logs_in) /* who logged in to the host */
		return name_of(e->host->passwd, e->record->loginuid, ret);
	struct bh_slice file = e->container ? (is_group ? e->container->group : e->container->passwd) : is_group ? e->host->group : e->host->passwd;
	return name_of(file, is_group ? e->record->gid : e->record->uid, ret);
}

/* ---- containers ---- */

static bool container_id(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	const struct agent_container *c = e->container;
	if (!e->group_is_known)
		return false;
	if (is(o, "container.type"))
		return word(ret, c ? c->type : "host");
	return text(ret, c ? (struct bh_slice){ (const uint8_t *)c->id, is(o, "container.full_id") ? AGENT_ID_BYTES : AGENT_SHORT_ID_BYTES } : BH_SLICE_LIT("host"));
}

/* "docker.io/library/alpine:3.19@sha256:..." */
static bool image_part(struct bh_slice image, const struct guard_operand *o, struct guard_values *ret)
{
	struct bh_slice rest = bh_slice_sub(image, 0, bh_slice_find(image, '@')), base = bh_slice_base(rest);
	size_t colon = bh_slice_find(base, ':');
	if (is(o, "container.image.repository"))
		return has(ret, bh_slice_sub(rest, 0, rest.len - (base.len - colon)));
	return colon < base.len && has(ret, bh_slice_sub(base, colon + 1, base.len));
}

static bool container_text(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	const struct agent_container *c = e->container;
	if (!c)
		return is(o, "container.name") && e->group_is_known && word(ret, "host");
	const struct {
		const char *name;
		struct bh_slice value;
	} texts[] = {
		{ "container.name", c->name }, { "container.image", c->image }, { "container.image.full", c->image }, { "container.image.id", c->image_id }, { "container.image.digest", c->image_digest },
		{ "k8s.pod.name", c->pod_name }, { "k8s.ns.name", c->pod_namespace }, { "k8s.pod.uid", c->pod_uid }, { "k8s.pod.full_sandbox_id", c->pod_sandbox },
		{ "k8s.pod.sandbox_id", bh_slice_sub(c->pod_sandbox, 0, AGENT_SHORT_ID_BYTES) }, { "k8s.pod.id", bh_slice_sub(c->pod_sandbox, 0, AGENT_SHORT_ID_BYTES) },
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (is(o, texts[i].name))
			return has(ret, texts[i].value);
	return image_part(c->image, o, ret);
}

static bool container_kind(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	const struct agent_container *c = e->container;
	if (!c || !c->is_described)
		return false;
	if (is(o, "container.start_ts"))
		return c->started_ns && number(e, ret, (int64_t)c->started_ns);
	if (is(o, "container.duration"))
		return c->started_ns && number(e, ret, (int64_t)(e->host->boot_ns + e->record->time_ns - c->started_ns));
	return yes(ret, is(o, "container.privileged") ? c->is_privileged : is(o, "container.host_pid") ? c->host_pid : is(o, "container.host_network") ? c->host_network : c->host_ipc);
}

static void put_mount(const struct agent_mount *m, struct bh_buf *b)
{
	bh_buf_printf(b, "%.*s:%.*s:%.*s:%s:%.*s", BH_SLICE_FMT(m->source), BH_SLICE_FMT(m->destination), BH_SLICE_FMT(m->mode), m->is_writable ? "true" : "false", BH_SLICE_FMT(m->propagation));
}

/* '*' is any text. */
static bool matches(struct bh_slice pattern, struct bh_slice s)
{
	size_t star = bh_slice_find(pattern, '*');
	if (star == pattern.len)
		return bh_slice_eq(pattern, s);
	return star == pattern.len - 1 && bh_slice_starts(s, bh_slice_sub(pattern, 0, star));
}

/* By number, by destination (container.mount.source), by source (container.mount.dest), the rest by either. */
static const struct agent_mount *mount_of(const struct agent_container *c, const struct guard_operand *o)
{
	uint64_t at;
	if (bh_slice_u64(o->argument, UINT32_MAX, &at))
		return at < c->n_mounts ? &c->mounts[at] : NULL;
	for (size_t i = 0; i < c->n_mounts; i++) {
		const struct agent_mount *m = &c->mounts[i];
		if (!is(o, "container.mount.source") && matches(o->argument, m->source))
			return m;
		if (!is(o, "container.mount.dest") && !is(o, "container.mount") && matches(o->argument, m->destination))
			return m;
	}
	return NULL;
}

static bool container_mount(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	const struct agent_container *c = e->container;
	struct bh_buf b;
	if (!c || !c->is_described)
		return false;
	const struct agent_mount *m = is(o, "container.mounts") ? NULL : mount_of(c, o);
	if (!m && !is(o, "container.mounts"))
		return word(ret, "N/A"); /* as Falco's plug-in says */
	if (m && is(o, "container.mount.source"))
		return has(ret, m->source);
	if (m && is(o, "container.mount.dest"))
		return has(ret, m->destination);
	if (m && is(o, "container.mount.mode"))
		return has(ret, m->mode);
	if (m && is(o, "container.mount.rdwr"))
		return yes(ret, m->is_writable);
	if (m && is(o, "container.mount.propagation"))
		return has(ret, m->propagation);
	bh_buf_init(&b, TEXT_BYTES_MAX);
	for (size_t i = 0; c->mounts && i < c->n_mounts; i++)
		if (!m || m == &c->mounts[i]) {
			bh_buf_add_str(&b, b.len ? "," : "");
			put_mount(&c->mounts[i], &b);
		}
	return written(e, &b, ret);
}

static bool container_label(const struct agent_event *e, const struct guard_operand *o, struct guard_values *ret)
{
	const struct agent_container *c = e->container;
	struct bh_slice name = o->has_argument ? o->argument : o->dotted;
	struct bh_buf b;
	if (!c || !c->is_described)
		return false;
	bool all = is(o, "container.labels");
	bh_buf_init(&b, TEXT_BYTES_MAX);
	for (size_t i = 0; i < c->n_labels; i++) {
		if (!all && bh_slice_eq(c->labels[i].name, name)) {
			bh_buf_done(&b);
			return text(ret, c->labels[i].value);
		}
		if (all)
			bh_buf_printf(&b, "%s%.*s:%.*s", i ? ", " : "", BH_SLICE_FMT(c->labels[i].name), BH_SLICE_FMT(c->labels[i].value));
	}
	if (all)
		return written(e, &b, ret);
	bh_buf_done(&b);
	return false;
}

/* ---- the table ---- */

static const struct {
	const char *names; /* with blanks between them */
	fact fact;
} facts[] = {
	{ "evt.type evt.type.is syscall.type", event_type },
	{ "evt.num", event_number },
	{ "evt.time evt.time.s evt.time.iso8601 evt.datetime evt.rawtime evt.outputtime", event_time },
	{ "evt.source evt.hostname evt.action evt.tier evt.cpu evt.dir", event_constant },
	{ "evt.res evt.rawres evt.failed", event_result },
	{ "evt.is_open_read evt.is_open_write evt.is_open_exec evt.is_open_create", event_opens },
	{ "evt.arg evt.rawarg", event_argument },
	{ "evt.args evt.info", event_arguments },
	{ "fd.num fd.name fd.nameraw fd.path fd.ino fd.type fd.typechar", descriptor },
	{ "fd.directory fd.filename", descriptor_part },
	{ "fd.ip fd.cip fd.sip fd.lip fd.rip fd.net fd.cnet fd.snet fd.lnet fd.rnet fd.port fd.cport fd.sport fd.lport fd.rport", socket_side },
	{ "fd.cip.name fd.sip.name fd.lip.name fd.rip.name", side_name },
	{ "fd.l4proto fd.sockfamily fd.is_server fd.connected fd.name_changed", socket_kind },
	{ "proc.name proc.pname proc.aname proc.sname proc.pgid.name proc.vpgid.name proc.exe proc.pexe proc.aexe proc.sid.exe proc.pgid.exe proc.vpgid.exe proc.exepath proc.pexepath proc.aexepath "
	  "proc.sid.exepath proc.pgid.exepath proc.vpgid.exepath proc.args proc.cmdline proc.pcmdline proc.acmdline proc.exeline proc.pid proc.ppid proc.apid proc.pvpid proc.duration "
	  "proc.ppid.duration proc.pid.ts proc.ppid.ts",
	  of_process },
	{ "proc.vpid proc.sid proc.pgid proc.vpgid proc.tty thread.tid thread.vtid user.uid user.loginuid group.gid", numbers_of },
	{ "proc.is_sid_leader proc.is_vpgid_leader proc.is_pgid_leader thread.ismain", is_leader },
	{ "proc.is_exe_upper_layer proc.is_exe_lower_layer proc.is_exe_from_memfd proc.exe_ino proc.exe_ino.ctime proc.exe_ino.mtime proc.exe_ino.ctime_duration_proc_start proc.exe_class", executable },
	{ "proc.script", script },
	{ "proc.env", environment },
	{ "proc.cwd", current_folder },
	{ "thread.cap_permitted thread.cap_effective thread.cap_inheritable", capabilities },
	{ "user.name user.loginname group.name", user },
	{ "container.id container.full_id container.type", container_id },
	{ "container.name container.image container.image.full container.image.id container.image.digest container.image.repository container.image.tag k8s.pod.name k8s.ns.name k8s.pod.uid "
	  "k8s.pod.full_sandbox_id k8s.pod.sandbox_id k8s.pod.id",
	  container_text },
	{ "container.privileged container.host_pid container.host_network container.host_ipc container.start_ts container.duration", container_kind },
	{ "container.mounts container.mount container.mount.source container.mount.dest container.mount.mode container.mount.rdwr container.mount.propagation", container_mount },
	{ "container.labels container.label", container_label },
};

/* By the number of the field. */
static const fact *table(void)
{
	static fact by_number[AGENT_FIELDS_MAX];
	static bool is_filled;
	for (size_t i = 0; !is_filled && guard_field(i) && i < AGENT_FIELDS_MAX; i++)
		for (size_t k = 0; k < sizeof(facts) / sizeof(facts[0]); k++) {
			struct bh_slice rest = bh_slice_str(facts[k].names), one;
			while (rest.len) {
				(void)bh_slice_cut(rest, ' ', &one, &rest);
				if (bh_slice_eq_str(one, guard_field(i)->name))
					by_number[i] = facts[k].fact;
			}
		}
	is_filled = true;
	return by_number;
}

bool agent_knows(const struct guard_field *field)
{
	return table()[field - guard_field(0)] != NULL;
}

static bool extract(const struct agent_event *e, const struct guard_operand *field, size_t number, struct guard_values *ret)
{
	fact f = table()[number];
	return f && f(e, field, ret);
}

static bool recall(const struct agent_memo *m, struct guard_values *ret)
{
	ret->n = m->n;
	ret->is_list = m->is_list;
	if (m->n)
		memcpy(ret->list, m->list, m->n * sizeof(*m->list));
	return m->is_there;
}

static void remember(const struct agent_event *e, struct agent_memo *m, bool is_there, const struct guard_values *v)
{
	struct bh_slice *list = v->n ? bh_arena_array(e->arena, v->n, sizeof(*list)) : NULL;
	if (v->n && !list)
		return;
	if (v->n)
		memcpy(list, v->list, v->n * sizeof(*list));
	*m = (struct agent_memo){ .event = e->number + 1, .is_there = is_there, .is_list = v->is_list, .n = (uint32_t)v->n, .list = list };
}

bool agent_extract(void *ctx, const struct guard_operand *field, struct guard_values *ret)
{
	const struct agent_event *e = ctx;
	size_t number = (size_t)(field->field - guard_field(0));
	struct agent_memo *m = e->memos && !field->has_argument && field->dotted.len == 0 ? &e->memos[number] : NULL;
	if (m && m->event == e->number + 1)
		return recall(m, ret);
	bool is_there = extract(e, field, number, ret);
	if (m)
		remember(e, m, is_there, ret);
	return is_there;
}

/* ---- events as text ---- */

static void put_values(const struct guard_values *v, bool as_list, struct bh_buf *out)
{
	bh_buf_add_str(out, as_list ? "[" : "");
	for (size_t i = 0; i < v->n; i++) {
		bh_buf_add_str(out, i ? ", " : "");
		bh_buf_add_json(out, v->list[i]);
	}
	bh_buf_add_str(out, as_list ? "]" : "");
}

static void put_field(const struct agent_event *e, const char *key, const struct guard_operand *o, struct bh_buf *out)
{
	struct guard_values v = { 0 };
	if (!agent_extract((void *)(uintptr_t)e, o, &v) || v.n == 0)
		return;
	bh_buf_add_str(out, out->len > 1 ? ", " : "");
	bh_buf_add_json(out, bh_slice_str(key));
	bh_buf_add_str(out, ": ");
	put_values(&v, v.n > 1, out);
}

/* The process itself and its ancestors, as a list that begins with it. */
static void put_ancestors(const struct agent_event *e, const struct guard_field *f, struct bh_buf *out)
{
	struct guard_values all = { 0 };
	for (size_t i = 0; i < GUARD_VALUES_MAX; i++) {
		struct guard_values one = { 0 };
		char index[16];
		(void)snprintf(index, sizeof(index), "%zu", i);
		struct guard_operand o = { .name = bh_slice_str(f->name), .field = f, .argument = bh_slice_str(index), .has_argument = true };
		if (!agent_extract((void *)(uintptr_t)e, &o, &one))
			break;
		all.list[all.n++] = one.list[0];
	}
	if (all.n == 0)
		return;
	bh_buf_add_str(out, ", ");
	bh_buf_add_json(out, bh_slice_str(f->name));
	bh_buf_add_str(out, ": ");
	put_values(&all, true, out);
}

static void put_arguments(const struct agent_event *e, const struct guard_field *f, struct bh_buf *out)
{
	static const char *const of_exec[] = { "filename", "exe", "args", "comm", "cwd", "env", "flags", "uid", "tty", "pid", "res" };
	size_t n = is_exec(e) ? sizeof(of_exec) / sizeof(of_exec[0]) : e->call ? AGENT_PARAMETERS_MAX : 0;
	for (size_t i = 0; i < n; i++) {
		const char *name = is_exec(e) ? of_exec[i] : e->call->parameters[i].name;
		const char *key = name ? bh_arena_printf(e->arena, "%s.%s", f->name, name) : NULL;
		struct guard_operand o = { .name = bh_slice_str(f->name), .field = f, .dotted = bh_slice_str(name ? name : "") };
		if (key)
			put_field(e, key, &o, out);
	}
}

void agent_event_json(const struct agent_event *e, struct bh_buf *out)
{
	size_t n;
	struct bh_buf b;
	bh_buf_init(&b, 1u << 20);
	bh_buf_add_byte(&b, '{');
	for (n = 0; guard_field(n); n++) {
		const struct guard_field *f = guard_field(n);
		struct guard_operand o = { .name = bh_slice_str(f->name), .field = f };
		if (strcmp(f->name, "evt.arg") == 0)
			put_arguments(e, f, &b);
		else if (guard_field_is_of_ancestors(f))
			put_ancestors(e, f, &b);
		else if (f->argument != GUARD_ARG_DOTTED && f->argument != GUARD_ARG_REQUIRED && f->use != GUARD_USE_FILTER) /* both sides follow from each */
			put_field(e, f->name, &o, &b);
	}
	bh_buf_add_str(&b, "}\n");
	if (!b.failed)
		bh_buf_add(out, bh_buf_slice(&b));
	bh_buf_done(&b);
}

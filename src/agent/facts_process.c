/* facts_process.c: processes, their executables, ancestors and users (facts_parts.h). */
#include "agent/facts_parts.h"

/* ---- processes ---- */

typedef bool (*process_fact)(const struct agent_event *e, const struct agent_process *p, struct guard_values *ret);

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
		return yes(ret, p->flags & GUARD_FLAG_CONTAINED && !(p->flags & (GUARD_FLAG_UPPER | GUARD_FLAG_MEMORY | GUARD_FLAG_VOLUME)));
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
	return word(ret, p->flags & GUARD_FLAG_MEMORY ? "memory" : !contained ? "host" : p->flags & GUARD_FLAG_UPPER ? "new" : p->flags & GUARD_FLAG_VOLUME ? "volume" : "image");
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

/* ---- the table ---- */

const struct agent_fact_row agent_process_facts[] = {
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
	{ NULL, NULL },
};

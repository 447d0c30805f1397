/* mend_shell.c: cures of what a RUN runs: options are put behind the words of commands, and what tidies up at the end of the script. */
#include "dockerfile/mending.h"

#include "dockerfile/parse.h"

/* ---- asking ---- */

static bool is_named(const struct df_command *c, const char *const *names)
{
	return bh_slice_is_one_of(c->name, names);
}

/* The argument's index; n_args: it is not there. */
static size_t find_word(const struct df_command *c, const char *const *words)
{
	for (size_t k = 0; k < c->n_args; k++)
		if (bh_slice_is_one_of(c->args[k], words))
			return k;
	return c->n_args;
}

static bool has_word(const struct df_command *c, const char *const *words)
{
	return find_word(c, words) < c->n_args;
}

static bool is_short_with(struct bh_slice arg, uint8_t letter)
{
	bool found = false;
	for (size_t k = 1; k < arg.len; k++) {
		if (!df_is_name_byte(arg.ptr[k], true) || arg.ptr[k] == '_')
			return false;
		found |= arg.ptr[k] == letter;
	}
	return found && arg.ptr[0] == '-';
}

static bool says_yes(const struct df_command *c)
{
	static const char *const words[] = { "--yes", "--assume-yes", "--assumeyes", "-qq", "-q=2", "--non-interactive", "-n", "--no-confirm", NULL };
	bool yes = has_word(c, words);
	for (size_t k = 0; k < c->n_args; k++)
		yes |= is_short_with(c->args[k], 'y');
	return yes;
}

/* Is there a mount of RUN that holds the words? */
static bool has_mount(const struct df_mending *m, const char *words)
{
	for (size_t k = 0; k < m->i->n_flags; k++)
		if (bh_slice_eq_str(m->i->flags[k].name, "mount") && bh_slice_search(m->i->flags[k].value, words))
			return true;
	return false;
}

/* Does a command, one of names, run with one of words? */
static bool runs(const struct df_command_vec *all, const char *const *names, const char *const *words)
{
	for (size_t k = 0; k < all->len; k++)
		if (is_named(&all->ptr[k], names) && has_word(&all->ptr[k], words))
			return true;
	return false;
}

static bool removes_below(const struct df_mending *m, const char *path)
{
	for (size_t k = 0; k < m->commands.len; k++)
		for (size_t n = 0; bh_slice_eq_str(m->commands.ptr[k].name, "rm") && n < m->commands.ptr[k].n_args; n++)
			if (bh_slice_starts(m->commands.ptr[k].args[n], bh_slice_str(path)))
				return true;
	return false;
}

/* ---- options ---- */

static struct bh_slice source_of(const struct df_command *c, size_t k)
{
	return c->sources ? c->sources[k] : (struct bh_slice){ 0 };
}

/* Commands that sudo or env start are there twice: with it, and alone. */
static void put_behind_word(struct df_mending *m, const struct df_command *c, const char *const *words, const char *option)
{
	size_t k = find_word(c, words);
	if (k < c->n_args)
		df_mend_put_behind(m, source_of(c, k), option);
}

static const char *const apt_get[] = { "apt-get", NULL }, *const apt[] = { "apt", NULL }, *const apts[] = { "apt-get", "apt", "aptitude", NULL };
static const char *const apk[] = { "apk", NULL }, *const yums[] = { "yum", "dnf", "microdnf", NULL }, *const zypper[] = { "zypper", NULL }, *const yarn[] = { "yarn", NULL };
static const char *const install[] = { "install", NULL }, *const add[] = { "add", NULL }, *const update[] = { "update", NULL };
static const char *const yum_installs[] = { "install", "groupinstall", "localinstall", NULL };
static const char *const zypper_changes[] = { "install", "in", "remove", "rm", "patch", NULL }, *const zypper_installs[] = { "install", "in", NULL };

static void say_yes(struct df_mending *m, const char *const *names, const char *const *words)
{
	for (size_t k = 0; k < m->commands.len; k++)
		if (is_named(&m->commands.ptr[k], names) && has_word(&m->commands.ptr[k], words) && !says_yes(&m->commands.ptr[k]))
			put_behind_word(m, &m->commands.ptr[k], words, " -y");
}

void df_cure_apt_yes(struct df_mending *m)
{
	say_yes(m, apt_get, install);
}

void df_cure_yum_yes(struct df_mending *m)
{
	say_yes(m, yums, yum_installs);
}

void df_cure_zypper_yes(struct df_mending *m)
{
	say_yes(m, zypper, zypper_changes);
}

static bool sets_recommends(const struct df_command *c)
{
	static const char *const off[] = { "--no-install-recommends", NULL };
	bool set = has_word(c, off);
	for (size_t k = 0; k < c->n_args; k++)
		set |= bh_slice_search(c->args[k], "Install-Recommends=") != NULL;
	return set;
}

void df_cure_apt_recommends(struct df_mending *m)
{
	for (size_t k = 0; k < m->commands.len; k++)
		if (is_named(&m->commands.ptr[k], apt_get) && !sets_recommends(&m->commands.ptr[k]))
			put_behind_word(m, &m->commands.ptr[k], install, " --no-install-recommends");
}

/* What apt-get, or apt-cache, does for a word of apt; NULL: neither does the same. */
static const char *instead_of_apt(struct bh_slice word)
{
	static const char *const get[] = { "install", "update", "upgrade", "remove", "purge", "autoremove", "clean", "autoclean", "build-dep", "source", "download", "satisfy", NULL };
	static const char *const cache[] = { "show", "search", "policy", NULL };
	return bh_slice_is_one_of(word, get) ? "apt-get" : bh_slice_is_one_of(word, cache) ? "apt-cache" : NULL;
}

/* With what the checks of apt-get would say of it then. */
static void replace_apt(struct df_mending *m, const struct df_command *c)
{
	static const char *const upgrade[] = { "upgrade", NULL }, *const with_new[] = { "--with-new-pkgs", NULL };
	size_t k = 0;
	while (k < c->n_args && c->args[k].len && c->args[k].ptr[0] == '-')
		k++;
	const char *name = k < c->n_args ? instead_of_apt(c->args[k]) : NULL;
	if (!name) {
		df_mend_refuse(m, "apt does here what neither apt-get nor apt-cache do alike");
		return;
	}
	df_mend_replace(m, c->written, name);
	if (bh_slice_eq_str(c->args[k], "upgrade") && !has_word(c, with_new))
		put_behind_word(m, c, upgrade, " --with-new-pkgs");
	if (bh_slice_eq_str(c->args[k], "install") && !says_yes(c))
		put_behind_word(m, c, install, " -y");
	if (bh_slice_eq_str(c->args[k], "install") && m->options->is_risky && !sets_recommends(c))
		put_behind_word(m, c, install, " --no-install-recommends");
}

void df_cure_apt_interactive(struct df_mending *m)
{
	for (size_t k = 0; k < m->commands.len; k++)
		if (is_named(&m->commands.ptr[k], apt))
			replace_apt(m, &m->commands.ptr[k]);
}

void df_cure_apk_cache(struct df_mending *m)
{
	static const char *const off[] = { "--no-cache", NULL };
	for (size_t k = 0; !has_mount(m, "type=cache") && !removes_below(m, "/var/cache/apk") && k < m->commands.len; k++)
		if (is_named(&m->commands.ptr[k], apk) && !has_word(&m->commands.ptr[k], off))
			put_behind_word(m, &m->commands.ptr[k], add, " --no-cache");
}

/* pip, pip3, pip3.11 */
static bool is_pip(struct bh_slice name)
{
	for (size_t k = 3; k < name.len; k++)
		if (name.ptr[k] != '.' && !(name.ptr[k] >= '0' && name.ptr[k] <= '9'))
			return false;
	return bh_slice_starts(name, BH_SLICE_LIT("pip"));
}

void df_cure_pip_cache(struct df_mending *m)
{
	static const char *const off[] = { "--no-cache-dir", NULL };
	for (size_t k = 0; !has_mount(m, "type=cache") && k < m->commands.len; k++)
		if (is_pip(m->commands.ptr[k].name) && !has_word(&m->commands.ptr[k], off))
			put_behind_word(m, &m->commands.ptr[k], install, " --no-cache-dir");
}

static bool is_quiet_wget(const struct df_command *c)
{
	static const char *const starts[] = { "--progress", "--quiet", "-nv", "--no-verbose", "-o", "--output-file", "-a", "--append-output" };
	for (size_t k = 0; k < c->n_args; k++) {
		if (is_short_with(c->args[k], 'q') || bh_slice_starts(c->args[k], BH_SLICE_LIT("-q")))
			return true;
		for (size_t n = 0; n < sizeof(starts) / sizeof(starts[0]); n++)
			if (bh_slice_starts(c->args[k], bh_slice_str(starts[n])))
				return true;
	}
	return false;
}

/* -q is what busybox knows too; that it failed, the status tells. */
void df_cure_wget_progress(struct df_mending *m)
{
	for (size_t k = 0; k < m->commands.len; k++)
		if (bh_slice_eq_str(m->commands.ptr[k].name, "wget") && !is_quiet_wget(&m->commands.ptr[k]))
			df_mend_put_behind(m, m->commands.ptr[k].written, " -q");
}

static bool is_high_number(struct bh_slice s)
{
	for (size_t k = 0; k < s.len; k++)
		if (s.ptr[k] < '0' || s.ptr[k] > '9')
			return false;
	return s.len >= 6;
}

static bool needs_no_log(const struct df_command *c)
{
	static const char *const off[] = { "--no-log-init", NULL };
	bool high = false, has_letter = false;
	for (size_t k = 0; k < c->n_args; k++) {
		high |= is_high_number(c->args[k]);
		has_letter |= is_short_with(c->args[k], 'l');
	}
	return bh_slice_eq_str(c->name, "useradd") && high && !has_letter && !has_word(c, off);
}

void df_cure_useradd_log(struct df_mending *m)
{
	for (size_t k = 0; k < m->commands.len; k++)
		if (needs_no_log(&m->commands.ptr[k]))
			df_mend_put_behind(m, m->commands.ptr[k].written, " -l");
}

/* Who is root already needs no sudo; who the base image makes the user, only it tells. */
void df_cure_sudo(struct df_mending *m)
{
	const struct df_instruction *user = df_mend_last(m, "USER");
	bool is_root = user && (bh_slice_eq_str(user->args, "root") || bh_slice_eq_str(user->args, "0") || bh_slice_eq_str(user->args, "root:root") || bh_slice_eq_str(user->args, "0:0"));
	for (size_t k = 0; k < m->commands.len; k++) {
		const struct df_command *c = &m->commands.ptr[k];
		if (!bh_slice_eq_str(c->name, "sudo"))
			continue;
		struct bh_slice name = df_written(m->i, c->written), next = df_written(m->i, c->n_args ? source_of(c, 0) : (struct bh_slice){ 0 });
		if (!is_root)
			df_mend_refuse(m, "no USER of the file says that it runs as root anyway");
		else if (!name.ptr || !next.ptr || c->args[0].len == 0 || c->args[0].ptr[0] == '-' || bh_slice_find(c->args[0], '=') < c->args[0].len)
			df_mend_refuse(m, "sudo has options or variables here");
		else
			df_mend_put(m, name.ptr, next.ptr, BH_SLICE_LIT(""));
	}
}

/* ---- what tidies up ---- */

/* White space in front of the last line of an instruction of several lines. */
static struct bh_slice last_indent(const struct df_mending *m)
{
	struct bh_slice w = m->i->written;
	size_t start = w.len, end;
	while (start && w.ptr[start - 1] != '\n')
		start--;
	for (end = start; end < w.len && (w.ptr[end] == ' ' || w.ptr[end] == '\t'); end++)
		;
	return start ? bh_slice_sub(w, start, end - start) : (struct bh_slice){ 0 };
}

static void append_to_heredoc(struct df_mending *m, const char *command)
{
	const struct df_heredoc *h = &m->i->heredocs[0];
	if (!h->written || m->i->n_heredocs > 1) {
		df_mend_refuse(m, "its here-documents are written in a way that is not changed");
		return;
	}
	const uint8_t *end = h->written + h->content.len;
	const char *line = bh_arena_printf(m->arena, "%s\n", command);
	m->failed |= !line;
	if (line)
		df_mend_put(m, end, end, bh_slice_str(line));
}

/* The script goes on with it, on a line of its own where it has several. */
static void append_command(struct df_mending *m, const char *command)
{
	struct bh_slice args = bh_slice_trim(m->i->args), indent = last_indent(m);
	uint8_t last = args.len ? args.ptr[args.len - 1] : '&';
	if (m->i->is_exec || m->i->is_trigger)
		df_mend_refuse(m, "it is no script in shell form");
	else if (m->i->n_heredocs)
		append_to_heredoc(m, command);
	else if (last == '&' || last == '|' || last == '\\')
		df_mend_refuse(m, "its script ends with what nothing can be put behind");
	else if (m->i->n_spans > 1 && indent.len && last != ';')
		df_mend_put_at_end(m, args, bh_arena_printf(m->arena, " %c%s%.*s&& %s", m->f->escape, m->newline, BH_SLICE_FMT(indent), command));
	else
		df_mend_put_at_end(m, args, bh_arena_printf(m->arena, "%s%s", last == ';' ? " " : " && ", command));
}

/* Does the stage, or one that is FROM it, install later with the lists that this RUN fetched? */
static bool is_needed_later(struct df_mending *m)
{
	bool needed = false;
	for (size_t k = m->at + 1; !needed && k < m->f->all.len; k++) {
		const struct df_instruction *later = &m->f->all.ptr[k];
		uint32_t stage = later->stage;
		while (stage != m->i->stage && stage != DF_NO_STAGE)
			stage = m->f->stages.ptr[stage].of;
		if (stage != m->i->stage || !bh_slice_eq_str(later->keyword, "RUN"))
			continue;
		struct df_command_vec all = { .max = DF_COMMANDS_MAX };
		m->failed |= !df_commands(m->f, later, m->arena, &all);
		bool updates = runs(&all, apts, update);
		needed = !updates && runs(&all, apts, install);
		df_command_vec_done(&all);
		if (updates)
			break;
	}
	return needed;
}

void df_cure_apt_clean(struct df_mending *m)
{
	if (!runs(&m->commands, apts, update) || removes_below(m, "/var/lib/apt") || has_mount(m, "/var/lib/apt"))
		return;
	if (is_needed_later(m))
		df_mend_refuse(m, "a later RUN installs with these lists; it has to update them itself first");
	else
		append_command(m, "rm -rf /var/lib/apt/lists/*");
}

void df_cure_yum_clean(struct df_mending *m)
{
	static const char *const clean[] = { "clean", NULL };
	const char *by = NULL;
	for (size_t k = 0; !by && k < m->commands.len; k++)
		for (size_t n = 0; is_named(&m->commands.ptr[k], yums) && has_word(&m->commands.ptr[k], install) && yums[n]; n++)
			by = bh_slice_eq_str(m->commands.ptr[k].name, yums[n]) ? yums[n] : by;
	if (by && !runs(&m->commands, yums, clean) && !removes_below(m, "/var/cache/yum") && !removes_below(m, "/var/cache/dnf") && !removes_below(m, "/var/cache/libdnf") && !has_mount(m, "type=cache"))
		append_command(m, bh_arena_printf(m->arena, "%s clean all", by));
}

void df_cure_zypper_clean(struct df_mending *m)
{
	static const char *const clean[] = { "clean", "cc", NULL };
	if (runs(&m->commands, zypper, zypper_installs) && !runs(&m->commands, zypper, clean) && !has_mount(m, "type=cache"))
		append_command(m, "zypper clean --all");
}

void df_cure_yarn_cache(struct df_mending *m)
{
	static const char *const clean[] = { "clean", NULL };
	if (runs(&m->commands, yarn, install) && !runs(&m->commands, yarn, clean) && !has_mount(m, "type=cache"))
		append_command(m, "yarn cache clean");
}

/* ---- pipes ---- */

static bool is_minded(const struct df_mending *m)
{
	static const char *const pipefail[] = { "pipefail", NULL }, *const set[] = { "set", NULL };
	const struct df_instruction *shell = df_mend_last(m, "SHELL");
	for (size_t k = 0; shell && k < shell->n_words; k++)
		if (bh_slice_search(shell->words[k], "pipefail") || bh_slice_search(shell->words[k], "powershell") || bh_slice_search(shell->words[k], "pwsh") || bh_slice_search(shell->words[k], "cmd"))
			return true;
	return runs(&m->commands, set, pipefail);
}

static bool pipes(const struct df_mending *m)
{
	for (size_t k = 0; k < m->commands.len; k++)
		if (strcmp(m->commands.ptr[k].after, "|") == 0)
			return true;
	return false;
}

/* In this stage, or in one that it is FROM. */
static bool is_set_already(const struct df_mending *m)
{
	bool set = m->i->stage == DF_NO_STAGE;
	for (uint32_t stage = m->i->stage; !set && stage != DF_NO_STAGE; stage = m->f->stages.ptr[stage].of)
		set = m->stages[stage];
	return set;
}

/* It holds for the rest of the stage. */
static void set_shell(struct df_mending *m)
{
	m->stages[m->i->stage] = 1;
	df_mend_add_before(m, "SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]");
}

/* busybox's shell has the option itself, Debian's has not: there bash is taken. */
void df_cure_pipefail(struct df_mending *m)
{
	struct bh_slice base = df_mend_base(m);
	if (m->i->is_exec || is_minded(m) || !pipes(m) || is_set_already(m))
		return;
	if (m->i->is_trigger || m->i->n_heredocs)
		df_mend_refuse(m, "it is no plain script");
	else if (df_mend_last(m, "SHELL"))
		df_mend_refuse(m, "the file sets a shell of its own");
	else if (base.len == 0)
		df_mend_refuse(m, "what shell its base image has is not known");
	else if (bh_slice_search(base, "alpine") || bh_slice_search(base, "busybox"))
		df_mend_put_before(m, m->i->args, "set -o pipefail && ");
	else
		set_shell(m);
}

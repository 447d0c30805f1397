/* reach.c: see reach.h. */
#include "harden/reach.h"

#include "base/limits.h"

#include <stdlib.h>

#define ARENA_BYTES_MAX (512u << 20)
#define PARTS_MAX 20000u
#define NAMES_MAX 4000000u
#define ROUNDS_MAX 8u /* plug-ins of plug-ins */

/* Functions that start another program whose name they are given. */
static const char *const starters[] = { "execve", "execv", "execvp", "execvpe", "execl", "execlp", "execle", "execveat", "fexecve", "posix_spawn", "posix_spawnp", NULL };
static const char *const shell_starters[] = { "system", "popen", NULL };
static const char *const loaders[] = { "dlopen", "dlmopen", NULL };
static const char *const shells[] = { "sh", "bash", "dash", "ash", "ksh", "zsh", "busybox", NULL };

#define KNOWN(soname, names) { soname, names },
static const struct {
	const char *soname, *names;
} known_libraries[] = {
#include "harden/known.def"
};
#undef KNOWN

/* ---- parts ---- */

static void note(struct reach *r, const char *text)
{
	r->failed |= !text || !binary_name_vec_push(&r->notes, bh_slice_str(text));
}

bool reach_has(const struct reach *r, struct bh_slice path)
{
	return bh_map_get(&r->part_of, path) != NULL;
}

static bool has_part(const struct reach *r, const struct gather_file *f)
{
	return reach_has(r, f->path);
}

static bool add_named_part(struct reach *r, struct gather_file *f, bool program, struct bh_slice name, const char *why)
{
	void **slot = has_part(r, f) ? NULL : bh_map_put(&r->part_of, f->path);
	if (!slot || !why)
		return false;
	*slot = f;
	struct reach_part part = { .file = f, .why = bh_slice_str(why), .program = program };
	r->failed |= !bh_arena_copy(&r->arena, name, &part.name) || !reach_part_vec_push(&r->parts, part);
	return true;
}

static bool add_part(struct reach *r, struct gather_file *f, bool program, const char *why)
{
	return add_named_part(r, f, program, (struct bh_slice){ 0 }, why);
}

/* folder/name, or name when that is absolute. */
static struct gather_file *find_in(const struct reach *r, struct bh_slice folder, struct bh_slice name)
{
	struct bh_buf path;
	bh_buf_init(&path, BH_PATH_BYTES_MAX);
	bool ok = bh_slice_starts(name, BH_SLICE_LIT("/")) || (bh_buf_add(&path, folder) && bh_buf_add_byte(&path, '/'));
	struct gather_file *f = ok && bh_buf_add(&path, name) ? gather_find(r->gather, bh_buf_slice(&path)) : NULL;
	bh_buf_done(&path);
	return f;
}

static bool is_startable(const struct gather_file *f)
{
	return f && (f->kind == GATHER_BINARY || f->kind == GATHER_SCRIPT) && (f->mode & 0111);
}

static struct gather_file *find_program(const struct reach *r, struct bh_slice name, struct bh_slice folder)
{
	if (name.len == 0)
		return NULL;
	if (bh_slice_find(name, '/') < name.len) {
		struct gather_file *f = find_in(r, folder, name);
		return is_startable(f) ? f : NULL;
	}
	for (size_t i = 0; i < r->path.len; i++) {
		struct gather_file *f = find_in(r, r->path.ptr[i], name);
		if (is_startable(f))
			return f;
	}
	return NULL;
}

static const char *because(struct reach *r, const char *what, const struct gather_file *of)
{
	const char *text = bh_arena_printf(&r->arena, "%s %.*s", what, BH_SLICE_FMT(of->path));
	r->failed |= !text;
	return text;
}

/* ---- libraries: the loaders' rules ---- */

static struct gather_file *find_library_in(const struct reach *r, struct bh_slice folder, struct bh_slice name, enum binary_machine machine)
{
	struct gather_file *f = folder.len ? find_in(r, folder, name) : NULL;
	return f && f->has_binary && f->binary.machine == machine ? f : NULL;
}

/* Folders of a run path, with $ORIGIN and ${ORIGIN} for the folder of the file that holds it. */
static struct gather_file *find_by_runpath(struct reach *r, const struct gather_file *of, struct bh_slice folders, struct bh_slice name)
{
	struct bh_slice head;
	while (folders.len) {
		(void)bh_slice_cut(folders, ':', &head, &folders);
		static const char *const origins[] = { "$ORIGIN", "${ORIGIN}" };
		struct bh_slice folder = head;
		for (size_t i = 0; i < 2; i++)
			if (bh_slice_starts(head, bh_slice_str(origins[i]))) {
				struct bh_slice behind = bh_slice_sub(head, strlen(origins[i]), head.len);
				const char *text = bh_arena_printf(&r->arena, "/%.*s%.*s", BH_SLICE_FMT(bh_slice_folder(of->path)), BH_SLICE_FMT(behind));
				folder = bh_slice_str(text);
				break;
			}
		struct gather_file *f = find_library_in(r, folder, name, of->binary.machine);
		if (f)
			return f;
	}
	return NULL;
}

static struct gather_file *find_library(struct reach *r, const struct gather_file *of, struct bh_slice name)
{
	if (bh_slice_find(name, '/') < name.len)
		return find_library_in(r, BH_SLICE_LIT("/"), name, of->binary.machine);
	struct gather_file *f = of->binary.runpath.len ? NULL : find_by_runpath(r, of, of->binary.rpath, name);
	f = f ? f : find_by_runpath(r, of, of->binary.runpath, name);
	for (size_t i = 0; !f && i < r->library_path.len; i++)
		f = find_library_in(r, r->library_path.ptr[i], name, of->binary.machine);
	for (size_t i = 0; !f && i < r->parts.len; i++) { /* a program's run path holds for its libraries, too */
		const struct gather_file *program = r->parts.ptr[i].file;
		if (r->parts.ptr[i].program && program->has_binary)
			f = find_by_runpath(r, program, program->binary.rpath.len ? program->binary.rpath : program->binary.runpath, name);
	}
	return f;
}

static void add_library(struct reach *r, const struct gather_file *of, struct bh_slice name, const char *why)
{
	struct gather_file *f = find_library(r, of, name);
	if (f)
		add_part(r, f, false, because(r, why, of));
	else
		note(r, bh_arena_printf(&r->arena, "%.*s, which %.*s needs, is not in the image: what it would do is not known", BH_SLICE_FMT(name), BH_SLICE_FMT(of->path)));
}

static void add_needed(struct reach *r, const struct gather_file *f)
{
	for (size_t i = 0; i < f->binary.needed.len; i++)
		add_library(r, f, f->binary.needed.ptr[i], "needed by");
	struct gather_file *loader = f->binary.interpreter.len ? find_in(r, BH_SLICE_LIT("/"), f->binary.interpreter) : NULL;
	if (loader && loader->has_binary)
		add_part(r, loader, false, because(r, "the loader of", f));
	else if (f->binary.interpreter.len && (f->binary.flags & BINARY_PROGRAM))
		note(r, bh_arena_printf(&r->arena, "%.*s, the loader of %.*s, is not in the image", BH_SLICE_FMT(f->binary.interpreter), BH_SLICE_FMT(f->path)));
}

/* ---- programs ---- */

static void add_found(struct reach *r, struct gather_file *f, struct bh_slice name, const char *why)
{
	if (!add_named_part(r, f, true, bh_slice_base(name), why))
		return;
	if (f->has_binary && r->machine == BINARY_OTHER)
		r->machine = f->binary.machine;
}

bool reach_add_program(struct reach *r, struct bh_slice name, struct bh_slice folder, const char *why)
{
	struct gather_file *f = find_program(r, name, folder);
	if (f)
		add_found(r, f, name, why);
	return f != NULL;
}

void reach_add_words(struct reach *r, const struct binary_name_vec *words, struct bh_slice folder, const char *why)
{
	for (size_t i = 0; i < words->len; i++)
		(void)reach_add_program(r, words->ptr[i], folder, why);
}

static bool is_shell(struct bh_slice path)
{
	return bh_slice_is_one_of(bh_slice_base(path), shells);
}

/* "#!/usr/bin/env -S python3 -u": the interpreter, and what env is told to start. A shell's script starts what it names. */
static void add_script(struct reach *r, const struct gather_file *f)
{
	struct bh_slice rest = f->interpreter, word;
	bool shell = false, first = true;
	while (rest.len) {
		(void)bh_slice_cut(rest, ' ', &word, &rest);
		rest = bh_slice_trim(rest);
		if (word.len == 0 || word.ptr[0] == '-')
			continue;
		bool found = reach_add_program(r, word, BH_SLICE_LIT("/"), because(r, "the interpreter of", f));
		if (!found && first)
			note(r, bh_arena_printf(&r->arena, "%.*s, the interpreter of %.*s, is not in the image", BH_SLICE_FMT(word), BH_SLICE_FMT(f->path)));
		shell |= is_shell(word);
		first = false;
	}
	if (shell)
		reach_add_words(r, &f->words, BH_SLICE_LIT("/"), because(r, "named by", f));
}

static bool imports_any(const struct binary *b, const char *const *names)
{
	for (size_t i = 0; i < b->imports.len; i++)
		if (bh_slice_is_one_of(b->imports.ptr[i], names))
			return true;
	return false;
}

/* A program that starts others starts those that its bytes name. */
static void add_started(struct reach *r, const struct gather_file *f)
{
	const struct binary *b = &f->binary;
	bool shell = imports_any(b, shell_starters), any = shell || imports_any(b, starters) || (b->flags & BINARY_STATIC);
	size_t before = r->parts.len;
	if (!any)
		return;
	for (size_t i = 0; i < b->strings.len; i++)
		if (bh_slice_starts(b->strings.ptr[i], BH_SLICE_LIT("/")))
			(void)reach_add_program(r, b->strings.ptr[i], (struct bh_slice){ 0 }, because(r, "named by", f));
	if (shell)
		(void)reach_add_program(r, BH_SLICE_LIT("/bin/sh"), (struct bh_slice){ 0 }, because(r, "the shell of system() and popen() in", f));
	if (!(b->flags & BINARY_STATIC))
		note(r, bh_arena_printf(&r->arena, "%.*s can start other programs: counted are the %zu that it names; more with --program", BH_SLICE_FMT(f->path),
					r->parts.len - before));
}

/* Everything that follows from the parts there are, until nothing follows any more. */
static void expand(struct reach *r)
{
	for (; r->scripts_seen < r->parts.len && !r->failed; r->scripts_seen++) {
		const struct reach_part part = r->parts.ptr[r->scripts_seen];
		const struct gather_file *f = part.file;
		if (f->kind == GATHER_SCRIPT)
			add_script(r, f);
		if (!f->has_binary)
			continue;
		add_needed(r, f);
		if (part.program)
			add_started(r, f);
	}
}

/* ---- the graph ---- */

struct spot {
	uint32_t part, node;
};

BH_VEC(spot_vec, struct spot)

struct definition {
	struct definition *next;
	struct spot at;
};

struct walk {
	struct reach *r;
	bool **reached, **open;  /* by part and node: reachable; by a call whose number was not found there */
	struct spot_vec todo;
	struct bh_map defines;   /* name -> definitions */
	struct bh_map used;      /* names that parts call of each other */
	struct bh_arena arena;
	bool loads, failed;
};

static bool takes_part(const struct reach *r, uint32_t part)
{
	const struct gather_file *f = r->parts.ptr[part].file;
	return f->has_binary && f->binary.machine == r->machine && !(f->binary.flags & BINARY_NOT_ANALYSED);
}

static void mark(struct walk *w, uint32_t part, uint32_t node, bool counted)
{
	if (!counted && !w->open[part][node])
		w->open[part][node] = true;
	if (w->reached[part][node])
		return;
	w->reached[part][node] = true;
	w->failed |= !spot_vec_push(&w->todo, (struct spot){ part, node });
}

static void mark_name(struct walk *w, struct bh_slice name, bool counted)
{
	for (const struct definition *d = bh_map_get(&w->defines, name); d; d = d->next)
		mark(w, d->at.part, d->at.node, counted);
}

static void define_all(struct walk *w, uint32_t part)
{
	const struct binary *b = &w->r->parts.ptr[part].file->binary;
	for (size_t i = 0; i < b->exports.len && !w->failed; i++) {
		void **slot = bh_map_put(&w->defines, b->exports.ptr[i].name);
		struct definition *d = BH_ARENA_NEW(&w->arena, struct definition);
		if (!slot || !d) {
			w->failed = true;
			return;
		}
		*d = (struct definition){ *slot, { part, b->exports.ptr[i].node } };
		*slot = d;
	}
}

/* The first edge of a node; they are sorted. */
static size_t first_edge(const struct binary *b, uint32_t node)
{
	size_t from = 0, to = b->edges.len;
	while (from < to) {
		size_t mid = from + (to - from) / 2;
		if (b->edges.ptr[mid].from < node)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static void follow(struct walk *w, struct spot at)
{
	const struct binary *b = &w->r->parts.ptr[at.part].file->binary;
	for (size_t i = first_edge(b, at.node); i < b->edges.len && b->edges.ptr[i].from == at.node && !w->failed; i++) {
		const struct binary_edge *e = &b->edges.ptr[i];
		if (e->to < BINARY_IMPORT) {
			mark(w, at.part, e->to, e->counted);
			continue;
		}
		struct bh_slice name = b->imports.ptr[e->to - BINARY_IMPORT];
		void **slot = bh_map_put(&w->used, name);
		w->failed |= !slot;
		if (slot)
			*slot = w;
		w->loads |= bh_slice_is_one_of(name, loaders);
		mark_name(w, name, e->counted);
	}
}

/* A library that is loaded by name may be asked for every function it has. */
static bool is_plug_in(const struct reach_part *p)
{
	return bh_slice_starts(p->why, BH_SLICE_LIT("can be loaded"));
}

static int walk_graph(struct walk *w, struct bh_err *err)
{
	struct reach *r = w->r;
	w->reached = bh_arena_array(&w->arena, r->parts.len + 1, sizeof(bool *));
	w->open = bh_arena_array(&w->arena, r->parts.len + 1, sizeof(bool *));
	for (uint32_t p = 0; w->reached && w->open && p < r->parts.len && !w->failed; p++) {
		if (!takes_part(r, p))
			continue;
		uint32_t n = r->parts.ptr[p].file->binary.n_nodes;
		w->reached[p] = bh_arena_array(&w->arena, n, sizeof(bool));
		w->open[p] = bh_arena_array(&w->arena, n, sizeof(bool));
		w->failed |= !w->reached[p] || !w->open[p];
		define_all(w, p);
	}
	if (!w->reached || !w->open || w->failed)
		return bh_fail(err, BH_ELIMIT, 0, "the programs are too many to follow, or out of memory");
	for (uint32_t p = 0; p < r->parts.len; p++) {
		if (!takes_part(r, p))
			continue;
		mark(w, p, 0, true);
		const struct binary *b = &r->parts.ptr[p].file->binary;
		for (size_t i = 0; is_plug_in(&r->parts.ptr[p]) && i < b->exports.len; i++)
			mark(w, p, b->exports.ptr[i].node, false);
	}
	while (w->todo.len && !w->failed)
		follow(w, w->todo.ptr[--w->todo.len]);
	return w->failed ? bh_fail(err, BH_ELIMIT, 0, "the programs are too many to follow, or out of memory") : 0;
}

/* ---- what is loaded by name ---- */

static bool is_library_folder(const struct reach *r, struct bh_slice folder)
{
	for (size_t i = 0; i < r->library_path.len; i++) {
		struct bh_slice known = r->library_path.ptr[i], real;
		struct bh_arena scratch;
		bh_arena_init(&scratch, 65536);
		bool same = gather_resolve(r->gather, known, &scratch, &real) && bh_slice_eq(real, folder);
		bh_arena_done(&scratch);
		if (same)
			return true;
	}
	return false;
}

static bool exports_name(const struct binary *b, struct bh_slice name)
{
	for (size_t i = 0; i < b->exports.len; i++)
		if (bh_slice_eq(b->exports.ptr[i].name, name))
			return true;
	return false;
}

/* The libraries that everything links with: what only needs these is no plug-in of anything in particular. */
static bool is_basic(const struct gather_file *f)
{
	static const char *const basic[] = { "libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libgcc_s.so.1", "libstdc++.so.6", "ld-linux-x86-64.so.2",
					     "ld-linux-aarch64.so.1", "libz.so.1", NULL };
	return bh_slice_is_one_of(f->binary.soname, basic) || bh_slice_starts(f->binary.soname, BH_SLICE_LIT("libc.musl-"));
}

/*
 * A plug-in that wants functions which nobody has can't be loaded: an extension of Perl where no Perl runs. And one is made for something: it calls
 * functions of a program or library that runs.
 */
static bool can_be_loaded(struct reach *r, const struct walk *w, const struct gather_file *f)
{
	bool fits = false;
	for (size_t i = 0; i < f->binary.required.len; i++) {
		struct bh_slice name = f->binary.required.ptr[i];
		const struct definition *defined = bh_map_get(&w->defines, name);
		for (const struct definition *d = defined; d && !fits; d = d->next)
			fits = !is_basic(r->parts.ptr[d->at.part].file);
		if (defined || exports_name(&f->binary, name))
			continue;
		bool found = false;
		for (size_t k = 0; !found && k < f->binary.needed.len; k++) {
			const struct gather_file *library = find_library(r, f, f->binary.needed.ptr[k]);
			found = library && exports_name(&library->binary, name);
		}
		if (!found)
			return false;
	}
	return fits;
}

/* NSS: modules that /etc/nsswitch.conf names, and libgcc for the C library's own use. */
static void add_nss(struct reach *r)
{
	const struct gather_file *conf = gather_find(r->gather, BH_SLICE_LIT("etc/nsswitch.conf"));
	const struct gather_file *libc = NULL;
	for (size_t i = 0; i < r->parts.len && !libc; i++)
		libc = bh_slice_eq_str(bh_slice_base(r->parts.ptr[i].file->path), "libc.so.6") ? r->parts.ptr[i].file : NULL;
	if (!libc || !libc->has_binary)
		return;
	struct gather_file *f = find_library(r, libc, BH_SLICE_LIT("libgcc_s.so.1"));
	if (f)
		add_part(r, f, false, "needed by the C library when threads end");
	struct bh_slice rest = conf ? conf->text : BH_SLICE_LIT("passwd: files\nhosts: files dns\n"), line, word;
	while (rest.len) {
		(void)bh_slice_cut(rest, '\n', &line, &rest);
		if (!bh_slice_cut(line, ':', &word, &line) || bh_slice_starts(word, BH_SLICE_LIT("#")))
			continue;
		for (line = bh_slice_trim(line); line.len; line = bh_slice_trim(line)) {
			(void)bh_slice_cut(line, ' ', &word, &line);
			const char *name = bh_arena_printf(&r->arena, "libnss_%.*s.so.2", BH_SLICE_FMT(word));
			f = name ? find_library(r, libc, bh_slice_str(name)) : NULL;
			if (f)
				add_part(r, f, false, "can be loaded by the C library (NSS)");
		}
	}
}

static void add_named_libraries(struct reach *r)
{
	for (size_t i = 0, n = r->parts.len; i < n; i++) {
		const struct gather_file *f = r->parts.ptr[i].file;
		if (!f->has_binary || !imports_any(&f->binary, loaders))
			continue;
		for (size_t k = 0; k < f->binary.strings.len; k++) {
			struct bh_slice name = f->binary.strings.ptr[k];
			struct gather_file *library = bh_slice_search(name, ".so") ? find_library(r, f, name) : NULL;
			if (library)
				add_part(r, library, false, because(r, "can be loaded by", f));
		}
	}
}

static void add_plug_ins(struct reach *r, const struct walk *w)
{
	for (size_t i = 0; i < r->gather->files.len && !r->failed; i++) {
		struct gather_file *f = r->gather->files.ptr[i];
		if (!f->has_binary || (f->binary.flags & (BINARY_PROGRAM | BINARY_NOT_ANALYSED)) || f->binary.machine != r->machine || has_part(r, f) ||
		    gather_find(r->gather, f->path) != f || is_library_folder(r, bh_slice_folder(f->path)) || !can_be_loaded(r, w, f))
			continue;
		add_part(r, f, false, "can be loaded by name: it is in a folder of plug-ins and fits the programs");
	}
}

/* ---- results ---- */

const char *reach_known(const struct gather_file *f)
{
	for (size_t i = 0; i < sizeof(known_libraries) / sizeof(known_libraries[0]); i++)
		if (bh_slice_eq_str(f->binary.soname, known_libraries[i].soname))
			return known_libraries[i].names;
	return NULL;
}

static void collect_part(struct reach *r, const struct walk *w, uint32_t part)
{
	struct gather_file *f = r->parts.ptr[part].file;
	for (size_t i = 0; i < f->binary.numbers.len; i++) {
		const struct binary_number *n = &f->binary.numbers.ptr[i];
		if (w->reached[part][n->node] && n->number < REACH_NUMBERS && !r->by[n->number])
			r->by[n->number] = f;
	}
	for (size_t i = 0; i < f->binary.opens.len; i++) {
		const struct binary_open *o = &f->binary.opens.ptr[i];
		bool counts = o->wrapper ? w->open[part][o->node] && f->binary.n_nodes > 1 : w->reached[part][o->node];
		if (!counts)
			continue;
		if (reach_known(f) && (!o->wrapper || !bh_slice_eq_str(f->binary.soname, "libc.so.6")))
			r->failed |= !gather_vec_push(&r->known, f);
		else
			r->failed |= !reach_open_vec_push(&r->opens, (struct reach_open){ f, o->address });
	}
}

static int compare_names(const void *a, const void *b)
{
	return bh_slice_cmp(*(const struct bh_slice *)a, *(const struct bh_slice *)b);
}

static void collect(struct reach *r, const struct walk *w)
{
	for (uint32_t p = 0; p < r->parts.len; p++)
		if (takes_part(r, p))
			collect_part(r, w, p);
	for (size_t i = 0; i < w->used.len; i++)
		r->failed |= !binary_name_vec_push(&r->uses, w->used.entries[i].key);
	if (r->uses.len > 1)
		qsort(r->uses.ptr, r->uses.len, sizeof(r->uses.ptr[0]), compare_names);
}

static void walk_init(struct walk *w, struct reach *r)
{
	*w = (struct walk){ .r = r, .todo.max = NAMES_MAX };
	bh_map_init(&w->defines, NAMES_MAX);
	bh_map_init(&w->used, NAMES_MAX);
	bh_arena_init(&w->arena, ARENA_BYTES_MAX);
}

static void walk_done(struct walk *w)
{
	spot_vec_done(&w->todo);
	bh_map_done(&w->defines);
	bh_map_done(&w->used);
	bh_arena_done(&w->arena);
}

/* dlsym() with a name that could not be told: foreign function interfaces, loaders of extensions. */
static void note_lookups(struct reach *r)
{
	for (size_t i = 0; i < r->parts.len; i++) {
		const struct gather_file *f = r->parts.ptr[i].file;
		if (f->has_binary && (f->binary.flags & BINARY_LOOKS_UP))
			note(r, bh_arena_printf(&r->arena, "%.*s finds functions by names that it makes at run time: what only those call is not counted; more with --allow",
						BH_SLICE_FMT(f->path)));
	}
}

static void note_unread(struct reach *r)
{
	for (uint32_t p = 0; p < r->parts.len; p++) {
		const struct gather_file *f = r->parts.ptr[p].file;
		if (f->has_binary && (f->binary.flags & BINARY_DAMAGED)) {
			note(r, bh_arena_printf(&r->arena, "%.*s: damaged, was analysed as far as it can be read", BH_SLICE_FMT(f->path)));
			r->failed |= !reach_open_vec_push(&r->opens, (struct reach_open){ f, 0 });
			continue;
		}
		if (f->kind != GATHER_BINARY || takes_part(r, p))
			continue;
		note(r, bh_arena_printf(&r->arena, "%.*s: %s", BH_SLICE_FMT(f->path),
					f->damaged ? "damaged, could not be analysed" : "of another architecture than the first program, or of one that is not analysed"));
		r->failed |= !reach_open_vec_push(&r->opens, (struct reach_open){ f, 0 });
	}
}

int reach_solve(struct reach *r, struct bh_err *err)
{
	int rc = 0;
	expand(r);
	add_nss(r);
	expand(r);
	for (unsigned round = 0; rc == 0; round++) {
		struct walk w;
		size_t before = r->parts.len;
		walk_init(&w, r);
		rc = walk_graph(&w, err);
		if (rc == 0 && w.loads && round < ROUNDS_MAX) {
			add_named_libraries(r);
			add_plug_ins(r, &w);
			expand(r);
		}
		bool settled = r->parts.len == before;
		if (rc == 0 && settled)
			collect(r, &w);
		walk_done(&w);
		if (settled)
			break;
	}
	note_lookups(r);
	note_unread(r);
	return rc == 0 && r->failed ? bh_fail(err, BH_ELIMIT, 0, "the image has more programs than fit, or out of memory") : rc;
}

bool reach_uses(const struct reach *r, const char *function)
{
	struct bh_slice key = bh_slice_str(function);
	return r->uses.len && bsearch(&key, r->uses.ptr, r->uses.len, sizeof(key), compare_names);
}

/* ---- setting up ---- */

static void add_folders(struct reach *r, struct binary_name_vec *to, struct bh_slice list)
{
	struct bh_slice folder;
	while (list.len) {
		(void)bh_slice_cut(list, ':', &folder, &list);
		if (folder.len)
			r->failed |= !binary_name_vec_push(to, folder);
	}
}

/* Lines of a configuration of the loader: a folder each; ld.so.conf includes its folder's files, which are read anyway. */
static void add_lines(struct reach *r, struct bh_slice text)
{
	struct bh_slice line;
	while (text.len) {
		(void)bh_slice_cut(text, '\n', &line, &text);
		line = bh_slice_trim(line);
		if (bh_slice_starts(line, BH_SLICE_LIT("/")))
			add_folders(r, &r->library_path, line);
	}
}

void reach_set_paths(struct reach *r, struct bh_slice path, struct bh_slice library_path)
{
	static const char *const usual[] = { "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/lib64", "/usr/lib64",
					     "/lib", "/usr/local/lib", "/usr/lib", NULL };
	add_folders(r, &r->path, path.len ? path : BH_SLICE_LIT("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
	add_folders(r, &r->library_path, library_path);
	for (size_t i = 0; i < r->gather->files.len; i++) {
		const struct gather_file *f = r->gather->files.ptr[i];
		if (f->kind == GATHER_TEXT && (bh_slice_starts(f->path, BH_SLICE_LIT("etc/ld.so.conf")) || bh_slice_starts(f->path, BH_SLICE_LIT("etc/ld-musl-"))))
			add_lines(r, f->text);
	}
	for (size_t i = 0; usual[i]; i++)
		r->failed |= !binary_name_vec_push(&r->library_path, bh_slice_str(usual[i]));
}

void reach_init(struct reach *r, const struct gather *g)
{
	*r = (struct reach){ .gather = g, .parts.max = PARTS_MAX, .opens.max = BINARY_NUMBERS_MAX, .notes.max = PARTS_MAX, .uses.max = NAMES_MAX, .known.max = BINARY_NUMBERS_MAX, .path.max = 4096,
			     .library_path.max = 4096 };
	bh_arena_init(&r->arena, ARENA_BYTES_MAX);
	bh_map_init(&r->part_of, PARTS_MAX);
}

void reach_done(struct reach *r)
{
	reach_part_vec_done(&r->parts);
	reach_open_vec_done(&r->opens);
	gather_vec_done(&r->known);
	binary_name_vec_done(&r->notes);
	binary_name_vec_done(&r->uses);
	binary_name_vec_done(&r->path);
	binary_name_vec_done(&r->library_path);
	bh_map_done(&r->part_of);
	bh_arena_done(&r->arena);
}

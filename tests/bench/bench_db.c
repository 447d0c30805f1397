/*
 * bench_db.c: the advisory database beside SQLite, in one run, with the same rows: `make bench` prints what this prints.
 *
 *   bench_db [ROWS...]          100,000 and 2,500,000 rows when none are named
 *
 * Rows are made up, but shaped like the real feeds: ecosystems with the same packages, long-tailed numbers of rows per package,
 * fixes of several flaws in one version. All times are CPU time, which other processes disturb less; nothing here waits for a
 * disk. SQLite has the rows in one table with an index over (ecosystem, package), a prepared statement, its file
 * mapped, and everything in the page cache. Both read every column of every row of the packages asked for.
 */
#include "vuln/builder.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOKUPS 500u
#define MISSES_EVERY 5u /* one package in five has no rows, as in an image */
#define ROUNDS 101
#define DB_BYTES_MAX (4ull << 30)
#define TEXT_BYTES 96

/* ---- made-up facts ---- */

static const char *const ecosystems[] = { "Debian:11",  "Debian:12",    "Ubuntu:20.04:LTS", "Ubuntu:22.04:LTS", "Ubuntu:24.04:LTS", "Alpine:v3.18",
					  "Alpine:v3.19", "Alpine:v3.20", "AlmaLinux:8",      "AlmaLinux:9",      "Rocky Linux:9",    "SUSE:Linux Enterprise Server 15",
					  "PyPI",       "npm",          "Go",               "Maven",            "Packagist",        "crates.io",
					  "RubyGems",   "NuGet" };
static const char *const words[] = { "ssl",   "xml",   "json",  "http",   "crypto", "image", "kernel", "parse", "tar",    "zip",    "auth",  "token",
				     "cache", "proxy", "graph", "stream", "audio",  "video", "font",   "math",  "vector", "matrix", "queue", "index",
				     "store", "query", "route", "table",  "render", "shell", "socket", "thread" };
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct fact {
	char package[TEXT_BYTES], id[TEXT_BYTES], start[TEXT_BYTES], end[TEXT_BYTES];
	const char *ecosystem;
	int state, severity;
	enum vuln_end kind;
};

static uint32_t mix(uint32_t x)
{
	x ^= x >> 16;
	x *= 0x7feb352du;
	x ^= x >> 15;
	x *= 0x846ca68bu;
	return x ^ x >> 16;
}

/* Package p is name_of(p) in ecosystem_of(p): a distribution's releases, and other distributions, have the same sources. */
static uint32_t ecosystem_of(uint32_t p)
{
	return p / 7 % (uint32_t)COUNT(ecosystems);
}

static uint32_t name_of(uint32_t p)
{
	return p / 7 / (uint32_t)COUNT(ecosystems) * 7 + p % 7;
}

static void package_name(uint32_t p, char out[TEXT_BYTES])
{
	uint32_t q = name_of(p);
	const char *a = words[mix(q) % COUNT(words)], *b = words[mix(q) / COUNT(words) % COUNT(words)];
	switch (mix(q) % 5) {
	case 0: (void)snprintf(out, TEXT_BYTES, "lib%s-%s%u", a, b, q); break;
	case 1: (void)snprintf(out, TEXT_BYTES, "python3-%s-%s%u", a, b, q); break;
	case 2: (void)snprintf(out, TEXT_BYTES, "%s-%s-%u", a, b, q); break;
	case 3: (void)snprintf(out, TEXT_BYTES, "github.com/%s/%s%u", a, b, q); break;
	default: (void)snprintf(out, TEXT_BYTES, "org.%s:%s-%u", a, b, q); break;
	}
}

/* A kernel in a thousand, a browser in fifty, and many with a few. */
static uint32_t rows_of(uint32_t p)
{
	uint32_t q = name_of(p);
	if (q % 1000 == 17)
		return 600;
	return q % 50 == 7 ? 60 : 1 + mix(q) % 9;
}

/* Flaw i of a package has the same CVE in all ecosystems; each fixes it in versions of its own, often several at once. */
static void fact(uint32_t p, uint32_t i, struct fact *f)
{
	uint32_t q = name_of(p), e = ecosystem_of(p), h = mix(p * 977 + i), fixed = mix(q) % 9 * 10 + i / 3;
	package_name(p, f->package);
	f->ecosystem = ecosystems[e];
	(void)snprintf(f->id, TEXT_BYTES, "CVE-%u-%04u", 2008 + (mix(q) + i) % 18, 1 + (mix(q ^ 0x55) + i * 7) % 30000);
	f->state = h % 4 ? BH_STATE_FIXED : BH_STATE_AFFECTED;
	f->severity = (int)(h / 4 % 6);
	f->kind = f->state == BH_STATE_FIXED ? VULN_END_FIXED : VULN_END_NONE;
	f->start[0] = f->end[0] = '\0';
	if (h % 3 == 0)
		(void)snprintf(f->start, TEXT_BYTES, "%u.%u", mix(q) % 9, h / 16 % 30);
	if (f->kind == VULN_END_FIXED)
		(void)snprintf(f->end, TEXT_BYTES, e < 12 ? "%u.%u.%u-%u+u%u" : "%u.%u.%u", fixed / 10, fixed % 10, mix(q) / 16 % 30, h / 64 % 2, e);
}

/* Calls add for exactly n rows. */
static void all_facts(uint32_t n, void (*add)(void *ctx, const struct fact *f), void *ctx)
{
	struct fact f;
	for (uint32_t p = 0, made = 0; made < n; p++)
		for (uint32_t i = 0; i < rows_of(p) && made < n; i++, made++) {
			fact(p, i, &f);
			add(ctx, &f);
		}
}

/* ---- the two databases ---- */

static struct bh_err err;

static void check(int rc)
{
	if (rc < 0) {
		fprintf(stderr, "bench_db: %s\n", err.text);
		exit(1);
	}
}

static void sql_check(sqlite3 *db, int rc)
{
	if (rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_ROW) {
		fprintf(stderr, "bench_db: SQLite: %s\n", sqlite3_errmsg(db));
		exit(1);
	}
}

static void add_ours(void *ctx, const struct fact *f)
{
	const struct vuln_range range = { bh_slice_str(f->start), bh_slice_str(f->end), f->kind };
	const struct vuln_new_row r = { .ecosystem = bh_slice_str(f->ecosystem),
					.package = bh_slice_str(f->package),
					.id = bh_slice_str(f->id),
					.state = f->state,
					.severity = f->severity,
					.ranges = &range,
					.n_ranges = 1 };
	check(vuln_builder_row(ctx, &r, &err));
}

static void build_ours(const char *path, uint32_t rows)
{
	const struct vuln_source s = { .name = BH_SLICE_LIT("bench"), .precedence = VULN_PREC_VENDOR };
	struct vuln_builder *b = NULL;
	struct bh_buf out;
	uint32_t source;
	bh_buf_init(&out, DB_BYTES_MAX);
	check(vuln_builder_new(&b, &err));
	check(vuln_builder_source(b, &s, &source, &err));
	all_facts(rows, add_ours, b);
	check(vuln_builder_finish(b, &out, &err));
	vuln_builder_free(b);
	FILE *f = fopen(path, "wb");
	if (!f || fwrite(out.ptr, 1, out.len, f) != out.len || fclose(f) != 0)
		check(bh_fail(&err, BH_EIO, 0, "can't write %s", path));
	bh_buf_done(&out);
}

struct insert {
	sqlite3 *db;
	sqlite3_stmt *stmt;
};

static void add_theirs(void *ctx, const struct fact *f)
{
	const struct insert *in = ctx;
	const char *const texts[] = { f->ecosystem, f->package, f->id, f->start, f->end };
	for (int i = 0; i < (int)COUNT(texts); i++)
		sql_check(in->db, sqlite3_bind_text(in->stmt, i + 1, texts[i], -1, SQLITE_STATIC));
	sql_check(in->db, sqlite3_bind_int(in->stmt, 6, f->state));
	sql_check(in->db, sqlite3_bind_int(in->stmt, 7, f->severity));
	sql_check(in->db, sqlite3_bind_int(in->stmt, 8, (int)f->kind));
	sql_check(in->db, sqlite3_step(in->stmt));
	sql_check(in->db, sqlite3_reset(in->stmt));
}

static void build_theirs(const char *path, uint32_t rows)
{
	struct insert in = { 0 };
	sql_check(in.db, sqlite3_open(path, &in.db));
	sql_check(in.db, sqlite3_exec(in.db,
				      "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; CREATE TABLE rows (ecosystem TEXT, package TEXT, id TEXT, start TEXT,"
				      " end TEXT, state INTEGER, severity INTEGER, kind INTEGER); BEGIN",
				      NULL, NULL, NULL));
	sql_check(in.db, sqlite3_prepare_v2(in.db, "INSERT INTO rows VALUES (?,?,?,?,?,?,?,?)", -1, &in.stmt, NULL));
	all_facts(rows, add_theirs, &in);
	sql_check(in.db, sqlite3_finalize(in.stmt));
	sql_check(in.db, sqlite3_exec(in.db, "COMMIT; CREATE INDEX by_package ON rows (ecosystem, package); ANALYZE", NULL, NULL, NULL));
	sql_check(in.db, sqlite3_close(in.db));
}

/* ---- measuring ---- */

static double now(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct cost {
	double seconds, mib;
};

/* In a process of its own, so that its memory is its own. */
static struct cost measure(void (*build)(const char *, uint32_t), const char *path, uint32_t rows)
{
	int status = 1;
	struct rusage used = { 0 };
	pid_t pid = fork();
	if (pid == 0) {
		build(path, rows);
		_exit(0);
	}
	if (pid < 0 || wait4(pid, &status, 0, &used) != pid || status != 0)
		check(bh_fail(&err, BH_ECHILD, 0, "building %s failed", path));
	double seconds = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
	return (struct cost){ seconds, (double)used.ru_maxrss / 1024 };
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

struct wanted {
	const char *ecosystem;
	char package[TEXT_BYTES];
};

/* Packages of one distribution, spread over all that it has, some of them unknown. */
static void choose(uint32_t rows, struct wanted out[LOOKUPS])
{
	uint32_t packages = rows / 8, n = 0; /* seven rows each, on average */
	double every = (double)packages / (double)COUNT(ecosystems) / LOOKUPS, next = 0;
	for (uint32_t p = 0, seen = 0; n < LOOKUPS; p++) {
		if (ecosystem_of(p) != 1 || seen++ < next)
			continue;
		next += every > 1 ? every : 1;
		out[n].ecosystem = ecosystems[1];
		package_name(p, out[n].package);
		if (n++ % MISSES_EVERY == 0)
			out[n - 1].package[0] = '~';
	}
}

static volatile uint64_t sum;

static uint32_t look_up_ours(const struct vuln_db *db, const struct wanted *w)
{
	struct vuln_span span;
	uint64_t s = 0;
	check(vuln_db_find(db, bh_slice_str(w->ecosystem), bh_slice_str(w->package), &span, &err));
	for (uint32_t i = 0; i < span.n; i++) {
		struct vuln_row row;
		struct vuln_advisory a;
		struct vuln_range r;
		check(vuln_db_row(db, span.first + i, &row, &err));
		check(vuln_db_advisory(db, row.advisory, &a, &err));
		s += a.id.ptr[a.id.len - 1] + row.state + row.severity;
		for (uint32_t k = 0; k < row.n_ranges; k++) {
			check(vuln_db_range(db, &row, k, &r, &err));
			s += r.kind + (r.start.len ? r.start.ptr[0] : 0) + (r.end.len ? r.end.ptr[r.end.len - 1] : 0);
		}
	}
	sum += s;
	return span.n;
}

static uint32_t look_up_theirs(sqlite3 *db, sqlite3_stmt *stmt, const struct wanted *w)
{
	uint32_t n = 0;
	uint64_t s = 0;
	sql_check(db, sqlite3_bind_text(stmt, 1, w->ecosystem, -1, SQLITE_STATIC));
	sql_check(db, sqlite3_bind_text(stmt, 2, w->package, -1, SQLITE_STATIC));
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		n++;
		s += (uint64_t)sqlite3_column_int(stmt, 3) + (uint64_t)sqlite3_column_int(stmt, 4) + (uint64_t)sqlite3_column_int(stmt, 5);
		for (int c = 0; c < 3; c++) {
			const unsigned char *text = sqlite3_column_text(stmt, c);
			s += text ? text[0] : 0;
		}
	}
	sql_check(db, sqlite3_reset(stmt));
	sum += s;
	return n;
}

static sqlite3 *open_theirs(const char *path, sqlite3_stmt **ret)
{
	sqlite3 *db = NULL;
	sql_check(db, sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL));
	sql_check(db, sqlite3_exec(db, "PRAGMA mmap_size=4294967296", NULL, NULL, NULL));
	sql_check(db, sqlite3_prepare_v2(db, "SELECT id, start, end, state, severity, kind FROM rows WHERE ecosystem = ? AND package = ?", -1, ret, NULL));
	return db;
}

static struct vuln_db *open_ours(const char *path, struct bh_slice *ret)
{
	struct vuln_db *db = NULL;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		check(bh_fail(&err, BH_EIO, 0, "can't open %s", path));
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		check(bh_fail(&err, BH_EIO, 0, "can't map %s", path));
	*ret = (struct bh_slice){ p, (size_t)st.st_size };
	check(vuln_db_open(*ret, &db, &err));
	return db;
}

static void close_ours(struct vuln_db *db, struct bh_slice bytes)
{
	vuln_db_close(db);
	(void)munmap((void *)(uintptr_t)bytes.ptr, bytes.len);
}

/* The layout of row() in tests/bench/run. */
static void print_row(const char *name, const char *ours, const char *beside, double ratio, const char *budget)
{
	char times[16];
	(void)snprintf(times, sizeof(times), "%.*fx", ratio < 0.1 ? 3 : 2, ratio);
	printf("%-44s %14s %26s %9s   %s\n", name, ours, beside, times, budget);
	fflush(stdout);
}

static const char *human(uint32_t rows, char out[32])
{
	bool millions = rows >= 1000000;
	(void)snprintf(out, 32, "%.*f %c rows", millions ? 1 : 0, rows / (millions ? 1e6 : 1e3), millions ? 'M' : 'k');
	return out;
}

static void compare_builds(uint32_t rows, const char *ours, const char *theirs)
{
	char size[32], name[64], a[32], b[32];
	struct cost x = measure(build_ours, ours, rows), y = measure(build_theirs, theirs, rows);
	struct stat s = { 0 }, t = { 0 };
	(void)stat(ours, &s);
	(void)stat(theirs, &t);
	(void)human(rows, size);
	(void)snprintf(name, sizeof(name), "build of %s", size);
	(void)snprintf(a, sizeof(a), "%.2f s", x.seconds);
	(void)snprintf(b, sizeof(b), "SQLite %.2f s", y.seconds);
	print_row(name, a, b, x.seconds / y.seconds, "<= 60 s");
	(void)snprintf(name, sizeof(name), "build of %s: peak memory", size);
	(void)snprintf(a, sizeof(a), "%.0f MiB", x.mib);
	(void)snprintf(b, sizeof(b), "SQLite %.0f MiB", y.mib);
	print_row(name, a, b, x.mib / y.mib, "<= 2 GiB");
	(void)snprintf(name, sizeof(name), "%s: file", size);
	(void)snprintf(a, sizeof(a), "%.1f MiB", (double)s.st_size / 1048576);
	(void)snprintf(b, sizeof(b), "SQLite %.1f MiB", (double)t.st_size / 1048576);
	print_row(name, a, b, (double)s.st_size / (double)t.st_size, "");
}

static void compare_opening(uint32_t rows, const char *ours, const char *theirs, const struct wanted *w)
{
	char size[32], name[64], a[32], b[32];
	double x[ROUNDS], y[ROUNDS];
	for (int i = 0; i < ROUNDS; i++) {
		struct bh_slice bytes;
		double began = now(CLOCK_PROCESS_CPUTIME_ID);
		struct vuln_db *db = open_ours(ours, &bytes);
		(void)look_up_ours(db, w);
		x[i] = now(CLOCK_PROCESS_CPUTIME_ID) - began;
		close_ours(db, bytes);
		sqlite3_stmt *stmt = NULL;
		began = now(CLOCK_PROCESS_CPUTIME_ID);
		sqlite3 *sql = open_theirs(theirs, &stmt);
		(void)look_up_theirs(sql, stmt, w);
		y[i] = now(CLOCK_PROCESS_CPUTIME_ID) - began;
		sql_check(sql, sqlite3_finalize(stmt));
		sql_check(sql, sqlite3_close(sql));
	}
	double m = median(x, ROUNDS), n = median(y, ROUNDS);
	(void)snprintf(name, sizeof(name), "%s: open and first lookup", human(rows, size));
	(void)snprintf(a, sizeof(a), "%.1f us", m * 1e6);
	(void)snprintf(b, sizeof(b), "SQLite %.1f us", n * 1e6);
	print_row(name, a, b, m / n, "");
}

static void compare_lookups(uint32_t rows, const char *ours, const char *theirs, const struct wanted w[LOOKUPS])
{
	char size[32], name[64], a[32], b[32];
	double x[ROUNDS], y[ROUNDS];
	struct bh_slice bytes;
	struct vuln_db *db = open_ours(ours, &bytes);
	sqlite3_stmt *stmt = NULL;
	sqlite3 *sql = open_theirs(theirs, &stmt);
	uint32_t found = 0;
	for (int i = 0; i < ROUNDS; i++) {
		uint32_t n = 0, m = 0;
		double began = now(CLOCK_PROCESS_CPUTIME_ID);
		for (uint32_t k = 0; k < LOOKUPS; k++)
			n += look_up_ours(db, &w[k]);
		x[i] = now(CLOCK_PROCESS_CPUTIME_ID) - began;
		began = now(CLOCK_PROCESS_CPUTIME_ID);
		for (uint32_t k = 0; k < LOOKUPS; k++)
			m += look_up_theirs(sql, stmt, &w[k]);
		y[i] = now(CLOCK_PROCESS_CPUTIME_ID) - began;
		if (n != m || n == 0)
			check(bh_fail(&err, BH_EMISMATCH, 0, "the databases disagree: %u rows, SQLite has %u", n, m));
		found = n;
	}
	double m = median(x, ROUNDS), n = median(y, ROUNDS);
	(void)snprintf(name, sizeof(name), "%s: 500 packages, %u found", human(rows, size), found);
	(void)snprintf(a, sizeof(a), "%.3f ms", m * 1e3);
	(void)snprintf(b, sizeof(b), "SQLite %.2f ms", n * 1e3);
	print_row(name, a, b, m / n, "<= 2 ms");
	close_ours(db, bytes);
	sql_check(sql, sqlite3_finalize(stmt));
	sql_check(sql, sqlite3_close(sql));
}

static void verify_ours(uint32_t rows, const char *ours)
{
	char size[32], name[64], a[32];
	struct bh_slice bytes;
	struct vuln_db *db = open_ours(ours, &bytes);
	double began = now(CLOCK_PROCESS_CPUTIME_ID);
	check(vuln_db_verify(db, &err));
	(void)snprintf(name, sizeof(name), "%s: verification at installation", human(rows, size));
	(void)snprintf(a, sizeof(a), "%.2f s", now(CLOCK_PROCESS_CPUTIME_ID) - began);
	printf("%-44s %14s %26s %9s   %s\n", name, a, "", "", "");
	close_ours(db, bytes);
}

static void run(const char *folder, uint32_t rows)
{
	char ours[4200], theirs[4200];
	static struct wanted wanted[LOOKUPS];
	(void)snprintf(ours, sizeof(ours), "%s/bkdb", folder);
	(void)snprintf(theirs, sizeof(theirs), "%s/sqlite", folder);
	choose(rows, wanted);
	compare_builds(rows, ours, theirs);
	verify_ours(rows, ours);
	compare_opening(rows, ours, theirs, &wanted[1]);
	compare_lookups(rows, ours, theirs, wanted);
	(void)unlink(ours);
	(void)unlink(theirs);
}

int main(int argc, char **argv)
{
	const char *tmp = getenv("TMPDIR");
	char folder[4096];
	(void)snprintf(folder, sizeof(folder), "%s/bench_db.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return fprintf(stderr, "bench_db: %s can't be made\n", folder), 1;
	if (argc < 2) {
		run(folder, 100000);
		run(folder, 2500000);
	}
	for (int i = 1; i < argc; i++)
		run(folder, (uint32_t)strtoul(argv[i], NULL, 10));
	return rmdir(folder) != 0;
}

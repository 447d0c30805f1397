/* bench_secrets.c: the floor of the search for secrets: all files of a folder, read into memory before, through the detectors' compiled patterns and nothing else. Prints JSON. */
#include "format/multi.h"
#include "secret/compiled.h"
#include "sys/files.h"

#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#define FILE_BYTES_MAX (256u << 20)

static double seconds(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool count(void *ctx, unsigned pattern, size_t end)
{
	(void)pattern, (void)end;
	++*(unsigned long long *)ctx;
	return true;
}

int main(int argc, char **argv)
{
	struct bh_multi *m = NULL;
	struct bh_err err = { 0 };
	struct bh_buf text;
	unsigned long long bytes = 0, hits = 0;
	double spent = 0;
	if (argc != 2 || bh_multi_load(secret_compiled_detectors(bh_multi_has_avx2()), &m, &err) < 0)
		return fprintf(stderr, "usage: bench-secrets FOLDER (%s)\n", err.text), 2;
	char *const roots[] = { argv[1], NULL };
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	bh_buf_init(&text, FILE_BYTES_MAX);
	for (FTSENT *e; tree && (e = fts_read(tree));) {
		bh_buf_clear(&text);
		if (e->fts_info != FTS_F || e->fts_statp->st_size == 0 || bh_read_file(e->fts_path, FILE_BYTES_MAX, &text, &err) < 0)
			continue;
		double began = seconds();
		if (bh_multi_search(m, bh_buf_slice(&text), count, &hits, &err) < 0)
			return 1;
		spent += seconds() - began;
		bytes += text.len;
	}
	printf("{\"bytes\": %llu, \"hits\": %llu, \"seconds\": %.4f}\n", bytes, hits, spent);
	bh_buf_done(&text);
	bh_multi_free(m);
	return tree && fts_close(tree) == 0 ? 0 : 1;
}

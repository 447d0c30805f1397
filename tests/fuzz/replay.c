/* replay.c: main() for fuzz targets without a fuzzer: runs every file below the folder named last on the command line. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

#define INPUT_BYTES_MAX (64u << 20)

static int run(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		return fprintf(stderr, "%s: %s\n", path, strerror(errno)), -1;
	fseek(f, 0, SEEK_END);
	long size = ftell(f);
	rewind(f);
	if (size < 0 || size > (long)INPUT_BYTES_MAX)
		return fclose(f), -1;
	uint8_t *exact = malloc(size ? (size_t)size : 1); /* exactly as long as the input: ASan sees a one-byte overread */
	size_t got = exact ? fread(exact, 1, (size_t)size, f) : 0;
	fclose(f);
	if (!exact || got != (size_t)size)
		return free(exact), -1;
	(void)LLVMFuzzerTestOneInput(exact, got);
	free(exact);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return fprintf(stderr, "usage: %s [--NAME] CORPUS-FOLDER\n", argv[0]), 2;
	if (LLVMFuzzerInitialize)
		(void)LLVMFuzzerInitialize(&argc, &argv);
	const char *folder = argv[argc - 1];
	struct dirent **names;
	int n = scandir(folder, &names, NULL, alphasort), ran = 0, bad = 0;
	for (int i = 0; i < n; i++) {
		char path[4096];
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
		if (names[i]->d_name[0] != '.') {
			ran++;
			bad += run(path) < 0;
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	printf("%d inputs, %d unreadable\n", ran, bad);
	return ran == 0 || bad != 0;
}

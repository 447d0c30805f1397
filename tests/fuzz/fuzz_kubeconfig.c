/*
 * fuzz_kubeconfig.c: any input as the file of $KUBECONFIG. Whoever finds a cluster in it has a URL and texts that can be read to their ends; whoever finds none is told
 * why. Plug-ins are read, never run. Files that it names are looked for beside it, where no files are.
 */
#include "cluster/kubeconfig.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned checksum;

/* As in fuzz_yaml.c: libfyaml 0.7.12 loses a buffer when it gives up inside a long quoted word. */
const char *__lsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

static void touch(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		checksum += s.ptr[i];
}

static void touch_text(const char *text)
{
	if (text)
		touch(bh_slice_str(text));
}

static void touch_all(const struct cluster_access *a)
{
	const struct bh_buf *secrets[] = { &a->ca, &a->certificate, &a->key, &a->token, &a->basic };
	if (!a->context || !a->server || a->server[0] == '\0')
		abort();
	touch_text(a->context);
	touch_text(a->server);
	touch_text(a->tls_name);
	touch_text(a->proxy);
	touch_text(a->token_file);
	for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++)
		touch(bh_buf_slice(secrets[i]));
}

/* Beside a file without a name are links named by numbers: standard input must not wait for anybody. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	BH_CLOSE int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	(void)argc, (void)argv;
	return nothing < 0 || dup2(nothing, STDIN_FILENO) < 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cluster_access a;
	struct bh_err err = { 0 };
	char path[64];
	BH_CLOSE int fd = memfd_create("kubeconfig", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	setenv("KUBECONFIG", path, 1);
	cluster_access_init(&a);
	if (cluster_access_find("", &a, &err) == 0)
		touch_all(&a);
	else if (err.text[0] == '\0')
		abort();
	cluster_access_done(&a);
	return 0;
}

/* deeds.c: what attackers do, for tests/live/guard.py: deeds WHAT [ARGUMENT...]. Static, so that it runs in any image. Ends with 0 when the deed was done. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int copy_self(int to)
{
	int from = open("/proc/self/exe", O_RDONLY);
	struct stat st;
	return from < 0 || fstat(from, &st) < 0 || sendfile(to, from, NULL, (size_t)st.st_size) != st.st_size;
}

static int in_memory(char **argv)
{
	(void)argv;
	int fd = memfd_create("program", 0);
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd < 0 || copy_self(fd))
		return 1;
	execl(path, "program", "nothing", NULL);
	return 1;
}

static int attach(char **argv)
{
	(void)argv;
	pid_t pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	int rc = ptrace(PTRACE_ATTACH, pid, 0, 0);
	waitpid(pid, NULL, 0);
	ptrace(PTRACE_DETACH, pid, 0, 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return rc < 0;
}

static int trace_me(char **argv)
{
	(void)argv;
	return ptrace(PTRACE_TRACEME, 0, 0, 0) < 0;
}

static int packet(char **argv)
{
	(void)argv;
	return socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)) < 0;
}

static int connected(char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0); /* nobody needs to listen */
	inet_pton(AF_INET, argv[0], &to.sin_addr);
	return connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ? -1 : fd;
}

/* To a server that this program is itself. */
static int connect_stream(char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])) };
	int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
	inet_pton(AF_INET, argv[0], &to.sin_addr);
	setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	return bind(server, (struct sockaddr *)&to, sizeof(to)) < 0 || listen(server, 1) < 0 || connect(client, (struct sockaddr *)&to, sizeof(to)) < 0;
}

static int connect_to(char **argv)
{
	return connected(argv) < 0;
}

static int redirect(char **argv)
{
	int fd = connected(argv);
	return fd < 0 || dup2(fd, 0) < 0;
}

static int message_to(char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	inet_pton(AF_INET, argv[0], &to.sin_addr);
	return sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) < 0;
}

static int load_module(char **argv)
{
	(void)argv;
	return syscall(SYS_init_module, "garbage", 7, "") == 0; /* it is none, so it fails */
}

static int open_late(char **argv)
{
	sleep(6);
	return open(argv[0], O_RDONLY) < 0;
}

static int open_it(char **argv)
{
	return open(argv[0], O_RDONLY) < 0;
}

static int run(char **argv)
{
	pid_t pid = fork();
	int status = 1;
	if (pid == 0) {
		execvp(argv[0], argv);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return status != 0;
}

/* A name that another thread changes while the kernel reads it: what is opened is what the kernel took. */
static volatile int flips = 1;
static volatile char flipping[32] = "/etc/passwd";

static int flip(void *unused)
{
	(void)unused;
	while (flips) {
		for (int i = 0; i < 6; i++)
			flipping[5 + i] = "shadow"[i];
		for (int i = 0; i < 6; i++)
			flipping[5 + i] = "passwd"[i];
	}
	return 0;
}

static int open_flipping(char **argv)
{
	int n = atoi(argv[0]), shadows = 0;
	char *stack = malloc(65536);
	struct stat secret, own;
	stat("/etc/shadow", &secret);
	int thread = clone(flip, stack + 65536, CLONE_VM | SIGCHLD, NULL);
	for (time_t end = time(NULL) + 15; shadows < n && time(NULL) < end;) {
		int fd = open((const char *)flipping, O_RDONLY);
		shadows += fd >= 0 && fstat(fd, &own) == 0 && own.st_ino == secret.st_ino;
		close(fd);
	}
	flips = 0;
	waitpid(thread, NULL, 0);
	printf("%d\n", shadows);
	return 0;
}

static int flood(char **argv)
{
	for (int n = atoi(argv[0]); n > 0; n--)
		close(open("/etc/hostname", O_RDONLY));
	return 0;
}

static int leave_copy(char **argv)
{
	int to = open(argv[0], O_WRONLY | O_CREAT | O_TRUNC, 0755);
	int bad = to < 0 || copy_self(to);
	close(to);
	return bad;
}

/* Says that it ran: what the guard kills before its first instruction does not. */
static int mark(char **argv)
{
	int fd = open(argv[0], O_WRONLY | O_CREAT, 0644);
	return fd < 0;
}

static int nothing(char **argv)
{
	(void)argv;
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*deed)(char **argv);
	} deeds[] = {
		{ "memory", in_memory }, { "attach", attach }, { "trace-me", trace_me }, { "packet", packet }, { "connect", connect_to }, { "connect-stream", connect_stream }, { "redirect", redirect }, { "message", message_to },
		{ "module", load_module }, { "open-late", open_late }, { "open", open_it }, { "run", run }, { "flip", open_flipping }, { "copy", leave_copy }, { "flood", flood }, { "mark", mark }, { "nothing", nothing },
	};
	for (size_t i = 0; argc > 1 && i < sizeof(deeds) / sizeof(deeds[0]); i++)
		if (strcmp(argv[1], deeds[i].name) == 0)
			return deeds[i].deed(argv + 2);
	return 2;
}

/* signals.c: a flag for those who ask, a pipe for those who poll. */
#include "sys/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t caught;
static int wake[2] = { -1, -1 };

static void on_signal(int number)
{
	int saved = errno;
	caught = number;
	if (wake[1] >= 0) {
		ssize_t n = write(wake[1], "", 1);
		(void)n; /* a full pipe is awake already */
	}
	errno = saved;
}

void bh_signals_init(void)
{
	if (wake[0] < 0 && pipe2(wake, O_CLOEXEC | O_NONBLOCK) < 0)
		wake[0] = wake[1] = -1;
	/* Once: whoever presses Ctrl-C again because a file server hangs gets the plain, immediate end. Children die with us. */
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND };
	sigemptyset(&act.sa_mask);
	static const int stops[] = { SIGINT, SIGTERM, SIGHUP };
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
		struct sigaction old;
		if (sigaction(stops[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN) /* nohup stays nohup */
			(void)sigaction(stops[i], &act, NULL);
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL); /* some callers leave it ignored, and then nobody learns how a child ended */
}

bool bh_interrupted(void)
{
	return caught != 0;
}

int bh_interrupt_signal(void)
{
	return caught;
}

int bh_interrupt_fd(void)
{
	return wake[0];
}

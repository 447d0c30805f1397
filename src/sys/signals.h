/* signals.h: SIGINT, SIGTERM and SIGHUP set a flag and wake poll loops, a second one ends at once; SIGPIPE becomes EPIPE. */
#ifndef BH_SYS_SIGNALS_H
#define BH_SYS_SIGNALS_H

#include <stdbool.h>

void bh_signals_init(void);   /* once, in main */
bool bh_interrupted(void);
int bh_interrupt_signal(void); /* 0, or the signal number */
int bh_interrupt_fd(void);     /* becomes readable when interrupted; for poll */

#endif

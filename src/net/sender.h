/*
 * sender.h: a socket that texts are only written to. Targets: /PATH (a socket of this machine), udp://HOST[:PORT], tcp://HOST[:PORT], where an IPv6 address stands in brackets.
 */
#ifndef BH_NET_SENDER_H
#define BH_NET_SENDER_H

#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>

struct net_sender;

/* Connects. default_port: as a number, for targets without one. BH_EUSAGE: it is no target; BH_EIO: it is not reached now. */
int net_sender_open(const char *target, const char *default_port, struct net_sender **ret, struct bh_err *err) BH_MUST_CHECK;
void net_sender_free(struct net_sender *s); /* NULL: nothing */

/* Is a text sent as one datagram, or are several of them one stream? */
bool net_sender_is_stream(const struct net_sender *s);

/* All of it, waiting SECONDS at most. After an error the sender is of no use any more. */
int net_sender_send(struct net_sender *s, struct bh_slice text, struct bh_err *err) BH_MUST_CHECK;

#endif

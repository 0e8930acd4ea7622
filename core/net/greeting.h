/* greeting.h - the first entry of the log: what must be the same on every rank. */
#ifndef CNI_GREETING_H
#define CNI_GREETING_H

#include "exec/net.h"

cn_status cni_greeting_send(const cni_net *net);

/* Waits for it; CN_ERROR_VALUE if this rank's library is not rank 0's. */
cn_status cni_greeting_receive(const cni_net *net);

#endif

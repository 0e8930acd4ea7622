/* telling.h - a net that tells of each call that sends or receives, for the setting `debug` with comm. */
#ifndef CNI_TELLING_H
#define CNI_TELLING_H

#include "exec/net.h"

/* The same net, telling, if that is asked for; lines begin with the rank. Once a process. */
void cni_net_tell(cni_net *net);

#endif

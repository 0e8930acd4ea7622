/* stats.h - the counters behind cn_stats_get: one process-wide struct, changed under the runtime's rules of threads. */
#ifndef CNI_STATS_H
#define CNI_STATS_H

#include "cnumeric.h"

extern cn_stats cni_stats;

#endif

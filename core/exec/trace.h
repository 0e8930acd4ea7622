/*
 * trace.h - what places did, and when: kept while the setting `profile` is on, and written as a file for
 * ui.perfetto.dev (JSON trace events): places are tracks; launches are slices, named by the program's lines.
 */
#ifndef CNI_TRACE_H
#define CNI_TRACE_H

#include "base/settings.h"
#include "plan/partition.h"

uint64_t cni_trace_now(void);

/* When a slice begins; 0: nothing is kept. */
static inline uint64_t cni_trace_begin(void)
{
    return cni_settings[CNI_SETTING_PROFILE] != 0 ? cni_trace_now() : 0;
}

/* What began ends now; nothing if begin is 0. Each by one thread at a time. */
void cni_trace_part(uint64_t begin, int place, bool device, const cni_part *part, const cni_window *w);
void cni_trace_plan(uint64_t begin, int place, const cni_window *w);
void cni_trace_bytes(uint64_t begin, int place, const char *what,
                     int64_t bytes); /* what: "exchange", "exchange by GPUs", "fetch" */

/* Collective, other ranks than 0: rank 0 gets what this one has kept. */
cn_status cni_trace_send(void);

/* Rank 0: the others send what they have (log.c). */
cn_status cni_log_trace(void);

#endif

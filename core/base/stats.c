/* stats.c - see stats.h. */
#include "base/stats.h"

#include "base/memory.h"

cn_stats cni_stats;

void cn_stats_get(cn_stats *out)
{
    *out = cni_stats;
    out->live_bytes = (uint64_t)cni_storage_live();
    out->peak_bytes = (uint64_t)cni_storage_peak();
}

void cn_stats_reset(void)
{
    uint64_t plans = cni_stats.plans; /* a level, not a count of events */
    cni_stats = (cn_stats){.plans = plans};
    cni_storage_reset_peak();
}

void cn_stats_count_fallback(void)
{
    cni_stats.fallbacks++;
}

/* log.c - what an entry of the log does: none but the last has a meaning as long as everything is done by rank 0. */
#include "base/status.h"
#include "exec/net.h"

cn_status cni_log_apply(const void *entry, int64_t nbytes, bool *stop)
{
    (void)entry;
    CN_CHECK(nbytes == 0);
    *stop = true;
    return CN_OK;
}

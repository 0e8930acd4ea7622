/* greeting.c - see greeting.h. */
#include "net/greeting.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/settings.h"
#include "base/status.h"
#include "exec/info.h"

typedef struct greeting {
    char version[16];
    int64_t settings[CNI_SETTING_COUNT];
    cni_blas_choice blas;
} greeting;

cn_status cni_greeting_send(const cni_net *net)
{
    greeting g = {0};
    snprintf(g.version, sizeof g.version, "%s", cn_info("version"));
    memcpy(g.settings, cni_settings, sizeof g.settings);
    cni_blas_choice_get(&g.blas);
    return net->log_send(&g, sizeof g);
}

cn_status cni_greeting_receive(const cni_net *net)
{
    const void *entry;
    int64_t nbytes;
    greeting g;
    CN_TRY(net->log_receive(&entry, &nbytes));
    if (nbytes != sizeof g) {
        return cni_fail(CN_ERROR_VALUE, "this rank's cnumeric is not that of rank 0");
    }
    memcpy(&g, entry, sizeof g);
    if (strcmp(g.version, cn_info("version")) != 0) {
        return cni_fail(CN_ERROR_VALUE, "this rank has cnumeric %s, rank 0 has %s", cn_info("version"), g.version);
    }
    memcpy(cni_settings, g.settings, sizeof g.settings);
    if (g.blas.path[0] != '\0' && access(g.blas.path, R_OK) == 0) {
        cn_blas_set(g.blas.path, g.blas.prefix, g.blas.suffix, g.blas.ilp64);
    }
    return CN_OK;
}

/*
 * net.h - the table of a net: how the processes of one program talk to each other.
 *
 * Rank 0 runs the program; every other rank is a worker, which does what the entries of the log say. All calls are made
 * by the thread that executes; those marked collective must be made by every rank, in the same order.
 */
#ifndef CNI_NET_H
#define CNI_NET_H

#include "cnumeric.h"

/* A run of bytes for, or from, another rank. Between two ranks they arrive in the order they were sent. */
typedef struct cni_message {
    int peer;
    void *data;
    int64_t nbytes;
} cni_message;

typedef struct cni_net {
    const char *name;
    int rank, size;
    int local_rank, local_size; /* among the ranks of its machine */
    /* Rank 0: an entry of the log for every other rank. The memory may be used again when it returns. */
    cn_status (*log_send)(const void *entry, int64_t nbytes);
    /* The others: the next entry, valid until the next call. Waits without keeping a core busy. */
    cn_status (*log_receive)(const void **entry, int64_t *nbytes);
    /* Starts receives and sends; the memory is theirs until exchange_end, which waits for all of them. */
    cn_status (*exchange_begin)(int nreceives, const cni_message *receives, int nsends, const cni_message *sends);
    cn_status (*exchange_end)(void);
    /* Collective: the bits of all ranks or-ed. */
    cn_status (*agree)(uint32_t mine, uint32_t *all);
    /* Collective: nbytes of every rank, in the order of ranks, to rank 0 (all may be NULL elsewhere). */
    cn_status (*gather)(const void *mine, int64_t nbytes, void *all);
    /* Ends every rank, with one message on the standard error stream. */
    void (*abort)(const char *message);
    /* Collective: the last call. */
    void (*close)(void);
} cni_net;

/* The process's net: of one rank, unless it was started as one of several. */
extern const cni_net *cni_process_net;

/* Implemented by exec: does what the entry says; *stop: it was the last. A worker's loop calls it for every entry. */
cn_status cni_log_apply(const void *entry, int64_t nbytes, bool *stop);

#endif

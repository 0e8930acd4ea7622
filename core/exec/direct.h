/*
 * direct.h - messages that go from one rank's device to another's, without the hosts' memory.
 *
 * There are such if every rank has a device of its own and the same library for it (NCCL), which all ranks find out together,
 * once. From then on a message goes this way if it is large enough (setting nccl_bytes): a function of its size, the same
 * at both ends. Where an end has the bytes, on its device or its host, is its own matter.
 *
 * Messages of one exchange travel in rounds of pieces; a piece's size follows from the number of ranks. All calls are made by
 * the thread that executes, in the order of exchanges, which is the same at every rank.
 */
#ifndef CNI_DIRECT_H
#define CNI_DIRECT_H

#include "exec/net.h"
#include "record/array.h"

enum { CNI_DIRECT_ID = 128 };

/* What a rank has for direct messages. */
typedef struct cni_direct_self {
    uint8_t device[16]; /* what all processes call it */
    bool has_device;
    int32_t version; /* of the library; 0: none */
} cni_direct_self;

/* Memory of the device, or, where that is NULL, of the host. */
typedef struct cni_direct_message {
    int peer;
    void *device, *host;
    int64_t nbytes;
} cni_direct_message;

typedef enum cni_direct_state { CNI_DIRECT_OPENING, CNI_DIRECT_OPEN, CNI_DIRECT_FAILED } cni_direct_state;

typedef struct cni_direct {
    void (*self)(cni_direct_self *self);
    /* One rank makes the id, all open with it, behind; opened says how far that is. */
    bool (*id)(void *id);
    bool (*open)(const void *id, int rank, int size);
    cni_direct_state (*opened)(void);
    void (*close)(void); /* whatever became of it */
    /* A region's elements in C order, between a place's memory and memory of the device; in the order of its work. */
    void (*pack)(const cni_region *region, void *packed, const void *device);
    void (*unpack)(const cni_region *region, void *device, const void *packed);
    /*
     * Sends and receives behind all work that the device has. Memory of the host is done with when it returns; the device's is
     * the messages' until arrive: all work after that waits for them.
     */
    cn_status (*exchange)(int nreceives, const cni_direct_message *receives, int nsends,
                          const cni_direct_message *sends);
    void (*arrive)(void);
} cni_direct;

/* Implemented by core/cuda; NULL without a device. */
const cni_direct *cni_cuda_direct(void);

/*
 * Collective: arrays of this many bytes a place are worked on by all ranks. The first time that they are large enough for
 * devices, the ranks open what they have, or agree to do without.
 */
cn_status cni_direct_decide(int64_t nbytes);

/* The table, if a message of this size goes so; else NULL. */
const cni_direct *cni_direct_for(int64_t nbytes);

/* Sends and receives by the table; counted, and told to who debugs. */
cn_status cni_direct_exchange(const cni_direct *direct, int nreceives, const cni_direct_message *receives, int nsends,
                              const cni_direct_message *sends);

/* Are there direct messages, of any size? */
bool cni_direct_open(void);

/* For `cnumeric info`: the library's version, and whether it is in use. */
const char *cni_direct_description(void);

#endif

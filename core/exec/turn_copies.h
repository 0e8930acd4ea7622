/*
 * turn_copies.h - what a device does for boxes in turn (turns.h) besides the work itself: copies in both directions at once,
 * beside the work.
 */
#ifndef CNI_TURN_COPIES_H
#define CNI_TURN_COPIES_H

#include "record/layout.h"

/* Sets of memory on the device: one for the box that comes, one for the one that is worked on, one for the one that goes. */
enum { CNI_TURN_LANES = 3 };

/* A region of memory on the host, and dense memory on the device, where its elements are in C order. */
typedef struct cni_turn_copy {
    cni_region region;
    char *host; /* where the region's numbers begin */
    char *device;
} cni_turn_copy;

typedef struct cni_turn_copies {
    int lane;
    bool behind; /* the work so far may use what is overwritten */
    uint32_t n;
    const cni_turn_copy *at;
} cni_turn_copies;

typedef struct cni_turn_device {
    /* Bytes that may be taken of the device, whatever is there now. */
    int64_t (*capacity)(void);
    /* All that copies need besides; false: it is not to be had. */
    bool (*open)(void);
    /* Both at once, a piece of each by turns. What goes up has been read, and what comes down is there, when it returns. */
    cn_status (*copy)(const cni_turn_copies *up, const cni_turn_copies *down);
    /* Work from here on waits for what went up to the lane last. */
    void (*begin)(int lane);
    /* What comes down from the lane waits for the work so far. */
    void (*end)(int lane);
} cni_turn_device;

#endif

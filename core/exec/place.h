/*
 * place.h - the table of a place: what an executor of parts must be able to do.
 *
 * A binding holds what follows from the geometry alone (strides, tiles); it is made once for a plan and an extent, and
 * used with changing storage and scalars.
 */
#ifndef CNI_PLACE_H
#define CNI_PLACE_H

#include "exec/device_call.h"
#include "exec/joint_device.h"
#include "exec/turn_copies.h"

enum { CNI_UNPLANNED_ELEMENTS = 1024 };

/* Runs on one geometry after which a plan is known to repeat; then values of this part of gpu_bytes go to the device. */
enum { CNI_REPEATS = 8, CNI_REPEATED_PART = 16 };

/* What a run of parts sees of its window. */
typedef struct cni_run {
    const cni_window *window;
    const cni_skeleton *skeleton;
    void *const *slots; /* storage, by slot */
    void *scratch; /* memory of the place for the time of one part: at least what its scratch says of the binding */
    uint8_t *told; /* by op: floating-point events told already, by another place; NULL: one place */
    const cni_box *box;   /* a share of a library op: the indices of its first operand that are done; NULL: all */
    const int64_t *whole; /* the shape of which they are indices */
} cni_run;

/* Bytes [low, high) of a slot: what is carried over or filled at one of several places. */
typedef struct cni_span {
    int64_t low, high;
} cni_span;

/* A part, and the window in whose geometry it is bound; most that are bound as one. */
typedef struct cni_placed_part {
    const cni_part *part;
    const cni_window *window;
} cni_placed_part;

enum { CNI_PARTS_TOGETHER = 32 };

/*
 * A share of a part that places do one after the other. It may begin with what needs nothing of the others, all at once;
 * steps are one after the other, each with what the ones before left (state); then all end, and the last stores results.
 */
typedef enum cni_link_phase { CNI_LINK_BEGIN, CNI_LINK_STEP, CNI_LINK_END } cni_link_phase;

typedef struct cni_link {
    bool first, last;
    int64_t before;    /* elements along the way of the shares before */
    char *own, *state; /* of as many bytes as chain_bind says; nobody else's, and what is handed on */
} cni_link;

/* What a share of a reduction leaves on a device: of every result, of every reduction in the part's order. */
enum { CNI_EXACT_WORDS = 69 };

enum { CNI_ROWS_MOST = 16 }; /* reductions of a part that a device does of a chain */

typedef struct cni_left {
    int64_t exact[2][CNI_EXACT_WORDS]; /* a sum of leaves, real and imaginary, as cuda/exact.cuh has it */
    bool begun;                        /* of another reduction: its value */
    uint8_t value[16];
} cni_left;

/* What a place does of parts that several share out. */
typedef struct cni_sharing {
    /*
     * A reduction of long results. quantum: reduced elements that must stay together, 0 if a result's must all;
     * partial_bytes: of what partial leaves of the elements [from, to) of all results; finish: puts together what n places
     * left, in their order, and stores the results.
     */
    int64_t (*quantum)(const void *binding);
    int64_t (*partial_bytes)(const void *binding);
    void (*partial)(const cni_part *part, void *binding, const cni_run *run, int64_t from, int64_t to, void *state);
    void (*finish)(const cni_part *part, void *binding, const cni_run *run, int n, const void *states);
    /* What partial would have left of the elements from there on, of what the device has. */
    void (*take)(void *binding, const cni_run *run, int64_t from, const cni_left *left, void *state);
    /* Parts that places do one after the other; whole: the part bound as a whole, of a group. */
    cni_chain_rule (*chain_rule)(const cni_part *part, const cni_window *w, const void *whole);
    void (*chain_bind)(const cni_part *part, const cni_window *w, void *binding, const void *whole, int64_t *own,
                       int64_t *state);
    void (*chain)(const cni_part *part, void *binding, const cni_run *run, const cni_link *link, cni_link_phase phase);
    /*
     * A device does a phase instead (`rows` below). chain_rows: where in what the link has is that which it is given, and goes
     * what it leaves; chain_left: it has left it. At most CNI_ROWS_MOST.
     */
    void (*chain_rows)(const cni_part *part, const cni_window *w, const void *binding, const cni_link *link,
                       cni_link_phase phase, void **rows);
    void (*chain_left)(const cni_part *part, const cni_window *w, const cni_link *link, cni_link_phase phase);
    /* A part that places do together: what it takes, with the help of a device if there is one (NULL: none) that can. To run
       it fails only if the net or the device does. */
    void (*joint_room)(const cni_joint *joint, const cni_joint_device *device, cni_joint_room *room);
    cn_status (*joint)(const cni_joint *joint);
} cni_sharing;

/* Parts can run; cannot yet; some of them cannot after all, and all are to be bound anew. */
typedef enum cni_bound_state { CNI_BOUND, CNI_BOUND_LATER, CNI_BOUND_ANEW } cni_bound_state;

typedef struct cni_place {
    const char *name;
    uint8_t where;          /* CNI_ON_HOST or CNI_ON_DEVICE: the memory that its slots are in */
    bool scratch_on_device; /* whatever slots are in; else its scratch is where they are */
    /* Can it run the part (NULL: every part)? */
    bool (*supports)(const cni_part *part, const cni_window *w, const cni_skeleton *s);
    /* span: of a carry or fill, NULL: all. CN_ERROR_UNSUPPORTED from a device's: the processor takes the part. */
    cn_status (*bind)(const cni_part *part, const cni_window *w, const cni_skeleton *s, const cni_span *span,
                      void **binding);
    /* The part meets other geometry: its binding follows in place. When it fails, the binding can only be unbound.
       NULL: it is unbound, and bound anew. */
    cn_status (*rebind)(const cni_part *part, const cni_window *w, const cni_skeleton *s, const cni_span *span,
                        void *binding);
    /*
     * Instead of bind: the first parts of a launch as one, as many of the count as go together; run then gets the first.
     * All of them are supported. span: as bind's.
     */
    cn_status (*bind_parts)(const cni_placed_part *parts, uint32_t count, const cni_skeleton *s, const cni_span *span,
                            uint32_t *taken, void **binding);
    /*
     * After all parts of a plan have been bound here: the first launches that the place does as one when no two slots of
     * theirs have the same storage. What is bound is run with the first's part, and does all that they do, each value that
     * they store too. Gives how many; 0: none. NULL: it never does.
     */
    uint32_t (*join)(const cni_launch *launches, uint32_t count, const cni_window *w, void **binding);
    /*
     * Can the parts run that were bound since it was last asked with *number 0? Then it gives them a number, by which they can
     * be asked about again. wait: until they can.
     */
    cni_bound_state (*bound)(uint64_t *number, bool wait);
    void (*unbind)(void *binding);
    int64_t (*scratch)(const void *binding); /* bytes */
    /* Cannot fail: all memory is in the binding, the slots and the scratch. May return before the work is done. */
    void (*run)(const cni_part *part, void *binding, const cni_run *run);
    const cni_sharing *sharing;    /* NULL: it is the only place that there is, or the device of one of several: */
    const cni_joint_device *joint; /* what that does of parts that places do together */
    const cni_turn_device *turns;  /* of the device: copies for boxes in turn; NULL: none */
    /* Of library ops that it supports: can it do a box of what several places do? */
    bool (*shares)(const cni_part *part, const cni_window *w);
    /* A reduction of which places do ranges, bound as a whole, and one of them: waits. *left: the binding's memory. */
    cn_status (*bind_range)(const cni_part *part, const cni_window *w, void **binding);
    cn_status (*range)(void *binding, const cni_run *run, int64_t from, int64_t to, const cni_left **left);
    /*
     * A share of a chain, behind so many elements of others: phases BEGIN apart, else STEP; of accumulations also END. Waits.
     * rows, of a group that reduces rows: by reduction, apart what each run of CNI_LEAF rows gives (of those in any order, what
     * all give); else what all rows up to the share's end give, where what those before it gave, if there are any, has been.
     * Of an accumulation: [0] likewise, a value for each line; [1] if it goes by tiles (scan_lines.h), by line and tile, what
     * BEGIN finds the tile comes to and END is given of what stands before it.
     * Of another library op: [0] what BEGIN leaves of the share's own or, not apart, what STEP goes on from and leaves; so it is,
     * too, where the rule adds and BEGIN is given NULL: what it finds then stays in scratch memory.
     */
    cn_status (*bind_rows)(const cni_part *part, const cni_window *w, const cni_chain_rule *rule, void **binding);
    cn_status (*rows)(const cni_part *part, void *binding, const cni_run *run, int64_t before, cni_link_phase phase,
                      void *const *rows);
    /*
     * An op of a small window, without plan or binding (unplanned.h), if the place takes it so; the host's alone. Slots are
     * then the addresses of bases, by number. No view has more than CNI_UNPLANNED_ELEMENTS elements,
     * but of copies without a cast, gathers and compressions.
     */
    bool (*takes_op)(const cni_window *w, uint32_t op);
    void (*run_op)(const cni_run *run, uint32_t op);
    /*
     * Around the run of a plan whose parts are all this place's, with values where they must be (NULL: nothing to do).
     * memory: the place's own, of the binding, NULL at first; key: of all addresses.
     */
    void (*plan_begin)(void **memory, uint64_t key);
    void (*plan_end)(void **memory);
    void (*plan_forget)(void *memory);
    /* The process is about to end (NULL: nothing to do). */
    void (*close)(void);
    /* A call that runs when it is made (NULL: none). CN_ERROR_UNSUPPORTED: not here; what it writes is then unspecified. */
    cn_status (*call)(cni_device_call *call);
    /* Does it do LU, Cholesky and QR of many matrices of that size at once (NULL: of none)? */
    bool (*together)(int64_t rows, int64_t columns, int64_t itemsize);
} cni_place;

extern const cni_place cni_cpu_place;

/* Implemented by core/cuda: NULL without a driver or a GPU. Sets cni_process_device. */
const cni_place *cni_cuda_place_open(void);

/* The place of the process's device, NULL without one; opens it when first asked. Sets cni_process_device. */
const cni_place *cni_device_place(void);

/* The event that it is in the window's op; its kind is not set. */
cn_fp_event cni_run_event_of(const cni_window *w, uint32_t op);

/* A place saw this floating-point event (one CN_FP_ bit) in an op of the window. */
void cni_run_event(const cni_run *run, uint32_t op, uint32_t kind);

#endif

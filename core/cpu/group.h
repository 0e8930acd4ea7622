/*
 * group.h - a fused group bound to one geometry: loop nest, tile, and the program over tiles (tier 0).
 *
 *   outer dimensions ... | rows of a tile | elements of a row
 *
 * A tile is rows x columns elements. Every register is either memory itself (an access that is contiguous over the
 * tile), a run of its own in the tile arena, or one scalar. Instructions are loops over contiguous runs. What changes
 * while a group runs is in lanes, one for each thread that takes part.
 */
#ifndef CNI_GROUP_H
#define CNI_GROUP_H

#include "cpu/loops.h"
#include "cpu/superacc.h"
#include "exec/place.h"

enum { CNI_LEAF = 1024, CNI_LEAVES = 32, CNI_SMALL_SUM = 8192, CNI_SIDE_BY_SIDE = 32 };

/* How an access meets the tile. */
typedef enum cni_touch { CNI_TOUCH_DIRECT, CNI_TOUCH_COPY, CNI_TOUCH_SPLAT } cni_touch;

typedef struct cni_bound_access {
    uint32_t slot;
    uint8_t touch;
    uint8_t log2_size;
    int64_t offset;   /* bytes, first element of the nest */
    int64_t *strides; /* by dimension of the nest */
} cni_bound_access;

typedef enum cni_step_kind {
    CNI_STEP_LOOP,
    CNI_STEP_LOAD,
    CNI_STEP_STORE,
    CNI_STEP_COPY, /* from memory (registers[0]: an access) to memory */
    CNI_STEP_REDUCE
} cni_step_kind;

typedef struct cni_step {
    uint8_t kind;
    uint8_t npointers; /* LOOP: outputs, then inputs */
    uint8_t fp_kinds;  /* events to look for */
    uint16_t scalars;  /* LOOP: inputs that are one element */
    cni_loop loop;
    int32_t number; /* LOOP: of an op, over all rows; -1: of a cast */
    uint16_t registers[6];
    uint16_t access;
    uint32_t op;
    uint32_t reduction; /* REDUCE */
} cni_step;

typedef struct cni_reduction {
    uint16_t access, value; /* where results go; register with the values */
    uint8_t dtype, kind;    /* cni_reduce_kind */
    bool large;
    bool in_run;     /* the values lie in a run of the tile, not in memory */
    uint32_t memory; /* access whose memory they are; CNI_NONE: in a run */
    size_t itemsize;
    cni_reduce_loop reduce;
    cni_rows_loop rows;
    cni_loop combine; /* elementwise form: p[0] = p[1] op p[2] */
    bool has_identity, has_initial;
    cn_scalar identity;
    uint32_t initial;     /* scalar of the window */
    int64_t count, block; /* elements a result takes; of them, runs that are summed as one */
    int64_t seen;         /* of the present result */
    bool begun;
    cn_scalar accumulator;
    char *scratch; /* a block that does not lie in one tile */
    int64_t filled;
    char *row, *total; /* accumulators of results side by side (last axis kept) */
    char *kept;        /* the row before a kernel accumulated */
    char *runs;        /* sums of runs go there instead of into the total, so many bytes apart; or NULL */
    int64_t runs_step;
    cni_superacc *exact; /* real, imaginary */
    char *rows_memory;   /* of row, total and kept */
    size_t scratch_room, rows_room;
} cni_reduction;

/* What one thread changes while it runs a group. */
typedef struct cni_lane {
    void **registers; /* addresses */
    char **pointers;  /* by access: the tile's first element */
    int64_t *index;   /* by dimension of the nest */
    uint32_t *told;   /* by step: events seen */
    cni_reduction *reductions;
    char **copies; /* tier 1: kept tiles; addresses of what reductions take */
    void **scratch;
} cni_lane;

/*
 * What stays while only extents, strides and offsets change: it follows from how accesses meet the tile alone. Memory
 * that goes with extents has room to grow.
 */
typedef struct cni_group_layout {
    bool made;
    uint32_t row_nruns, row_size; /* runs of a tile of one whole row, and bytes of the widest element */
    uint32_t nruns, run_size;     /* of the tile */
    uint32_t *run_of;             /* by register: its run, or CNI_NONE */
    size_t run_room;              /* bytes of a run */
    int nlanes;
    bool last_kept, leaves; /* as below */
} cni_group_layout;

typedef struct cni_group_binding {
    cni_group_layout layout;
    int ndim;
    int64_t *shape;        /* of the nest, slowest first */
    int nkept;             /* reductions: the first dimensions of the nest are kept ones */
    bool last_kept;        /* reductions: the last axis is kept; the nest ends with the reduced dimensions, then it */
    int64_t columns, rows; /* of a full tile */
    int64_t wide, tall;    /* the same, of what a kernel takes that accumulates (codegen.h) */
    uint32_t together;     /* results that are taken side by side, each on its own; 1: one after the other */
    bool blocked; /* they are the rows of a tile, for what they reduce lies far apart; else their runs take turns */
    bool across;  /* of one result, a tile's rows are leaves */
    bool leaves;  /* long runs of sums: a kernel adds up whole leaves itself (codegen.h) */
    int64_t tiles;
    uint32_t naccess, nsteps, nregister, nreductions;
    cni_bound_access *access;
    cni_step *steps;
    int nlanes;
    cni_lane *lanes;
    struct {
        uint16_t reg, access;
    } *direct; /* registers that are memory */
    uint32_t ndirect;
    uint32_t nscalars;
    struct {
        uint16_t reg;
        bool splat;
        uint8_t log2_size;
        uint32_t scalar;
        void *place;
    } *scalars;
    uint8_t fp_kinds;                     /* of any step */
    bool rerunnable;                      /* a tile can be run twice */
    struct cni_tier1 *tier1;              /* the group compiled (tier1.h), or NULL */
    struct cni_tier1 *asked;              /* the same, not there yet */
    int64_t run_work, work;               /* element operations of one run, and of all so far */
    bool no_tier1;                        /* there will be no compiled form */
    const struct cni_reduce_share *share; /* while rows of a chain are reduced (reduce_chain.h); else NULL */
    cni_arena arena;                      /* of the layout */
    uint8_t touches[];                    /* by access: how it meets a whole row; then, how it meets the tile */
} cni_group_binding;

cn_status cni_group_bind(const cni_part *part, const cni_window *w, cni_group_binding **out);

/* The same binding for other geometry; after a failure it can only be unbound. */
cn_status cni_group_rebind(const cni_part *part, const cni_window *w, cni_group_binding *g);
void cni_group_unbind(cni_group_binding *g);
void cni_group_run(const cni_part *part, cni_group_binding *g, const cni_run *run);

/* What the elements [from, to) of every result leave to be put together by cni_reduce_finish. */
void cni_group_run_partial(const cni_part *part, cni_group_binding *g, const cni_run *run, int64_t from, int64_t to,
                           void *state);

/* Points the accesses at the element of the lane's index. */
void cni_lane_point(const cni_group_binding *g, cni_lane *lane, const cni_run *run);

/* Runs the program on one tile of rows x columns elements; the pointers are of its first element. */
void cni_tile_run(const cni_group_binding *g, cni_lane *lane, const cni_run *run, int64_t rows, int64_t columns);

/* Points the registers that are memory at the lane's pointers. */
void cni_tile_registers(const cni_group_binding *g, cni_lane *lane);

/* One step after the other, asking after each which floating-point events it raised; the registers are set. */
void cni_tile_run_asking(const cni_group_binding *g, cni_lane *lane, const cni_run *run, int64_t rows, int64_t columns);

/* Runs a group that reduces. */
void cni_reduce_run(cni_group_binding *g, const cni_run *run);

/* Fills the lane's reductions for the geometry; they exist (zeroed, or of other geometry). False without memory. */
bool cni_reduce_bind(const cni_part *part, const cni_window *w, cni_group_binding *g, cni_lane *lane);

/* Results shared out among places: cni_place's quantum, partial_bytes, partial, take and finish. */
int64_t cni_reduce_quantum(const cni_group_binding *g);
int64_t cni_reduce_partial_bytes(const cni_group_binding *g);
void cni_reduce_partial(cni_group_binding *g, const cni_run *run, int64_t from, int64_t to, void *state);
void cni_reduce_take_left(cni_group_binding *g, const cni_run *run, int64_t from, const cni_left *left, void *state);
void cni_reduce_finish(cni_group_binding *g, const cni_run *run, int n, const void *states);

/* Takes the tile's values into the accumulators (step REDUCE). */
void cni_reduce_tile(const cni_group_binding *g, cni_lane *lane, cni_reduction *r, const cni_run *run, int64_t rows,
                     int64_t columns);

/* Room for a row of so many accumulators. False without memory. */
bool cni_reduce_rows_room(cni_group_binding *g, cni_reduction *r, int64_t columns);

/* At least `need` bytes of the group's arena: *memory while it has room for them, else more than asked for. */
bool cni_group_room(cni_group_binding *g, char **memory, size_t *room, size_t need); /* false: no memory */

/* Elements of dimensions [first, end) of the nest. */
static inline int64_t cni_group_extent(const cni_group_binding *g, int first, int end)
{
    int64_t count = 1;
    for (int d = first; d < end; d++) {
        count *= g->shape[d];
    }
    return count;
}

/* The part of count units that is lane k's of n. */
static inline int64_t cni_lane_begin(int64_t count, int k, int n)
{
    return n == 1 ? count * k : (int64_t)((__int128)count * k / n);
}

#endif

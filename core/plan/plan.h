/*
 * plan.h - the immutable result of planning a window.
 *
 * A plan holds no extents, strides, offsets, addresses or scalar values: it names views, scalars and bases by their
 * numbers in the window, and every window with the same skeleton has the same numbers. What the passes assumed of the
 * geometry is written down as guards. A plan is a list of launches over storage slots; a launch is a list of parts
 * that do not depend on each other.
 */
#ifndef CNI_PLAN_H
#define CNI_PLAN_H

#include "base/arena.h"
#include "record/window.h"

#define CNI_NONE UINT32_MAX

/* ---- Guards ---- */

typedef enum cni_guard_kind {
    CNI_GUARD_DISJOINT,    /* views a and b of one base share no element */
    CNI_GUARD_CONTAINS,    /* a contains b */
    CNI_GUARD_BOX,         /* a is a lattice of unit steps: what it writes can be left out of a copy */
    CNI_GUARD_COVERED,     /* the views of the list cover the whole home of their base */
    CNI_GUARD_INSIDE,      /* a touches nothing that the views of the list leave uncovered */
    CNI_GUARD_CHEAP,       /* what the list leaves uncovered is at most half of view a */
    CNI_GUARD_SAME_AXES,   /* views a and b (of one shape) have stride 0 on the same axes */
    CNI_GUARD_SAME_ORDER,  /* the axes of views a and b (of one shape) lie in the same order (cni_geometry_axes) */
    CNI_GUARD_SAME_LAYOUT, /* views a and b (of one shape) have equal strides */
    CNI_GUARD_TILED,       /* the views of the list are boxes that make up the home of their base, each element once */
    CNI_GUARD_MEETS,       /* boxes a and b, of bases with equal home shapes, have indices in common */
    CNI_GUARD_SAME_BOX,    /* boxes a and b, of bases with equal home shapes, have the same indices */
    CNI_GUARD_KIND_COUNT
} cni_guard_kind;

typedef struct cni_guard {
    uint8_t kind;
    bool holds;
    uint32_t a, b;
    uint32_t nlist;
    const uint32_t *list;
} cni_guard;

/* ---- Views that the window does not have ---- */

/* A box of an iteration space: the indices that these views, boxes of bases whose homes have its shape, have in common. */
typedef struct cni_cut {
    uint32_t nlist;
    const uint32_t *list;
} cni_cut;

/* The view's elements at the indices of the cut; origin: a box whose first index is the view's first, CNI_NONE: 0. */
typedef struct cni_derived {
    uint32_t view, origin, cut;
} cni_derived;

/* ---- Programs of parts ---- */

typedef enum cni_instr_kind {
    CNI_INSTR_LOAD,   /* dst = memory of an access */
    CNI_INSTR_SCALAR, /* dst = a scalar, of every element */
    CNI_INSTR_OP,     /* dst... = loop(src...) */
    CNI_INSTR_CAST,
    CNI_INSTR_MOVE,   /* dst = src, in memory of its own */
    CNI_INSTR_STORE,  /* memory of an access = src */
    CNI_INSTR_REDUCE, /* accumulators of an access take src */
    CNI_INSTR_KIND_COUNT
} cni_instr_kind;

enum { CNI_INSTR_DST = 2, CNI_INSTR_SRC = 4 };

typedef struct cni_instr {
    uint8_t kind;
    uint8_t dtype; /* of dst; of the loop's input for reductions */
    uint8_t from;  /* CAST: dtype of src */
    uint8_t ndst, nsrc;
    bool direct;   /* OP: the STORE that follows may be done by the loop itself */
    uint16_t loop; /* number over all rows: cni_op_info.first_loop + index */
    uint16_t dst[CNI_INSTR_DST];
    uint16_t src[CNI_INSTR_SRC];
    uint32_t access; /* LOAD, STORE, REDUCE: number in the part; SCALAR: scalar of the window */
    uint32_t op;     /* of the window: call site, floating-point context, opcode */
} cni_instr;

typedef struct cni_access {
    uint32_t slot;
    uint32_t view;
    bool written;
} cni_access;

typedef enum cni_part_kind {
    CNI_PART_GROUP,   /* a fused group */
    CNI_PART_CARRY,   /* slot = what source slot has, where no view of the list writes */
    CNI_PART_FILL,    /* slot = a scalar, where no view of the list writes */
    CNI_PART_LIBRARY, /* an op of its own: accesses are its operands, outputs first */
    CNI_PART_KIND_COUNT
} cni_part_kind;

typedef struct cni_part {
    uint8_t kind;
    bool reduces;
    uint32_t shape; /* iteration space */
    uint32_t naccess, ninstr, nregister;
    const cni_access *access;
    const cni_instr *instr;
    uint32_t op;           /* LIBRARY */
    uint32_t slot, source; /* CARRY, FILL (source: scalar) */
    uint32_t base;         /* CARRY, FILL: whose home */
    uint32_t nlist;
    const uint32_t *list; /* views that are written anyway */
    uint32_t nops;
    const uint32_t *ops; /* of the window, for explain */
} cni_part;

typedef struct cni_launch {
    uint32_t nparts;
    const cni_part *parts;
} cni_launch;

typedef struct cni_slot {
    uint32_t base;        /* size and home are this base's */
    bool entry;           /* the storage that the base has when the plan begins */
    uint32_t first, last; /* launches that use it; last == nlaunches if the result is kept */
} cni_slot;

/* After the last launch, base takes the slot's storage (several bases may take one). */
typedef struct cni_commit {
    uint32_t base, slot;
} cni_commit;

typedef struct cni_plan {
    cni_arena arena;
    uint64_t hash;
    uint64_t content; /* of a window (record/window.h) whose ops and views are the skeleton's; 0: none is known */
    uint32_t nops, nviews, nbases, nscalars; /* of the skeleton */
    const cni_op *ops;                       /* the skeleton: their first words */
    const cni_view *views;                   /* likewise */
    const uint32_t *bases;                   /* by base: cni_skeleton's */
    const uint8_t *scalars;                  /* their dtypes */
    const uint8_t *live;                     /* by base: its value is kept */
    uint32_t nguards;
    const cni_guard *guards;
    uint32_t ncuts, nderived; /* shapes and views behind those of the window, in its arrays */
    const cni_cut *cuts;
    const cni_derived *derived;
    uint32_t nslots, nlaunches, ncommits, ngroups;
    const cni_slot *slots;
    const uint32_t *begins, *ends; /* the slots that are no entries, in the order in which they begin, and end */
    uint32_t nbegins;
    const cni_launch *launches;
    const cni_commit *commits;
    struct cni_plan *next; /* of the same hash */
    uint64_t hits, last_use;
    uint32_t loose_hits; /* in a row with fewer live bases than are kept */
    void *binding;       /* exec's: addresses and extents of the last run */
    void (*binding_destroy)(void *binding);
    void *spread; /* exec's: the same over several places */
    void (*spread_destroy)(void *spread);
} cni_plan;

/* What is true of a base when planning begins. */
enum {
    CNI_BASE_STORED = 1,
    CNI_BASE_COMMON = 2 /* storage shared with a copy */,
    CNI_BASE_SHARED = 4,
    CNI_BASE_AWAY = 8 /* its values are on the device alone */,
    CNI_BASE_SPREAD = 16 /* over the places */,
    CNI_BASE_WHOLE = 32 /* spread, and the root has all of it */,
    CNI_BASE_FILLED = 64 /* the root's storage is for all of it; says nothing of how it is planned: not of the key */
};

/* What is known of a window only when it is to run; the rest of its skeleton are its ops and views themselves. */
typedef struct cni_skeleton {
    uint64_t hash;   /* of all of the skeleton */
    uint32_t *bases; /* by base: state, dimensions and element size of its home */
    uint8_t *states; /* by base: CNI_BASE_ bits */
    uint8_t *live;   /* by base */
    uint32_t *homes; /* by base: where its home shape and strides begin in the window's geometry */
    size_t capacity; /* bases that there is room for */
} cni_skeleton;

/* Reads the window into the skeleton; appends the homes of its bases to its geometry (once). */
cn_status cni_skeleton_build(cni_window *w, cni_skeleton *out);

/* The same with what is true of the bases as somebody else knows it: states and live, by base. */
cn_status cni_skeleton_build_as(cni_window *w, const uint8_t *states, const uint8_t *live, cni_skeleton *out);
void cni_skeleton_destroy(cni_skeleton *s);

/* Is the plan of this skeleton? */
bool cni_skeleton_equals(cni_plan *plan, const cni_window *w, const cni_skeleton *s);

/* Makes the plan one of this skeleton; false without memory. */
bool cni_skeleton_keep(cni_plan *plan, const cni_window *w, const cni_skeleton *s);

/* Do all guards of the plan hold for this window's geometry? */
bool cni_guards_hold(const cni_plan *plan, const cni_window *w, const cni_skeleton *s);

/*
 * Writes the plan's own shapes and views behind the window's: cni_window_geometry then knows them. The window's counts
 * stay as they are.
 */
cn_status cni_plan_derive(const cni_plan *plan, const cni_skeleton *s, cni_window *w);

/*
 * The view as a box of its base's home, forwards in unit steps. axes[k]: its dimension that goes along the home's k, -1: it
 * has one index there. False: it is no such box, or empty.
 */
bool cni_view_box(const cni_skeleton *s, const cni_window *w, uint32_t view, cni_lattice *box, int *axes);

/* The home of a base, whose numbers the skeleton has appended to the window's geometry. */
cni_geometry cni_skeleton_home(const cni_skeleton *s, const cni_window *w, uint32_t base);

/* Plans the window: all passes, each verified if the setting says so. */
cn_status cni_plan_make(const cni_window *w, const cni_skeleton *s, cni_plan **out);
void cni_plan_destroy(cni_plan *plan);

/*
 * The cache. cni_plan_find: NULL if no plan fits; loosely: one that keeps more than the window needs may do for a while;
 * unchanged geometry is the caller's to know (recheck = false).
 */
cni_plan *cni_plan_find(const cni_window *w, const cni_skeleton *s, bool loosely,
                        bool (*geometry_unchanged)(const cni_plan *, const cni_window *));
void cni_plan_keep(cni_plan *plan);
void cni_plan_cache_clear(void);

/* NumPy's name of the op, or that of its kind. */
const char *cni_op_kind_name(const cni_op *op);

/* Appends the plan as text. */
struct cni_text;
void cni_plan_print(const cni_plan *plan, const cni_window *w, const cni_skeleton *s, struct cni_text *text);

#endif

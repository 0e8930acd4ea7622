/*
 * window.h - the ops recorded and not yet run.
 *
 * A window holds ops, the views they use (interned: equal views of one base have one number), the shapes of those
 * views, scalars, and all extents, strides and offsets in one pool of integers ("geometry"), so that the structure
 * (skeleton) and the numbers lie apart. Windows of a thread form a line: `sealed` waits to be run until the `current`
 * one is cut, because only then the names that a loop body rebinds are dead.
 *
 * Invariants: a base's `index` and `first_view` are valid in base->window only; an interned view belongs to exactly one window (serial);
 * op arguments are numbers of views, or CNI_SCALAR | number of a scalar; outputs come first, a mask last.
 */
#ifndef CNI_WINDOW_H
#define CNI_WINDOW_H

#include <stddef.h>

#include "cnumeric.h"
#include "op/op.h"
#include "record/array.h"
#include "record/repeat.h"

typedef enum cni_kind {
    CNI_ELEMENTWISE, /* out... = op(in...) */
    CNI_COPY,        /* out = cast(in) */
    CNI_REDUCE,      /* out = reduce(in); out's view has stride 0 on the reduced axes; in[1]: initial value */
#define CN_LIBRARY(id, name, scratch, share, chain) CNI_##id,
#include "op/library.def"
#undef CN_LIBRARY
    CNI_KIND_COUNT
} cni_kind;

enum {
    CNI_FLAG_WHERE = 1,    /* the last argument is a bool mask: elsewhere the output keeps its value */
    CNI_FLAG_INITIAL = 2,  /* CNI_REDUCE: in[1] is a scalar to begin with */
    CNI_FLAG_MAXIMUM = 4,  /* CNI_ARG_REDUCE */
    CNI_FLAG_RIGHT = 4,    /* CNI_SEARCH */
    CNI_FLAG_TREE = 4,     /* CNI_SCAN: in the order of cpu/scan_tree.h; else one after the other */
    CNI_FLAG_NAMED = 4,    /* CNI_APPLY: floating-point events are the op's, not those of "at" */
    CNI_FLAG_FOLD = 4,     /* CNI_SEGMENTS: stands for a reduction */
    CNI_FLAG_BACKWARD = 4, /* CNI_FOURIER */
    CNI_FLAG_ODD = 8,      /* an odd number of real ones to the half of their spectrum */
    CNI_FLAG_WHOLE = 16,   /* real numbers to all of it */
    CNI_SCAN_RUN = 16,     /* elements; CNI_FLAG_TREE is for lines of more than CNI_SCAN_LEAST */
    CNI_SCAN_TILE = 4096,
    CNI_SCAN_LEAST = 8192,
    CNI_OP_ARGS = 7,
    CNI_FIRST_AXIS_ALL = 255
};

#define CNI_SCALAR UINT32_C(0x80000000)

/* One word of a thread's static storage: no call to find it, also in a library loaded at run time. */
#define CNI_TLS_FAST __attribute__((tls_model("initial-exec")))

/* Ops and views begin with words that are the same in every window of one skeleton. */
enum { CNI_OP_WORDS = 5, CNI_VIEW_WORDS = 2 };

typedef struct cni_op {
    uint8_t kind, nout, nin, flags; /* nin counts the mask */
    uint16_t opcode;                /* elementwise, reduce; fourier: what its events are in, negated */
    uint16_t loop;                  /* of the opcode */
    uint8_t parameter;              /* arg_reduce: axis; gather, scatter: number of indexed axes */
    uint8_t fp_kinds;               /* floating-point events to look for */
    uint16_t none;                  /* 0 */
    uint32_t args[CNI_OP_ARGS];     /* 0 beyond the last one */
    uint32_t fp_context;
    uint32_t site;
    uint64_t choice; /* CNI_ELEMENTWISE: what its loop was chosen by (elementwise.c) */
} cni_op;

typedef struct cni_view {
    uint32_t base;     /* number in the window */
    uint32_t shape;    /* number in the window */
    uint32_t geometry; /* where in the pool: offset, strides */
    uint8_t dtype, ndim;
    bool whole;   /* the whole base in its home layout and element size */
    bool folded;  /* several elements at one address */
    int64_t size; /* elements */
} cni_view;

_Static_assert(offsetof(cni_op, fp_context) == CNI_OP_WORDS * sizeof(uint64_t), "what is of the skeleton comes first");
_Static_assert(offsetof(cni_view, size) == CNI_VIEW_WORDS * sizeof(uint64_t), "what is of the skeleton comes first");

typedef struct cni_shape_entry {
    uint32_t geometry;
    uint8_t ndim;
} cni_shape_entry;

typedef struct cni_recorder cni_recorder;

/* A window that has run, without bases and values: what others are expected to be (follow.h). */
typedef struct cni_model {
    uint64_t hash;
    uint64_t content;               /* a number that no other has had, nor it before it changed last */
    uint64_t used;                  /* serial of the last window of this hash */
    uint32_t sights, fails;         /* windows of this hash that did not follow; that ceased to, in a row */
    struct cni_model *next, *other; /* what comes after it; what came instead */
    bool doubt;                     /* it did so last time */
    size_t nops, nviews, nbases, nshapes, nscalars, ngeometry; /* no ops: only seen */
    bool repeats;                                              /* a period ended where it was cut */
    size_t ops_capacity, words_capacity, views_capacity, orders_capacity, shapes_capacity, geometry_capacity;
    cni_op *ops;
    uint64_t *words;
    cni_view *views;
    uint8_t *orders; /* of the views: are they contiguous? CNI_ORDER_ bits */
    cni_shape_entry *shapes;
    int64_t *geometry;
} cni_model;

enum { CNI_MODELS = 64, CNI_MODEL_WAYS = 8 }; /* places where a model of one hash may be */

typedef struct cni_window {
    uint64_t serial;
    uint64_t hash; /* of the ops' and views' words so far */
    cni_recorder *recorder;
    size_t nops, nviews, nbases, nshapes, nscalars, ngeometry;
    size_t ops_capacity, words_capacity, views_capacity, bases_capacity, shapes_capacity, scalars_capacity,
        geometry_capacity;
    cni_op *ops;
    uint64_t *words; /* what the detector of repeats takes each op for */
    cni_view *views;
    cni_base **bases;
    cni_shape_entry *shapes;
    cn_scalar *scalars;
    int64_t *geometry;
    uint64_t *table; /* open addressing: serial << 32 | view number + 1; without the first view of each base */
    size_t table_size;
    size_t all_views, all_geometry; /* with those of the plan that it runs by, behind its own (cni_plan_derive) */
    int64_t new_bytes;              /* of bases without storage when first mentioned, that have handles */
    int64_t largest;                /* of bases without storage */
    cni_base *fading;               /* its value is not stored when the window runs; NULL: every living one is */
    bool ran;                       /* kept for the value of `fading`, and nothing else */
    bool repeats, full;             /* cut where a period ends; or because there was too much in it */
    cni_model *model;               /* what it follows: ops, views, shapes and geometry are there, and not here */
    cni_model *followed;            /* what it has followed to the end */
    uint64_t content;               /* what that had then; windows of one content have the same ops and views */
} cni_window;

/* A loop chosen before for the same op and dtypes. */
typedef struct cni_choice {
    uint64_t key;
    int loop;
} cni_choice;

enum { CNI_CHOICES = 1024 };

/* What a thread records into. */
struct cni_recorder {
    cni_window *current, *sealed;
    cni_window *spare;
    cni_window *ran;  /* has run, and runs again if a value that it did not store is used (cn_array_fade) */
    cni_base *fading; /* what the next flush need not store */
    cni_repeat repeat;
    int64_t pending_bytes; /* of live bases with pending writes */
    uint32_t site;
    uint8_t fp_kinds;
    uint32_t fp_context;
    bool orphan; /* its thread has ended */
    cn_fp_event *events;
    size_t nevents, event_capacity;
    cni_recorder *next;
    int64_t pinned_limit; /* of the current window's new_bytes */
    uint64_t choice;      /* of the elementwise call at hand */
    cni_model *newest;    /* of the window that was cut last */
    cni_model *other;     /* what the current one may be instead of its model */
    cni_model models[CNI_MODELS];
    cni_choice choices[CNI_CHOICES];
};

/* An operand of an op being recorded: a view given by value, or a scalar. */
typedef struct cni_operand {
    cn_array *array; /* NULL: scalar */
    bool broadcast;  /* seen with the shape and strides below instead of its own */
    int ndim;
    const int64_t *shape;
    const int64_t *strides;
    cn_scalar scalar;
} cni_operand;

/* The calling thread's, NULL until it records first. */
extern _Thread_local cni_recorder *cni_my_recorder CNI_TLS_FAST;

cn_status cni_recorder_create(void); /* gives the calling thread its recorder */

static inline cn_status cni_recorder_get(cni_recorder **out)
{
    if (cni_my_recorder == NULL) {
        cn_status status = cni_recorder_create();
        if (status != CN_OK) {
            return status;
        }
    }
    *out = cni_my_recorder;
    return CN_OK;
}

/*
 * Appends the op with these operands (outputs first), after cutting or flushing what must go first. Ops on shared
 * bases have run when it returns. On failure nothing is recorded.
 */
cn_status cni_record(const cni_op *op, const cni_operand *operands);

/* Runs what is pending on the base, in whichever thread's windows. Nothing else then depends on its storage. */
cn_status cni_base_flush(const cni_base *base);

/* The same, for a look at its values alone. */
cn_status cni_base_compute(const cni_base *base);
cn_status cni_recorder_flush(cni_recorder *recorder);

/* The last array on the base is gone. */
void cni_window_base_forgotten(cni_base *base);

void cni_window_destroy(cni_window *window);

/* Of a window that is still being recorded: its own, or its model's. */
static inline const cni_op *cni_window_ops(const cni_window *w)
{
    return w->model != NULL ? w->model->ops : w->ops;
}

static inline const cni_view *cni_window_views(const cni_window *w)
{
    return w->model != NULL ? w->model->views : w->views;
}

static inline cni_geometry cni_window_geometry(const cni_window *w, uint32_t view)
{
    const cni_view *v = &w->views[view];
    const int64_t *numbers = w->geometry + v->geometry;
    return (cni_geometry){v->ndim, cni_dtype_size(v->dtype), numbers[0], w->geometry + w->shapes[v->shape].geometry,
                          numbers + 1};
}

/* Implemented by exec: plans and runs the window; on failure the window is as before. */
cn_status cni_window_run(cni_window *window);

/* A floating-point event of a pending op, kept until cn_fp_event_take. */
void cni_recorder_event(cni_recorder *recorder, const cn_fp_event *event);
bool cni_recorder_has_event(const cni_recorder *recorder, const cn_fp_event *event);

#endif

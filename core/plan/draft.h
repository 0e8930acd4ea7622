/*
 * draft.h - a plan in the making: what the passes hand on to each other.
 *
 * content   what a base holds between two writes. A write makes a new content whose parent is the one before; a copy
 *           of a whole base makes none: both bases then hold the same content.
 * segment   a run of contents that live in one piece of storage. A write either goes into its parent's segment or
 *           begins a new one (the parent is read by others, or at other places in the same group); what the writes of
 *           a new segment leave uncovered is carried over.
 * read      an operand of an op, resolved: a scalar, the result of an op (forwarded in a register where both are in
 *           one group), memory, or pieces: boxes that copies made up (roll, concatenate), each read where its copy did.
 * split     of a group that reads pieces: the boxes of its iteration space in which each operand has one piece.
 */
#ifndef CNI_DRAFT_H
#define CNI_DRAFT_H

#include "op/op.h"
#include "plan/plan.h"

typedef enum cni_content_kind {
    CNI_CONTENT_UNDEFINED,
    CNI_CONTENT_ENTRY,
    CNI_CONTENT_FILL,
    CNI_CONTENT_WRITE
} cni_content_kind;

typedef struct cni_content {
    uint8_t kind;
    bool stored; /* its write must reach memory */
    bool listed; /* its segment does not carry over what it writes: it must not begin one of its own */
    uint32_t base;
    uint32_t parent;  /* WRITE */
    uint32_t op;      /* WRITE, FILL */
    uint32_t view;    /* WRITE */
    uint32_t scalar;  /* FILL */
    uint32_t segment; /* CNI_NONE: not yet, or nothing to store */
} cni_content;

typedef enum cni_read_kind {
    CNI_READ_NONE,
    CNI_READ_SCALAR,
    CNI_READ_FORWARD,
    CNI_READ_MEMORY,
    CNI_READ_PIECES
} cni_read_kind;

typedef struct cni_piece cni_piece;

typedef struct cni_read {
    uint8_t kind;
    uint32_t op;      /* who reads */
    uint32_t view;    /* MEMORY, FORWARD */
    uint32_t content; /* the newest content that has the elements; MEMORY, FORWARD */
    uint32_t scalar;  /* SCALAR: of the window, CNI_NONE: undefined, any value */
    uint32_t npieces; /* PIECES; view and content are those of the whole */
    const cni_piece *pieces;
} cni_read;

struct cni_piece {
    uint32_t view;   /* the box, of the base that is made up */
    cni_read source; /* a scalar, or a view of the box's shape */
};

enum { CNI_READ_OLD = CNI_OP_ARGS, CNI_READS = CNI_OP_ARGS + 1 }; /* the last: an output's old value under a mask */

typedef struct cni_draft_op {
    const cni_op *op;
    bool dead, alias; /* alias: a copy that only gives a base its source's content */
    bool fill;        /* fills a whole base: stored only where nothing else is */
    uint32_t group;
    uint32_t shape;              /* iteration space */
    uint32_t made[CNI_MAX_NOUT]; /* contents written */
    cni_read reads[CNI_READS];
    uint32_t nneeds; /* what it reads, pieces one by one; just `reads` if there are none */
    const cni_read *needs;
} cni_draft_op;

typedef struct cni_segment {
    uint32_t base;
    bool entry, common, shared; /* common: in place is forbidden */
    bool used;                  /* has memory accesses */
    uint8_t carry;              /* 0 none, else cni_part_kind */
    uint32_t carry_source;      /* segment, or scalar */
    uint32_t carry_group;
    uint32_t carry_content; /* whose elements are carried */
    uint32_t nlist;
    uint32_t *list; /* views written before anything else is read */
    uint32_t slot;
} cni_segment;

enum { CNI_GROUP_LOADS = 64, CNI_SPLIT_CLASSES = 8, CNI_SPLIT_OPERANDS = 32, CNI_SPLIT_BOXES = 64 };

typedef struct cni_split {
    uint32_t noperands, nclasses, nboxes;
    struct {
        uint32_t content;
        uint32_t like; /* its pieces are cut as those of this class, in the same order */
    } operands[CNI_SPLIT_OPERANDS];
    const cni_read *classes[CNI_SPLIT_CLASSES];
    uint8_t piece[CNI_SPLIT_BOXES][CNI_SPLIT_CLASSES];
} cni_split;

typedef struct cni_group {
    bool library;
    uint32_t shape;
    uint32_t nops, capacity;
    uint32_t *ops;
    uint32_t nloads; /* places of memory that it reads, the first CNI_GROUP_LOADS of them */
    struct {
        uint32_t segment, view;
    } loads[CNI_GROUP_LOADS];
    uint32_t reduction;     /* the first op that reduces; CNI_NONE: none */
    const cni_split *split; /* NULL: none of its ops reads pieces */
} cni_group;

typedef struct cni_draft {
    const cni_window *w;
    const cni_skeleton *s;
    cni_plan *plan;
    cni_arena arena; /* for the time of planning */
    uint32_t nops;
    cni_draft_op *ops;
    uint32_t ncontents, nsegments, ngroups;
    cni_content *contents;
    cni_segment *segments;
    cni_group *groups;
    uint8_t *depends; /* [later * ngroups_most + earlier] */
    uint32_t ngroups_most;
    uint32_t *entry; /* by base: its first content */
    uint32_t *final; /* by base: its last content */
    cni_guard *guards;
    size_t nguards, guards_capacity;
    cni_cut *cuts;
    cni_derived *derived;
    size_t ncuts, cuts_capacity, nderived, derived_capacity;
    bool no_memory; /* a predicate could not be written down */
} cni_draft;

/* ---- Predicates: answered for this geometry, and written down as guards. ---- */
bool cni_ask_disjoint(cni_draft *d, uint32_t a, uint32_t b);
bool cni_ask_contains(cni_draft *d, uint32_t a, uint32_t b);
bool cni_ask_box(cni_draft *d, uint32_t a);
bool cni_ask_covered(cni_draft *d, uint32_t base, uint32_t nlist, const uint32_t *list);
bool cni_ask_inside(cni_draft *d, uint32_t a, uint32_t nlist, const uint32_t *list);
bool cni_ask_cheap(cni_draft *d, uint32_t a, uint32_t nlist, const uint32_t *list);
bool cni_ask_same_axes(cni_draft *d, uint32_t a, uint32_t b);
bool cni_ask_same_order(cni_draft *d, uint32_t a, uint32_t b);
bool cni_ask_same_layout(cni_draft *d, uint32_t a, uint32_t b);
bool cni_ask_tiled(cni_draft *d, uint32_t nlist, const uint32_t *list);
bool cni_ask_meets(cni_draft *d, uint32_t a, uint32_t b);
bool cni_ask_same_box(cni_draft *d, uint32_t a, uint32_t b);

/* ---- Pieces ---- */

/* Finds the pieces of what the op reads as a whole from memory. False without memory. */
bool cni_pieces_find(cni_draft *d, cni_draft_op *x);

/* The split of a group that takes the op, too: `split` itself if the op reads no other pieces; NULL: it cannot. */
const cni_split *cni_split_with(cni_draft *d, const cni_split *split, const cni_draft_op *x);

/* The piece of the read in this box of the split. */
const cni_piece *cni_split_piece(const cni_split *split, uint32_t box, const cni_read *r);

/* The number of the box as a cut of the plan; CNI_NONE without memory. */
uint32_t cni_split_cut(cni_draft *d, const cni_split *split, uint32_t box);

/* ---- Passes, in this order ---- */
cn_status cni_pass_versions(cni_draft *d); /* contents, reads, aliases, fills */
cn_status cni_pass_simplify(cni_draft *d); /* dead ops */
cn_status cni_pass_fuse(cni_draft *d);     /* segments, groups */
cn_status cni_pass_sink(cni_draft *d);     /* temporaries beside their readers */
cn_status cni_pass_steps(cni_draft *d);    /* stores, slots, launches, programs */

/* The invariants that must hold after each of them; CN_ERROR_INTERNAL names the one that does not. */
cn_status cni_verify_versions(const cni_draft *d);
cn_status cni_verify_simplify(const cni_draft *d);
cn_status cni_verify_fuse(const cni_draft *d);
cn_status cni_verify_plan(const cni_plan *plan, const cni_window *w);

static inline bool cni_op_elementwise(const cni_op *op)
{
    return op->kind == CNI_ELEMENTWISE || op->kind == CNI_COPY;
}

/* Does the op keep what its output holds, where it does not write it? */
static inline bool cni_op_scatters(const cni_op *op)
{
    return op->kind == CNI_SCATTER || op->kind == CNI_APPLY;
}

static inline bool cni_reads_pieces(const cni_draft_op *x)
{
    return x->needs != x->reads;
}

static inline bool cni_op_groups(const cni_op *op)
{
    return cni_op_elementwise(op) || op->kind == CNI_REDUCE;
}

static inline uint32_t cni_content_root(const cni_draft *d, uint32_t content)
{
    while (d->contents[content].kind == CNI_CONTENT_WRITE) {
        content = d->contents[content].parent;
    }
    return content;
}

#endif

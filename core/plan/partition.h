/*
 * partition.h - which place does what of a plan, and what must move between places: for one geometry.
 *
 * Bases of some size are spread over the places (record/layout.h), all else is at place 0, the root. A part of a launch
 * is cut by who owns what it writes (or, if it only reduces, what it reads); a part that cannot be cut is done by the root.
 * What a place reads and does not own comes before the launch; what it wrote and does not own goes to the owners after it.
 * The partition follows from the plan, the geometry and the layouts alone, so that every process finds the same.
 *
 * It is made for some of the places, the local ones: their shares, and the transfers from or to them. Others are looked at
 * only as far as they are neighbours, so that the work of planning does not grow with the number of places. Transfers
 * between two places come in the same order whichever of them is local.
 */
#ifndef CNI_PARTITION_H
#define CNI_PARTITION_H

#include "plan/plan.h"
#include "record/layout.h"

typedef struct cni_transfer {
    uint32_t slot;
    int from, to;
    bool boxed; /* the region is this box of the base's home */
    cni_box box;
    cni_region region;
    uint32_t
        panel;   /* 0: it arrives where it was; else in the panel of this number (less 1), dense, from byte `at` on */
    bool packed; /* and there it is at the sender's too */
    int64_t at;
} cni_transfer;

/* Where what a transfer moves is dense; valid if it goes to a panel. */
static inline cni_region cni_transfer_dense(const cni_transfer *t)
{
    int64_t size = t->region.itemsize;
    return (cni_region){
        .ndim = 1, .itemsize = size, .offset = t->at, .shape = {cni_region_size(&t->region) / size}, .strides = {size}};
}

/* How places may do a part one after the other, along an axis: a place's to say. */
typedef struct cni_chain_rule {
    bool may;
    bool apart;      /* most of the work needs nothing of what the shares before it hand on */
    bool adds;       /* apart: what is handed on is added to, value by value: a device that has them does so */
    bool mixed;      /* not so, although some of it does: the processor's alone */
    int64_t quantum; /* elements along the way that stay together */
} cni_chain_rule;

typedef enum cni_share_kind {
    CNI_SHARE_ROOT,  /* the root does all of it */
    CNI_SHARE_BOXES, /* every place the indices in its boxes */
    CNI_SHARE_RANGE, /* a reduction: every place the reduced elements [from, to) of all results; the root puts them together */
    CNI_SHARE_CHAIN, /* every place its boxes, each with what the share before hands on: elements [from, to) along the way */
    CNI_SHARE_JOINT, /* every place its boxes; what moves of some operands is known from values only, and is the part's own matter */
    CNI_SHARE_BYTES /* a carry or fill: every place bytes [from, to) of the slot */
} cni_share_kind;

/* A library op cut along one axis of its work, so that a place's box follows from its number. */
typedef struct cni_library_cut {
    int64_t extent;  /* of the axis */
    int by;          /* the operand whose owners do the work; -1: all places as much, */
    int64_t quantum; /* in pieces of so many */
    int noperands;
    int8_t follows[CNI_OP_ARGS]; /* by operand: its dimension along the axis, -1: none */
    cni_box whole[CNI_OP_ARGS];  /* by operand: what is needed of it, along all of the axis */
} cni_library_cut;

/* Dense memory that places have of operands: two panels by turns, and a part of another operand. */
enum { CNI_PANELS = 2, CNI_PANEL_SLOTS };

/* An operand of two dimensions that places get dense: of each its elements from one number to another of a dimension. */
typedef struct cni_dense {
    uint32_t access, slot;
    int dim;
    bool turned; /* the dimension is the slower one in memory */
    const cni_layout *layout;
    int64_t nbytes; /* the most at a time */
} cni_dense;

/*
 * BOXES of a product for which every place would need an operand whole: that comes in panels, of which each place has two at a
 * time, one that is multiplied and one that is on its way (rounds.h). If what it needs of the other is columns of all places'
 * rows, it has those dense too, before the first panel.
 */
typedef struct cni_rounds {
    cni_dense panels, other; /* other.nbytes is 0: it is where it lies */
    int across;              /* the result's dimension that is cut into panels */
    int n;                   /* panels, and rounds */
    int64_t extent, piece;   /* of all, as evenly as whole pieces allow */
    int64_t low, stride;     /* by the byte where the operand begins, and where the next of the dimension does */
    int exchanges;           /* number n, if there is one, is the other operand's, and the first */
    const cni_transfer *transfers, *own; /* from place to place; of local places, what they have themselves */
    const uint32_t *begin, *own_begin;   /* by exchange, and behind the last */
} cni_rounds;

/* What a chain's shares follow from, while the partition is made (chain.h). */
typedef struct cni_chain_cut cni_chain_cut;

/* What one place does of a part. */
typedef struct cni_share {
    int place;
    int nboxes;
    const cni_box
        *boxes;       /* of a group: of its iteration space; of a library op: naccess for each, one of every operand */
    uint32_t naccess; /* 0: of a group */
    const cni_box
        *all; /* CHAIN: the boxes together, which other places' shares lack; as the operands see them, likewise */
    int64_t from, to;
} cni_share;

/* Box i of the share, as the access sees it. */
static inline const cni_box *cni_share_box(const cni_share *share, int i, uint32_t access)
{
    return share->naccess == 0 ? &share->boxes[i] : &share->boxes[(uint32_t)i * share->naccess + access];
}

typedef struct cni_shared_part {
    const cni_part *part; /* of the plan, or some of its stores */
    uint32_t origin;      /* number of the plan's part, counted through its launches */
    uint8_t kind;
    uint32_t primary;           /* BOXES, RANGE: the access whose owners do the work */
    const cni_library_cut *cut; /* BOXES of a library op; NULL: shares are listed */
    const cni_rounds *rounds;   /* BOXES of a library op; NULL: all that is needed comes before the stage */
    const cni_chain_cut *chain; /* CHAIN */
    int before, behind; /* CHAIN: places whose shares come before the first local one and behind the last; -1: none */
    int end;            /* CHAIN: the place of the last share of all */
    int64_t quantum;    /* RANGE */
    bool listed;     /* shares are of all places: JOINT, whose runs send every place a count, and where rows are cut */
    uint8_t dynamic; /* JOINT: bits of the accesses that no transfer is for */
    bool at_end;     /* CHAIN of a library op: what it writes is the last share's; of a group: what it reduces */
    uint32_t nshares;
    const cni_share
        *shares; /* of local places, in their order; a root's, and of a range all that the root hears of, always */
} cni_shared_part;

typedef struct cni_stage {
    uint32_t nparts, nbefore, nafter;
    const cni_shared_part *parts;
    const cni_transfer *before, *after; /* by generation: the same order at every process */
} cni_stage;

typedef struct cni_slot_layout {
    bool spread;
    bool adopted; /* at the root until the plan begins; its transfers are the partition's first */
    cni_layout layout;
} cni_slot_layout;

typedef struct cni_partition {
    cni_arena arena;
    int places, first, end; /* local: [first, end) */
    const cni_slot_layout *slots;
    uint32_t nadopt;
    const cni_transfer *adopt;
    uint32_t nstages;
    const cni_stage *stages;
    uint64_t messages, message_bytes; /* of one run: pairs of places that exchange something, stage by stage */
    uint64_t root_bytes;              /* of them, what the root receives */
    uint64_t looked;                  /* places, owners and transfers looked at to make it: what planning costs */
} cni_partition;

/* What a partition is made for. */
typedef struct cni_partition_request {
    const cni_plan *plan;
    const cni_window *window;
    const cni_skeleton *skeleton;
    const cni_layout *const *layouts; /* by base, of those that are spread already; NULL: as their buffers say */
    int places, first, end;           /* local: [first, end) */
    int64_t spread_bytes;             /* bases from this size on are spread, were their elements of 8 bytes */
    const int64_t
        *quantum; /* by part, in the order of launches: elements of a reduction that stay together; 0: no share */
    const cni_chain_rule *chains; /* by part */
} cni_partition_request;

cn_status cni_partition_make(const cni_partition_request *request, cni_partition **out);
void cni_partition_destroy(cni_partition *partition);

/* As text: how each part is shared out, and what moves. */
void cni_partition_print(const cni_partition *partition, struct cni_text *text);

/* Is the base of a size from which on bases are spread? */
bool cni_base_may_spread(const cni_base *base, int64_t spread_bytes);

/* Is the base spread, or will it be as soon as a place works on it? A mask is where what it was made of is. */
bool cni_base_spreads(const cni_window *w, const cni_skeleton *s, uint32_t base, int64_t spread_bytes);

#endif

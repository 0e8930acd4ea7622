/* scan_lines.h - how a device accumulates: along few lines by tiles, of which each tells the others, else a thread a line. */
#ifndef CNI_SCAN_LINES_H
#define CNI_SCAN_LINES_H

#include "op/op.h"
#include "record/window.h"

enum { CNI_SCAN_MANY_LINES = 1024 };

/* Of the op's dtype and so many lines: by tiles? In the tree's order, or in any. */
static inline bool cni_scan_by_tiles(const cni_op *op, cn_dtype dtype, int64_t lines)
{
    cn_scalar identity;
    bool any_order = dtype < CN_FLOAT16 && cni_op_identity(op->opcode, &identity);
    return (op->flags & CNI_FLAG_TREE) != 0 || (lines < CNI_SCAN_MANY_LINES && any_order);
}

#endif

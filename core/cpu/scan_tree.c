/* scan_tree.c - see scan_tree.h. */
#include "cpu/scan_tree.h"

#define T double
#define F(name) name##_f64
#include "cpu/scan_tree_body.h"
#undef T
#undef F

#define T float
#define F(name) name##_f32
#include "cpu/scan_tree_body.h"

/* explain.h - bytes of launches, and the collected text of the plans that ran. */
#ifndef CNI_EXPLAIN_H
#define CNI_EXPLAIN_H

#include "plan/partition.h"

/* Adds the bytes that the launch must read and write: every element of storage once, however many views name it. */
void cni_launch_bytes(const cni_launch *launch, const cni_plan *plan, const cni_window *w, const cni_skeleton *s,
                      uint64_t *read, uint64_t *written);

/* Are plans collected? Then every window has one. */
bool cni_explaining(void);

/* Appends the plan to what cn_explain returns, if cn_explain_start was called. */
void cni_explain_add(const cni_plan *plan, const cni_window *w, const cni_skeleton *s);

/* Of the plan that was added last: boxes that the device did in turn, bytes that came there for them and that went. */
void cni_explain_turns(uint64_t boxes, uint64_t up, uint64_t down);

/* The messages of a run over several places; direct: of those from or to this rank, which went from device to device. */
typedef struct cni_explained_messages {
    uint64_t count, bytes, direct, direct_bytes;
} cni_explained_messages;

/* The same for a run over several places: who does what, and what moves which way. */
void cni_explain_add_spread(const cni_plan *plan, const cni_window *w, const cni_skeleton *s,
                            const cni_partition *partition, const cni_explained_messages *messages);

/* Tells of a plan that was made, or of a partition of it, if the setting `debug` asks for it. */
void cni_explain_planned(const cni_plan *plan, const cni_window *w, const cni_skeleton *s);
void cni_explain_partition(const cni_partition *partition);

/* The program's line, as the caller prints it; "" if it is not known. */
void cni_site_text(uint32_t site, char *text, size_t size);

/* CN_ERROR_MEMORY for the window: adds to what was said which calls it was for, and the largest of their arrays. */
cn_status cni_fail_naming(const cni_window *w);

#endif

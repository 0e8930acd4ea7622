/*
 * spread_memory.h - what places of this process have of a spread buffer: addresses of the whole on the host, on the device
 * too where parts run there, and of both what is touched.
 *
 * A place's part is on the host, on the device, or on both (valid); all that it has of the buffer in a run, what it owns
 * and what it has received, goes the same way. Memory on the device is given up for what is used now
 * (record/device_memory.c).
 */
#ifndef CNI_SPREAD_MEMORY_H
#define CNI_SPREAD_MEMORY_H

#include "exec/world.h"

extern const cni_places cni_spread_places;

/* Addresses on the host, for a place that has a part of it by the layout. *fresh: much was asked of the system. */
cn_status cni_place_host(cni_buffer *buffer, int local, const cni_layout *layout, bool *fresh);

/* Does what places have of others' bytes count? Not where the root has storage of its own for all of it. */
bool cni_place_beside(const cni_buffer *buffer);

/* Bytes of other places come beside what places of this process own; memory once touched stays. */
cn_status cni_place_more(cni_buffer *buffer, int64_t more);

/* Memory on the device for these bytes; false: there is no room. */
bool cni_place_device(cni_buffer *buffer, int local, bool spread, const cni_spans *spans);

/* Values come to the host or the device (CNI_ON_ bit), of the spans, if they are not there; counted. */
cn_status cni_place_bring(cni_buffer *buffer, int local, uint8_t where, const cni_spans *spans);

/* The root has all of the buffer on its host, and what it owns on its device: the rest of the spans comes there too. */
cn_status cni_place_complete(cni_buffer *buffer, const cni_spans *spans);

/* What the place owns of bytes [low, high) is on the host, to be read; counted. */
cn_status cni_place_show(cni_buffer *buffer, int local, int64_t low, int64_t high);

#endif

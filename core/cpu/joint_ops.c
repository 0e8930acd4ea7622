/* joint_ops.c - see joint_ops.h: which function does what. */
#include "cpu/joint_ops.h"

typedef struct joint_row {
    void (*room)(const cni_joint *joint, int64_t *asked, int64_t *heard, int64_t *scratch);
    cn_status (*run)(const cni_joint *joint);
    /* Devices may do the places' work; NULL: if there is `there`. */
    bool (*may)(const cni_joint *joint);
    void (*there)(const cni_joint *joint, const cni_joint_device *device, cni_joint_room *room);
} joint_row;

static const joint_row ops[CNI_KIND_COUNT] = {
    [CNI_GATHER] = {cni_rows_room, cni_gather_run, cni_rows_may, cni_rows_there},
    [CNI_SCATTER] = {cni_rows_room, cni_scatter_run, cni_rows_may, cni_rows_there},
    [CNI_APPLY] = {cni_rows_room, cni_apply_run},
    [CNI_NONZERO] = {cni_select_room, cni_select_run, NULL, cni_select_there},
    [CNI_COMPRESS] = {cni_select_room, cni_select_run, NULL, cni_select_there},
    [CNI_SORT] = {cni_sorted_room, cni_sorted_run, cni_sorted_may, cni_sorted_there},
    [CNI_ARGSORT] = {cni_sorted_room, cni_sorted_run, cni_sorted_may, cni_sorted_there},
    [CNI_PARTITION] = {cni_sorted_room, cni_sorted_run},
    [CNI_SEGMENTS] = {cni_segments_room, cni_segments_run},
    [CNI_SEARCH] = {cni_search_room, cni_search_run, cni_search_may, cni_search_there},
    [CNI_FOURIER] = {cni_fourier_room, cni_fourier_run},
};

static const joint_row *row_of(const cni_joint *j)
{
    return &ops[j->window->ops[j->part->op].kind];
}

static bool devices_may(const joint_row *row, const cni_joint *j)
{
    return row->there != NULL && (row->may == NULL || row->may(j));
}

static int64_t aligned(int64_t bytes)
{
    return (bytes + 255) / 256 * 256;
}

void cni_joint_measure(const cni_joint *given, const cni_joint_device *device, cni_joint_room *room)
{
    const joint_row *row = row_of(given);
    cni_joint j = *given;
    bool may = devices_may(row, given);
    j.direct &= may;
    *room = (cni_joint_room){0};
    row->room(&j, &room->asked, &room->heard, &room->scratch);
    room->asked_there = room->asked;
    room->heard_there = room->heard;
    if (device != NULL && may) {
        row->there(&j, device, room);
    }
    room->asked_there = aligned(room->asked_there);
    room->heard_there = aligned(room->heard_there);
}

cn_status cni_joint_run(const cni_joint *given)
{
    const joint_row *row = row_of(given);
    cni_joint j = *given;
    bool may = devices_may(row, given);
    j.direct &= may;
    j.moves->direct = j.direct;
    j.moves->there = j.there != NULL;
    for (int k = 0; k < j.world->local && j.there != NULL; k++) {
        j.moves->device_asked[k] = j.memory + k * j.memory_bytes;
        j.moves->device_heard[k] = j.moves->device_asked[k] + j.asked_there;
    }
    return row->run(&j);
}

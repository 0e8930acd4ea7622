/* world.c - see world.h. */
#include "exec/world.h"

#include "base/settings.h"

const cni_world *cni_world_get(void)
{
    static cni_world world;
    if (world.places == 0) {
        world.net = cni_process_net;
        if (cni_process_net->size > 1) {
            world.places = cni_process_net->size;
            world.first = cni_process_net->rank;
            world.local = 1;
        } else {
            int64_t places = cni_settings[CNI_SETTING_PLACES];
            world.places = world.local = places < 1 ? 1 : places > 65536 ? 65536 : (int)places;
        }
    }
    return &world;
}

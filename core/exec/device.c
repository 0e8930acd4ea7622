/* device.c - the process's device, if it finds one: looked for once, when a value is first large enough. */
#include "base/settings.h"
#include "exec/place.h"

static const cni_place *place;

const cni_place *cni_device_place(void)
{
    static bool looked;
    if (!looked) {
        looked = true;
        place = cni_cuda_place_open();
    }
    return place;
}

bool cn_device_open(int *number)
{
    if (cni_settings[CNI_SETTING_GPU] == 0 || cni_device_place() == NULL) {
        return false;
    }
    *number = cni_process_device->number();
    return true;
}

void cn_close(void)
{
    if (place != NULL && place->close != NULL) {
        place->close();
    }
}

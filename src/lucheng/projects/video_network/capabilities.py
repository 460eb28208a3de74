"""What this room adds to the list of what a role may allow."""

from django.utils.translation import pgettext_lazy

CAPABILITIES = {
    "video_network.view": pgettext_lazy("capability", "read the registers of video systems and cameras"),
    "video_network.edit": pgettext_lazy("capability", "keep the registers of video systems and cameras"),
}

"""What this room adds to the list of what a role may allow."""

from django.utils.translation import pgettext_lazy

CAPABILITIES = {
    "border_service.edit": pgettext_lazy("capability", "keep the registers of service on the border"),
    "border_service.view": pgettext_lazy("capability", "read the registers of rangers' posts and duty"),
}

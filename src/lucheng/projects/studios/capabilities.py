"""What this room adds to the list of what a role may allow."""

from django.utils.translation import pgettext_lazy

CAPABILITIES = {
    "studios.edit": pgettext_lazy("capability", "keep the registers of named studios and joint mediation")
}
